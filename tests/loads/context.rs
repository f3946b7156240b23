//! What a detached load takes along from its caller, and what becomes of it when a runtime ends.

use std::sync::{Arc, Once};
use std::time::Duration;

use cache_runtime::{Cache, cached, scope};
use tokio::runtime::{Builder, Runtime};
use tracing::Instrument as _;
use tracing_subscriber::Registry;

use super::source::{
    Source, borrowed, fresh, in_fresh_cache, in_time, owned, poll_once, until, until_missed,
};

#[cached(key = "span:<id>", ttl = "1h")]
async fn span_of_the_load(id: u64) -> Option<String> {
    assert!(tokio::task::try_id().is_some(), "request {id} loads in a task of its own");
    tracing::Span::current().metadata().map(|span| span.name().to_owned())
}

fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Registry::default()).expect("no other subscriber")
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_load_runs_in_its_callers_span() {
    subscribe();
    in_fresh_cache(async |_| {
        let span = tracing::info_span!("request");
        let name = span_of_the_load(1).instrument(span).await;
        assert_eq!(name.as_deref(), Some("request"));
    })
    .await;
}

#[cached(key = "scope:<id>", ttl = "1h")]
async fn leaves_a_mark(id: u64) -> u64 {
    cache_runtime::cache().set("mark", &id).await.expect("memory takes it");
    inside(id).await
}

#[cached(key = "inside:<id>", ttl = "1h")]
async fn inside(id: u64) -> u64 {
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_load_runs_in_its_callers_scope() {
    in_fresh_cache(async |cache| {
        leaves_a_mark(4).await;
        assert_eq!(cache.get::<u64>("mark").await.expect("memory answers"), Some(4));
        assert_eq!(cache.get::<u64>("inside:4").await.expect("memory answers"), Some(4));
        assert_eq!(cache_runtime::scope(fresh().await, inside::peek(4)).await, None);
    })
    .await;
}

fn runtime(threads: usize) -> Runtime {
    let mut builder = match threads {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(threads.max(1)).enable_all().build().expect("a runtime")
}

fn cache_outside() -> Cache {
    runtime(0).block_on(fresh())
}

/// A load begins on one runtime, which then shuts down; a waiter on another takes over.
fn assert_a_shutdown_leaves_the_key_to_others<F>(call: impl Fn(Arc<Source>) -> F)
where
    F: Future<Output = usize> + Send + 'static,
{
    let (first, second) = (runtime(2), runtime(2));
    let (cache, source) = (cache_outside(), Source::closed());
    let leader = first.spawn(scope(cache.clone(), call(Arc::clone(&source))));
    second.block_on(in_time(until(|| source.begun() == 1)));
    let waiter = second.spawn(scope(cache.clone(), call(Arc::clone(&source))));
    second.block_on(in_time(until_missed(&cache, 2)));
    drop(first);
    source.let_all_pass();
    assert_eq!(second.block_on(in_time(waiter)).expect("no panic"), 1);
    let leader = second.block_on(in_time(leader));
    assert!(leader.expect_err("it was shut down").is_cancelled());
    assert_eq!((source.begun(), source.ended()), (2, 1));
}

#[test]
fn a_runtime_that_shuts_down_leaves_its_detached_loads_to_others() {
    assert_a_shutdown_leaves_the_key_to_others(|source| owned(1, source));
}

#[test]
fn a_runtime_that_shuts_down_leaves_its_callers_loads_to_others() {
    assert_a_shutdown_leaves_the_key_to_others(|source| async move { borrowed(1, &source).await });
}

#[test]
fn two_runtimes_share_a_load() {
    let (first, second) = (runtime(1), runtime(1));
    let (cache, source) = (cache_outside(), Source::closed());
    let calls: Vec<_> = [&first, &second, &first, &second]
        .into_iter()
        .map(|runtime| runtime.spawn(scope(cache.clone(), owned(1, Arc::clone(&source)))))
        .collect();
    first.block_on(in_time(until_missed(&cache, 4)));
    source.let_all_pass();
    for call in calls {
        assert_eq!(first.block_on(in_time(call)).expect("no panic"), 0);
    }
    assert_eq!(source.begun(), 1);
}

/// A runtime with one thread runs its tasks only while somebody blocks on it.
#[test]
fn a_runtime_that_stands_still_hangs_no_other() {
    let (still, busy) = (runtime(0), runtime(2));
    let (cache, source) = (cache_outside(), Source::open());
    let mut leader = Box::pin(scope(cache.clone(), owned(1, Arc::clone(&source))));
    // The load is spawned, and maybe begun, and from here on nobody drives the runtime.
    assert!(still.block_on(poll_once(leader.as_mut())).is_none());
    let waiter = busy.spawn(scope(cache.clone(), owned(1, Arc::clone(&source))));
    busy.block_on(in_time(waiter)).expect("no panic");
    // Driven again, the caller gets its own result.
    still.block_on(in_time(leader));
}

#[test]
fn a_call_after_the_runtime_has_shut_down_does_not_panic() {
    let ended = runtime(2);
    let handle = ended.handle().clone();
    let (cache, source) = (cache_outside(), Source::open());
    ended.shutdown_timeout(Duration::from_secs(5));
    let _entered = handle.enter();
    let mut call = Box::pin(scope(cache.clone(), owned(1, Arc::clone(&source))));
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    // The load can run nowhere; what matters is that nothing panics and the key is free.
    let _ = call.as_mut().poll(context);
    drop(call);
    assert_eq!(runtime(2).block_on(in_time(scope(cache, owned(1, source)))), 0);
}
