//! How many operations may be under way at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::timer::within;
use crate::clock::Clock;

/// A bulkhead (Nygard, *Release It!*): a store that hangs may hold up so many operations and no
/// more, and those that wait for a place are bounded in number and in time too.
#[derive(Debug)]
pub(super) struct Limit {
    places: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Limit {
    pub(super) fn new(places: usize, most_waiting: usize) -> Self {
        let places = Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS));
        Self { places, waiting: AtomicUsize::new(0), most_waiting }
    }

    /// A place without waiting for it.
    pub(super) fn try_enter(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// A place; `None` if none became free in time, or too many wait already.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up its turn.
    pub(super) async fn enter(
        &self,
        clock: &Clock,
        patience: Duration,
    ) -> Option<SemaphorePermit<'_>> {
        let _turn = Turn::take(self)?;
        within(clock, patience, self.places.acquire()).await?.ok()
    }
}

struct Turn<'a>(&'a Limit);

impl<'a> Turn<'a> {
    fn take(limit: &'a Limit) -> Option<Self> {
        let turn = Self(limit);
        // Counted first and given back by the guard, so that two at once cannot both be the last.
        let before = limit.waiting.fetch_add(1, Ordering::Relaxed);
        (before < limit.most_waiting).then_some(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
