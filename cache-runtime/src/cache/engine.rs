//! A read that missed: who loads, who waits, what is stored. The one place where the protocol's
//! rules are, for annotated functions and `get_or_set` alike; it knows no value types.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "entry")]
use super::boarding::outwait;
use super::boarding::{Boarded, board, lead_next};
use super::core::{Core, Look, Request, Seen, Tier};
use super::leader::Leader;
use super::race::{First, first};
use super::steps::check_key;
use super::value::{Cached, Shared};
use crate::clock::Tick;
use crate::flight::{Came, Chain, Ending, Landing};
use crate::stats::{MissReason, count};

/// After so many loads of others that failed, a caller loads for itself without the cache.
const MOST_FAILURES: u32 = 2;

/// After so many loads of others whose result it could not take, a caller loads for itself.
pub(super) const MOST_ROUNDS: u32 = 5;

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

/// What a caller found at its first look, before it needs anything that a load needs.
#[allow(clippy::large_enum_variant, reason = "a box would cost every hit an allocation")]
pub(crate) enum Glance {
    /// How it goes on.
    Step(Step),
    /// A load of this process to join, for a call that came then.
    Fly(Landing<Cached>, Came),
    /// Nothing to serve: what the key holds, and the expired value that may serve if the load fails.
    Nothing(Seen, Option<Cached>, Came),
}

/// Looks once. Most calls end here, so it is kept apart from the rest, whose future is large.
///
/// # Cancel safety
///
/// As [`begin`].
pub(crate) async fn glance(core: &Arc<Core>, request: &Arc<Request>) -> Glance {
    if matches!(core.tier, Tier::Off(_)) || check_key("load", &request.text).is_err() {
        return Glance::Step(Step::Uncached);
    }
    let mut came = None;
    if core.asks_loads_first() {
        let now = core.flights.comes();
        if let Some(landing) = core.flights.join_blocking(&request.text, core.removals(), now) {
            // Whoever asks a store outside the process would find what the load's leader found.
            report_miss(request, true, MissReason::Absent);
            return Glance::Fly(landing, now);
        }
        came = Some(now);
    }
    match look(core, request, true).await {
        Looked::Break(step) => Glance::Step(step),
        Looked::Continue((seen, kept)) => {
            // A hit in this process has no time for it, and a look takes none.
            Glance::Nothing(seen, kept, came.unwrap_or_else(|| core.flights.comes()))
        }
    }
}

/// Goes on from the first look: joins somebody's load, or becomes the one who loads.
///
/// # Cancel safety
///
/// Dropping the future leaves others' loads as they are and holds nothing.
pub(crate) async fn begin(core: &Arc<Core>, request: &Arc<Request>, glance: Glance) -> Step {
    let came = match &glance {
        Glance::Step(_) => core.flights.comes(),
        Glance::Fly(_, came) | Glance::Nothing(_, _, came) => *came,
    };
    let (mut failures, mut given_up, mut glance) = (0, None, Some(glance));
    for _ in 0..MOST_ROUNDS {
        let approached = approach(core, request, glance.take(), given_up, came).await;
        let (landing, joined, has_fallback) = match approached {
            Approached::Done(step) => return step,
            Approached::Again => continue,
            Approached::Fly { landing, joined, has_fallback } => (landing, joined, has_fallback),
            Approached::Queue { present, next, failed } => {
                match wait(core, request, present, false, false).await {
                    Waited::ForEver => return Step::Uncached,
                    Waited::Stalled(flight) => {
                        given_up = Some(flight);
                        continue;
                    }
                    _ => {}
                }
                if next.flight().take_lead() {
                    let leader = Leader::new(core, request, Arc::clone(next.flight()));
                    let asks = failed.is_none_or(|then| !core.is_recent(then));
                    return lead_next(core, request, leader, asks).await;
                }
                (next, true, false)
            }
        };
        match wait(core, request, landing, joined, has_fallback).await {
            Waited::Value(value) => {
                count(&request.counters.joined);
                return Step::Done(value);
            }
            Waited::TooLong => {
                // Looked at anew: it may have been invalidated during the wait (rule E3).
                if let Some(value) = fallback(core, request).await {
                    return Step::Done(value);
                }
            }
            Waited::ForEver => return Step::Uncached,
            Waited::Failed => {
                if let Some(value) = fallback(core, request).await {
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

/// How far a caller came without waiting for a load of this process.
enum Approached {
    Done(Step),
    Again,
    Fly {
        landing: Landing<Cached>,
        joined: bool,
        has_fallback: bool,
    },
    /// To the end of a load that stores nothing, and then to the flight that follows.
    Queue {
        present: Landing<Cached>,
        next: Landing<Cached>,
        /// When the store did not answer this caller, if it did not.
        failed: Option<Tick>,
    },
}

/// Looks at the store, unless a first look has just done so, and where there is nothing to serve, at
/// the loads under way.
async fn approach(
    core: &Arc<Core>,
    request: &Arc<Request>,
    glance: Option<Glance>,
    given_up: Option<u64>,
    came: Came,
) -> Approached {
    let (seen, kept) = match glance {
        Some(Glance::Step(step)) => return Approached::Done(step),
        Some(Glance::Fly(landing, _)) => {
            return Approached::Fly { landing, joined: true, has_fallback: false };
        }
        Some(Glance::Nothing(seen, kept, _)) => (seen, kept),
        None => match look(core, request, false).await {
            Looked::Break(step) => return Approached::Done(step),
            Looked::Continue(found) => found,
        },
    };
    let has_fallback = kept.is_some();
    match board(core, request, &seen, has_fallback, given_up, came).await {
        Boarded::Lead(leader) => Approached::Done(Step::Lead(leader)),
        Boarded::Fly(landing, joined) => Approached::Fly { landing, joined, has_fallback },
        Boarded::Queue { present, next } => {
            let failed = core.is_unanswered(&seen).then(|| core.clock.now());
            Approached::Queue { present, next, failed }
        }
        Boarded::Changed => Approached::Again,
        #[cfg(feature = "entry")]
        Boarded::Elsewhere(leader, elsewhere) => outwait(core, request, leader, elsewhere)
            .await
            .map_or(Approached::Again, Approached::Done),
    }
}

/// Ends where there is something to serve; goes on with what the key holds, and the expired value
/// that may serve if the load fails.
type Looked = ControlFlow<Step, (Seen, Option<Cached>)>;

async fn look(core: &Arc<Core>, request: &Arc<Request>, first: bool) -> Looked {
    match core.look(request).await {
        Look::Hit { value, refresh: false, near, .. } => {
            if first {
                report_hit(request, near);
            } else {
                // It missed, and somebody else's load has ended since.
                count(&request.counters.joined);
            }
            Looked::Break(Step::Done(value))
        }
        Look::Hit { value, seen, stale, .. } => {
            let refresher = match core.flights.is_flying(&request.text) {
                true => None,
                // In a box: a hit's future has no room for what few hits need.
                false => {
                    match Box::pin(board(core, request, &seen, true, None, core.flights.comes()))
                        .await
                    {
                        Boarded::Lead(leader) => Some(leader),
                        // Somebody else refreshes, or it is no longer what is to be refreshed.
                        _ => None,
                    }
                }
            };
            Looked::Break(match refresher {
                Some(leader) => Step::Refresh { value, stale, leader },
                None => {
                    report_served(request, stale);
                    Step::Done(value)
                }
            })
        }
        Look::Kept { value, seen } => {
            report_miss(request, first, MissReason::Expired);
            Looked::Continue((seen, Some(value)))
        }
        Look::Miss { seen, reason } => {
            report_miss(request, first, reason);
            Looked::Continue((seen, None))
        }
        Look::Leased { seen } => {
            report_miss(request, first, MissReason::Absent);
            Looked::Continue((seen, None))
        }
        #[cfg(feature = "entry")]
        Look::Failed => {
            report_miss(request, first, MissReason::Unavailable);
            Looked::Continue((Seen::NOTHING, None))
        }
    }
}

/// A value was served although it is to be refreshed.
pub(crate) fn report_served(request: &Request, stale: bool) {
    report_hit(request, false);
    if stale {
        count(&request.counters.stale_served);
    }
}

fn report_hit(request: &Request, is_near: bool) {
    request.counters.hit(is_near);
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
pub(crate) async fn fallback(core: &Core, request: &Request) -> Option<Cached> {
    if core.asks_loads_first() && !request.policy.may_serve_expired() {
        // What could have come there meanwhile is found by the next look, without a round trip more.
        return None;
    }
    match core.look(request).await {
        Look::Kept { value, .. } => Some(serve_stale(request, value)),
        Look::Hit { value, stale: true, .. } => Some(serve_stale(request, value)),
        Look::Hit { value, .. } => Some(value),
        _ => None,
    }
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
            First::One(Ending::Landed { value, exact })
                if joined && landing.may_take(exact || !core.follows_join_rule()) =>
            {
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
