//! Where in its life an entry is.

use super::NO_DEADLINE;
use crate::cache::core::{Look, Seen};
use crate::cache::value::Cached;
use crate::entry::Stored;
use crate::near::origin::Origin;
use crate::policy::Policy;
use crate::stats::MissReason;

/// More than minus the logarithm of the smallest number that a draw can give, about 36.7.
const LARGEST_LOGARITHM: f64 = 37.0;

/// Where in its life an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    Fresh,
    /// Fresh, and chosen by XFetch to be refreshed now.
    Early,
    /// Past its TTL, to be served while it is refreshed.
    Stale,
    /// Past its TTL, to be served only if a load fails or takes too long.
    Kept,
    Expired,
}

/// What an entry says about its life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    deadline: u64,
    fresh_while_kept: bool,
    load_millis: u32,
}

impl From<&Stored<'_>> for Lifetime {
    fn from(stored: &Stored<'_>) -> Self {
        Self {
            deadline: stored.soft_deadline(),
            fresh_while_kept: stored.is_fresh_while_kept(),
            load_millis: stored.load_millis(),
        }
    }
}

impl From<&Origin> for Lifetime {
    fn from(origin: &Origin) -> Self {
        let Origin { deadline, fresh_while_kept, load_millis, .. } = *origin;
        Self { deadline, fresh_while_kept, load_millis }
    }
}

impl Lifetime {
    /// How old an entry is that the store holds at this time, in milliseconds since 1970.
    pub(super) fn age(self, now: u64, policy: &Policy) -> Age {
        if self.fresh_while_kept || self.deadline == NO_DEADLINE {
            return Age::Fresh;
        }
        if now < self.deadline {
            let reach = f64::from(self.load_millis) * policy.early_beta();
            let left = (self.deadline - now) as f64;
            // XFetch (Vattani et al., VLDB 2015, algorithm 2). `1 - f64()` is in (0, 1].
            let is_early =
                left < reach * LARGEST_LOGARITHM && left < reach * -(1.0 - fastrand::f64()).ln();
            return if is_early { Age::Early } else { Age::Fresh };
        }
        let past = u128::from(now - self.deadline);
        if policy.stale.is_some_and(|stale| past < stale.as_millis()) {
            Age::Stale
        } else if past < policy.kept().as_millis() {
            Age::Kept
        } else {
            Age::Expired
        }
    }
}

impl Age {
    pub(super) fn look(self, value: Cached, seen: Seen) -> Look {
        let hit =
            |value, seen, refresh, stale| Look::Hit { value, seen, refresh, stale, near: false };
        match self {
            Self::Fresh => hit(value, seen, false, false),
            Self::Early => hit(value, seen, true, false),
            Self::Stale => hit(value, seen, true, true),
            Self::Kept => Look::Kept { value, seen },
            Self::Expired => Look::Miss { seen, reason: MissReason::Expired },
        }
    }
}
