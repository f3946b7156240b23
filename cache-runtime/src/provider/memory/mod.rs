//! The byte provider of one process: a thin adapter over the typed store.
//!
//! Sharding, eviction, expiry, the clock and compare-and-set under a lock are the store's
//! (`near/store.rs`), the same that typed values use; here is only what bytes need on top: cells
//! are slots that hold bytes and compare by prefix, marks are slots that hold nonces.

mod steps;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Fill, Filled, Incarnation, Lookup, Mark,
    Observed, Prefix, Provider, Removal, Usage,
};
use crate::clock::Clock;
use crate::entry::unique_bytes;
use crate::near::sites::Sites;
use crate::near::store::Store;
use crate::{Error, ErrorKind, Pattern, Result};

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
    incarnation: Incarnation,
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
            if self.closed.load(Ordering::Acquire) {
                let message = "the provider was shut down; build a new one";
                return Err(Error::new(ErrorKind::Shutdown, operation, message));
            }
            step(self)
        })
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
            incarnation: Incarnation::new(u64::from_le_bytes(unique_bytes()) | 1),
        };
        MemoryProvider::with(Arc::new(shared), self.namespace)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for MemoryProvider {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        self.step("read", move |this| lookups.iter().map(|lookup| this.look_up(lookup)).collect())
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        self.step("acquire", move |this| this.acquire_now(&request))
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        self.step("fill", move |this| this.fill_now(&request))
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
        self.step("release", move |this| this.release_now(key, prefix))
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
        self.step("hold_marks", move |this| this.hold_now(marks, ttl))
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        self.step("remove", move |this| this.remove_now(&removal))
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        self.step("remove_matching", move |this| this.remove_matching_now(pattern))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.step("clear", |this| {
            this.clear_now();
            Ok(())
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        self.step("ping", |this| Ok(this.shared.incarnation))
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        self.step("usage", |this| Ok(this.usage_now()))
    }

    fn describe(&self) -> Description {
        Description::in_process("in-memory", self.namespace.as_str())
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
