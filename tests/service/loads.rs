//! One load per key, whoever else is waiting, and loads within loads.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Waker};

use cache_runtime::cached;
use cache_tests::fixture::{in_cache, load, loads, settle};
use tokio::sync::Notify;

#[tokio::test]
async fn callers_of_get_or_set_share_one_load() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let spawn = || {
            let (cache, gate) = (cache.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = || async {
                    load("shared");
                    gate.notified().await;
                    Ok::<_, ()>(7_u64)
                };
                cache.get_or_set("k", load).await
            })
        };
        let tasks: Vec<_> = (0..50).map(|_| spawn()).collect();
        settle().await;
        gate.notify_one();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(7));
        }
        assert_eq!(loads("shared"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_slow_load_blocks_no_other_key() {
    in_cache(async |cache, _| {
        let mut slow =
            pin!(cache.get_or_set("slow", std::future::pending::<Result<u8, ()>>).into_future());
        assert!(slow.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        for number in 0..1_000_u64 {
            let loaded =
                cache.get_or_set(format!("k:{number}"), || async { Ok::<_, ()>(number) }).await;
            assert_eq!(loaded, Ok(number));
        }
    })
    .await;
}

#[tokio::test]
async fn of_a_failed_load_each_waiter_gets_an_error_of_its_own() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let spawn = || {
            let (cache, gate) = (cache.clone(), Arc::clone(&gate));
            tokio::spawn(async move {
                let load = || async {
                    let count = load("failing");
                    gate.notified().await;
                    Err::<u64, _>(count)
                };
                cache.get_or_set("k", load).await
            })
        };
        let tasks: Vec<_> = (0..5).map(|_| spawn()).collect();
        for _ in 0..20 {
            settle().await;
            gate.notify_waiters();
        }
        let mut errors = Vec::new();
        for task in tasks {
            errors.push(task.await.unwrap().unwrap_err());
        }
        errors.sort_unstable();
        assert_eq!(errors, [1, 2, 3, 4, 5]);
    })
    .await;
}

#[cached(key = "outer:<id>", ttl = 60)]
async fn outer(id: u64) -> u64 {
    load("outer");
    inner(id).await + inner(id + 1).await
}

#[cached(key = "inner:<id>", ttl = 60)]
async fn inner(id: u64) -> u64 {
    load("inner");
    id
}

#[cached(key = "down:<id>", ttl = 60)]
async fn down(id: u64) -> u64 {
    load("down");
    if id == 0 { 0 } else { down(id - 1).await + 1 }
}

#[tokio::test]
async fn loads_of_other_keys_run_within_a_load() {
    in_cache(async |_, _| {
        assert_eq!((outer(1).await, outer(2).await), (3, 5));
        assert_eq!((loads("outer"), loads("inner")), (2, 3));
        assert_eq!(down(20).await, 20);
        assert_eq!(down(15).await, 15);
        assert_eq!(loads("down"), 21);
    })
    .await;
}

#[cached(key = "ping:<id>", ttl = 60)]
async fn ping(id: u64) -> u64 {
    let count = load("ping");
    tokio::task::yield_now().await;
    if count > 2 { id } else { boxed_pong(id).await + 1 }
}

#[cached(key = "pong:<id>", ttl = 60)]
async fn pong(id: u64) -> u64 {
    let count = load("pong");
    tokio::task::yield_now().await;
    if count > 2 { id } else { ping(id).await + 1 }
}

/// As in plain Rust, functions that call each other need a box between them.
fn boxed_pong(id: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
    Box::pin(pong(id))
}

#[tokio::test]
async fn two_loads_that_need_each_other_end() {
    in_cache(async |cache, _| {
        let tasks = [
            tokio::spawn(cache_runtime::scope(cache.clone(), ping(0))),
            tokio::spawn(cache_runtime::scope(cache.clone(), pong(0))),
        ];
        settle().await;
        for task in tasks {
            assert!(task.is_finished());
            task.await.unwrap();
        }
    })
    .await;
}
