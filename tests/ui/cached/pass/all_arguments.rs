//! Every argument at once.

use std::time::Duration;

use cache_runtime::{Policy, cached};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct User {
    pub team: u64,
    pub active: bool,
}

const BASE: Policy = Policy::new().ttl(Duration::from_secs(60));

#[cached(
    key = "user:<org>:<id>",
    ttl = 1800,
    tags = ["users", "org:<org>", "team:<result.team>"],
    skip(trace),
    stale = "1m",
    stale_if_error = "1h",
    none_ttl = 5,
    cache_if = |user| user.active,
    early = 1.5,
    jitter = "10%",
    timeout = "500ms",
    policy = BASE,
    crate = cache_runtime
)]
pub async fn get_user(org: u64, id: u64, trace: String) -> Result<Option<User>, String> {
    let _ = trace;
    Ok(Some(User { team: org, active: id > 0 }))
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert!(get_user(1, 2, String::new()).await.unwrap().is_some());
        assert_eq!(get_user::key(1, 2).as_str(), "user:1:2");
    };
    cache_runtime::scope(cache, program).await;
}
