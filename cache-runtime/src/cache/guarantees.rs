//! Which promise holds in a running configuration.

use std::fmt;

use super::core::{Core, Tier};

/// What a cache promises as it is configured, situation by situation, as data and (`Display`) in
/// words. Made by [`Cache::guarantees`](crate::Cache::guarantees).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Guarantees {
    /// The store: `in-memory`, `redis`, `upstash`, `none`, or what a provider calls itself.
    pub provider: String,
    /// One row for each situation that changes what is promised.
    pub rows: Vec<Guarantee>,
}

/// What holds in one situation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Guarantee {
    /// What is promised.
    pub promise: Promise,
    /// The situation.
    pub situation: &'static str,
    /// Whether the promise holds in it.
    pub strength: Strength,
    /// Why, and what to do about it where it does not.
    pub because: &'static str,
}

/// The four promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Promise {
    /// When an invalidation has returned `Ok`, no read that starts later returns a value computed
    /// from data read before that call started.
    ExactInvalidation,
    /// One load per miss, however many callers there are.
    OneLoadPerMiss,
    /// The cache adds at most its budget to an annotated function, and never an error.
    NeverWorse,
    /// What does not verify is a miss: no torn, foreign or wrongly typed value is served.
    OnlyVerifiedValues,
}

/// Whether a promise holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Strength {
    /// It holds.
    Exact,
    /// It can be broken, for a time that has a bound.
    Bounded,
    /// It is for the program to keep; the cache cannot.
    Yours,
}

pub(crate) fn guarantees(core: &Core) -> Guarantees {
    match &core.tier {
        Tier::Off(_) => Guarantees { provider: "none".to_owned(), rows: off() },
        Tier::Memory(_) => Guarantees { provider: "in-memory".to_owned(), rows: in_memory() },
        #[cfg(feature = "entry")]
        Tier::Remote(remote) => {
            use crate::provider::Provider as _;
            let description = remote.provider().describe();
            let mut rows = remote_rows(description.name, description.fenced);
            if let Some(near) = remote.near() {
                rows.insert(0, near_row(near.bound().is_some(), near.is_told()));
            }
            Guarantees { provider: description.name.to_owned(), rows }
        }
    }
}

const fn row(
    promise: Promise,
    situation: &'static str,
    strength: Strength,
    because: &'static str,
) -> Guarantee {
    Guarantee { promise, situation, strength, because }
}

const YOURS: Guarantee = row(
    Promise::ExactInvalidation,
    "a load reads a database replica that lags, or an invalidation comes before its commit",
    Strength::Yours,
    "the cache cannot see it: read the primary after a write, and invalidate after the commit",
);

fn off() -> Vec<Guarantee> {
    vec![row(
        Promise::ExactInvalidation,
        "always",
        Strength::Exact,
        "nothing is cached: every call runs its function",
    )]
}

fn in_memory() -> Vec<Guarantee> {
    use Promise::{ExactInvalidation, NeverWorse, OneLoadPerMiss, OnlyVerifiedValues};
    vec![
        row(ExactInvalidation, "in this process", Strength::Exact, "all readers share one store"),
        row(
            ExactInvalidation,
            "in another process",
            Strength::Yours,
            "processes with a cache in memory each do not tell each other: use a shared store",
        ),
        YOURS,
        row(OneLoadPerMiss, "in this process", Strength::Exact, "callers share the load under way"),
        row(NeverWorse, "always", Strength::Exact, "nothing outside the process is asked"),
        row(OnlyVerifiedValues, "always", Strength::Exact, "values keep their type"),
    ]
}

#[cfg(feature = "entry")]
fn near_row(is_bounded: bool, is_told: bool) -> Guarantee {
    use Promise::ExactInvalidation;
    match (is_bounded, is_told) {
        (false, _) => row(
            ExactInvalidation,
            "reads through the near cache",
            Strength::Exact,
            "each hit asks the store whether its copy is still current",
        ),
        (true, true) => row(
            ExactInvalidation,
            "reads through the near cache of what another process has invalidated",
            Strength::Bounded,
            "stale at most for the bound of `CACHE_NEAR`: the store tells what changes, and is not heard no longer than that; exact where the invalidation is `settled`",
        ),
        (true, false) => row(
            ExactInvalidation,
            "reads through the near cache of what another process has invalidated",
            Strength::Bounded,
            "stale at most for the bound of `CACHE_NEAR`: this store cannot tell what changes, and copies live no longer than that; exact where the invalidation is `settled`",
        ),
    }
}

#[cfg(feature = "entry")]
fn remote_rows(name: &str, fenced: bool) -> Vec<Guarantee> {
    use Promise::{ExactInvalidation, NeverWorse, OneLoadPerMiss, OnlyVerifiedValues};
    let mut rows = vec![row(
        ExactInvalidation,
        "any client crash, timeout, eviction, lease expiry or late command",
        Strength::Exact,
        "entries carry the nonces of their tags from before the load, and leases lie in place of values",
    )];
    rows.push(match fenced {
        true => row(
            ExactInvalidation,
            "a failover or a restart that loses writes",
            Strength::Exact,
            "entries of a former life of the server are misses",
        ),
        false => row(
            ExactInvalidation,
            "a failover or a restart that loses writes",
            Strength::Bounded,
            "the server does not tell its lives apart (`INFO` is refused or was not read yet): stale at most until the TTL",
        ),
    });
    if name == "upstash" {
        rows.push(row(
            ExactInvalidation,
            "a database with read replicas",
            Strength::Bounded,
            "the sync token makes a process read its own writes; those of others arrive with the replication",
        ));
    } else {
        rows.push(row(
            ExactInvalidation,
            "a client that is cut off together with an old primary",
            Strength::Bounded,
            "until the primary notices: `cluster-node-timeout`, or `min-replicas-to-write` with Sentinel",
        ));
    }
    rows.extend([
        YOURS,
        row(
            OneLoadPerMiss,
            "all processes",
            Strength::Bounded,
            "unless a holder dies (a lease time), waits run out, or the store is down (then one per process)",
        ),
        row(
            NeverWorse,
            "the store is slow, cut off or gone",
            Strength::Exact,
            "each operation has a budget, and a breaker skips a store that does not answer",
        ),
        row(
            OnlyVerifiedValues,
            "always",
            Strength::Exact,
            "key, type, tags and checksum are compared before a value is decoded",
        ),
    ]);
    rows
}

impl fmt::Display for Guarantees {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "provider: {}", self.provider)?;
        for Guarantee { promise, situation, strength, because } in &self.rows {
            write!(formatter, "\n{promise}, {situation}: {strength} ({because})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::ExactInvalidation => "exact invalidation",
            Self::OneLoadPerMiss => "one load per miss",
            Self::NeverWorse => "never worse than without a cache",
            Self::OnlyVerifiedValues => "only verified values",
        })
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Exact => "exact",
            Self::Bounded => "bounded",
            Self::Yours => "yours to keep",
        })
    }
}
