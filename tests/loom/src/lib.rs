//! The flight table of `cache-runtime`, checked under every interleaving of its threads.
//!
//! The sources are the runtime's own, included by their path; only what they import is replaced:
//! locks by loom's, and the store and the clock, which take no part in what is checked here, by
//! their names.

#[cfg(test)]
// The runtime's features are not this package's; what they add takes no part here either.
#[allow(dead_code, unused_imports, unexpected_cfgs)]
#[path = "../../../cache-runtime/src/flight/mod.rs"]
mod flight;

#[cfg(test)]
mod flight_tests;

#[cfg(test)]
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
    pub(crate) use loom::sync::{Mutex, MutexGuard};
    // Not loom's, which cannot be a method's receiver. Reference counts are not what is checked.
    pub(crate) use std::sync::Arc;

    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().expect("a panic has already failed the check")
    }
}

#[cfg(test)]
#[allow(dead_code)]
mod clock {
    pub(crate) type Tick = u64;

    pub(crate) fn ticks(_: std::time::Duration) -> Tick {
        1
    }

    #[derive(Clone)]
    pub(crate) struct Clock;

    impl Clock {
        pub(crate) fn now(&self) -> Tick {
            0
        }
    }
}

#[cfg(test)]
#[allow(dead_code)]
mod near {
    pub(crate) fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().expect("nobody panics while holding it")
    }

    pub(crate) mod meta {
        #[derive(Debug)]
        pub(crate) struct TagSeen;
    }

    pub(crate) mod store {
        #[derive(Debug)]
        pub(crate) struct Seen;
    }
}
