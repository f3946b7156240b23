//! A store that is slow, dead or coming back costs a bounded delay and loses no invalidation.
//!
//! [`Resilient`] stands between the cache and any [`Provider`]. Each of its rules is a type of its
//! own; one future runs an operation through all of them, so that one deadline spans waiting for a
//! place, every attempt and the pauses between them, and an operation costs one allocation instead
//! of one for each rule.
//!
//! | file | rule |
//! |---|---|
//! | `deadline.rs` | how long a read may take (RFC 6298) |
//! | `retry.rs` | how much may be repeated, and when |
//! | `breaker.rs`, `window.rs` | when the store is left alone |
//! | `limit.rs` | how much may be under way |
//! | `outbox.rs`, `names.rs` | what was invalidated and not acknowledged |
//! | `worker.rs` | probes and repeated invalidations in the background |
//! | `run.rs` | one operation through the rules |

mod breaker;
mod deadline;
mod health;
mod invalidate;
mod limit;
mod names;
mod options;
mod outbox;
mod provider;
mod retry;
mod run;
mod timer;
mod window;
mod worker;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::clock::Clock;
use crate::provider::Provider;
use crate::{Error, ErrorKind, Result};

pub use health::{BreakerState, Health};
pub use options::ResilienceOptions;

use breaker::Breaker;
use deadline::ReadDeadline;
use health::Counters;
use limit::Limit;
use outbox::Outbox;
use retry::{Backoff, RetryBudget};
use timer::within;
use worker::Worker;

/// A provider that bounds what another one costs, and that never forgets an invalidation.
///
/// - **Deadline.** An operation ends within the budget, waiting and retries included; a read often
///   sooner, since its deadline follows what the store was seen to take. One that scans the store
///   has [`scan_limit`](ResilienceOptions::scan_limit).
/// - **Retries.** What is safe to repeat is repeated after an error (never after the deadline, and
///   never `acquire`, `fill` and `release_marks`), paid from a budget that operations earn. A
///   repeated `remove` or `release` may find nothing any more, so its count is a lower bound then. A
///   repeated `hold_marks` may count twice, and lasts until its end then.
/// - **Breaker.** A store that does not answer is left alone: every operation fails at once with
///   [`Unavailable`](ErrorKind::Unavailable), while a task probes the store in the background.
/// - **Bulkhead.** Only so many operations are under way at once.
/// - **Outbox.** An invalidation that the store did not acknowledge is the caller's
///   [`Unknown`](ErrorKind::Unknown) and is repeated in the background until it is acknowledged.
///   So is one whose future was dropped after it was polled.
///
/// # Pending invalidations
/// What they cover is hidden from this process, as if they had taken effect when they were asked
/// for: [`read`](Provider::read) finds no such cell and no such mark, [`acquire`](Provider::acquire)
/// that expects no cell takes the place of what still lies there, [`fill`](Provider::fill) is refused
/// where the lease or a guard would be gone, and reports hidden marks as absent, so that nobody
/// shares the load (join rule J). When the removal comes through later, it may also remove what was
/// stored meanwhile: that costs a load. It lifts no hold.
///
/// # Runtime
/// Background work runs in a task of the Tokio runtime that an operation finds itself on, whose
/// timers have to be enabled. If that runtime ends or stands still, the next operation starts the
/// task anew where it runs.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use cache_runtime::Clock;
/// use cache_runtime::provider::{MemoryProvider, Provider, ProviderExt};
/// use cache_runtime::resilience::{BreakerState, Resilient, ResilienceOptions};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let store = Arc::new(MemoryProvider::new(1_000));
/// let resilient = Resilient::new(store, ResilienceOptions::redis(), Clock::system());
/// resilient.remove_key("user:42").await?;
/// assert_eq!(resilient.health().breaker, BreakerState::Closed);
/// resilient.drain(Duration::from_secs(1)).await?; // nothing is pending
/// # Ok(())
/// # }
/// ```
pub struct Resilient {
    me: Weak<Self>,
    inner: Arc<dyn Provider>,
    options: ResilienceOptions,
    clock: Clock,
    closed: AtomicBool,
    breaker: Breaker,
    deadline: ReadDeadline,
    budget: RetryBudget,
    backoff: Backoff,
    limit: Limit,
    outbox: Outbox,
    worker: Worker,
    counters: Counters,
}

impl Resilient {
    /// Wraps a provider.
    #[must_use]
    pub fn new(inner: Arc<dyn Provider>, options: ResilienceOptions, clock: Clock) -> Arc<Self> {
        let now = clock.now();
        Arc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            inner,
            closed: AtomicBool::new(false),
            breaker: Breaker::new(&options),
            deadline: ReadDeadline::new(
                options.adaptive,
                options.least_deadline.unwrap_or(options.budget / 2),
                options.budget,
                now,
            ),
            budget: RetryBudget::new(options.retry_percent, options.retry_reserve),
            backoff: Backoff::new(options.seed),
            limit: Limit::new(options.concurrency, options.waiting),
            outbox: Outbox::new(options.most_pending),
            worker: Worker::default(),
            counters: Counters::default(),
            options,
            clock,
        })
    }

    /// The state of the rules, and what has happened so far.
    #[must_use]
    pub fn health(&self) -> Health {
        Health {
            breaker: self.breaker.state(),
            read_deadline: self.deadline.get(),
            pending_invalidations: self.pending(),
            timeouts: self.counters.timeouts.get(),
            retries: self.counters.retries.get(),
            rejected: self.counters.rejected.get(),
            openings: self.breaker.openings.get(),
            deferred_invalidations: self.counters.deferred.get(),
            escalations: self.outbox.escalations.get(),
            impossible_invalidations: self.counters.impossible.get(),
        }
    }

    /// How many invalidations the store has not acknowledged yet: names, patterns, and removals of
    /// everything.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.outbox.len()
    }

    /// Delivers what is pending, for so long at most.
    ///
    /// It does the work itself and needs no background task.
    ///
    /// # Errors
    /// [`Unknown`](ErrorKind::Unknown) if something still is pending; it goes on being repeated.
    ///
    /// # Cancel safety
    /// What was not acknowledged stays pending.
    pub async fn drain(&self, limit: Duration) -> Result<()> {
        let _ = within(&self.clock, limit, self.deliver_all()).await;
        match self.pending() {
            0 => Ok(()),
            left => {
                let message = format!("{left} invalidations have not reached the store");
                Err(Error::new(ErrorKind::Unknown, "drain", message))
            }
        }
    }

    /// Refuses everything from now on, delivers what is pending, and closes the store.
    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Relaxed);
        let drained = self.drain(self.options.drain_limit).await;
        if drained.is_err() {
            tracing::error!(
                target: "cache", left = self.pending(),
                "invalidations have not reached the store before the shutdown: what they name may \
                 be served stale by others until it expires"
            );
        }
        let closing = self.inner.shutdown();
        let closed = within(&self.clock, self.options.scan_limit, closing).await;
        closed.unwrap_or_else(|| Err(self.out_of_time("shutdown", self.options.scan_limit)))?;
        drained
    }
}

impl fmt::Debug for Resilient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resilient")
            .field("inner", &self.inner)
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
