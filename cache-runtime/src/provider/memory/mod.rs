//! The byte provider of one process: a thin adapter over the typed store.
//!
//! Sharding, eviction, expiry, the clock and compare-and-set under a lock are the store's
//! (`near/store.rs`), the same that typed values use; here is only what bytes need on top: cells
//! are slots that hold bytes and compare by prefix, marks are slots that hold nonces.

mod holds;
mod steps;
mod telling;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::{
    Acquire, Acquired, Baseline, BoxFuture, Changed, Description, Fill, Filled, Incarnation,
    Lookup, Mark, Observed, Prefix, Provider, Removal, Usage, Watch,
};
use crate::clock::Clock;
use crate::entry::unique_bytes;
use crate::near::sites::Sites;
use crate::near::store::Store;
use crate::{Error, ErrorKind, Pattern, Result};
use telling::Watchers;

/// A byte provider that keeps everything in this process.
///
/// For tests of what is built on providers, and as the reference of what the contract means. A
/// [`Cache`](crate::Cache) in memory does not go through it: typed values need no bytes.
///
/// Clones, and what [`in_namespace`](Self::in_namespace) returns, share the store. Values are
/// evicted when the bound is reached, leases and holds are not: they expire.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::Clock;
/// use cache_runtime::provider::{CellKind, MemoryProvider, Prefix, ProviderExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let (clock, hand) = Clock::manual();
/// let provider = MemoryProvider::builder().max_entries(1_000).clock(clock).build();
/// let value = Prefix::unique(CellKind::Value);
/// provider.put("greeting", value.as_bytes(), Duration::from_secs(60)).await?;
/// assert_eq!(provider.read_one("greeting", &[]).await?.prefix(), value);
/// hand.advance(Duration::from_secs(61));
/// assert!(provider.read_one("greeting", &[]).await?.cell.is_none());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryProvider {
    shared: Arc<Shared>,
    namespace: String,
    /// What the texts of the namespace begin with. It holds the namespace's length, so that no
    /// other namespace and key together give the same text.
    prefix: String,
    closed: Arc<AtomicBool>,
}

struct Shared {
    cells: Store,
    marks: Store,
    /// Removals have all of it, so that what they name goes at one instant; other steps share it.
    whole: RwLock<()>,
    incarnation: Incarnation,
    watchers: Watchers,
}

impl MemoryProvider {
    /// A provider of at most so many cells, on the system's clock, without a namespace.
    #[must_use]
    pub fn new(max_entries: u64) -> Self {
        Self::builder().max_entries(max_entries).build()
    }

    /// Starts with the defaults: 100,000 cells, the system's clock, no namespace.
    pub fn builder() -> MemoryProviderBuilder {
        MemoryProviderBuilder::default()
    }

    /// The same store seen from another namespace, as another program would see a server.
    #[must_use]
    pub fn in_namespace(&self, namespace: impl Into<String>) -> Self {
        Self::with(Arc::clone(&self.shared), namespace.into())
    }

    /// Tells watchers of what a step has changed, or may have.
    fn tell<'a>(&self, changes: impl IntoIterator<Item = Changed<'a>>) {
        self.shared.watchers.tell(&self.prefix, changes);
    }

    fn with(shared: Arc<Shared>, namespace: String) -> Self {
        let prefix = format!("{}:{namespace}:", namespace.len());
        Self { shared, namespace, prefix, closed: Arc::default() }
    }

    /// Runs a step when its future is polled, not before.
    fn step<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        step: impl FnOnce(&'a Self) -> Result<T> + Send + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            self.check_open(operation)?;
            let _part = self.shared.whole.read().unwrap_or_else(PoisonError::into_inner);
            step(self)
        })
    }

    /// The same for a step that no other one may see half done.
    fn whole_step<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        step: impl FnOnce(&'a Self) -> Result<T> + Send + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            self.check_open(operation)?;
            let _whole = self.shared.whole.write().unwrap_or_else(PoisonError::into_inner);
            step(self)
        })
    }

    fn check_open(&self, operation: &'static str) -> Result<()> {
        if self.closed.load(Ordering::Acquire) {
            let message = "the provider was shut down; build a new one";
            return Err(Error::new(ErrorKind::Shutdown, operation, message));
        }
        Ok(())
    }
}

impl fmt::Debug for MemoryProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryProvider").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// Settings of a [`MemoryProvider`].
#[derive(Clone, Debug, Default)]
#[must_use = "call `build()`"]
pub struct MemoryProviderBuilder {
    max_entries: Option<u64>,
    max_bytes: Option<u64>,
    clock: Clock,
    namespace: String,
}

impl MemoryProviderBuilder {
    /// Keeps at most so many cells, and at most so many marks.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.max_entries = Some(entries);
        self
    }

    /// Keeps cells of about so many bytes at most, keys and headers included; so for marks.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Takes the time from this clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Keeps keys and marks apart from those of other namespaces.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Makes the provider.
    pub fn build(self) -> MemoryProvider {
        const DEFAULT_ENTRIES: u64 = 100_000;
        let bounded = self.max_entries.is_some() || self.max_bytes.is_some();
        let entries = if bounded { self.max_entries } else { Some(DEFAULT_ENTRIES) };
        // No annotated function stores here, so there are no indexes to keep.
        let sites = Arc::new(Sites::new(0));
        let store = || Store::new(entries, self.max_bytes, self.clock.clone(), Arc::clone(&sites));
        let shared = Shared {
            cells: store(),
            marks: store(),
            whole: RwLock::default(),
            incarnation: Incarnation::new(u64::from_le_bytes(unique_bytes()) | 1),
            watchers: Watchers::default(),
        };
        MemoryProvider::with(Arc::new(shared), self.namespace)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for MemoryProvider {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        self.step("read", move |this| {
            let found = lookups.iter().map(|lookup| this.look_up(lookup)).collect();
            this.shared.watchers.give_sign();
            found
        })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        self.step("acquire", move |this| {
            let acquired = this.acquire_now(&request);
            this.tell([Changed::Cell(request.key)]);
            acquired
        })
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        self.step("fill", move |this| {
            let filled = this.fill_now(&request);
            this.tell([Changed::Cell(request.key)]);
            filled
        })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        self.step("renew", move |this| this.renew_now(key, prefix, ttl))
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        self.step("release", move |this| {
            let released = this.release_now(key, prefix);
            this.tell([Changed::Cell(key)]);
            released
        })
    }

    fn ensure_marks<'a>(
        &'a self,
        _key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        self.step("ensure_marks", move |this| this.ensure_now(marks, ttl))
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        self.step("hold_marks", move |this| {
            let held = this.hold_now(marks, ttl);
            this.tell(marks.iter().copied().map(Changed::Mark));
            held
        })
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        self.step("release_marks", move |this| {
            let released = this.release_holds_now(marks);
            this.tell(marks.iter().copied().map(Changed::Mark));
            released
        })
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        self.whole_step("remove", move |this| {
            let removed = this.remove_now(&removal);
            let cells = removal.keys.iter().copied().map(Changed::Cell);
            this.tell(cells.chain(removal.marks.iter().copied().map(Changed::Mark)));
            removed
        })
    }

    fn replicate<'a>(
        &'a self,
        _: Removal<'a>,
        replicas: u32,
        _: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        self.step("replicate", move |_| Ok(replicas))
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        self.whole_step("remove_matching", move |this| {
            let removed = this.remove_matching_now(pattern);
            this.tell([Changed::Everything]);
            removed
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.whole_step("clear", |this| {
            this.clear_now();
            this.tell([Changed::Everything]);
            Ok(())
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        self.step("ping", |this| Ok(this.shared.incarnation))
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        self.step("usage", |this| Ok(this.usage_now()))
    }

    fn serves_in_part(&self) -> bool {
        false
    }

    fn describe(&self) -> Description {
        Description::in_process("in-memory", self.namespace.as_str())
    }

    fn watch(&self, watch: Watch) -> bool {
        // Signs of life come with reads: whoever reads nothing has no use for one.
        self.shared.watchers.add(&self.prefix, watch);
        true
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.closed.store(true, Ordering::Release);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
