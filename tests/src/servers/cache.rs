//! A cache on one of the servers.

use cache_runtime::{Cache, Config};

/// A cache on the Redis at `url`, made as from an environment that says so, with more variables
/// where the test wants them.
///
/// # Panics
///
/// If the variables make no cache.
pub async fn cache_on(url: &str, more: &[(&str, &str)]) -> Cache {
    let variables = [("CACHE_PROVIDER", "redis"), ("REDIS_URL", url), ("CACHE_NAMESPACE", "shop")];
    let config = Config::from_vars(|wanted| {
        let found = more.iter().chain(&variables).find(|(name, _)| *name == wanted);
        found.map(|(_, value)| (*value).to_owned())
    });
    let config = config.expect("a sound configuration");
    Cache::builder().config(config).build().await.expect("a cache")
}
