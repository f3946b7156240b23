//! Who loads a key for all that wait: what it holds, what it stores, and what its end means.

use std::sync::Arc;

use super::claim::{Claim, Outcome};
use super::core::{Core, Request};
use super::engine::{Loaded, fallback};
use super::value::Cached;
use crate::clock::{Tick, duration};
use crate::flight::{Chain, Ending, Entered, Flight, Waiting, Watch, polled};

/// The right and the duty to load a key. Dropped before [`finish`](Self::finish), however that
/// comes about, it gives the lease back and lets a waiter take over.
pub(crate) struct Leader {
    core: Arc<Core>,
    request: Arc<Request>,
    flight: Arc<Flight<Cached>>,
    claim: Claim,
    insists: bool,
    began: Tick,
    over: bool,
}

impl Leader {
    pub(crate) fn new(
        core: &Arc<Core>,
        request: &Arc<Request>,
        flight: Arc<Flight<Cached>>,
    ) -> Self {
        Self {
            core: Arc::clone(core),
            request: Arc::clone(request),
            flight,
            claim: Claim::Nothing,
            insists: false,
            began: core.clock.now(),
            over: false,
        }
    }

    /// What the key now holds for this leader.
    pub(crate) fn hold(&mut self, claim: Claim) {
        if let Some(ticket) = claim.ticket() {
            self.flight.set_ticket(ticket);
        }
        if matches!(claim, Claim::Nothing) {
            self.flight.store_nothing();
        }
        self.claim = claim;
        self.claim.keep_alive(&self.flight);
        // Taking the key may have waited for others.
        self.began = self.core.clock.now();
    }

    /// Announces that the load which the caller is in, if any, waits for this one.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        Chain::wait_for(self.flight.id)
    }

    /// Runs the load in its caller, whose polling is watched.
    pub(crate) async fn run_here<F: Future>(&self, load: F) -> F::Output {
        let load = polled(load, Some(self.watch()));
        self.flight.begin_load();
        Chain::enter(self.flight.id).run(load).await
    }

    /// The context for running the load in a task of its own, whether the caller waits for it or
    /// was served already.
    pub(crate) fn run_detached(&self, caller_waits: bool) -> Entered {
        self.flight.begin_load();
        match caller_waits {
            true => Chain::enter(self.flight.id),
            false => Chain::enter_apart(self.flight.id),
        }
    }

    /// Lets waiters see whether the load is polled; to be called before it begins.
    pub(crate) fn watch(&self) -> Watch<Cached> {
        Watch::new(Arc::clone(&self.flight), self.core.clock.clone())
    }

    /// This load was asked for: once it has succeeded, nothing older may stay.
    pub(crate) fn insist(mut self) -> Self {
        self.insists = true;
        self
    }

    /// Stores what was loaded if nothing was invalidated since, and ends the flight. Returns the
    /// expired value to serve where the load failed and there is one.
    ///
    /// # Cancel safety
    ///
    /// Dropped while the store is asked, the flight is abandoned and the claim given back.
    pub(crate) async fn finish(mut self, loaded: Loaded) -> Option<Cached> {
        let took = duration(self.core.clock.now().saturating_sub(self.began));
        let failed = matches!(loaded, Loaded::Failed);
        self.request.counters.loaded(took, !failed);
        tracing::debug!(target: "cache", key = %self.request.text, ?took, failed, "load");
        // FILL is about to be sent: nobody joins any more (rule J).
        self.flight.begin_fill();
        let policy = &self.request.policy;
        let (value, tags, ttl) = match loaded {
            Loaded::Failed => (None, Vec::new(), None),
            Loaded::Nothing => (Some(Cached::Nothing), Vec::new(), policy.none_ttl),
            Loaded::Value { value, tags, ttl, cacheable } => {
                let ttl = ttl.or(policy.ttl).unwrap_or(self.core.default_ttl);
                let ttl = Some(ttl).filter(|ttl| cacheable && !ttl.is_zero());
                (Some(Cached::Value(value)), tags, ttl)
            }
        };
        let claim = std::mem::replace(&mut self.claim, Claim::Nothing);
        let ending = match value {
            None => {
                claim.give_back(&self.core, &self.request).await;
                Ending::Failed
            }
            Some(value) => {
                let outcome = Outcome { tags: &tags, ttl, took, began: self.flight.id };
                let done = claim.conclude(&self.core, &self.request, &value, &outcome).await;
                if self.insists && !done.held {
                    // What the key holds was loaded by somebody else, and maybe before this load.
                    // A failure is the store's affair: it goes on trying.
                    if let Err(error) = self.core.remove(&self.request.text).await {
                        tracing::warn!(target: "cache", key = %self.request.text, %error, "invalidate");
                    }
                }
                Ending::Landed { value, exact: done.exact }
            }
        };
        // Before a waiter loads in its turn: the error is this caller's, whatever others find.
        let expired = match failed && !self.insists {
            true => fallback(&self.core, &self.request).await,
            false => None,
        };
        self.core.flights.remove(&self.request.text, &self.flight);
        self.flight.end(ending);
        // Only now: a clone of a user's value can panic above, and then the flight is abandoned.
        self.over = true;
        expired
    }

    /// Ends the flight with a value that was read from the store since `begin_load`.
    pub(crate) fn hand_over(mut self, value: Cached) {
        self.core.flights.remove(&self.request.text, &self.flight);
        self.flight.end(Ending::Landed { value, exact: false });
        self.over = true;
    }

    /// Whoever joins from now on may have started after what this leader will hand over was read.
    pub(crate) fn begin_read(&self) {
        self.flight.begin_load();
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let claim = std::mem::replace(&mut self.claim, Claim::Nothing);
        claim.abandon(&self.core, &self.request);
        self.core.flights.remove(&self.request.text, &self.flight);
        self.flight.end(Ending::Abandoned);
    }
}
