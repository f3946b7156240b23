//! Who loads a key for all that wait: what it holds, what it stores, and what its end means.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Request};
use super::engine::{Loaded, fallback};
use super::steps::Life;
use super::value::Cached;
use crate::clock::{Tick, duration};
use crate::flight::{Chain, Ending, Entered, Flight, Ticket, Waiting, Watch, polled};
use crate::near::meta::TagSeen;
use crate::near::store::{Filled, Seen};
use crate::stats::count;

/// The right and the duty to load a key. Dropped before [`finish`](Self::finish), however that
/// comes about, it gives the lease back and lets a waiter take over.
pub(crate) struct Leader {
    core: Arc<Core>,
    request: Arc<Request>,
    flight: Arc<Flight<Cached>>,
    /// The request's tags as they were before the load (rule A2).
    tags: Vec<TagSeen>,
    /// The families of the result's tags, likewise.
    families: Vec<TagSeen>,
    /// The lease, or the entry that is being refreshed.
    seen: Seen,
    is_lease: bool,
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
            tags: core.see_tags(&request.tags),
            families: core.see_tags(&request.families),
            core: Arc::clone(core),
            request: Arc::clone(request),
            flight,
            seen: Seen::Nothing,
            is_lease: false,
            insists: false,
            began: core.clock.now(),
            over: false,
        }
    }

    /// The key now holds this leader's lease, or the entry that it refreshes.
    pub(crate) fn hold(&mut self, held: Held) {
        let (seen, is_lease) = match held {
            Held::Lease(seen) => (seen, true),
            Held::Entry(seen) => (seen, false),
        };
        (self.seen, self.is_lease) = (seen, is_lease);
        let tags = self.tags.iter().chain(&self.families).cloned().collect();
        self.flight.set_ticket(Ticket { seen, tags });
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
    pub(crate) fn finish(mut self, loaded: Loaded) -> Option<Cached> {
        let took = duration(self.core.clock.now().saturating_sub(self.began));
        let failed = matches!(loaded, Loaded::Failed);
        self.request.counters.loaded(took, !failed);
        tracing::debug!(target: "cache", key = %self.request.text, ?took, failed, "load");
        // FILL is about to be sent: nobody joins any more (rule J).
        self.flight.begin_fill();
        let ending = match loaded {
            Loaded::Failed => {
                self.give_back();
                Ending::Failed
            }
            Loaded::Nothing => {
                self.conclude(Cached::Nothing, self.request.policy.none_ttl, Vec::new(), took)
            }
            Loaded::Value { value, tags, ttl, cacheable } => {
                let ttl = ttl.or(self.request.policy.ttl).unwrap_or(self.core.default_ttl);
                let tags = self.core.see_tags(&tags);
                let ttl = Some(ttl).filter(|ttl| cacheable && !ttl.is_zero());
                self.conclude(Cached::Value(value), ttl, tags, took)
            }
        };
        // Before a waiter loads in its turn: the error is this caller's, whatever others find.
        let serves_expired = failed && !self.insists;
        let expired = serves_expired.then(|| fallback(&self.core, &self.request)).flatten();
        self.core.flights.remove(&self.request.text, &self.flight);
        self.flight.end(ending);
        // Only now: a clone of a user's value can panic above, and then the flight is abandoned.
        self.over = true;
        expired
    }

    /// Stores the value, or gives the lease back where it is not to be stored. Either answers
    /// whether anything was invalidated meanwhile.
    fn conclude(
        &mut self,
        value: Cached,
        ttl: Option<Duration>,
        result_tags: Vec<TagSeen>,
        took: Duration,
    ) -> Ending<Cached> {
        let mut tags = std::mem::take(&mut self.tags);
        tags.extend(result_tags);
        // A family that changed during the load may have changed for the sake of a tag that the
        // result carries: such a value is not stored. Read after the tags' generations were, and
        // an invalidation changes the family before the tag.
        let families_hold = self.families.iter().all(TagSeen::holds);
        let held = match ttl.filter(|_| families_hold) {
            Some(ttl) => self.store(&value, ttl, &tags, took),
            // What was loaded is the truth by now and is not to be kept, so what the key holds is
            // not to be kept either: the lease, or the older entry.
            None if families_hold => self.core.release(&self.request.text, self.seen),
            None => self.give_back(),
        };
        if self.insists && !(held && families_hold) {
            // What the key holds was loaded by somebody else, and maybe before this load.
            self.core.remove(&self.request.text);
        }
        let exact = held && families_hold && tags.iter().all(TagSeen::holds);
        Ending::Landed { value, exact }
    }

    fn store(&self, value: &Cached, ttl: Duration, tags: &[TagSeen], took: Duration) -> bool {
        let life =
            Life::new(&self.core, &self.request.policy, ttl, tags.to_vec(), took, self.flight.id);
        let Some(slot) = self.core.slot_of(&self.request, value, &life) else {
            return self.give_back();
        };
        match self.core.fill(&self.request.text, self.seen, slot) {
            Filled::Stored => {
                count(&self.request.counters.stores);
                tracing::debug!(target: "cache", key = %self.request.text, ?ttl, "store");
                true
            }
            // The lease was there until this moment, so the value may be shared all the same.
            Filled::TooLarge => true,
            Filled::Refused => false,
        }
    }

    /// Removes the lease, or looks at the entry; says whether it was still there.
    fn give_back(&self) -> bool {
        if self.is_lease {
            self.core.release(&self.request.text, self.seen)
        } else {
            self.core.still_holds(&self.request.text, self.seen, &[])
        }
    }
}

/// What the key holds for a leader.
#[derive(Clone, Copy)]
pub(crate) enum Held {
    Lease(Seen),
    Entry(Seen),
}

impl Drop for Leader {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        if self.is_lease {
            self.core.release(&self.request.text, self.seen);
        }
        self.core.flights.remove(&self.request.text, &self.flight);
        self.flight.end(Ending::Abandoned);
    }
}
