//! Invalidations that wait for near caches, and holds.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use cache_runtime::{Cache, Clock, ErrorKind, ManualClock, Near, scope};
use cache_tests::fixture::{loads, seconds};

use crate::office::{BOUND, Office, person, plain};

async fn poll_often<F: Future>(mut future: std::pin::Pin<&mut F>) -> Option<F::Output> {
    for _ in 0..50 {
        let polled = std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context)));
        if let Poll::Ready(output) = polled.await {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

#[tokio::test]
async fn a_settled_invalidation_waits_for_the_near_caches_of_others() {
    let office = Office::told().await;
    office.warm(|| plain(1)).await;
    let mut settled = pin!(office.there.invalidate(plain::key(1)).settled().into_future());
    assert!(poll_often(settled.as_mut()).await.is_none());
    assert_eq!(office.call(plain(1)).await, 1, "nobody was told yet");
    office.hand.advance(BOUND);
    poll_often(settled).await.expect("the bound is over").expect("memory");
    assert_eq!(office.call(plain(1)).await, 2);
}

#[tokio::test]
async fn without_near_caches_it_waits_for_nobody() {
    let office = Office::open(Near::Validated, true).await;
    office.call(plain(1)).await;
    let settled = pin!(office.there.invalidate(plain::key(1)).settled().into_future());
    poll_often(settled).await.expect("at once").expect("memory");
    let memory = Cache::builder().build().await.expect("sound");
    memory.invalidate_tag("people").settled().await.expect("memory");
}

/// A process with its values in memory, and one with a store behind it.
async fn caches() -> Vec<(Cache, ManualClock)> {
    let (clock, hand) = Clock::manual();
    let memory = Cache::builder().clock(clock).build().await.expect("sound");
    let office = Office::told().await;
    vec![(memory, hand), (office.here.clone(), office.hand.clone())]
}

#[tokio::test]
async fn while_a_writer_holds_something_it_is_neither_served_nor_stored() {
    for (cache, _hand) in caches().await {
        scope(cache.clone(), async {
            let first = person(1).await.times;
            let guards = [
                cache.invalidate_tag("people"),
                cache.invalidate_tag("team:1"),
                cache.invalidate(person::key(1)),
            ];
            let mut next = first + 1;
            for invalidate in guards {
                let guard = invalidate.guard(seconds(10)).await.expect("memory");
                assert_eq!(person(1).await.times, next);
                assert_eq!(person(1).await.times, next + 1, "what was loaded is not stored");
                assert_eq!(person::peek(1).await, None);
                guard.finish().await.expect("memory");
                assert_eq!(person(1).await.times, next + 2);
                assert_eq!(person(1).await.times, next + 2, "and now it is");
                next += 3;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_writer_that_dies_leaves_nothing_stale() {
    for (cache, hand) in caches().await {
        scope(cache.clone(), async {
            let before = person(1).await.times;
            let invalidate = cache.invalidate(person::key(1)).and_tag("people");
            let guard = invalidate.guard(seconds(10)).await.expect("memory");
            // Its process is gone: nobody finishes, and nobody drops the guard.
            std::mem::forget(guard);
            hand.advance(seconds(11));
            assert_eq!(person(1).await.times, before + 1, "what was stored before is invalid");
            assert_eq!(person(1).await.times, before + 1, "the hold has ended");
        })
        .await;
    }
}

#[tokio::test]
async fn a_guard_that_is_dropped_invalidates() {
    for (cache, _hand) in caches().await {
        scope(cache.clone(), async {
            person(1).await;
            let guard = cache.invalidate_tag("people").guard(seconds(10)).await.expect("memory");
            drop(guard);
            cache_tests::fixture::settle().await;
            let now = person(1).await.times;
            assert_eq!(person(1).await.times, now, "the hold has ended");
        })
        .await;
    }
}

#[tokio::test]
async fn a_hold_off_lasts_as_long_as_it_was_asked_to() {
    for (cache, hand) in caches().await {
        scope(cache.clone(), async {
            person(1).await;
            let invalidate = cache.invalidate_tag("people");
            invalidate.hold_off(Duration::from_secs(2)).await.expect("memory");
            let loads_before = loads("person");
            person(1).await;
            person(1).await;
            assert_eq!(loads("person"), loads_before + 2);
            hand.advance(seconds(3));
            person(1).await;
            person(1).await;
            assert_eq!(loads("person"), loads_before + 3);
        })
        .await;
    }
}

#[tokio::test]
async fn a_hold_of_no_time_is_refused() {
    for (cache, _hand) in caches().await {
        let guard = cache.invalidate_tag("people").guard(Duration::ZERO).await;
        assert_eq!(guard.expect_err("no time").kind(), ErrorKind::Config);
    }
}
