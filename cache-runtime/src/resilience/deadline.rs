//! How long a read may take: as TCP decides when a segment is lost (RFC 6298).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Tick, duration, ticks};

/// One measurement a round, as RFC 6298 takes one a round trip: at a hundred thousand reads a second
/// an average over single reads would forget a slow one within a millisecond.
const ROUND: Duration = Duration::from_millis(100);

/// `G` of RFC 6298: what the clock may be wrong by.
const GRANULARITY: Duration = Duration::from_millis(10);

/// For how many rounds with answers a deadline stays longer after it was too short, or would have
/// been: ten seconds.
const ROUNDS_KEPT: u32 = 100;

/// The deadline of reads.
///
/// It is `SRTT + max(G, 4 x RTTVAR)` within its bounds, over the *slowest* answer of each round, so
/// that the tail of a healthy store is not cut off. The formula puts the deadline above any answer
/// that it has just been given. A read that runs out of time gives no measurement (Karn) but doubles
/// the deadline (RFC 6298, 5.5), up to the budget, for as long as answers come that needed it: a
/// store that became slower is cut off a few times at most. Until the first round is over the deadline is the budget.
///
/// Reading it costs one relaxed load, and an answer that ends no round two.
#[derive(Debug)]
pub(super) struct ReadDeadline {
    adaptive: bool,
    least: Duration,
    most: Duration,
    nanos: AtomicU64,
    slowest: AtomicU64,
    round_ends: AtomicU64,
    estimate: Mutex<Estimate>,
}

#[derive(Debug, Default)]
struct Estimate {
    /// `SRTT` and `RTTVAR`, in seconds.
    averages: Option<(f64, f64)>,
    doublings: u32,
    rounds_left: u32,
}

impl ReadDeadline {
    pub(super) fn new(adaptive: bool, least: Duration, most: Duration, now: Tick) -> Self {
        Self {
            adaptive,
            least,
            most,
            nanos: AtomicU64::new(nanos(most)),
            slowest: AtomicU64::new(0),
            round_ends: AtomicU64::new(now.saturating_add(ticks(ROUND))),
            estimate: Mutex::default(),
        }
    }

    /// What a read that begins now may take.
    pub(super) fn get(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// A read was answered.
    pub(super) fn answered(&self, took: Tick, now: Tick) {
        if !self.adaptive {
            return;
        }
        if took > self.slowest.load(Ordering::Relaxed) {
            self.slowest.fetch_max(took, Ordering::Relaxed);
        }
        if now >= self.round_ends.load(Ordering::Relaxed) {
            self.end_round(now);
        }
    }

    /// A read ran out of its time.
    ///
    /// Of many that waited together only the first lengthens the deadline, as TCP has one timer.
    pub(super) fn ran_out(&self, limit: Duration) {
        let mut estimate = self.estimate.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.adaptive || limit < self.get() {
            return;
        }
        estimate.rounds_left = ROUNDS_KEPT;
        if self.get() < self.most {
            estimate.doublings += 1;
            self.publish(&estimate);
        }
    }

    fn end_round(&self, now: Tick) {
        // Somebody else may be at it; then this answer simply belongs to the next round.
        let Ok(mut estimate) = self.estimate.try_lock() else { return };
        if now < self.round_ends.load(Ordering::Relaxed) {
            return;
        }
        self.round_ends.store(now.saturating_add(ticks(ROUND)), Ordering::Relaxed);
        let sample = duration(self.slowest.swap(0, Ordering::Relaxed)).as_secs_f64();
        estimate.rounds_left = estimate.rounds_left.saturating_sub(1);
        if estimate.doublings > 0 && sample > self.formula(&estimate).as_secs_f64() {
            estimate.rounds_left = ROUNDS_KEPT;
        }
        estimate.averages = Some(match estimate.averages {
            None => (sample, sample / 2.0),
            Some((smoothed, variation)) => (
                smoothed * 0.875 + sample * 0.125,
                variation * 0.75 + (smoothed - sample).abs() * 0.25,
            ),
        });
        if estimate.rounds_left == 0 {
            estimate.doublings = 0;
        }
        self.publish(&estimate);
    }

    fn publish(&self, estimate: &Estimate) {
        let doubled = self.formula(estimate).saturating_mul(1 << estimate.doublings.min(16));
        // A budget below the shortest deadline is the user's word.
        self.nanos.store(nanos(doubled.min(self.most)), Ordering::Relaxed);
    }

    /// The deadline without doublings.
    fn formula(&self, estimate: &Estimate) -> Duration {
        let Some((smoothed, variation)) = estimate.averages else { return self.most };
        let seconds = smoothed + (4.0 * variation).max(GRANULARITY.as_secs_f64());
        Duration::try_from_secs_f64(seconds).unwrap_or(self.most).max(self.least)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{ROUND, ROUNDS_KEPT, ReadDeadline};
    use crate::clock::{Tick, ticks};
    use std::time::Duration;

    const BUDGET: Duration = Duration::from_millis(50);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    struct Reads {
        deadline: ReadDeadline,
        now: Tick,
        cut: u32,
    }

    impl Reads {
        fn new() -> Self {
            Self { deadline: ReadDeadline::new(true, millis(10), BUDGET, 0), now: 0, cut: 0 }
        }

        /// One read a round that the store would answer after so long.
        fn read(&mut self, took: Duration) {
            self.now += ticks(ROUND) + 1;
            let limit = self.deadline.get();
            if took <= limit {
                self.deadline.answered(ticks(took), self.now);
            } else {
                self.deadline.ran_out(limit);
                self.cut += 1;
            }
        }
    }

    #[test]
    fn a_fast_store_gets_a_short_deadline() {
        let mut reads = Reads::new();
        assert_eq!(reads.deadline.get(), BUDGET);
        (0..20).for_each(|_| reads.read(Duration::from_micros(200)));
        assert!(reads.deadline.get() <= millis(12), "{:?}", reads.deadline.get());
        assert!(reads.deadline.get() >= millis(10));
    }

    #[test]
    fn a_slow_store_is_never_cut_off() {
        let mut reads = Reads::new();
        for round in 0..1_000 {
            reads.read(millis(20 + (round * 7) % 20));
        }
        assert_eq!(reads.cut, 0);
    }

    #[test]
    fn a_store_that_became_slower_is_cut_off_three_times_at_most() {
        let mut reads = Reads::new();
        (0..50).for_each(|_| reads.read(millis(1)));
        (0..500).for_each(|_| reads.read(millis(40)));
        assert!((1..=3).contains(&reads.cut), "{} reads", reads.cut);
    }

    #[test]
    fn a_rare_slow_answer_within_the_time_a_lesson_is_kept_is_not_cut_off_again() {
        let mut reads = Reads::new();
        (0..50).for_each(|_| reads.read(millis(1)));
        for _ in 0..20 {
            reads.read(millis(20));
            (0..ROUNDS_KEPT - 2).for_each(|_| reads.read(millis(1)));
        }
        assert!(reads.cut <= 2, "{} reads", reads.cut);
    }

    #[test]
    fn of_reads_that_waited_together_one_lengthens_the_deadline() {
        let mut reads = Reads::new();
        (0..50).for_each(|_| reads.read(millis(1)));
        let limit = reads.deadline.get();
        (0..100).for_each(|_| reads.deadline.ran_out(limit));
        assert_eq!(reads.deadline.get(), limit * 2);
    }

    #[test]
    fn without_adaption_the_deadline_is_the_budget() {
        let deadline = ReadDeadline::new(false, millis(10), BUDGET, 0);
        (1..100).for_each(|round| deadline.answered(ticks(millis(1)), round * ticks(ROUND)));
        assert_eq!(deadline.get(), BUDGET);
    }
}
