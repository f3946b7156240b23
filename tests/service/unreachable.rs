//! A store that does not answer: functions run, and still share their loads.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::provider::{MemoryProvider, Provider as _};
use cache_runtime::{Cache, cached, scope};
use cache_tests::fixture::{load, loads, settle};
use tokio::sync::Notify;

/// A cache whose store refuses everything.
async fn unreachable() -> Cache {
    let provider = MemoryProvider::new(10);
    provider.shutdown().await.unwrap();
    Cache::builder().provider(provider).build().await.unwrap()
}

#[cached(key = "gated:<id>", ttl = 60, skip(gate))]
async fn gated(id: u64, gate: Arc<Notify>) -> u64 {
    let count = load("gated");
    gate.notified().await;
    id + count
}

#[tokio::test]
async fn a_thousand_callers_cost_two_loads_without_the_store() {
    let cache = unreachable().await;
    let gate = Arc::new(Notify::new());
    let call = |_| tokio::spawn(scope(cache.clone(), gated(0, Arc::clone(&gate))));
    let tasks: Vec<_> = (0..1_000).map(call).collect();
    settle().await;
    // One loads; the others came after it had begun, when nobody could tell them of an invalidation
    // in between, and so wait for the next load together.
    assert_eq!(loads("gated"), 1);
    gate.notify_one();
    settle().await;
    assert_eq!(loads("gated"), 2);
    gate.notify_one();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers.sort_unstable();
    assert_eq!((answers[0], &answers[1..]), (1, &[2; 999][..]));
    assert_eq!(loads("gated"), 2);
}

#[tokio::test]
async fn whoever_leads_next_and_is_dropped_leaves_nobody_waiting() {
    let cache = unreachable().await;
    let gate = Arc::new(Notify::new());
    let call = || {
        let key = cache_runtime::Key::<u64>::new("dropped");
        let (cache, gate) = (cache.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let load = || async {
                let count = load("dropped");
                gate.notified().await;
                Ok::<_, ()>(count)
            };
            cache.get_or_set(key, load).await
        })
    };
    let (first, second, third) = (call(), call(), call());
    settle().await;
    gate.notify_one();
    assert_eq!(first.await.unwrap(), Ok(1));
    settle().await;
    assert_eq!(loads("dropped"), 2);
    second.abort();
    settle().await;
    gate.notify_one();
    gate.notify_one();
    let third = tokio::time::timeout(Duration::from_secs(20), third);
    assert!(third.await.expect("it ends").unwrap().is_ok());
}

#[tokio::test]
async fn direct_calls_are_errors_and_functions_are_not() {
    let cache = unreachable().await;
    assert!(cache.get::<u64>("key").await.is_err());
    assert!(cache.set("key", &1_u64).await.is_err());
    assert!(cache.invalidate("key").await.is_err());
    assert_eq!(cache.get_or_set("key", || async { Ok::<_, ()>(7_u64) }).await, Ok(7));
    let stats = cache.stats().await.unwrap();
    assert_eq!((stats.total.misses.unavailable, stats.entries), (2, None));
}
