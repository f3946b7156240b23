//! The tier outside the process: the protocol's rules over the byte-level steps of a provider.
//!
//! What lies in the store is not trusted: bytes that do not verify are a miss. A store that does
//! not answer is a miss as well; whoever loads then stores nothing.

mod age;
mod claim;
mod elsewhere;
mod fill;
mod hold;
mod leases;
mod names;
mod near;
mod read;
mod remove;
mod renewal;
mod share;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::core::Core;
use crate::cache::rules::Rules;
use crate::clock::{Clock, Tick};
use crate::entry::{Format, KeyHash};
use crate::error::Result;
use crate::near::store::Store;
use crate::provider::{CellKind, Incarnation, Prefix, Provider, Stamp};
use crate::resilience::Resilient;

pub(crate) use claim::RemoteClaim;
pub(crate) use elsewhere::{Elsewhere, Outwaited};
pub(crate) use near::{LEAST_BOUND, LONGEST_BOUND, NearCache};
pub(crate) use write::RemoteWrite;

/// How long a lease lives where nobody says otherwise.
pub(crate) const LEASE: Duration = Duration::from_millis(1_500);

/// How long a writer's claim on a key lives. A body that takes longer than this loses the claim,
/// and the key is then removed instead of written.
const WRITE_LEASE: Duration = Duration::from_secs(10);

/// What marks live longer than the entries that carry them: a load lies between the two.
const MARK_MARGIN: Duration = Duration::from_secs(3_600);

/// A soft deadline that never comes.
const NO_DEADLINE: u64 = u64::MAX;

/// A store outside the process.
pub(crate) struct Remote {
    provider: Arc<Resilient>,
    leases: leases::Leases,
    namespace: String,
    format: Format,
    /// How long a lease lives unless it is renewed, which happens at a third of it: a dead holder
    /// costs at most this.
    lease: Duration,
    /// The last incarnation that the store answered with: a guess for writes without a read before.
    last_incarnation: AtomicU64,
    /// How often something was invalidated by this process.
    removals: AtomicU64,
    reads: share::Reads,
    /// Copies of what was read, where they are configured.
    near: Option<Arc<NearCache>>,
    /// How long one operation may take.
    budget: Duration,
    /// All of them, but for tests that look what a rule is for.
    pub(crate) rules: Rules,
}

/// What a cell and the request's marks held when they were looked at.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) prefix: Prefix,
    /// With the states of the request's tags.
    observed: share::Answered,
}

impl Found {
    /// What lies in the cell. A lease and a writer's claim are a prefix and nothing more: with bytes
    /// behind it, it is an entry that was damaged, and nobody is to be waited for.
    pub(crate) fn kind(&self) -> Option<CellKind> {
        let is_bare = self.observed.cell.as_ref().is_none_or(|cell| cell.len() == Prefix::LENGTH);
        self.prefix.kind().filter(|kind| is_bare || *kind == CellKind::Value)
    }

    /// Whether these were the stamps of the request's tags.
    pub(crate) fn has_tags(&self, stamps: &[Stamp]) -> bool {
        self.observed.marks.iter().map(|state| state.stamp()).eq(stamps.iter().copied().map(Some))
    }
}

impl Remote {
    pub(crate) fn new(
        provider: Arc<Resilient>,
        format: Format,
        lease: Duration,
        budget: Duration,
        near: Option<Arc<NearCache>>,
        clock: &Clock,
    ) -> Self {
        let leases = leases::Leases::new(&provider, clock);
        let namespace = provider.describe().namespace;
        let last_incarnation = AtomicU64::new(Incarnation::UNKNOWN.get());
        Self {
            provider,
            leases,
            namespace,
            format,
            lease,
            last_incarnation,
            removals: AtomicU64::new(0),
            reads: share::Reads::default(),
            near,
            budget,
            rules: Rules::default(),
        }
    }

    /// The store itself.
    pub(crate) fn provider(&self) -> &Arc<Resilient> {
        &self.provider
    }

    /// How long one operation may take.
    pub(crate) fn budget(&self) -> Duration {
        self.budget
    }

    /// What the store calls itself.
    pub(crate) fn name(&self) -> &'static str {
        self.provider.describe().name
    }

    /// Sends what is still to be sent, and lets go of the store.
    pub(crate) async fn shutdown(&self) -> Result<()> {
        self.provider.shutdown().await
    }

    /// The namespace of all keys.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What an entry of this key has to carry: it must be no other namespace's either.
    fn key_hash(&self, text: &str) -> KeyHash {
        match self.namespace.is_empty() {
            true => KeyHash::of(text),
            false => KeyHash::within(&self.namespace, text),
        }
    }

    pub(crate) fn removals(&self) -> u64 {
        self.removals.load(Ordering::Relaxed)
    }

    /// The copies, if they may be served now without asking the store.
    #[inline]
    pub(crate) fn copies(&self, now: Tick) -> Option<&Store> {
        self.near.as_ref()?.serving(now)
    }

    /// The near cache, where there is one.
    pub(crate) fn near(&self) -> Option<&NearCache> {
        self.near.as_deref()
    }

    /// Notes that this process has invalidated something.
    fn note_removal(&self) {
        self.removals.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until the near caches of all processes have seen what was invalidated before.
    ///
    /// # Errors
    ///
    /// Where the store does not say how long that is.
    pub(crate) async fn settle(&self, core: &Core) -> Result<()> {
        let own = self.near.as_ref().and_then(|near| near.bound()).unwrap_or_default();
        let longest = near::longest_bound(&*self.provider).await?.max(own);
        if !longest.is_zero() {
            core.clock.sleep(longest).await;
        }
        Ok(())
    }

    fn note(&self, incarnation: Incarnation) {
        if incarnation.get() != self.last_incarnation.load(Ordering::Relaxed) {
            self.last_incarnation.store(incarnation.get(), Ordering::Relaxed);
        }
    }

    fn guessed_incarnation(&self) -> Incarnation {
        Incarnation::new(self.last_incarnation.load(Ordering::Relaxed))
    }
}
