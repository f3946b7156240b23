//! The in-process typed store: slots under the text key, and each function's index to them.

pub(crate) mod ghosts;
pub(crate) mod index;
pub(crate) mod meta;
pub(crate) mod origin;
mod pinned;
mod queue;
mod shard;
pub(crate) mod sites;
pub(crate) mod slot;
pub(crate) mod store;
#[cfg(test)]
mod stress_tests;
pub(crate) mod tags;
pub(crate) mod verdict;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks past a poisoned mutex: what these locks guard is consistent between any two statements
/// that can panic, so a panic elsewhere (a loader's, a destructor's) must not disable the cache.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
