//! How many calls of the last seconds failed.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Tick, ticks};

const BUCKETS: usize = 10;

/// Calls and failures of a sliding window, in buckets of a tenth of it.
///
/// Counting is one relaxed addition. A bucket that is taken over from an earlier time may lose or
/// keep the few calls that are counted in that very moment: the share is what matters.
#[derive(Debug)]
pub(super) struct Window {
    bucket_ticks: Tick,
    buckets: [Bucket; BUCKETS],
}

#[derive(Debug, Default)]
struct Bucket {
    number: AtomicU64,
    calls: AtomicU32,
    failures: AtomicU32,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let bucket_ticks = (ticks(length) / BUCKETS as u64).max(1);
        Self { bucket_ticks, buckets: Default::default() }
    }

    pub(super) fn count(&self, failed: bool, now: Tick) {
        let number = now / self.bucket_ticks;
        let bucket = &self.buckets[(number % BUCKETS as u64) as usize];
        let found = bucket.number.load(Ordering::Relaxed);
        let taken = found != number
            && bucket
                .number
                .compare_exchange(found, number, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if taken {
            bucket.calls.store(0, Ordering::Relaxed);
            bucket.failures.store(0, Ordering::Relaxed);
        }
        bucket.calls.fetch_add(1, Ordering::Relaxed);
        if failed {
            bucket.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Calls and failures of the window that ends now.
    pub(super) fn sums(&self, now: Tick) -> (u64, u64) {
        let number = now / self.bucket_ticks;
        let recent = |bucket: &&Bucket| {
            let found = bucket.number.load(Ordering::Relaxed);
            found <= number && found + BUCKETS as u64 > number
        };
        self.buckets.iter().filter(recent).fold((0, 0), |(calls, failures), bucket| {
            let own = u64::from(bucket.calls.load(Ordering::Relaxed));
            (calls + own, failures + u64::from(bucket.failures.load(Ordering::Relaxed)))
        })
    }

    /// Forgets everything: what failed before an outage says nothing about the time after it.
    pub(super) fn clear(&self) {
        for bucket in &self.buckets {
            bucket.calls.store(0, Ordering::Relaxed);
            bucket.failures.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::clock::ticks;
    use std::time::Duration;

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let window = Window::new(Duration::from_secs(10));
        let at = |seconds: u64| ticks(Duration::from_secs(1_000 + seconds));
        (0..10).for_each(|second| window.count(second < 5, at(second)));
        assert_eq!(window.sums(at(9)), (10, 5));
        assert_eq!(window.sums(at(12)), (7, 2));
        window.count(true, at(12));
        assert_eq!(window.sums(at(12)), (8, 3));
        assert_eq!(window.sums(at(60)), (0, 0));
        window.count(false, at(60));
        window.clear();
        assert_eq!(window.sums(at(60)), (0, 0));
    }
}
