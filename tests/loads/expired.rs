//! Loads beside a value that is expired but kept: refreshes, soft timeouts, and what they leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Clock, ManualClock, cached, scope};

use super::source::{Source, in_time, poll_once, until};

async fn in_cache_with_clock<F: Future>(test: impl FnOnce(Cache, ManualClock) -> F) -> F::Output {
    let (clock, hand) = Clock::manual();
    let cache = Cache::builder().in_memory().clock(clock).build().await.expect("a cache in memory");
    in_time(scope(cache.clone(), test(cache, hand))).await
}

#[cached(key = "stale:<_id>", ttl = "1m", stale = "1h", skip(source))]
async fn stale(_id: u64, source: Arc<Source>) -> usize {
    source.load().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_background_refresh_runs_while_all_are_served_the_stale_value() {
    in_cache_with_clock(async |cache, hand| {
        let source = Source::closed();
        source.let_one_pass();
        assert_eq!(stale(1, Arc::clone(&source)).await, 0);
        hand.advance(Duration::from_secs(90));
        for _ in 0..1_000 {
            assert_eq!(stale(1, Arc::clone(&source)).await, 0);
        }
        until(|| source.begun() == 2).await;
        source.let_all_pass();
        while stale::peek(1).await != Some(1) {
            tokio::task::yield_now().await;
        }
        assert_eq!(source.begun(), 2);
        assert_eq!(cache.stats().await.expect("statistics").total.stale_served, 1_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalidated_value_is_not_served_stale_nor_revived_by_a_refresh() {
    in_cache_with_clock(async |_, hand| {
        let source = Source::closed();
        source.let_one_pass();
        assert_eq!(stale(1, Arc::clone(&source)).await, 0);
        hand.advance(Duration::from_secs(90));
        assert_eq!(stale(1, Arc::clone(&source)).await, 0);
        until(|| source.begun() == 2).await;
        // The refresh is under way when the key is invalidated.
        stale::invalidate(1).await.expect("memory succeeds");
        let mut next = Box::pin(stale(1, Arc::clone(&source)));
        assert!(
            poll_once(next.as_mut()).await.is_none(),
            "a stale value was served after its invalidation"
        );
        source.let_all_pass();
        assert_eq!(next.await, 2);
        until(|| source.ended() == 3).await;
        assert_eq!(stale::peek(1).await, Some(2));
    })
    .await;
}

#[cached(key = "shared:<_id>", ttl = "1m", none_ttl = "1m", stale_if_error = "1h")]
async fn never_found(_id: u64) -> Option<usize> {
    None
}

#[cached(key = "shared:<_id>", ttl = "1m", stale_if_error = "1h", timeout = "1s", skip(source))]
async fn found(_id: u64, source: Arc<Source>) -> usize {
    source.load().await
}

/// The expired entry is an absence, which the second function cannot return.
#[tokio::test(flavor = "multi_thread")]
async fn a_soft_timeout_without_a_value_to_serve_waits_for_the_load() {
    in_cache_with_clock(async |_, hand| {
        assert_eq!(never_found(1).await, None);
        hand.advance(Duration::from_secs(90));
        let source = Source::closed();
        let mut call = Box::pin(found(1, Arc::clone(&source)));
        assert!(poll_once(call.as_mut()).await.is_none());
        until(|| source.begun() == 1).await;
        hand.advance(Duration::from_secs(2));
        assert!(poll_once(call.as_mut()).await.is_none());
        source.let_all_pass();
        assert_eq!(call.await, 0);
    })
    .await;
}

#[cached(key = "gone:<_id>", ttl = "1h", skip(rows))]
async fn row(_id: u64, rows: Arc<AtomicUsize>) -> Option<usize> {
    Some(rows.load(Ordering::SeqCst)).filter(|row| *row > 0)
}

#[cached(key = "odd:<_id>", ttl = "1h", cache_if = |row: &usize| row % 2 == 1, skip(rows))]
async fn odd_row(_id: u64, rows: Arc<AtomicUsize>) -> usize {
    rows.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_stores_nothing_leaves_no_older_value() {
    in_cache_with_clock(async |_, _| {
        let rows = Arc::new(AtomicUsize::new(7));
        assert_eq!(row(1, Arc::clone(&rows)).await, Some(7));
        assert_eq!(odd_row(1, Arc::clone(&rows)).await, 7);
        rows.store(0, Ordering::SeqCst);
        assert_eq!(row::refresh(1, Arc::clone(&rows)).await, None);
        assert_eq!(row::peek(1).await, None);
        assert_eq!(odd_row::refresh(1, Arc::clone(&rows)).await, 0);
        assert_eq!(odd_row::peek(1).await, None);
    })
    .await;
}

#[cached(key = "fails:<_id>", ttl = "1h", skip(rows))]
async fn failing_row(_id: u64, rows: Arc<AtomicUsize>) -> Result<usize, String> {
    match rows.load(Ordering::SeqCst) {
        0 => Err("no rows".to_owned()),
        rows => Ok(rows),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_fails_leaves_the_value_as_it_is() {
    in_cache_with_clock(async |_, _| {
        let rows = Arc::new(AtomicUsize::new(7));
        assert_eq!(failing_row(1, Arc::clone(&rows)).await, Ok(7));
        rows.store(0, Ordering::SeqCst);
        assert_eq!(failing_row::refresh(1, Arc::clone(&rows)).await, Err("no rows".to_owned()));
        assert_eq!(failing_row(1, Arc::clone(&rows)).await, Ok(7));
    })
    .await;
}

/// The older of two refreshes ends first; what the younger read must be what stays.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_older_is_cached_after_a_refresh_returned() {
    in_cache_with_clock(async |_, _| {
        let source = Source::closed();
        source.let_one_pass();
        assert_eq!(stale(1, Arc::clone(&source)).await, 0);
        let mut older = Box::pin(stale::refresh(1, Arc::clone(&source)));
        assert!(poll_once(older.as_mut()).await.is_none());
        let mut younger = Box::pin(stale::refresh(1, Arc::clone(&source)));
        assert!(poll_once(younger.as_mut()).await.is_none());
        source.let_all_pass();
        assert_eq!(older.await, 1);
        assert_eq!(younger.await, 2);
        assert!(stale(1, source).await >= 2);
    })
    .await;
}

/// The bytes of these arguments are longer than the longest key, its text is not.
#[cached(key = "sum:<numbers>", ttl = "1h")]
async fn sum(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_too_long_for_the_index_are_served_by_their_text() {
    in_cache_with_clock(async |cache, _| {
        let numbers = vec![1; 9_000];
        for _ in 0..3 {
            assert_eq!(sum(&numbers).await, 9_000);
        }
        let total = cache.stats().await.expect("statistics").total;
        assert_eq!((total.loads, total.hits), (1, 2));
    })
    .await;
}
