//! Caches that leave out one of the protocol's rules, so that the check is seen to need each.

use cache_runtime::testing::Rule;
use cache_runtime::{Cache, Config};

/// The variable that names the rule that a worker's cache leaves out.
pub const WITHOUT: &str = "CHECK_WITHOUT_RULE";

/// The rules that can be left out, and what the command line calls them.
pub const RULES: [(&str, Rule); 5] = [
    ("fence", Rule::Fence),
    ("join", Rule::Join),
    ("nonce-order", Rule::NonceOrder),
    ("install-guard", Rule::InstallGuard),
    ("heartbeat", Rule::Heartbeat),
];

/// Makes the cache as any program does, but for a rule that is to be left out.
pub(super) async fn init() -> cache_runtime::Result<()> {
    let Ok(name) = std::env::var(WITHOUT) else {
        return cache_runtime::init().await.map(drop);
    };
    let rule = RULES.into_iter().find(|(each, _)| *each == name).map(|(_, rule)| rule);
    let builder = Cache::builder().config(Config::from_env()?);
    cache_runtime::install(builder.without_rule(rule.expect("the name of a rule")).build().await?);
    Ok(())
}
