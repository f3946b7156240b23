//! The provider with faults, and what a test sets of them.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastrand::Rng;

use super::fault::{Fault, Operation};
use super::takeover::Journal;
use super::watching::Listeners;
use crate::clock::Clock;
use crate::near::lock;
use crate::provider::Provider;
use crate::{Error, ErrorKind, Result};

/// A provider that does to another one what networks and servers do.
///
/// Which operations suffer is drawn from a seed ([`rate`](Self::rate)), or said beforehand
/// ([`next`](Self::next)). Clones are the same provider, so a test keeps one and gives the other to
/// the cache. With a manual [`clock`](Self::clock), and tasks that run in one order, a seed gives
/// the same faults each time.
///
/// What is lost, late or damaged here stays within what stores are allowed to do, so that a cache in
/// front of it keeps its promises: a test that finds a wrong value has found a defect.
///
/// # Examples
///
/// A service's test: every price is right, whatever the store does.
///
/// ```
/// use cache_runtime::provider::MemoryProvider;
/// use cache_runtime::testing::{Fault, FaultyProvider, Operation};
/// use cache_runtime::{Cache, cached, scope};
///
/// #[cached(key = "price:<item>", ttl = 60)]
/// async fn price(item: u64) -> u64 {
///     item * 100 // asks the database
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let store = FaultyProvider::new(MemoryProvider::new(1_000), 7)
///     .rate(Fault::Refuse, 0.05)
///     .rate(Fault::LoseAnswer, 0.05)
///     .rate(Fault::FlipBit, 0.1)
///     .rate(Fault::Forget, 0.1);
/// let cache = Cache::builder().provider(store.clone()).build().await?;
/// for round in 0..200 {
///     assert_eq!(scope(cache.clone(), price(round % 5)).await, round % 5 * 100);
/// }
/// assert!(store.faults() > 0, "the seed has drawn some");
///
/// // An invalidation that the store never acknowledges is an error, and nothing stale is served.
/// store.calm();
/// store.always(Operation::Remove, Fault::LoseAnswer);
/// assert!(cache.invalidate(price::key(1)).await.is_err());
/// assert_eq!(scope(cache.clone(), price(1)).await, 100);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FaultyProvider {
    pub(super) inner: Arc<dyn Provider>,
    pub(super) shared: Arc<Shared>,
    pub(super) clock: Clock,
}

pub(super) struct Shared {
    pub(super) random: Mutex<Rng>,
    plan: Mutex<Plan>,
    faults: AtomicU64,
    pub(super) journal: Journal,
    pub(super) listeners: Listeners,
}

#[derive(Default)]
struct Plan {
    /// How often each fault happens, to one operation or to all.
    rates: Vec<(Option<Operation>, Fault, f64)>,
    next: HashMap<Operation, VecDeque<Fault>>,
}

impl FaultyProvider {
    /// Stands in front of a provider. Nothing goes wrong until something is set.
    #[must_use]
    pub fn new(inner: impl Provider, seed: u64) -> Self {
        let shared = Shared {
            random: Mutex::new(Rng::with_seed(seed)),
            plan: Mutex::default(),
            faults: AtomicU64::new(0),
            journal: Journal::default(),
            listeners: Listeners::default(),
        };
        Self { inner: Arc::new(inner), shared: Arc::new(shared), clock: Clock::system() }
    }

    /// The clock that delays are measured on: the cache's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Lets a fault happen to this share of all operations, from 0 to 1.
    #[must_use]
    pub fn rate(self, fault: Fault, share: f64) -> Self {
        lock(&self.shared.plan).rates.push((None, fault, share));
        self
    }

    /// Lets a fault happen to this share of one sort of operations, from 0 to 1.
    #[must_use]
    pub fn rate_of(self, operation: Operation, fault: Fault, share: f64) -> Self {
        lock(&self.shared.plan).rates.push((Some(operation), fault, share));
        self
    }

    /// Brings what the store tells of changes later, by so much at most and in the same order. Needs
    /// a Tokio runtime.
    #[must_use]
    pub fn watch_lag(self, most: Duration) -> Self {
        self.shared.listeners.set_lag(most);
        self
    }

    /// Lets this share of what the store tells be the last that is heard on its connection: it is
    /// lost with all that is still on its way, and then the watcher is told that it missed something.
    #[must_use]
    pub fn watch_losses(self, share: f64) -> Self {
        self.shared.listeners.set_losses(share);
        self
    }

    /// Lets these faults happen to the next operations of one sort, one to each.
    pub fn next(&self, operation: Operation, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.shared.plan).next.entry(operation).or_default().extend(faults);
    }

    /// Lets a fault happen to every operation of one sort, until [`calm`](Self::calm).
    pub fn always(&self, operation: Operation, fault: Fault) {
        lock(&self.shared.plan).rates.insert(0, (Some(operation), fault, 1.0));
    }

    /// Nothing goes wrong from now on. What hangs stays so.
    pub fn calm(&self) {
        *lock(&self.shared.plan) = Plan::default();
        self.shared.listeners.calm();
    }

    /// How many faults have happened.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.shared.faults.load(Ordering::Relaxed)
    }

    /// The store loses everything, as by `FLUSHALL`.
    ///
    /// # Errors
    ///
    /// Those of the provider behind it.
    pub async fn lose_everything(&self) -> Result<()> {
        self.inner.clear().await
    }

    /// Nothing that changes in the store is heard of, until [`hear`](Self::hear).
    pub fn go_deaf(&self) {
        self.shared.listeners.go_deaf();
    }

    /// Changes are heard of again, and that some were missed.
    pub fn hear(&self) {
        self.shared.listeners.hear();
    }

    /// The fault of this operation, if it has one.
    pub(super) fn draw(&self, operation: Operation) -> Option<Fault> {
        let drawn = {
            let mut plan = lock(&self.shared.plan);
            match plan.next.get_mut(&operation).and_then(VecDeque::pop_front) {
                Some(fault) => Some(fault),
                None => {
                    let mut random = lock(&self.shared.random);
                    let of_it = plan.rates.iter();
                    of_it
                        .filter(|(only, ..)| only.is_none_or(|only| only == operation))
                        .find(|(.., share)| random.f64() < *share)
                        .map(|(_, fault, _)| *fault)
                }
            }
        };
        let can_happen = match drawn {
            Some(Fault::FlipBit | Fault::Truncate) => operation == Operation::Read,
            _ => true,
        };
        let drawn = drawn.filter(|_| can_happen);
        self.shared.faults.fetch_add(u64::from(drawn.is_some()), Ordering::Relaxed);
        drawn
    }

    /// A duration of so much at most.
    pub(super) fn draw_delay(&self, most: Duration) -> Duration {
        most.mul_f64(lock(&self.shared.random).f64())
    }

    pub(super) fn failed<T>(operation: Operation, kind: ErrorKind) -> Result<T> {
        Err(Error::new(kind, operation.name(), "a fault that a test asked for"))
    }
}

impl fmt::Debug for FaultyProvider {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("FaultyProvider");
        debug.field("inner", &self.inner).field("faults", &self.faults()).finish_non_exhaustive()
    }
}
