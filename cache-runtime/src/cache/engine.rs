//! A read that missed: who loads, who waits, what is stored. The one place where the protocol's
//! rules are, for annotated functions and `get_or_set` alike; it knows no value types.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Look, Request, Tier};
use super::leader::{Held, Leader};
use super::race::{First, first};
use super::steps::check_key;
use super::value::{Cached, Shared};
use crate::flight::{Boarding, Chain, Ending, Flight, Landing, Ticket};
use crate::near::meta::unused_number;
use crate::near::store::Seen;
use crate::stats::{MissReason, count};

/// After so many loads of others that failed, a caller loads for itself without the cache.
const MOST_FAILURES: u32 = 2;

/// After so many loads of others whose result it could not take, a caller loads for itself.
const MOST_ROUNDS: u32 = 5;

/// How often a waiter looks whether the task that loads is still polled.
const PULSE_CHECK: Duration = Duration::from_millis(50);

/// How a caller that did not hit goes on.
pub(crate) enum Step {
    /// With what the cache, or somebody else's load, gave.
    Done(Cached),
    /// With a value that may be served while this load runs in the background. The caller reports
    /// whether it does so.
    Refresh { value: Cached, stale: bool, leader: Leader },
    /// It loads, for all who wait.
    Lead(Leader),
    /// It loads for itself alone.
    Uncached,
}

/// What a load gave, as far as the cache needs to know.
pub(crate) enum Loaded {
    Value {
        value: Shared,
        /// Tags that only the result tells (whole names), beside the request's.
        tags: Vec<String>,
        /// The TTL that the value asks for, in place of the policy's.
        ttl: Option<Duration>,
        /// Whether `cache_if` lets it be stored.
        cacheable: bool,
    },
    /// `None`, stored only with a `none_ttl`.
    Nothing,
    Failed,
}

/// Reads, joins somebody's load, or becomes the one who loads.
///
/// # Cancel safety
///
/// Dropping the future leaves others' loads as they are and holds nothing.
pub(crate) async fn begin(core: &Arc<Core>, request: &Arc<Request>) -> Step {
    if matches!(core.tier, Tier::Off) || check_key("load", &request.text).is_err() {
        return Step::Uncached;
    }
    let (mut failures, mut given_up) = (0, None);
    for round in 0..MOST_ROUNDS {
        let (seen, kept) = match look(core, request, round == 0) {
            Looked::Done(step) => return step,
            Looked::Load(seen, kept) => (seen, kept),
        };
        let (landing, joined) = match board(core, request, seen, kept.is_some(), given_up) {
            Boarded::Lead(leader) => return Step::Lead(leader),
            Boarded::Fly(landing, joined) => (landing, joined),
            Boarded::Changed => continue,
        };
        match wait(core, request, landing, joined, kept.is_some()).await {
            Waited::Value(value) => {
                count(&request.counters.joined);
                return Step::Done(value);
            }
            Waited::TooLong => {
                // Looked at anew: it may have been invalidated during the wait (rule E3).
                if let Some(value) = fallback(core, request) {
                    return Step::Done(value);
                }
            }
            Waited::ForEver => return Step::Uncached,
            Waited::Failed => {
                if let Some(value) = fallback(core, request) {
                    return Step::Done(value);
                }
                failures += 1;
                if failures == MOST_FAILURES {
                    return Step::Uncached;
                }
            }
            Waited::Stalled(flight) => given_up = Some(flight),
            Waited::Again => {}
        }
    }
    Step::Uncached
}

enum Looked {
    Done(Step),
    /// To be loaded, given what the key holds; an expired value may serve if that fails.
    Load(Seen, Option<Cached>),
}

fn look(core: &Arc<Core>, request: &Arc<Request>, first: bool) -> Looked {
    match core.look(request) {
        Look::Hit { value, refresh: false, .. } => {
            if first {
                report_hit(request);
            } else {
                // It missed, and somebody else's load has ended since.
                count(&request.counters.joined);
            }
            Looked::Done(Step::Done(value))
        }
        Look::Hit { value, seen, stale, .. } => {
            let refresher = match core.flights.is_flying(&request.text) {
                true => None,
                false => match board(core, request, seen, true, None) {
                    Boarded::Lead(leader) => Some(leader),
                    Boarded::Fly(..) | Boarded::Changed => None,
                },
            };
            Looked::Done(match refresher {
                Some(leader) => Step::Refresh { value, stale, leader },
                None => {
                    report_served(request, stale);
                    Step::Done(value)
                }
            })
        }
        Look::Kept { value, seen } => {
            report_miss(request, first, MissReason::Expired);
            Looked::Load(seen, Some(value))
        }
        Look::Miss { seen, reason } => {
            report_miss(request, first, reason);
            Looked::Load(seen, None)
        }
        Look::Leased { seen } => {
            report_miss(request, first, MissReason::Absent);
            Looked::Load(seen, None)
        }
    }
}

/// A value was served although it is to be refreshed.
pub(crate) fn report_served(request: &Request, stale: bool) {
    report_hit(request);
    if stale {
        count(&request.counters.stale_served);
    }
}

fn report_hit(request: &Request) {
    request.counters.hit();
    tracing::debug!(target: "cache", key = %request.text, "hit");
}

pub(crate) fn report_miss(request: &Request, first: bool, reason: MissReason) {
    if first {
        request.counters.miss(reason);
        tracing::debug!(target: "cache", key = %request.text, reason = reason.as_str(), "miss");
    }
}

fn serve_stale(request: &Request, value: Cached) -> Cached {
    count(&request.counters.stale_served);
    tracing::debug!(target: "cache", key = %request.text, "stale value served");
    value
}

/// The expired value to serve in place of a load that failed: only if it is still there and was
/// not invalidated meanwhile (rule E3).
pub(crate) fn fallback(core: &Core, request: &Request) -> Option<Cached> {
    match core.look(request) {
        Look::Kept { value, .. } => Some(serve_stale(request, value)),
        Look::Hit { value, stale: true, .. } => Some(serve_stale(request, value)),
        Look::Hit { value, .. } => Some(value),
        Look::Miss { .. } | Look::Leased { .. } => None,
    }
}

enum Boarded {
    Lead(Leader),
    /// Somebody loads; the flag says whether this caller joined in time.
    Fly(Landing<Cached>, bool),
    /// The key holds something else by now.
    Changed,
}

/// Joins the key's load, unless this caller has given it up, or starts one: with a lease in the
/// value's place, or, where there is a value to keep meanwhile, against that entry (rule E2).
fn board(
    core: &Arc<Core>,
    request: &Arc<Request>,
    seen: Seen,
    keeps_entry: bool,
    given_up: Option<u64>,
) -> Boarded {
    // Taken before the table's lock: taking the outermost guard can run destructors of users.
    let _pinned = crossbeam_epoch::pin();
    let worth_joining =
        |flight: &Flight<Cached>| given_up != Some(flight.id) && is_intact(core, request, flight);
    let flight = match core.flights.board(&request.text, unused_number(), worth_joining) {
        Boarding::Join(landing) => return Boarded::Fly(landing, true),
        Boarding::Wait(landing) => return Boarded::Fly(landing, false),
        Boarding::Lead(flight) => flight,
    };
    // From here on dropping the leader ends the flight.
    let mut leader = Leader::new(core, request, flight);
    let held = if keeps_entry {
        core.still_holds(&request.text, seen, &[]).then_some(Held::Entry(seen))
    } else {
        core.acquire(&request.text, seen).map(Held::Lease)
    };
    match held {
        Some(held) => {
            leader.hold(held);
            Boarded::Lead(leader)
        }
        None => Boarded::Changed,
    }
}

/// Leads a load of the key in place of whoever loads it now (`refresh`).
pub(crate) fn lead(core: &Arc<Core>, request: &Arc<Request>) -> Option<Leader> {
    if matches!(core.tier, Tier::Off) || check_key("load", &request.text).is_err() {
        return None;
    }
    for _ in 0..MOST_ROUNDS {
        let flight = core.flights.lead(&request.text, unused_number());
        let mut leader = Leader::new(core, request, flight);
        let held = match core.look(request) {
            Look::Hit { seen, .. } | Look::Kept { seen, .. } => Some(Held::Entry(seen)),
            Look::Miss { seen, .. } | Look::Leased { seen } => {
                core.acquire(&request.text, seen).map(Held::Lease)
            }
        };
        if let Some(held) = held {
            leader.hold(held);
            return Some(leader.insist());
        }
    }
    None
}

/// Whether the flight's result could still be stored, and so be shared.
fn is_intact(core: &Core, request: &Request, flight: &Flight<Cached>) -> bool {
    flight.ticket().is_none_or(|Ticket { seen, tags }| core.still_holds(&request.text, *seen, tags))
}

pub(crate) enum Waited {
    Value(Cached),
    Failed,
    /// Past the soft timeout.
    TooLong,
    /// The load waits for this caller.
    ForEver,
    /// The flight of this number is not polled any more: take over.
    Stalled(u64),
    /// No result that this caller may take: look again.
    Again,
}

/// Waits for a load's end, or until waiting makes no sense any more.
pub(crate) async fn wait(
    core: &Core,
    request: &Request,
    mut landing: Landing<Cached>,
    joined: bool,
    has_fallback: bool,
) -> Waited {
    let flight = Arc::clone(landing.flight());
    let Some(_waiting) = Chain::wait_for(flight.id) else {
        tracing::error!(
            target: "cache",
            key = %request.text,
            "the load of this key needs the key itself: it runs without the cache"
        );
        count(&request.counters.errors);
        return Waited::ForEver;
    };
    let soft = async {
        match request.policy.timeout.filter(|_| has_fallback) {
            Some(timeout) => core.clock.sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let mut soft = std::pin::pin!(soft);
    let mut stood_still = false;
    loop {
        let mut pulse = std::pin::pin!(async {
            match flight.may_stall() {
                true => core.clock.sleep(PULSE_CHECK).await,
                false => std::future::pending().await,
            }
        });
        match first(&mut landing, &mut std::pin::pin!(first(&mut soft, &mut pulse))).await {
            First::One(Ending::Landed { value, exact }) if joined && landing.may_take(exact) => {
                return Waited::Value(value);
            }
            First::One(Ending::Failed) => return Waited::Failed,
            First::One(Ending::Landed { .. } | Ending::Abandoned) => return Waited::Again,
            First::Other(First::One(())) => return Waited::TooLong,
            // Twice in a row: where the runtime is behind with its tasks, the load's was woken
            // before this one, and so has been polled by the second time.
            First::Other(First::Other(())) => match flight.is_stalled(core.clock.now()) {
                true if stood_still => return Waited::Stalled(flight.id),
                stands_still => stood_still = stands_still,
            },
        }
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
