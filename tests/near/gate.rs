//! A store in memory whose notifications the test gives by hand, and that counts what it is asked.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Baseline, BoxFuture, Changed, Description, Extent, Fill, Filled,
    Incarnation, Lookup, Mark, MemoryProvider, Observed, Prefix, Provider, Removal, Sign, Usage,
    Watch, Watcher,
};
use cache_runtime::{Pattern, Result};

type Hook = Box<dyn FnOnce() + Send>;

/// The store, seen by one process.
#[derive(Clone)]
pub(crate) struct Gate(Arc<State>);

struct State {
    inner: MemoryProvider,
    tells: bool,
    watch: Mutex<Option<Watch>>,
    reads: AtomicU64,
    prefix_reads: AtomicU64,
    before_answer: Mutex<Option<Hook>>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gate").finish_non_exhaustive()
    }
}

impl Gate {
    /// A process's way to the store; one that does not tell has no means to.
    pub(crate) fn new(inner: &MemoryProvider, tells: bool) -> Self {
        Self(Arc::new(State {
            inner: inner.clone(),
            tells,
            watch: Mutex::default(),
            reads: AtomicU64::new(0),
            prefix_reads: AtomicU64::new(0),
            before_answer: Mutex::default(),
        }))
    }

    /// How often users' keys were read.
    pub(crate) fn reads(&self) -> u64 {
        self.0.reads.load(Ordering::SeqCst)
    }

    /// How many of those reads asked for a prefix alone.
    pub(crate) fn prefix_reads(&self) -> u64 {
        self.0.prefix_reads.load(Ordering::SeqCst)
    }

    fn watcher(&self) -> Arc<dyn Watcher> {
        let watch = self.0.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.as_ref().and_then(|watch| watch.watcher.upgrade()).expect("somebody watches")
    }

    /// Tells a change.
    pub(crate) fn tell(&self, change: Changed<'_>) {
        self.watcher().changed(change);
    }

    /// Begins to ask for a sign of life.
    pub(crate) fn asking(&self) -> Sign {
        self.watcher().asking()
    }

    /// A sign of life that was asked for then.
    pub(crate) fn alive(&self, asked: Sign) {
        self.watcher().alive(asked);
    }

    /// A sign of life that was asked for now.
    pub(crate) fn sign(&self) {
        self.alive(self.asking());
    }

    /// Does something after the store has looked at a user's key next, and before the answer.
    pub(crate) fn before_next_answer(&self, hook: impl FnOnce() + Send + 'static) {
        *self.0.before_answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hook));
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Gate {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        Box::pin(async move {
            let found = self.0.inner.read(lookups).await;
            // The library's own cells begin with a control character.
            let users = lookups.iter().filter(|lookup| !lookup.key.starts_with('\u{1}'));
            let asked = users.clone().any(|lookup| lookup.extent != Extent::Nothing);
            if asked {
                self.0.reads.fetch_add(1, Ordering::SeqCst);
                if users.clone().all(|lookup| lookup.extent == Extent::Prefix) {
                    self.0.prefix_reads.fetch_add(1, Ordering::SeqCst);
                }
                let mut hook = self.0.before_answer.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(hook) = hook.take() {
                    hook();
                }
            }
            found
        })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        self.0.inner.acquire(request)
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        self.0.inner.fill(request)
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        self.0.inner.renew(key, prefix, ttl)
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        self.0.inner.release(key, prefix)
    }

    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        self.0.inner.ensure_marks(key, marks, ttl)
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        self.0.inner.hold_marks(marks, ttl)
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        self.0.inner.release_marks(marks)
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        self.0.inner.remove(removal)
    }

    fn replicate<'a>(
        &'a self,
        names: Removal<'a>,
        replicas: u32,
        patience: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        self.0.inner.replicate(names, replicas, patience)
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        self.0.inner.remove_matching(pattern)
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.0.inner.clear()
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        self.0.inner.ping()
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        self.0.inner.usage()
    }

    fn serves_in_part(&self) -> bool {
        self.0.inner.serves_in_part()
    }

    fn describe(&self) -> Description {
        self.0.inner.describe()
    }

    fn watch(&self, watch: Watch) -> bool {
        *self.0.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch);
        self.0.tells
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        self.0.inner.shutdown()
    }
}
