//! The circuit breaker.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::health::{BreakerState, Counter};
use super::options::ResilienceOptions;
use super::window::Window;
use crate::clock::Tick;
use crate::{Error, ErrorKind};

const CLOSED: u64 = 0;
const OPEN: u64 = 1;
const HALF_OPEN: u64 = 2;

/// How a call to the store ended, as far as the breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The store answered.
    Answered,
    /// It did not, or not in time.
    Failed,
}

impl Outcome {
    /// `None` for errors that say nothing about the store, such as a key that is too long.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error.kind() {
            ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Unknown => Some(Self::Failed),
            _ => None,
        }
    }
}

/// A circuit breaker (Nygard, *Release It!*).
///
/// Closed, it counts; so many failures in a row, or such a share of failures among the calls of its
/// window, open it. Open, it refuses every call at the cost of one load, until a probe of the
/// background gets an answer. Half-open, it lets a few calls through at a time: as many successes
/// close it, and one failure opens it again.
///
/// Each change begins a new era, and what a call of an earlier era brings home is not counted: the
/// late timeouts of an outage do not reopen a breaker that has just closed.
#[derive(Debug)]
pub(super) struct Breaker {
    /// The era's number, and the state in the lowest two bits.
    word: AtomicU64,
    in_a_row: AtomicU32,
    /// When the last failure that was counted came home.
    last_failure: AtomicU64,
    window: Window,
    trials: Mutex<Trials>,
    pub(super) openings: Counter,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    in_a_row: u32,
    percent: u64,
    least_calls: u64,
    trial_calls: u32,
}

/// What matters only while the breaker is not closed, and what guards every change of state.
#[derive(Debug, Default)]
struct Trials {
    under_way: u32,
    succeeded: u32,
    /// How often it opened since it was closed last.
    reopened: u32,
    opened_at: Tick,
}

impl Breaker {
    pub(super) fn new(options: &ResilienceOptions) -> Self {
        Self {
            word: AtomicU64::new(CLOSED),
            in_a_row: AtomicU32::new(0),
            last_failure: AtomicU64::new(0),
            window: Window::new(options.failure_window),
            trials: Mutex::default(),
            openings: Counter::default(),
            limits: Limits {
                in_a_row: options.failures_in_a_row.max(1),
                percent: u64::from(options.failure_percent),
                least_calls: u64::from(options.least_calls),
                trial_calls: options.trial_calls.max(1),
            },
        }
    }

    pub(super) fn state(&self) -> BreakerState {
        match state_of(self.word.load(Ordering::Relaxed)) {
            CLOSED => BreakerState::Closed,
            OPEN => BreakerState::Open,
            _ => BreakerState::HalfOpen,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        state_of(self.word.load(Ordering::Relaxed)) == OPEN
    }

    /// Lets a call through, or does not.
    pub(super) fn admit(&self) -> Option<Pass<'_>> {
        let word = self.word.load(Ordering::Acquire);
        match state_of(word) {
            CLOSED => Some(Pass { breaker: self, word }),
            OPEN => None,
            _ => {
                let mut trials = self.lock();
                let is_current = self.word.load(Ordering::Relaxed) == word;
                if !is_current || trials.under_way >= self.limits.trial_calls {
                    return None;
                }
                trials.under_way += 1;
                Some(Pass { breaker: self, word })
            }
        }
    }

    /// A probe of the background was answered: an open breaker is half-open from now on.
    pub(super) fn probe_answered(&self) {
        let mut trials = self.lock();
        let word = self.word.load(Ordering::Relaxed);
        if state_of(word) == OPEN {
            self.enter(&mut trials, word, HALF_OPEN);
        }
    }

    /// How often it opened again without having closed, and since when it has been open.
    pub(super) fn reopened(&self) -> (u32, Tick) {
        let trials = self.lock();
        (trials.reopened.saturating_sub(1), trials.opened_at)
    }

    /// Returns whether this has opened a breaker that was closed.
    fn record(&self, word: u64, outcome: Outcome, began: Tick, now: Tick) -> bool {
        if self.word.load(Ordering::Relaxed) != word {
            return false;
        }
        match (state_of(word), outcome) {
            (CLOSED, Outcome::Answered) => {
                if self.in_a_row.load(Ordering::Relaxed) != 0 {
                    self.in_a_row.store(0, Ordering::Relaxed);
                }
                self.window.count(false, now);
            }
            (CLOSED, Outcome::Failed) => {
                // Of many that waited together the first speaks for all: they had one cause.
                let last = self.last_failure.load(Ordering::Relaxed);
                let order = Ordering::Relaxed;
                if began < last
                    || self.last_failure.compare_exchange(last, now, order, order).is_err()
                {
                    return false;
                }
                let in_a_row = self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1;
                self.window.count(true, now);
                if in_a_row >= self.limits.in_a_row || self.too_many_failed(now) {
                    return self.open(word, now);
                }
            }
            (_, Outcome::Answered) => self.trial_succeeded(word),
            (_, Outcome::Failed) => return self.open(word, now),
        }
        false
    }

    fn too_many_failed(&self, now: Tick) -> bool {
        let (calls, failures) = self.window.sums(now);
        calls >= self.limits.least_calls && failures * 100 >= calls * self.limits.percent
    }

    /// Returns whether it was closed before.
    fn open(&self, word: u64, now: Tick) -> bool {
        let mut trials = self.lock();
        if self.word.load(Ordering::Relaxed) != word {
            return false;
        }
        self.openings.add();
        trials.reopened = trials.reopened.saturating_add(1);
        trials.opened_at = now;
        let is_news = trials.reopened == 1;
        self.enter(&mut trials, word, OPEN);
        is_news
    }

    fn trial_succeeded(&self, word: u64) {
        let mut trials = self.lock();
        if self.word.load(Ordering::Relaxed) != word {
            return;
        }
        trials.succeeded += 1;
        if trials.succeeded >= self.limits.trial_calls {
            trials.reopened = 0;
            self.in_a_row.store(0, Ordering::Relaxed);
            self.window.clear();
            self.enter(&mut trials, word, CLOSED);
            drop(trials);
            tracing::info!(target: "cache", "the store answers again");
        }
    }

    fn enter(&self, trials: &mut Trials, word: u64, state: u64) {
        (trials.under_way, trials.succeeded) = (0, 0);
        self.word.store((word & !3) + 4 + state, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Trials> {
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn state_of(word: u64) -> u64 {
    word & 3
}

/// A call that was let through. Dropping it gives a trial's place to another.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    breaker: &'a Breaker,
    word: u64,
}

impl Pass<'_> {
    /// Tells how an attempt ended; returns whether this has opened a breaker that was closed.
    pub(super) fn record(&self, outcome: Outcome, began: Tick, now: Tick) -> bool {
        self.breaker.record(self.word, outcome, began, now)
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if state_of(self.word) == CLOSED {
            return;
        }
        let mut trials = self.breaker.lock();
        if self.breaker.word.load(Ordering::Relaxed) == self.word {
            trials.under_way = trials.under_way.saturating_sub(1);
        }
    }
}
