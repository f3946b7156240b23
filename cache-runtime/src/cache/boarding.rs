//! Whether a caller that found nothing to serve loads, and what it then holds; or whom it joins.

use std::sync::Arc;

use super::claim::{Claim, Taken, Terms};
use super::core::{Core, Look, Request, Seen, Tier};
use super::engine::{MOST_ROUNDS, Step};
use super::leader::Leader;
#[cfg(feature = "entry")]
use super::remote::{Elsewhere, Outwaited};
use super::steps::check_key;
use super::value::Cached;
use crate::flight::{Boarding, Came, Flight, Landing, Ticket, polled};
use crate::near::meta::unused_number;
use crate::stats::count;

/// What a caller does that found nothing to serve.
pub(super) enum Boarded {
    Lead(Leader),
    /// Somebody loads; the flag says whether this caller joined in time.
    Fly(Landing<Cached>, bool),
    Queue {
        present: Landing<Cached>,
        next: Landing<Cached>,
    },
    /// The key holds something else by now.
    Changed,
    /// Another process loads; the leader waits for that on behalf of this one.
    #[cfg(feature = "entry")]
    Elsewhere(Leader, Elsewhere),
}

/// Joins the key's load, unless this caller has given it up, or starts one.
pub(super) async fn board(
    core: &Arc<Core>,
    request: &Arc<Request>,
    seen: &Seen,
    keeps_entry: bool,
    given_up: Option<u64>,
    came: Came,
) -> Boarded {
    #[cfg_attr(
        not(feature = "entry"),
        allow(unused_mut, reason = "only a lease elsewhere is replaced")
    )]
    let mut terms = Terms::keeping(keeps_entry);
    let flight = {
        // Taken before the table's lock: taking the outermost guard can run destructors of users.
        let _pinned = crossbeam_epoch::pin();
        let worth_joining = |flight: &Flight<Cached>| {
            let is_worth = given_up != Some(flight.id) && is_intact(core, request, flight, seen);
            #[cfg(feature = "entry")]
            if !is_worth && let Some(Ticket::There { lease, .. }) = flight.ticket() {
                terms.replaces = *lease;
            }
            is_worth
        };
        match core.flights.board(&request.text, unused_number(), came, worth_joining) {
            Boarding::Join(landing) => return Boarded::Fly(landing, true),
            Boarding::Wait(landing) => return Boarded::Fly(landing, false),
            Boarding::Queue { present, next } => return Boarded::Queue { present, next },
            Boarding::Lead(flight) => flight,
        }
    };
    if !keeps_entry {
        flight.block(core.removals());
    }
    // From here on dropping the leader ends the flight.
    let mut leader = Leader::new(core, request, flight);
    // In a box, since what is put around it would move all of it.
    let taken = Box::pin(Claim::take(core, request, seen, terms));
    // Where that waits for a store, those who join see whether this caller is still polled.
    let watch = core.asks_loads_first().then(|| leader.watch());
    match polled(taken, watch).await {
        Taken::Claim(claim) => {
            leader.hold(claim);
            Boarded::Lead(leader)
        }
        Taken::Changed => Boarded::Changed,
        #[cfg(feature = "entry")]
        Taken::Elsewhere(elsewhere) => Boarded::Elsewhere(leader, elsewhere),
    }
}

/// Leads the flight of those who came during a load that stored nothing. The store may be back, unless
/// it has just left this caller without an answer (`asks`): nobody pays for two that are missing.
pub(super) async fn lead_next(
    core: &Arc<Core>,
    request: &Arc<Request>,
    mut leader: Leader,
    asks: bool,
) -> Step {
    if !asks {
        leader.hold(Claim::Nothing);
        return Step::Lead(leader);
    }
    leader.begin_read();
    let taking = async {
        let look = core.look(request).await;
        let claim = match &look {
            Look::Miss { seen, .. } => Claim::take(core, request, seen, Terms::default()).await,
            _ => Taken::Claim(Claim::Nothing),
        };
        (look, claim)
    };
    match polled(taking, Some(leader.watch())).await {
        (Look::Hit { value, .. }, _) => {
            count(&request.counters.joined);
            leader.hand_over(value.clone());
            Step::Done(value)
        }
        (_, Taken::Claim(claim)) => {
            leader.hold(claim);
            Step::Lead(leader)
        }
        _ => {
            leader.hold(Claim::Nothing);
            Step::Lead(leader)
        }
    }
}

/// Leads a load of the key in place of whoever loads it now (`refresh`).
pub(crate) async fn lead(core: &Arc<Core>, request: &Arc<Request>) -> Option<Leader> {
    if matches!(core.tier, Tier::Off(_)) || check_key("load", &request.text).is_err() {
        return None;
    }
    for _ in 0..MOST_ROUNDS {
        let flight = core.flights.lead(&request.text, unused_number());
        let mut leader = Leader::new(core, request, flight);
        let taken = match core.look_past_copies(request).await {
            Look::Hit { seen, .. } | Look::Kept { seen, .. } => {
                Claim::insist(core, request, &seen, true).await
            }
            Look::Miss { seen, .. } | Look::Leased { seen } => {
                Claim::insist(core, request, &seen, false).await
            }
            #[cfg(feature = "entry")]
            Look::Failed => Some(Claim::Nothing),
        };
        if let Some(claim) = taken {
            leader.hold(claim);
            return Some(leader.insist());
        }
    }
    None
}

/// Waits for a load of another process, for all callers of this one. `None` to look again.
#[cfg(feature = "entry")]
pub(super) async fn outwait(
    core: &Arc<Core>,
    request: &Arc<Request>,
    mut leader: Leader,
    elsewhere: Elsewhere,
) -> Option<Step> {
    let waiting = async {
        match elsewhere.outwait(core, request).await {
            Outwaited::TooLong => None,
            Outwaited::Changed => {
                leader.begin_read();
                Some(core.look(request).await)
            }
        }
    };
    let Some(look) = polled(waiting, Some(leader.watch())).await else {
        leader.hold(Claim::Nothing);
        return Some(Step::Lead(leader));
    };
    match look {
        Look::Hit { value, .. } => {
            count(&request.counters.joined);
            leader.hand_over(value.clone());
            Some(Step::Done(value))
        }
        _ => None,
    }
}

/// Whether the flight's result could still be stored, and so be shared.
fn is_intact(core: &Core, request: &Request, flight: &Flight<Cached>, looked: &Seen) -> bool {
    match (flight.ticket(), looked) {
        (None, _) => true,
        (Some(Ticket::Here { seen, tags }), _) => core.still_holds(&request.text, *seen, tags),
        // What this caller has just seen of the tags tells whether one was invalidated since: where
        // the load has a lease in the cell, if that was there already.
        #[cfg(feature = "entry")]
        (Some(Ticket::There { lease, tags }), Seen::There(found)) => {
            lease.is_some_and(|lease| lease != found.prefix) || found.has_tags(tags)
        }
        #[cfg(feature = "entry")]
        (Some(Ticket::There { .. }), Seen::Here(_)) => true,
    }
}
