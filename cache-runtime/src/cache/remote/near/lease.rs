//! Until when copies may be served without asking.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::CLOCK_ERROR;
use crate::clock::{Clock, Tick, ticks};
use crate::near::lock;
use crate::provider::Sign;

/// The time until which the store's last sign of life reaches, on two clocks: the monotonic one,
/// which nobody sets, and the one of the calendar, which goes on while the machine sleeps. Both have
/// to say so. Setting the calendar forward ends a lease early, setting it back leaves the other.
#[derive(Debug, Default)]
pub(super) struct Lease {
    until: AtomicU64,
    unix_until: AtomicU64,
    /// The reading of the monotonic clock at which the calendar agreed last.
    agreed_at: AtomicU64,
    /// The connection's life: signs of an earlier one count for nothing.
    life: Mutex<u64>,
}

impl Lease {
    /// Whether the lease holds at this reading of the monotonic clock, which the caller has just
    /// taken.
    #[inline]
    pub(super) fn holds(&self, now: Tick, unix_millis: impl FnOnce() -> u64) -> bool {
        now < self.until.load(Ordering::Acquire)
            && (now == self.agreed_at.load(Ordering::Relaxed) || self.agrees(now, unix_millis))
    }

    /// Asks the calendar, which costs more than all the rest of a hit's checks.
    ///
    /// Once for each reading of the monotonic clock is enough. It stands still for some milliseconds,
    /// by which the lease is shorter than the bound, and a machine that falls asleep moves it on
    /// first: programs are stopped long before the clocks are.
    #[cold]
    #[inline(never)]
    fn agrees(&self, now: Tick, unix_millis: impl FnOnce() -> u64) -> bool {
        let agrees = unix_millis() < self.unix_until.load(Ordering::Acquire);
        if agrees {
            self.agreed_at.store(now, Ordering::Relaxed);
        }
        agrees
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
    use crate::clock::ticks;
    use crate::provider::Sign;
    use std::time::Duration;

    const BOUND: Duration = Duration::from_millis(500);

    fn holds(lease: &Lease, clock: &Clock) -> bool {
        lease.holds(clock.now(), || clock.unix_millis())
    }

    #[test]
    fn a_lease_is_measured_from_the_question_and_not_from_the_answer() {
        let (clock, hand) = Clock::manual();
        let lease = Lease::default();
        assert!(!holds(&lease, &clock));
        let asked = lease.sign(&clock);
        hand.advance(Duration::from_millis(400));
        lease.renew(asked, BOUND);
        assert!(holds(&lease, &clock));
        hand.advance(Duration::from_millis(100));
        assert!(!holds(&lease, &clock));
    }

    #[test]
    fn a_sign_from_before_a_loss_counts_for_nothing() {
        let (clock, _hand) = Clock::manual();
        let lease = Lease::default();
        let asked = lease.sign(&clock);
        lease.end();
        lease.renew(asked, BOUND);
        assert!(!holds(&lease, &clock));
        lease.renew(lease.sign(&clock), BOUND);
        assert!(holds(&lease, &clock));
    }

    #[test]
    fn a_machine_that_slept_finds_its_lease_over_although_the_monotonic_clock_stood_still() {
        let lease = Lease::default();
        let asked = Sign::new(0, ticks(Duration::from_secs(1)), 1_000);
        lease.renew(asked, BOUND);
        let at = |millis: u64| ticks(Duration::from_millis(millis));
        assert!(lease.holds(at(1_100), || 1_100));
        assert!(lease.holds(at(1_100), || unreachable!("it was asked at this reading")));
        assert!(!lease.holds(at(1_104), || 61_100), "a minute asleep");
        assert!(!lease.holds(at(1_104), || 61_100), "no is not remembered as yes");
        assert!(lease.holds(at(1_104), || 1_104), "nor as no: somebody set the calendar back");
        assert!(!lease.holds(at(1_500), || 1_104));
        lease.end();
        assert!(!lease.holds(at(1_104), || 1_104));
    }
}
