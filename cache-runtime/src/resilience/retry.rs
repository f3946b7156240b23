//! Retries that cannot become a storm: a budget for all of them, and jitter for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What one retry costs; an operation earns a share of it.
const TOKEN: u64 = 100;

/// The tokens that retries are paid with.
///
/// As in Finagle's `RetryBudget`, an operation earns a fraction of a retry; as in gRPC's retry
/// throttling (proposal A6), savings have a bound. However long an outage lasts, retries add at most
/// that share to the load, and at most the reserve in one burst.
#[derive(Debug)]
pub(super) struct RetryBudget {
    tokens: AtomicU64,
    earned: u64,
    most: u64,
}

impl RetryBudget {
    pub(super) fn new(percent: u32, reserve: u32) -> Self {
        let most = u64::from(reserve) * TOKEN;
        Self { tokens: AtomicU64::new(most), earned: u64::from(percent), most }
    }

    /// An operation begins. One relaxed load while nothing is owed.
    pub(super) fn earn(&self) {
        if self.tokens.load(Ordering::Relaxed) < self.most {
            let earned = |tokens: u64| Some((tokens + self.earned).min(self.most));
            let _ = self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
        }
    }

    /// Whether a retry can be paid for; if so, it is.
    pub(super) fn spend(&self) -> bool {
        let spent = |tokens: u64| tokens.checked_sub(TOKEN);
        self.tokens.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }
}

/// Exponential backoff with full jitter: any time up to a bound that doubles (Brooker, "Exponential
/// Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Debug)]
pub(super) struct Backoff {
    random: Mutex<fastrand::Rng>,
}

impl Backoff {
    pub(super) fn new(seed: Option<u64>) -> Self {
        Self { random: Mutex::new(seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed)) }
    }

    /// What to wait after so many failures before this one.
    pub(super) fn wait(&self, first: Duration, longest: Duration, failures: u32) -> Duration {
        let bound = first.saturating_mul(1 << failures.min(16)).min(longest);
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        bound.mul_f64(random.f64())
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, RetryBudget};
    use std::time::Duration;

    #[test]
    fn retries_are_a_tenth_of_the_operations_and_the_reserve() {
        let budget = RetryBudget::new(10, 10);
        let mut retries = 0;
        for _ in 0..10_000 {
            budget.earn();
            // An outage: every operation would like to be repeated twice.
            retries += u32::from(budget.spend()) + u32::from(budget.spend());
        }
        assert!((1_000..=1_010).contains(&retries), "{retries} retries");
    }

    #[test]
    fn savings_have_a_bound() {
        let budget = RetryBudget::new(10, 10);
        (0..10_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
    }

    #[test]
    fn waits_are_spread_below_a_bound_that_doubles() {
        let backoff = Backoff::new(Some(7));
        let (first, longest) = (Duration::from_millis(20), Duration::from_millis(250));
        for (failures, bound) in [(0, 20), (1, 40), (3, 160), (4, 250), (u32::MAX, 250)] {
            let bound = Duration::from_millis(bound);
            let waits: Vec<Duration> =
                (0..200).map(|_| backoff.wait(first, longest, failures)).collect();
            assert!(waits.iter().all(|wait| *wait <= bound));
            assert!(waits.iter().any(|wait| *wait < bound / 4));
            assert!(waits.iter().any(|wait| *wait > bound * 3 / 4));
        }
    }
}
