//! Leaders that are dropped, are never polled again, panic or fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Clock, cached, scope};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::source::{
    Source, borrowed, in_fresh_cache, in_time, owned, poll_once, spawn_in, until, until_missed,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_load_goes_on_when_its_caller_is_dropped() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut leader = Box::pin(owned(1, Arc::clone(&source)));
        assert!(poll_once(leader.as_mut()).await.is_none());
        until(|| source.begun() == 1).await;
        let waiter = spawn_in(&cache, owned(1, Arc::clone(&source)));
        until_missed(&cache, 2).await;
        drop(leader);
        source.let_all_pass();
        assert_eq!(waiter.await.expect("no panic"), 0);
        assert_eq!((source.begun(), source.ended()), (1, 1));
        assert_eq!(owned::peek(1).await, Some(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_takes_over_when_the_caller_that_loads_is_dropped() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut leader = Box::pin(borrowed(1, &source));
        assert!(poll_once(leader.as_mut()).await.is_none());
        let mut waiters = JoinSet::new();
        for _ in 0..100 {
            let source = Arc::clone(&source);
            let call = async move { borrowed(1, &source).await };
            waiters.spawn(cache_runtime::scope(cache.clone(), call));
        }
        until_missed(&cache, 101).await;
        assert_eq!(source.begun(), 1);
        drop(leader);
        until(|| source.begun() == 2).await;
        source.let_all_pass();
        while let Some(answer) = waiters.join_next().await {
            assert_eq!(answer.expect("no panic"), 1);
        }
        assert_eq!((source.begun(), source.ended()), (2, 1));
    })
    .await;
}

/// The caller lost a `select!`, say, and is kept: it is woken, and nobody polls it.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_takes_over_from_a_caller_that_is_never_polled_again() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut leader = Box::pin(borrowed(1, &source));
        assert!(poll_once(leader.as_mut()).await.is_none());
        let waiter = {
            let source = Arc::clone(&source);
            spawn_in(&cache, async move { borrowed(1, &source).await })
        };
        until_missed(&cache, 2).await;
        source.let_all_pass();
        assert_eq!(waiter.await.expect("no panic"), 1);
        assert_eq!((source.begun(), source.ended()), (2, 1));
        // It may go on later: it has its own result, and the cache keeps the newer one.
        assert_eq!(leader.await, 0);
        assert_eq!(borrowed::peek(1).await, Some(1));
    })
    .await;
}

/// A load that waits for something is not polled either, and nobody takes it over.
#[tokio::test(flavor = "current_thread")]
async fn a_slow_load_in_its_caller_is_left_alone() {
    let (clock, hand) = Clock::manual();
    let cache = Cache::builder().in_memory().clock(clock).build().await.expect("a plain cache");
    let test = async {
        let source = Source::closed();
        let waiter = {
            let source = Arc::clone(&source);
            spawn_in(&cache, async move { borrowed(1, &source).await })
        };
        let open = async {
            until_missed(&cache, 2).await;
            // Five seconds of looks at the pulse, each with time for the waiter to act on it.
            for _ in 0..100 {
                hand.advance(Duration::from_millis(50));
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
            }
            source.let_all_pass();
        };
        let (leader, ()) = tokio::join!(borrowed(1, &source), open);
        assert_eq!((leader, waiter.await.expect("no panic"), source.begun()), (0, 0, 1));
    };
    in_time(scope(cache.clone(), test)).await;
}

#[cached(key = "panics:<_id>", ttl = "1h", skip(source))]
async fn panics_once(_id: u64, source: Arc<Source>) -> usize {
    let number = source.load().await;
    assert!(number > 0, "the loader's own panic");
    number
}

#[cached(key = "panics:inline:<_id>", ttl = "1h", skip(source))]
async fn panics_once_inline(_id: u64, source: &Source) -> usize {
    let number = source.load().await;
    assert!(number > 0, "the loader's own panic");
    number
}

async fn assert_one_caller_panics<F>(call: impl Fn(Arc<Source>) -> F)
where
    F: Future<Output = usize> + Send + 'static,
{
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut callers = JoinSet::new();
        for _ in 0..100 {
            callers.spawn(cache_runtime::scope(cache.clone(), call(Arc::clone(&source))));
        }
        until_missed(&cache, 100).await;
        source.let_all_pass();
        let (mut panics, mut answers) = (Vec::new(), Vec::new());
        while let Some(answer) = callers.join_next().await {
            match answer {
                Ok(number) => answers.push(number),
                Err(error) => panics.push(error.into_panic()),
            }
        }
        assert_eq!(answers, [1; 99]);
        let panic = panics[0].downcast_ref::<&str>().expect("a message");
        assert_eq!(*panic, "the loader's own panic");
        assert_eq!(source.begun(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_reaches_the_caller_of_a_detached_load_and_nobody_else() {
    assert_one_caller_panics(|source| panics_once(1, source)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_reaches_the_caller_that_loads_and_nobody_else() {
    assert_one_caller_panics(|source| async move { panics_once_inline(1, &source).await }).await;
}

#[cached(key = "panics:always:<_id>", ttl = "1h", skip(source))]
async fn panics_always(_id: u64, source: Arc<Source>) -> usize {
    source.load().await;
    panic!("always")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hangs_and_nothing_is_cached_when_every_load_panics() {
    in_fresh_cache(async |cache| {
        let source = Source::open();
        let mut callers = JoinSet::new();
        for _ in 0..200 {
            callers
                .spawn(cache_runtime::scope(cache.clone(), panics_always(1, Arc::clone(&source))));
        }
        while let Some(answer) = callers.join_next().await {
            assert!(answer.expect_err("it panics").is_panic());
        }
        assert_eq!(panics_always::peek(1).await, None);
        assert_eq!(cache.stats().await.expect("statistics").entries, Some(0));
    })
    .await;
}

#[cached(key = "fails:<_id>", ttl = "1h", skip(source, failures))]
async fn fails(_id: u64, source: Arc<Source>, failures: usize) -> Result<usize, String> {
    let number = source.load().await;
    if number < failures { Err(format!("failure {number}")) } else { Ok(number) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_the_callers_and_a_waiter_loads_again() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut callers = JoinSet::new();
        for _ in 0..100 {
            callers.spawn(cache_runtime::scope(cache.clone(), fails(1, Arc::clone(&source), 1)));
        }
        until_missed(&cache, 100).await;
        source.let_all_pass();
        let answers = callers.join_all().await;
        assert_eq!(
            answers.iter().filter(|answer| **answer == Err("failure 0".to_owned())).count(),
            1
        );
        assert_eq!(answers.iter().filter(|answer| **answer == Ok(1)).count(), 99);
        assert_eq!(source.begun(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_caller_gets_an_error_when_every_load_fails() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut callers = JoinSet::new();
        for _ in 0..100 {
            callers.spawn(cache_runtime::scope(
                cache.clone(),
                fails(1, Arc::clone(&source), usize::MAX),
            ));
        }
        until_missed(&cache, 100).await;
        source.let_all_pass();
        assert!(callers.join_all().await.iter().all(Result::is_err));
        assert_eq!(fails::peek(1).await, None);
        let stats = cache.stats().await.expect("statistics");
        assert_eq!((stats.entries, stats.total.stores), (Some(0), 0));
    })
    .await;
}

/// Waiters whose own leader is dropped again and again still end with a value.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiter_outlives_many_leaders() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let mut leader = Box::pin(borrowed(9, &source));
        assert!(poll_once(leader.as_mut()).await.is_none());
        let waiter = {
            let source = Arc::clone(&source);
            spawn_in(&cache, async move { borrowed(9, &source).await })
        };
        until_missed(&cache, 2).await;
        drop(leader);
        until(|| source.begun() == 2).await;
        source.let_one_pass();
        assert_eq!(waiter.await.expect("no panic"), 1);
        assert_eq!(source.begun.load(Ordering::SeqCst), 2);
    })
    .await;
}

static CLONES: AtomicUsize = AtomicUsize::new(0);

/// Its second clone panics, which is the one that is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Fragile;

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert_ne!(CLONES.fetch_add(1, Ordering::SeqCst), 1, "the value's own panic");
        Self
    }
}

#[cached(key = "fragile:<_id>", ttl = "1h")]
async fn fragile(_id: u64) -> Fragile {
    Fragile
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_whose_clone_panics_leaves_the_key_to_others() {
    in_fresh_cache(async |cache| {
        let first = spawn_in(&cache, fragile(1)).await;
        assert!(first.expect_err("the clone panics").is_panic());
        fragile(1).await;
        assert!(fragile::peek(1).await.is_some());
    })
    .await;
}
