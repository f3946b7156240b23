//! The epoch guard of a change to the store, which frees what is large right after the change.

use std::cell::Cell;
use std::ops::Deref;

use crossbeam_epoch::Guard;

/// A guard that is taken before a shard's lock and dropped after it.
///
/// Freeing runs the destructors of users' values, so it must not happen under the lock.
pub(super) struct Pinned {
    guard: Guard,
    flushes: Cell<bool>,
}

impl Pinned {
    pub(super) fn new() -> Self {
        Self { guard: crossbeam_epoch::pin(), flushes: Cell::new(false) }
    }

    /// What was retired should not wait in this thread's bag for others to join it.
    pub(super) fn flush_after(&self) {
        self.flushes.set(true);
    }
}

impl Deref for Pinned {
    type Target = Guard;

    fn deref(&self) -> &Guard {
        &self.guard
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.flushes.get() {
            self.guard.flush();
        }
    }
}
