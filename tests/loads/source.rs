//! Where the tests' loads come from, and the few steps that every test takes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use cache_runtime::{Cache, cached, scope};
use tokio::sync::Semaphore;

/// A load passes the gate and then returns how many loads had begun before it.
pub(crate) struct Source {
    pub(crate) begun: AtomicUsize,
    pub(crate) ended: AtomicUsize,
    gate: Semaphore,
}

impl Source {
    /// Loads wait until the gate is opened.
    pub(crate) fn closed() -> Arc<Self> {
        let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { begun, ended, gate: Semaphore::new(0) })
    }

    /// Loads do not wait.
    pub(crate) fn open() -> Arc<Self> {
        let source = Self::closed();
        source.let_all_pass();
        source
    }

    pub(crate) fn let_all_pass(&self) {
        self.gate.add_permits(100_000);
    }

    /// Lets one load pass.
    pub(crate) fn let_one_pass(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) async fn load(&self) -> usize {
        let number = self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.expect("the gate is never destroyed").forget();
        self.ended.fetch_add(1, Ordering::SeqCst);
        number
    }

    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn ended(&self) -> usize {
        self.ended.load(Ordering::SeqCst)
    }
}

/// Arguments that are owned: the load runs in a task of its own.
#[cached(key = "owned:<_id>", ttl = "1h", skip(source))]
pub(crate) async fn owned(_id: u64, source: Arc<Source>) -> usize {
    source.load().await
}

/// Arguments that are borrowed: the load runs in its caller.
#[cached(key = "borrowed:<_id>", ttl = "1h", skip(source))]
pub(crate) async fn borrowed(_id: u64, source: &Source) -> usize {
    source.load().await
}

/// A cache in memory that no other test uses.
pub(crate) async fn fresh() -> Cache {
    Cache::builder().in_memory().build().await.expect("a cache in memory")
}

/// Runs a test in a cache of its own, and fails it if it hangs.
pub(crate) async fn in_fresh_cache<F: Future>(test: impl FnOnce(Cache) -> F) -> F::Output {
    let cache = fresh().await;
    in_time(scope(cache.clone(), test(cache))).await
}

/// Fails the test if the future hangs.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    let most = Duration::from_secs(20);
    tokio::time::timeout(most, future).await.expect("somebody hangs")
}

/// Gives way until something is true.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    while !condition() {
        tokio::task::yield_now().await;
    }
}

/// Gives way until so many callers have missed in this cache.
pub(crate) async fn until_missed(cache: &Cache, callers: u64) {
    while cache.stats().await.expect("statistics").total.misses.total() < callers {
        tokio::task::yield_now().await;
    }
}

/// Polls a future a single time.
pub(crate) async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Spawns a task in the cache's scope.
pub(crate) fn spawn_in<F>(cache: &Cache, future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(scope(cache.clone(), future))
}
