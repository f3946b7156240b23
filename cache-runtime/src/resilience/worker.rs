//! Probes and repeated invalidations, in the background.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::Resilient;
use super::breaker::Outcome;
use super::invalidate::is_final;
use super::outbox::{Delivery, Task};
use super::timer::{sleep, within};
use crate::clock::{Tick, ticks};
use crate::provider::{Mark, Removal};
use crate::{ErrorKind, Result};

/// How much later than announced a worker may give a sign of life before another takes its place.
const SLACK: Duration = Duration::from_secs(1);

/// What one delivery takes at most, after it has run out of time again and again.
const LONGEST_DELIVERY: Duration = Duration::from_secs(600);

/// Who works in the background: at most one task at a time, except where its runtime stands still.
/// Two at once would do no harm, since all they do may be repeated.
#[derive(Debug, Default)]
pub(super) struct Worker {
    /// Until when the worker has announced to be silent; 0 if there is none.
    silent_until: AtomicU64,
    generation: Mutex<u64>,
}

impl Worker {
    fn is_alive(&self, now: Tick) -> bool {
        now <= self.silent_until.load(Ordering::Relaxed)
    }

    /// Makes the caller the worker, unless there is one.
    fn take_over(&self, now: Tick) -> Option<u64> {
        let mut generation = self.lock();
        if self.is_alive(now) {
            return None;
        }
        *generation += 1;
        self.silent_until.store(now.saturating_add(ticks(SLACK)), Ordering::Relaxed);
        Some(*generation)
    }

    /// A sign of life; false if another has taken over.
    fn stays(&self, generation: u64, until: Tick) -> bool {
        let current = self.lock();
        let stays = *current == generation;
        if stays {
            self.silent_until.store(until.saturating_add(ticks(SLACK)), Ordering::Relaxed);
        }
        stays
    }

    /// What is under way may take until then.
    fn announces(&self, until: Tick) {
        let _current = self.lock();
        if self.silent_until.load(Ordering::Relaxed) != 0 {
            self.silent_until.fetch_max(until.saturating_add(ticks(SLACK)), Ordering::Relaxed);
        }
    }

    fn ends(&self, generation: u64) {
        let current = self.lock();
        if *current == generation {
            self.silent_until.store(0, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's term. It ends when the task does, also when its runtime throws the task away.
struct Term {
    resilient: Weak<Resilient>,
    generation: u64,
}

impl Drop for Term {
    fn drop(&mut self) {
        if let Some(resilient) = self.resilient.upgrade() {
            resilient.worker.ends(self.generation);
        }
    }
}

/// How one piece of work went.
enum Progress {
    /// There is none.
    Nothing,
    Made,
    /// The store failed: wait before the next.
    Failed,
    /// There is no store any more.
    Over,
}

impl Resilient {
    /// Sees to it that somebody works in the background; false if there is no runtime to do it on.
    pub(super) fn wake_worker(&self) -> bool {
        let now = self.clock.now();
        if self.worker.is_alive(now) {
            return true;
        }
        let Ok(runtime) = Handle::try_current() else { return false };
        if let Some(generation) = self.worker.take_over(now) {
            let term = Term { resilient: Weak::clone(&self.me), generation };
            // No trace of the caller's span: the worker outlives it.
            let kept = self.outbox.is_waiting().then(|| self.me.upgrade()).flatten();
            runtime.spawn(serve(term, kept));
        }
        true
    }

    fn has_work(&self) -> bool {
        self.outbox.is_waiting() || self.breaker.is_open()
    }

    /// Delivers until nothing waits, or the store is gone.
    pub(super) async fn deliver_all(&self) {
        let mut failures = 0;
        while self.outbox.is_waiting() {
            match self.work(failures).await {
                Progress::Made | Progress::Nothing => failures = 0,
                Progress::Failed => {
                    sleep(&self.clock, self.pause(failures)).await;
                    failures += 1;
                }
                Progress::Over => return,
            }
        }
    }

    fn pause(&self, failures: u32) -> Duration {
        self.backoff.wait(self.options.probe_delay, self.options.longest_probe_delay, failures)
    }

    /// One piece of work: a probe if the breaker is open, and then a delivery.
    async fn work(&self, failures: u32) -> Progress {
        if self.breaker.is_open() {
            match within(&self.clock, self.options.budget, self.inner.ping()).await {
                Some(Ok(_)) => self.breaker.probe_answered(),
                Some(Err(error)) if error.kind() == ErrorKind::Shutdown => return Progress::Over,
                Some(Err(_)) | None => return Progress::Failed,
            }
        }
        let Some(delivery) = self.outbox.next(failures) else { return Progress::Nothing };
        match self.deliver(&delivery, failures).await {
            Ok(()) => Progress::Made,
            Err(error) if error.kind() == ErrorKind::Shutdown => Progress::Over,
            Err(error) if is_final(error.kind()) => self.deliver_singly(&delivery, failures).await,
            Err(_) => Progress::Failed,
        }
    }

    /// One command of the outbox. It has more time after each failure: what the budget is too short
    /// for has to come through as well.
    async fn deliver(&self, delivery: &Delivery, failures: u32) -> Result<()> {
        // A half-open breaker counts it as a trial if it has a place for one.
        let pass = self.breaker.admit();
        let began = self.clock.now();
        let limit = self.delivery_limit(&delivery.task, failures);
        self.worker.announces(self.clock.now().saturating_add(ticks(limit)));
        let sent = within(&self.clock, limit, self.send_task(&delivery.task)).await;
        let answer = sent.unwrap_or_else(|| Err(self.out_of_time("remove", limit)));
        let failure = answer.as_ref().err();
        let counts = failure.is_none_or(|error| Outcome::of(error).is_some());
        if let Some(pass) = pass.filter(|_| counts) {
            self.record(&pass, failure, began, self.clock.now());
        }
        if answer.is_ok() {
            self.outbox.delivered(delivery);
        }
        answer
    }

    /// Finds the name that the store cannot take, in the order of the whole. Such a name cannot be
    /// stored either, so there is nothing to remove.
    async fn deliver_singly(&self, delivery: &Delivery, failures: u32) -> Progress {
        for single in delivery.singly() {
            match self.deliver(&single, failures).await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Shutdown => return Progress::Over,
                Err(error) if is_final(error.kind()) => {
                    self.counters.impossible.add();
                    tracing::error!(target: "cache", %error, "an invalidation is impossible");
                    self.outbox.delivered(&single);
                }
                Err(_) => return Progress::Failed,
            }
        }
        Progress::Made
    }

    async fn send_task(&self, task: &Task) -> Result<()> {
        match task {
            Task::All => self.inner.clear().await,
            Task::Matching(pattern) => self.inner.remove_matching(pattern).await.map(drop),
            Task::Names(names) => {
                let keys: Vec<&str> = names
                    .iter()
                    .filter(|name| name.kind.is_none())
                    .map(|name| &*name.text)
                    .collect();
                let marks: Vec<Mark<'_>> = names
                    .iter()
                    .filter_map(|name| Some(Mark { kind: name.kind?, name: &name.text }))
                    .collect();
                self.inner.remove(Removal::of_keys(&keys).and_marks(&marks)).await.map(drop)
            }
        }
    }

    fn delivery_limit(&self, task: &Task, failures: u32) -> Duration {
        let first = match task {
            Task::Names(_) => self.options.budget,
            Task::Matching(_) | Task::All => self.options.scan_limit,
        };
        first.saturating_mul(1 << failures.min(16)).min(LONGEST_DELIVERY)
    }
}

/// The worker's task.
///
/// It holds on to the provider only while something waits for delivery: a cache that was dropped
/// is not probed for ever, and its last invalidations still are delivered.
async fn serve(term: Term, kept: Option<Arc<Resilient>>) {
    let Some(resilient) = kept.or_else(|| term.resilient.upgrade()) else { return };
    // A breaker that opens again and again has failures behind it already.
    let (mut failures, _) = resilient.breaker.reopened();
    let mut next = Some(resilient);
    while let Some(resilient) = next.take() {
        let pause = resilient.pause(failures);
        let until = resilient.clock.now().saturating_add(ticks(pause));
        if !resilient.worker.stays(term.generation, until) {
            return;
        }
        let clock = resilient.clock.clone();
        let kept = resilient.outbox.is_waiting().then(|| Arc::clone(&resilient));
        drop(resilient);
        sleep(&clock, pause).await;
        let Some(resilient) = kept.or_else(|| term.resilient.upgrade()) else { return };
        match resilient.work_on(&term, &mut failures).await {
            Progress::Failed => next = Some(resilient),
            Progress::Over => return,
            Progress::Nothing | Progress::Made => {
                drop(term);
                // What was asked for between the last look and the end of the term found a worker.
                if resilient.has_work() {
                    resilient.wake_worker();
                }
                return;
            }
        }
    }
}

impl Resilient {
    /// Works as long as the store takes it.
    async fn work_on(&self, term: &Term, failures: &mut u32) -> Progress {
        loop {
            // For a probe; a delivery announces its own time.
            let until = self.clock.now().saturating_add(ticks(self.options.budget));
            if !self.worker.stays(term.generation, until) {
                return Progress::Over;
            }
            match self.work(*failures).await {
                Progress::Made => *failures = 0,
                Progress::Failed => {
                    *failures = failures.saturating_add(1);
                    return Progress::Failed;
                }
                ended => return ended,
            }
        }
    }
}
