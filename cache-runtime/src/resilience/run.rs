//! One operation through the rules.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Resilient;
use super::breaker::{Outcome, Pass};
use super::timer::{sleep, within};
use crate::clock::{Tick, duration, ticks};
use crate::provider::BoxFuture;
use crate::{Error, ErrorKind, Result};

/// The pause before the first retry, and before any later one, at most.
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// What the rules have to know of an operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) operation: &'static str,
    /// Whether doing it twice is the same as doing it once.
    pub(super) repeatable: bool,
    /// Whether its effort is that of all keys.
    pub(super) scans: bool,
    /// Whether the deadline of reads applies, and its answers say how fast the store is.
    pub(super) adaptive: bool,
    /// Whether it waits for its place as long as it can: being refused is worse than being late.
    pub(super) patient: bool,
}

impl Step {
    /// A step that may be done only once.
    pub(super) const fn once(operation: &'static str) -> Self {
        Self { operation, repeatable: false, scans: false, adaptive: false, patient: false }
    }

    /// A step that is safe to repeat.
    pub(super) const fn repeatable(operation: &'static str) -> Self {
        Self { repeatable: true, ..Self::once(operation) }
    }
}

impl Resilient {
    /// Runs a step: at most its limit, with retries if it is safe to repeat.
    ///
    /// # Cancel safety
    /// Dropping the future drops the attempt under way and gives its place to another.
    pub(super) async fn run<'a, T>(
        &'a self,
        step: Step,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>>,
    ) -> Result<T> {
        let pass = self.admit(step.operation)?;
        self.budget.earn();
        let limit = if step.scans { self.options.scan_limit } else { self.options.budget };
        let mut began = self.clock.now();
        let ends = began.saturating_add(ticks(limit));
        let _place = match self.limit.try_enter() {
            Some(place) => place,
            None => {
                let patience = if step.patient { limit } else { limit / 2 };
                // Waiting is rare, and a hit's future has no room for it.
                let place = Box::pin(self.limit.enter(&self.clock, patience)).await;
                began = self.clock.now();
                place.ok_or_else(|| self.saturated(step.operation))?
            }
        };
        let mut retries = 0;
        loop {
            let failed = match self.attempt(step, &pass, began, ends, attempt()).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if self.breaker.is_open() {
                // It begins to probe before anybody asks for the store again.
                self.wake_worker();
            }
            let error = match failed {
                Failed::Perhaps(error) => error,
                Failed::Finally(error) => return Err(error),
            };
            let may_repeat = step.repeatable && retries < self.options.retries;
            if !may_repeat || self.breaker.is_open() || !self.budget.spend() {
                return Err(error);
            }
            let pause = self.backoff.wait(FIRST_PAUSE, LONGEST_PAUSE, retries);
            if pause >= duration(ends.saturating_sub(self.clock.now())) {
                return Err(error);
            }
            sleep(&self.clock, pause).await;
            began = self.clock.now();
            retries += 1;
            self.counters.retries.add();
        }
    }

    async fn attempt<T>(
        &self,
        step: Step,
        pass: &Pass<'_>,
        began: Tick,
        ends: Tick,
        attempt: BoxFuture<'_, Result<T>>,
    ) -> Result<T, Failed> {
        let left = duration(ends.saturating_sub(began));
        let deadline = if step.adaptive { self.deadline.get().min(left) } else { left };
        let answer = within(&self.clock, deadline, attempt).await;
        let now = self.clock.now();
        match answer {
            Some(Ok(answer)) => {
                pass.record(Outcome::Answered, began, now);
                if step.adaptive {
                    self.deadline.answered(now.saturating_sub(began), now);
                }
                Ok(answer)
            }
            Some(Err(error)) => match Outcome::of(&error) {
                Some(_) => {
                    self.record(pass, Some(&error), began, now);
                    Err(Failed::Perhaps(error))
                }
                None => Err(Failed::Finally(error)),
            },
            None => {
                let error = self.out_of_time(step.operation, deadline);
                self.record(pass, Some(&error), began, now);
                if step.adaptive {
                    self.deadline.ran_out(deadline);
                }
                Err(Failed::Finally(error))
            }
        }
    }

    /// Tells the breaker how an attempt ended. While a part of the store serves, a failure is that of
    /// another part: the breaker would keep everybody from both.
    pub(super) fn record(&self, pass: &Pass<'_>, failure: Option<&Error>, began: Tick, now: Tick) {
        let Some(error) = failure else {
            pass.record(Outcome::Answered, began, now);
            return;
        };
        if !self.inner.serves_in_part() && pass.record(Outcome::Failed, began, now) {
            // With the cause: a wrong password looks like an outage to whoever calls.
            let message = "the store does not answer: functions run uncached";
            tracing::warn!(target: "cache", %error, "{message}");
        }
    }

    /// Lets an operation through, or says why not.
    fn admit(&self, operation: &'static str) -> Result<Pass<'_>> {
        if self.is_closed() {
            return Err(shut_down(operation));
        }
        if self.outbox.is_waiting() {
            self.wake_worker();
        }
        match self.breaker.admit().or_else(|| self.admit_without_worker()) {
            Some(pass) => Ok(pass),
            None => Err(self.unavailable(operation)),
        }
    }

    /// Wakes the worker, which probes. Where there is no runtime for it, the call itself becomes
    /// the probe once the store has been left alone for a while.
    fn admit_without_worker(&self) -> Option<Pass<'_>> {
        if self.wake_worker() || !self.breaker.is_open() {
            return None;
        }
        let (_, opened_at) = self.breaker.reopened();
        let pause = ticks(self.options.longest_probe_delay);
        if self.clock.now() < opened_at.saturating_add(pause) {
            return None;
        }
        self.breaker.probe_answered();
        self.breaker.admit()
    }

    /// The answer to a step that needs not even begin: the breaker is open, and the provider is not
    /// shut down. It spares the large future.
    pub(super) fn refusal<'a, T: Send + 'a>(
        &self,
        operation: &'static str,
    ) -> Option<BoxFuture<'a, Result<T>>> {
        let refused = self.breaker.is_open() && !self.is_closed() && self.wake_worker();
        refused.then(|| -> BoxFuture<'a, Result<T>> {
            Box::pin(std::future::ready(Err(self.unavailable(operation))))
        })
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn unavailable(&self, operation: &'static str) -> Error {
        self.counters.rejected.add();
        let message = "the store does not answer and is left alone for a moment";
        Error::new(ErrorKind::Unavailable, operation, message)
    }

    fn saturated(&self, operation: &'static str) -> Error {
        self.counters.rejected.add();
        let message = format!("{} operations are under way already", self.options.concurrency);
        Error::new(ErrorKind::Unavailable, operation, message)
    }

    pub(super) fn out_of_time(&self, operation: &'static str, limit: Duration) -> Error {
        self.counters.timeouts.add();
        let message = format!("no answer within {limit:?}");
        Error::new(ErrorKind::Timeout, operation, message)
    }
}

/// How an attempt failed.
enum Failed {
    /// The store failed; another attempt may succeed.
    Perhaps(Error),
    /// Another attempt would fail as well, or come too late.
    Finally(Error),
}

pub(super) fn shut_down(operation: &'static str) -> Error {
    Error::new(ErrorKind::Shutdown, operation, "the provider was shut down; build a new one")
}
