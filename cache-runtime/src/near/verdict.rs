//! What a slot is worth: whether it may be served, and whether it should be refreshed.

use super::slot::SlotRef;
use super::store::{Lease, Store};
use crate::clock::Tick;

/// What a slot is worth at a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fresh,
    /// Fresh, and chosen by XFetch to be refreshed now.
    Early,
    /// Past its TTL, to be served while it is refreshed.
    Stale,
    /// Past its TTL, to be served only if a load fails or takes too long.
    Kept,
    Expired,
    /// A tag of it was invalidated. Never served, however stale one may serve (rule E3).
    Invalidated,
    /// Somebody is loading.
    Leased,
}

impl Store {
    /// Whether the slot may be served with no further question: it is fresh, and too far from its
    /// end for an early refresh. Whoever is told no asks [`judge`](Self::judge), which draws.
    #[inline]
    pub(crate) fn is_plainly_fresh(&self, slot: SlotRef<'_>, now: Tick) -> bool {
        let meta = &*slot.meta;
        meta.holds()
            && !slot.is_dead()
            && now < slot.fresh_until
            && (meta.windows.early_beta <= 0.0 || !may_be_early(slot, now))
    }

    /// What the slot is worth now.
    #[inline]
    pub(crate) fn judge(&self, slot: SlotRef<'_>) -> Verdict {
        let now = self.clock.now();
        let meta = &*slot.meta;
        if !meta.holds() || slot.is_dead() {
            return Verdict::Invalidated;
        }
        if now < slot.fresh_until {
            if meta.windows.early_beta > 0.0 && is_early(slot, now) {
                return Verdict::Early;
            }
            return Verdict::Fresh;
        }
        judge_expired(slot, now)
    }
}

#[cold]
fn judge_expired(slot: SlotRef<'_>, now: Tick) -> Verdict {
    if slot.value::<Lease>().is_some() {
        return Verdict::Leased;
    }
    let windows = slot.meta.windows;
    let past = now - slot.fresh_until;
    if past < windows.stale {
        Verdict::Stale
    } else if past < windows.kept() {
        Verdict::Kept
    } else {
        Verdict::Expired
    }
}

/// XFetch: refresh now if `load time x beta x -ln(random)` reaches to the end of the TTL
/// (Vattani et al., VLDB 2015, algorithm 2).
#[cold]
fn is_early(slot: SlotRef<'_>, now: Tick) -> bool {
    let (left, reach) = left_and_reach(slot, now);
    // `1 - f64()` is in (0, 1], so the logarithm is finite.
    left < reach * LARGEST_LOGARITHM && left < reach * -(1.0 - fastrand::f64()).ln()
}

/// More than minus the logarithm of the smallest number that the draw can give, about 36.7.
const LARGEST_LOGARITHM: f64 = 37.0;

/// Whether the draw could choose the slot at all.
#[cold]
fn may_be_early(slot: SlotRef<'_>, now: Tick) -> bool {
    let (left, reach) = left_and_reach(slot, now);
    left < reach * LARGEST_LOGARITHM
}

/// The seconds to the end of the TTL, and those that the load took, times beta.
fn left_and_reach(slot: SlotRef<'_>, now: Tick) -> (f64, f64) {
    let left = crate::clock::duration(slot.fresh_until - now).as_secs_f64();
    let reach = f64::from(slot.load_millis) / 1_000.0 * f64::from(slot.meta.windows.early_beta);
    (left, reach)
}
