//! Changes are told, in time, on every topology and through every loss.

mod cluster;
mod lifetimes;
mod log;
mod losses;
mod order;
mod told;

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::provider::{Provider, RedisProvider};

use self::log::Log;

/// The time between two signs of life: short, so that many of them meet each change.
const EVERY: Duration = Duration::from_millis(2);

/// A log of what the provider tells, which has begun to.
async fn watched(provider: &RedisProvider) -> Arc<Log> {
    let log = Log::new();
    assert!(provider.watch(log.watch(EVERY)), "Redis can tell");
    log.sign().await;
    log
}

/// A cell as the server names it.
fn cell(key: &str) -> String {
    format!("links:k:{key}")
}
