//! Stampedes, and loads whose caller goes away.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cache_runtime::cached;
use cache_tests::fixture::{counts_of, in_cache, load, loads, settle};
use tokio::sync::Notify;

#[cached(key = "gated:<id>", ttl = 60, skip(gate))]
async fn gated(id: u64, gate: Arc<Notify>) -> u64 {
    let count = load("gated");
    gate.notified().await;
    id + count
}

// `cached`: 32 concurrent callers of a cold key run 32 bodies.
#[tokio::test]
async fn thirty_two_callers_of_a_cold_key_run_one_body() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let call =
            || tokio::spawn(cache_runtime::scope(cache.clone(), gated(0, Arc::clone(&gate))));
        let tasks: Vec<_> = (0..32).map(|_| call()).collect();
        settle().await;
        gate.notify_one();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
        assert_eq!(loads("gated"), 1);
    })
    .await;
}

#[test]
fn thirty_two_threads_on_a_cold_key_run_one_body() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static BODIES: AtomicU64 = AtomicU64::new(0);

    #[cached(key = "threads:<id>", ttl = 60)]
    async fn counted(id: u64) -> u64 {
        BODIES.fetch_add(1, Ordering::Relaxed);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        id
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).build().unwrap();
    runtime.block_on(async {
        let cache = cache_runtime::Cache::builder().build().await.unwrap();
        for key in 0..20 {
            let barrier = Arc::new(tokio::sync::Barrier::new(32));
            let call = || {
                let barrier = Arc::clone(&barrier);
                tokio::spawn(cache_runtime::scope(cache.clone(), async move {
                    barrier.wait().await;
                    counted(key).await
                }))
            };
            let tasks: Vec<_> = (0..32).map(|_| call()).collect();
            for task in tasks {
                assert_eq!(task.await.unwrap(), key);
            }
        }
    });
    assert_eq!(BODIES.load(Ordering::Relaxed), 20);
}

// moka 240: waiters stall behind a leader that nobody polls any more.
#[tokio::test]
async fn waiters_do_not_stall_behind_a_leader_that_nobody_polls() {
    in_cache(async |cache, hand| {
        let gate = Notify::new();
        let load = |number: u64| {
            let gate = &gate;
            async move || {
                load("leader");
                if number == 1 {
                    gate.notified().await;
                }
                Ok::<_, ()>(number)
            }
        };
        let mut leader = pin!(cache.get_or_set("k", load(1)).into_future());
        assert!(leader.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let mut waiter = pin!(cache.get_or_set("k", load(2)).into_future());
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiter.as_mut().poll(&mut context).is_pending());
        // The leader could go on, and is kept, and is not polled.
        gate.notify_one();
        let mut result = Poll::Pending;
        for _ in 0..20 {
            hand.advance(Duration::from_millis(50));
            result = waiter.as_mut().poll(&mut context);
            if result.is_ready() {
                break;
            }
        }
        assert_eq!(result, Poll::Ready(Ok(2)));
        // The leader comes back to life: it has its own value, and the cache the newer.
        assert_eq!(leader.await, Ok(1));
        assert_eq!(cache.get("k").await.unwrap(), Some(2_u64));
    })
    .await;
}

#[tokio::test]
async fn a_leader_that_is_dropped_is_followed_by_a_waiter() {
    in_cache(async |cache, _| {
        let never = || std::future::pending::<Result<u64, ()>>();
        let mut leader = cache.get_or_set("k", never).into_future();
        assert!(leader.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let waiter = tokio::spawn({
            let cache = cache.clone();
            async move { cache.get_or_set("k", || async { Ok::<_, ()>(2_u64) }).await }
        });
        settle().await;
        assert!(!waiter.is_finished());
        drop(leader);
        assert_eq!(waiter.await.unwrap(), Ok(2));
        assert_eq!(cache.get("k").await.unwrap(), Some(2_u64));
    })
    .await;
}

// moka 59 and 43: a panic in the loader poisons the key, or hangs those who wait for it.
#[tokio::test]
async fn a_panic_in_the_loader_reaches_its_caller_and_nobody_else() {
    #[cached(key = "panics:<id>", ttl = 60, skip(gate))]
    async fn panics_once(id: u64, gate: Arc<Notify>) -> u64 {
        let count = load("panics_once");
        if count == 1 {
            gate.notified().await;
            std::panic::panic_any("the loader's own words");
        }
        id + count
    }
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let call =
            || tokio::spawn(cache_runtime::scope(cache.clone(), panics_once(0, Arc::clone(&gate))));
        let first = call();
        settle().await;
        let waiters: Vec<_> = (0..5).map(|_| call()).collect();
        settle().await;
        gate.notify_one();
        let panic = first.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"the loader's own words"));
        for waiter in waiters {
            assert_eq!(waiter.await.unwrap(), 2);
        }
        assert_eq!(loads("panics_once"), 2);
    })
    .await;
}

#[test]
fn a_panic_of_a_loader_that_borrows_leaves_the_key_usable() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cache = runtime.block_on(cache_runtime::Cache::builder().build()).unwrap();
    let panicking = AssertUnwindSafe(|| {
        runtime.block_on(async {
            let load = || async { std::panic::panic_any("no") };
            let _: Result<u64, ()> = cache.get_or_set("k", load).await;
        });
    });
    assert!(std::panic::catch_unwind(panicking).is_err());
    let again =
        runtime.block_on(async { cache.get_or_set("k", || async { Ok::<_, ()>(5_u64) }).await });
    assert_eq!(again, Ok(5));
}

// HybridCache's rule, which is right: a load ends only when every caller is gone, or goes on
// without them.
#[tokio::test]
async fn a_load_goes_on_when_its_caller_is_dropped() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let call =
            || tokio::spawn(cache_runtime::scope(cache.clone(), gated(0, Arc::clone(&gate))));
        let first = call();
        settle().await;
        let second = call();
        settle().await;
        first.abort();
        settle().await;
        gate.notify_one();
        assert_eq!(second.await.unwrap(), 1);
        assert_eq!(loads("gated"), 1);
        // And where there was nobody else, the value is there for the next one.
        gated::invalidate(0).await.unwrap();
        let only = call();
        settle().await;
        only.abort();
        gate.notify_one();
        settle().await;
        assert_eq!(gated::peek(0).await, Some(2));
    })
    .await;
}

// oxcache: with single flight on, the one who leads runs the body without a look at the cache.
#[tokio::test]
async fn who_would_lead_looks_at_the_cache_first() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        gate.notify_one();
        for _ in 0..10 {
            assert_eq!(gated(0, Arc::clone(&gate)).await, 1);
        }
        assert_eq!(loads("gated"), 1);
        let counts = counts_of(&cache, "gated").await;
        assert_eq!((counts.hits, counts.misses.total(), counts.joined), (9, 1, 0));
    })
    .await;
}
