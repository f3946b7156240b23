//! Refreshes: in advance (XFetch), asked for, and what they may not bring back.

use std::sync::Arc;

use cache_runtime::cached;
use cache_tests::fixture::{counts_of, in_cache, load, loads, seconds, settle};
use tokio::sync::Notify;

#[cached(key = "gated:<id>", ttl = 60, tags = ["gated"], skip(gate))]
async fn gated(id: u64, gate: Arc<Notify>) -> u64 {
    let count = load("gated");
    if count == 2 {
        gate.notified().await;
    }
    id + count
}

/// Invalidates during a refresh; the refreshed value was read before and must not stay.
async fn refresh_and(invalidate: impl AsyncFnOnce(&cache_runtime::Cache)) {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        assert_eq!(gated(0, Arc::clone(&gate)).await, 1);
        let refresh = gated::refresh(0, Arc::clone(&gate));
        let refresh = tokio::spawn(cache_runtime::scope(cache.clone(), refresh));
        settle().await;
        // Meanwhile the old value serves.
        assert_eq!(gated(0, Arc::clone(&gate)).await, 1);
        invalidate(&cache).await;
        gate.notify_one();
        assert_eq!(refresh.await.unwrap(), 2);
        assert_eq!(gated::peek(0).await, None);
        assert_eq!(gated(0, gate).await, 3);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_never_resurrects_an_invalidated_key() {
    refresh_and(async |_| gated::invalidate(0).await.unwrap()).await;
}

#[tokio::test]
async fn a_refresh_never_resurrects_an_invalidated_tag() {
    refresh_and(async |cache| cache.invalidate_tag("gated").await.unwrap()).await;
}

#[tokio::test]
async fn a_refresh_never_resurrects_an_invalidated_function() {
    refresh_and(async |_| gated::invalidate_all().await.unwrap()).await;
}

#[tokio::test]
async fn a_refresh_never_resurrects_what_a_pattern_removed() {
    refresh_and(async |cache| assert_eq!(cache.invalidate_pattern("gated:*").await.unwrap(), 1))
        .await;
}

#[tokio::test]
async fn a_refresh_never_resurrects_what_was_cleared() {
    refresh_and(async |cache| cache.clear().await.unwrap()).await;
}

#[tokio::test]
async fn a_refresh_does_not_overwrite_a_newer_write() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        gated(0, Arc::clone(&gate)).await;
        let refresh = gated::refresh(0, Arc::clone(&gate));
        let refresh = tokio::spawn(cache_runtime::scope(cache.clone(), refresh));
        settle().await;
        gated::put(0, &99).await.unwrap();
        gate.notify_one();
        refresh.await.unwrap();
        // The newer value, or none where it is not known which is: never the older.
        let kept = gated::peek(0).await;
        assert!(kept.is_none() || kept == Some(99), "{kept:?}");
    })
    .await;
}

#[cached(key = "maybe:<id>", ttl = 60)]
async fn maybe(id: u64) -> Option<u64> {
    let count = load("maybe");
    (count != 2).then_some(id + count)
}

#[cached(key = "sometimes:<id>", ttl = 60, cache_if = |value: &u64| *value != 2)]
async fn sometimes(id: u64) -> u64 {
    load("sometimes") + id
}

#[tokio::test]
async fn a_refresh_that_finds_nothing_to_store_does_not_leave_the_old_value() {
    in_cache(async |_, _| {
        assert_eq!((maybe(0).await, sometimes(0).await), (Some(1), 1));
        assert_eq!((maybe::refresh(0).await, sometimes::refresh(0).await), (None, 2));
        assert_eq!((maybe::peek(0).await, sometimes::peek(0).await), (None, None));
        assert_eq!((maybe(0).await, sometimes(0).await), (Some(3), 3));
    })
    .await;
}

// With such a factor any load that takes a while is refreshed at once.
#[cached(key = "early:<id>", ttl = 100, early = 1000000.0, skip(hand))]
async fn eager(id: u64, hand: cache_runtime::ManualClock) -> u64 {
    hand.advance(seconds(2));
    load("eager") + id
}

#[tokio::test]
async fn xfetch_refreshes_in_the_background_before_the_end() {
    in_cache(async |cache, hand| {
        assert_eq!(eager(0, hand.clone()).await, 1);
        // The old value is served, a refresh begins.
        assert_eq!(eager(0, hand.clone()).await, 1);
        settle().await;
        assert_eq!(loads("eager"), 2);
        assert_eq!(eager(0, hand.clone()).await, 2);
        // It was never stale.
        assert_eq!(counts_of(&cache, "eager").await.stale_served, 0);
    })
    .await;
}

#[cached(key = "calm:<id>", ttl = 100, skip(hand))]
async fn calm(id: u64, hand: cache_runtime::ManualClock) -> u64 {
    hand.advance(seconds(50));
    load("calm") + id
}

#[cached(key = "implied:<id>", ttl = 100, stale = 1, skip(hand))]
async fn implied(id: u64, hand: cache_runtime::ManualClock) -> u64 {
    hand.advance(seconds(50));
    load("implied") + id
}

#[tokio::test]
async fn xfetch_is_off_by_default_and_on_with_stale() {
    in_cache(async |_, hand| {
        for id in 0..20 {
            calm(id, hand.clone()).await;
            hand.advance(seconds(99));
            calm(id, hand.clone()).await;
        }
        settle().await;
        assert_eq!(loads("calm"), 20);
        // A load of 50 s at 1 s before the end: refreshed with a probability of 98 %.
        for id in 0..20 {
            implied(id, hand.clone()).await;
            hand.advance(seconds(99));
            implied(id, hand.clone()).await;
            settle().await;
        }
        assert!(loads("implied") > 30, "{}", loads("implied"));
    })
    .await;
}
