//! Many callers of one cold key are served by one load.

use std::convert::Infallible;
use std::sync::Arc;

use cache_runtime::Cache;
use tokio::task::JoinSet;

use super::source::{
    Source, borrowed, in_fresh_cache, in_time, owned, poll_once, spawn_in, until, until_missed,
};

const CALLERS: u64 = 10_000;

/// Lets 10,000 tasks miss before the first load can end.
async fn storm<F>(cache: Cache, call: impl Fn(Arc<Source>) -> F) -> Arc<Source>
where
    F: Future<Output = usize> + Send + 'static,
{
    let source = Source::closed();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(cache_runtime::scope(cache.clone(), call(Arc::clone(&source))));
    }
    until_missed(&cache, CALLERS).await;
    source.let_all_pass();
    while let Some(answer) = callers.join_next().await {
        assert_eq!(answer.expect("no caller panics"), 0);
    }
    source
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_callers_with_owned_arguments_share_one_load() {
    in_fresh_cache(async |cache| {
        let source = storm(cache.clone(), |source| owned(1, source)).await;
        assert_eq!((source.begun(), source.ended()), (1, 1));
        let total = cache.stats().await.expect("statistics").total;
        assert_eq!((total.loads, total.stores, total.joined), (1, 1, CALLERS - 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_callers_with_borrowed_arguments_share_one_load() {
    in_fresh_cache(async |cache| {
        let source = storm(cache, |source| async move { borrowed(1, &source).await }).await;
        assert_eq!((source.begun(), source.ended()), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_callers_of_get_or_set_share_one_load() {
    in_fresh_cache(async |cache| {
        let source = storm(cache.clone(), |source| {
            let cache = cache.clone();
            async move {
                let load = || async { Ok::<_, Infallible>(source.load().await) };
                let Ok(number) = cache.get_or_set("key", load).await;
                number
            }
        })
        .await;
        assert_eq!((source.begun(), source.ended()), (1, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_and_get_or_set_of_the_same_key_share_one_load() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let function = spawn_in(&cache, owned(7, Arc::clone(&source)));
        until(|| source.begun() == 1).await;
        let mut direct = Box::pin(
            cache.get_or_set("owned:7", || async { Ok::<usize, Infallible>(99) }).into_future(),
        );
        assert!(poll_once(direct.as_mut()).await.is_none(), "it waits for the function's load");
        source.let_all_pass();
        assert_eq!(direct.await, Ok(0));
        assert_eq!(function.await.expect("no panic"), 0);
    })
    .await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_load_blocks_no_other_key() {
    in_fresh_cache(async |_| {
        let (slow, fast) = (Source::closed(), Source::open());
        let mut detached = Box::pin(owned(0, Arc::clone(&slow)));
        let mut inline = Box::pin(borrowed(0, &slow));
        assert!(poll_once(detached.as_mut()).await.is_none());
        assert!(poll_once(inline.as_mut()).await.is_none());
        for id in 1..1_000 {
            in_time(owned(id, Arc::clone(&fast))).await;
            in_time(borrowed(id, &fast)).await;
        }
        assert_eq!(fast.ended(), 2 * 999);
        slow.let_all_pass();
        assert_eq!(detached.await + inline.await, 1);
    })
    .await;
}

/// Both callers are polled by one task: neither may keep the thread while it waits for the other.
#[tokio::test(flavor = "current_thread")]
async fn callers_in_one_task_share_a_load() {
    in_fresh_cache(async |_| {
        let source = Source::closed();
        let open = async { source.let_all_pass() };
        let (one, other, ()) = tokio::join!(borrowed(1, &source), borrowed(1, &source), open);
        assert_eq!((one, other, source.begun()), (0, 0, 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_stop_waiting_leave_the_load_to_the_others() {
    in_fresh_cache(async |cache| {
        let source = Source::closed();
        let leader = spawn_in(&cache, owned(3, Arc::clone(&source)));
        until(|| source.begun() == 1).await;
        for round in 0..100 {
            let mut waiter = Box::pin(owned(3, Arc::clone(&source)));
            assert!(poll_once(waiter.as_mut()).await.is_none(), "round {round}");
        }
        source.let_all_pass();
        assert_eq!(leader.await.expect("no panic"), 0);
        assert_eq!(source.begun(), 1);
    })
    .await;
}
