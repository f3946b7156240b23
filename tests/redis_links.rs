//! The links to Redis on real servers: the contract over each, and what happens when servers die,
//! hang, change roles, refuse, or come back.

#[path = "redis_links/cluster.rs"]
mod cluster;
#[path = "redis_links/contract.rs"]
mod contract;
#[path = "redis_links/lifetimes.rs"]
mod lifetimes;
#[path = "redis_links/refusals.rs"]
mod refusals;
#[path = "redis_links/sentinel.rs"]
mod sentinel;
#[path = "redis_links/standalone.rs"]
mod standalone;
#[path = "redis_links/tls.rs"]
mod tls;
#[path = "redis_links/watch/mod.rs"]
mod watch;

use std::time::{Duration, Instant};

use cache_runtime::provider::{Provider, ProviderExt, RedisProvider};
use cache_runtime::{Error, Result};
use tokio::time::timeout;

/// The budget of one call, as a cache in front of the provider would set it.
const BUDGET: Duration = Duration::from_millis(50);

/// How soon hits have to be there again.
const RECOVERY: Duration = Duration::from_secs(1);

/// How long anything may take before a test is wrong.
const LIMIT: Duration = Duration::from_secs(20);

fn provider(url: &str) -> RedisProvider {
    RedisProvider::new(url, "links").expect("the URL is right")
}

/// Reads a key within the budget; `None` if the budget ran out.
async fn try_read(provider: &RedisProvider, key: &str) -> Option<Result<bool>> {
    let read = timeout(BUDGET, provider.read_one(key, &[])).await.ok()?;
    Some(read.map(|seen| seen.cell.is_some()))
}

/// Reads, each time within the budget, until it succeeds; returns how long that took and how often
/// it was tried.
async fn until_served(provider: &RedisProvider, key: &str) -> (Duration, u32) {
    let (began, mut tries) = (Instant::now(), 0);
    loop {
        tries += 1;
        let read = try_read(provider, key).await;
        if matches!(read, Some(Ok(_))) {
            return (began.elapsed(), tries);
        }
        assert!(began.elapsed() < LIMIT, "not served any more: {read:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Reads, each time within the budget, until it is refused.
async fn until_refused(provider: &RedisProvider, key: &str) -> Error {
    let began = Instant::now();
    loop {
        if let Some(Err(error)) = try_read(provider, key).await {
            return error;
        }
        assert!(began.elapsed() < LIMIT, "still served");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs what blocks beside the tests' tasks.
async fn blocking<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(task).await.expect("the task does not panic")
}

/// The incarnation that the provider's server is in, asked within the tests' limit.
async fn life(provider: &RedisProvider) -> cache_runtime::provider::Incarnation {
    timeout(LIMIT, provider.ping()).await.expect("in time").expect("served")
}
