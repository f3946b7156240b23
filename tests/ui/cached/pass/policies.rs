//! A named policy, with arguments that override it.

use std::time::Duration;

use cache_runtime::{Policy, cached, policy};

mod policies {
    use super::*;

    pub const SHORT: Policy = Policy::new().ttl(Duration::from_secs(5)).jitter(0.1);
}

struct Repo;

impl Repo {
    #[cached(key = "m:<id>", policy = policies::SHORT)]
    async fn get(&self, id: u64) -> u64 {
        id
    }
}

#[cached(key = "a:<id>", policy = policy::APPLICATION)]
async fn named(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", policy = policies::SHORT, ttl = 60, jitter = "0.5%", early = 2)]
async fn overridden(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(named(1).await + overridden(2).await + Repo.get(3).await, 6);
    };
    cache_runtime::scope(cache, program).await;
}
