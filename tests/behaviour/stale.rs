//! Stale values: while a refresh runs, when a load fails, when it takes too long.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, cached};
use cache_tests::fixture::{counts_of, in_cache, load, loads, seconds, settle};
use tokio::sync::Notify;

#[cached(key = "swr:<id>", ttl = 60, stale = 30, early = 0.000001, tags = ["swr"], skip(gate))]
async fn swr(id: u64, gate: Arc<Notify>) -> Result<u64, String> {
    let count = load("swr");
    if count == 2 {
        gate.notified().await;
    }
    Ok(id + count)
}

#[tokio::test]
async fn stale_serves_the_old_value_while_exactly_one_refresh_runs() {
    in_cache(async |cache, hand| {
        let gate = Arc::new(Notify::new());
        assert_eq!(swr(0, Arc::clone(&gate)).await, Ok(1));
        hand.advance(seconds(60));
        for _ in 0..20 {
            assert_eq!(swr(0, Arc::clone(&gate)).await, Ok(1));
            settle().await;
        }
        assert_eq!(loads("swr"), 2);
        assert_eq!(counts_of(&cache, "swr").await.stale_served, 20);
        gate.notify_one();
        settle().await;
        assert_eq!(swr(0, Arc::clone(&gate)).await, Ok(2));
        assert_eq!(loads("swr"), 2);
        // The refreshed value lives a whole TTL.
        hand.advance(seconds(59));
        assert_eq!(swr(0, gate).await, Ok(2));
        assert_eq!(loads("swr"), 2);
    })
    .await;
}

#[tokio::test]
async fn past_the_stale_window_the_caller_waits() {
    in_cache(async |_, hand| {
        let gate = Arc::new(Notify::new());
        gate.notify_one();
        swr(0, Arc::clone(&gate)).await.unwrap();
        hand.advance(seconds(90));
        assert_eq!(swr(0, gate).await, Ok(2));
    })
    .await;
}

#[tokio::test]
async fn peek_and_text_reads_do_not_serve_stale_values() {
    in_cache(async |cache, hand| {
        swr(0, Arc::default()).await.unwrap();
        hand.advance(seconds(60));
        assert_eq!(swr::peek(0).await, None);
        assert_eq!(cache.get::<u64>("swr:0").await.unwrap(), None);
        assert!(!cache.has("swr:0").await.unwrap());
    })
    .await;
}

/// Invalidates a value in its stale window, before or during the refresh.
async fn stale_and(invalidate: impl AsyncFnOnce(&Cache), refreshing: bool) {
    in_cache(async |cache, hand| {
        let gate = Arc::new(Notify::new());
        assert_eq!(swr(0, Arc::clone(&gate)).await, Ok(1));
        hand.advance(seconds(60));
        if refreshing {
            assert_eq!(swr(0, Arc::clone(&gate)).await, Ok(1));
            settle().await;
            assert_eq!(loads("swr"), 2);
        } else {
            load("swr");
        }
        invalidate(&cache).await;
        // Neither the old value nor what the refresh read before the invalidation.
        assert_eq!(swr(0, Arc::clone(&gate)).await, Ok(3));
        gate.notify_one();
        settle().await;
        assert_eq!(swr(0, gate).await, Ok(3));
        assert_eq!(loads("swr"), 3);
    })
    .await;
}

#[tokio::test]
async fn an_invalidated_key_is_never_served_stale() {
    for refreshing in [false, true] {
        stale_and(async |_| swr::invalidate(0).await.unwrap(), refreshing).await;
    }
}

#[tokio::test]
async fn an_invalidated_tag_is_never_served_stale() {
    for refreshing in [false, true] {
        stale_and(async |cache| cache.invalidate_tag("swr").await.unwrap(), refreshing).await;
    }
}

#[tokio::test]
async fn an_invalidated_function_is_never_served_stale() {
    for refreshing in [false, true] {
        stale_and(async |_| swr::invalidate_all().await.unwrap(), refreshing).await;
    }
}

#[cached(key = "sie:<id>", ttl = 60, stale_if_error = 30)]
async fn on_error(id: u64) -> Result<u64, String> {
    match load("on_error") {
        1 => Ok(id + 1),
        count => Err(format!("error {count}")),
    }
}

#[tokio::test]
async fn stale_if_error_serves_within_its_window_and_not_after() {
    in_cache(async |cache, hand| {
        assert_eq!(on_error(0).await, Ok(1));
        hand.advance(seconds(60));
        assert_eq!(on_error(0).await, Ok(1));
        // Each call tries again: the failure is not cached.
        assert_eq!(on_error(0).await, Ok(1));
        assert_eq!(loads("on_error"), 3);
        hand.advance(Duration::from_millis(29_999));
        assert_eq!(on_error(0).await, Ok(1));
        let counts = counts_of(&cache, "on_error").await;
        assert_eq!((counts.stale_served, counts.load_failures), (3, 3));
        hand.advance(Duration::from_millis(1));
        assert_eq!(on_error(0).await, Err("error 5".to_owned()));
        assert_eq!(on_error(0).await, Err("error 6".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn stale_if_error_never_serves_what_was_invalidated() {
    in_cache(async |_, hand| {
        assert_eq!(on_error(0).await, Ok(1));
        hand.advance(seconds(60));
        on_error::invalidate(0).await.unwrap();
        assert_eq!(on_error(0).await, Err("error 2".to_owned()));
    })
    .await;
    in_cache(async |_, hand| {
        assert_eq!(on_error(0).await, Ok(1));
        hand.advance(seconds(60));
        on_error::invalidate_all().await.unwrap();
        assert_eq!(on_error(0).await, Err("error 2".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn an_asked_for_refresh_gives_its_own_error() {
    in_cache(async |_, hand| {
        assert_eq!(on_error(0).await, Ok(1));
        hand.advance(seconds(60));
        assert_eq!(on_error::refresh(0).await, Err("error 2".to_owned()));
    })
    .await;
}

#[cached(key = "soft:<id>", ttl = 60, stale_if_error = 300, timeout = "2s", skip(gate))]
async fn soft(id: u64, gate: Arc<Notify>) -> u64 {
    let count = load("soft");
    if count > 1 {
        gate.notified().await;
    }
    id + count
}

#[tokio::test]
async fn past_the_soft_timeout_a_valid_stale_value_serves_and_the_load_goes_on() {
    in_cache(async |cache, hand| {
        let gate = Arc::new(Notify::new());
        assert_eq!(soft(0, Arc::clone(&gate)).await, 1);
        hand.advance(seconds(60));
        let slow = tokio::spawn(cache_runtime::scope(cache.clone(), soft(0, Arc::clone(&gate))));
        let waiter = tokio::spawn(cache_runtime::scope(cache.clone(), soft(0, Arc::clone(&gate))));
        settle().await;
        assert!(!slow.is_finished() && !waiter.is_finished());
        hand.advance(Duration::from_millis(1999));
        settle().await;
        assert!(!slow.is_finished() && !waiter.is_finished());
        hand.advance(Duration::from_millis(1));
        assert_eq!((slow.await.unwrap(), waiter.await.unwrap()), (1, 1));
        gate.notify_one();
        settle().await;
        assert_eq!(soft(0, gate).await, 2);
        assert_eq!(loads("soft"), 2);
    })
    .await;
}

#[tokio::test]
async fn the_soft_timeout_waits_on_where_there_is_nothing_to_serve() {
    in_cache(async |cache, hand| {
        let gate = Arc::new(Notify::new());
        load("soft");
        let slow = tokio::spawn(cache_runtime::scope(cache.clone(), soft(0, Arc::clone(&gate))));
        settle().await;
        hand.advance(seconds(100));
        settle().await;
        assert!(!slow.is_finished());
        gate.notify_one();
        assert_eq!(slow.await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_soft_timeout_serves_nothing_that_was_invalidated_meanwhile() {
    in_cache(async |cache, hand| {
        let gate = Arc::new(Notify::new());
        assert_eq!(soft(0, Arc::clone(&gate)).await, 1);
        hand.advance(seconds(60));
        let call = || tokio::spawn(cache_runtime::scope(cache.clone(), soft(0, Arc::clone(&gate))));
        let slow = call();
        settle().await;
        let waiter = call();
        settle().await;
        soft::invalidate(0).await.unwrap();
        hand.advance(seconds(2));
        settle().await;
        assert!(!slow.is_finished() && !waiter.is_finished());
        gate.notify_one();
        // This caller began before the invalidation; what it gets is not kept.
        assert_eq!(slow.await.unwrap(), 2);
        assert_eq!(soft::peek(0).await, None);
        // Whoever waited for it loads anew.
        settle().await;
        gate.notify_one();
        assert_eq!(waiter.await.unwrap(), 3);
    })
    .await;
}

struct Shelf;

impl Shelf {
    /// The policy's `stale` is not seen by the macro, and `Shelf` cannot be owned by a refresh.
    #[cached(key = "shelf:<id>", policy = cache_runtime::policy::APPLICATION, skip(self))]
    async fn borrowed(&self, id: u64) -> u64 {
        load("borrowed") + id
    }
}

#[tokio::test]
async fn where_nobody_can_refresh_in_the_background_the_caller_loads_and_that_is_counted_as_such() {
    in_cache(async |cache, hand| {
        assert_eq!(Shelf.borrowed(0).await, 1);
        hand.advance(seconds(3600));
        assert_eq!(Shelf.borrowed(0).await, 2);
        let counts = counts_of(&cache, "borrowed").await;
        assert_eq!((counts.hits, counts.stale_served, counts.loads), (0, 0, 2));
        assert_eq!((counts.misses.absent, counts.misses.expired), (1, 1));
    })
    .await;
}
