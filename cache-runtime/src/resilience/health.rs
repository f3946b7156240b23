//! What a resilient provider tells about itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Whether operations are let through to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// All of them.
    Closed,
    /// None: the store is taken to be out of reach, and probed in the background.
    Open,
    /// A few, to see whether it serves again.
    HalfOpen,
}

/// The state of a [`Resilient`](super::Resilient) provider, and what has happened since it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// Whether operations are let through.
    pub breaker: BreakerState,
    /// What a read may take at present.
    pub read_deadline: Duration,
    /// How many invalidations the store has not acknowledged yet.
    pub pending_invalidations: usize,
    /// How many operations ran out of time.
    pub timeouts: u64,
    /// How many attempts repeated an earlier one.
    pub retries: u64,
    /// How many operations were refused without asking the store: the breaker was open, or too
    /// many were under way.
    pub rejected: u64,
    /// How often the breaker opened.
    pub openings: u64,
    /// How many invalidations had to be handed to the background.
    pub deferred_invalidations: u64,
    /// How often pending invalidations became too many and were turned into a removal of the whole
    /// namespace.
    pub escalations: u64,
    /// How many pending invalidations the store called impossible, such as names too long to exist.
    pub impossible_invalidations: u64,
}

/// The counters behind [`Health`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) timeouts: Counter,
    pub(super) retries: Counter,
    pub(super) rejected: Counter,
    pub(super) deferred: Counter,
    pub(super) impossible: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
