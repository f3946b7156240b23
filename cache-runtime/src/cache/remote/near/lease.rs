//! Until when copies may be served without asking.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::CLOCK_ERROR;
use crate::clock::{Clock, ticks};
use crate::near::lock;
use crate::provider::Sign;

/// The time until which the store's last sign of life reaches, on two clocks: the monotonic one,
/// which nobody sets, and the one of the calendar, which goes on while the machine sleeps. Both have
/// to say so. Setting the calendar forward ends a lease early, setting it back leaves the other.
#[derive(Debug, Default)]
pub(super) struct Lease {
    until: AtomicU64,
    unix_until: AtomicU64,
    /// The connection's life: signs of an earlier one count for nothing.
    life: Mutex<u64>,
}

impl Lease {
    #[inline]
    pub(super) fn holds(&self, clock: &Clock) -> bool {
        clock.now() < self.until.load(Ordering::Acquire)
            && clock.unix_millis() < self.unix_until.load(Ordering::Acquire)
    }

    /// The present, for a sign of life that is about to be asked for.
    pub(super) fn sign(&self, clock: &Clock) -> Sign {
        let life = *lock(&self.life);
        Sign::new(life, clock.now(), clock.unix_millis())
    }

    /// Lets the lease reach to the bound after a sign of life was asked for.
    pub(super) fn renew(&self, asked: Sign, bound: Duration) {
        let life = lock(&self.life);
        if *life != asked.life() {
            return;
        }
        let bound = bound.saturating_sub(CLOCK_ERROR);
        let millis = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
        self.unix_until.store(asked.unix_millis().saturating_add(millis), Ordering::Release);
        self.until.store(asked.moment().saturating_add(ticks(bound)), Ordering::Release);
    }

    /// Ends the lease: changes may have been lost.
    pub(super) fn end(&self) {
        let mut life = lock(&self.life);
        *life += 1;
        self.until.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::Lease;
    use crate::Clock;
    use std::time::Duration;

    const BOUND: Duration = Duration::from_millis(500);

    #[test]
    fn a_lease_is_measured_from_the_question_and_not_from_the_answer() {
        let (clock, hand) = Clock::manual();
        let lease = Lease::default();
        assert!(!lease.holds(&clock));
        let asked = lease.sign(&clock);
        hand.advance(Duration::from_millis(400));
        lease.renew(asked, BOUND);
        assert!(lease.holds(&clock));
        hand.advance(Duration::from_millis(100));
        assert!(!lease.holds(&clock));
    }

    #[test]
    fn a_sign_from_before_a_loss_counts_for_nothing() {
        let (clock, _hand) = Clock::manual();
        let lease = Lease::default();
        let asked = lease.sign(&clock);
        lease.end();
        lease.renew(asked, BOUND);
        assert!(!lease.holds(&clock));
        lease.renew(lease.sign(&clock), BOUND);
        assert!(lease.holds(&clock));
    }
}
