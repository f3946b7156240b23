//! Counters on the hit path, and the statistics that are read out of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use thread_local::ThreadLocal;

/// Why a read did not find a value that it could serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissReason {
    Absent,
    Expired,
    Invalidated,
    Evicted,
    TooLarge,
    Undecodable,
    Unavailable,
}

impl MissReason {
    /// What the log says.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
            Self::Evicted => "evicted",
            Self::TooLarge => "too large",
            Self::Undecodable => "undecodable",
            Self::Unavailable => "unavailable",
        }
    }
}

/// The counters of one function or one prefix in one cache.
#[derive(Default)]
pub(crate) struct Counters {
    hits: ThreadLocal<PerThread>,
    misses: [AtomicU64; 7],
    pub(crate) joined: AtomicU64,
    pub(crate) loads: AtomicU64,
    pub(crate) load_failures: AtomicU64,
    pub(crate) load_nanos: AtomicU64,
    pub(crate) stale_served: AtomicU64,
    pub(crate) stores: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) errors: AtomicU64,
}

// A line of its own for each thread, so that counting a hit shares nothing.
#[derive(Default)]
#[repr(align(128))]
struct PerThread {
    hits: AtomicU64,
    near_hits: AtomicU64,
}

impl Counters {
    /// Counts a hit, and whether a copy in this process served it unasked: increments that no other
    /// thread writes to.
    #[inline]
    pub(crate) fn hit(&self, is_near: bool) {
        let own = self.own();
        add_to_own(&own.hits);
        if is_near {
            add_to_own(&own.near_hits);
        }
    }

    #[inline]
    fn own(&self) -> &PerThread {
        match self.hits.get() {
            Some(mine) => mine,
            None => self.first_hit(),
        }
    }

    #[cold]
    #[inline(never)]
    fn first_hit(&self) -> &PerThread {
        self.hits.get_or_default()
    }

    pub(crate) fn miss(&self, reason: MissReason) {
        self.misses[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn loaded(&self, took: Duration, succeeded: bool) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.load_nanos.fetch_add(nanos, Ordering::Relaxed);
        if !succeeded {
            self.load_failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Counts {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let miss = |reason: MissReason| get(&self.misses[reason as usize]);
        Counts {
            hits: self.hits.iter().map(|mine| get(&mine.hits)).sum(),
            near_hits: self.hits.iter().map(|mine| get(&mine.near_hits)).sum(),
            misses: Misses {
                absent: miss(MissReason::Absent),
                expired: miss(MissReason::Expired),
                invalidated: miss(MissReason::Invalidated),
                evicted: miss(MissReason::Evicted),
                too_large: miss(MissReason::TooLarge),
                undecodable: miss(MissReason::Undecodable),
                unavailable: miss(MissReason::Unavailable),
            },
            joined: get(&self.joined),
            loads: get(&self.loads),
            load_failures: get(&self.load_failures),
            load_time: Duration::from_nanos(get(&self.load_nanos)),
            stale_served: get(&self.stale_served),
            stores: get(&self.stores),
            invalidations: get(&self.invalidations),
            errors: get(&self.errors),
        }
    }
}

/// Adds one to a counter that only this thread writes to.
#[inline]
fn add_to_own(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Adds one to a counter that is off the hit path.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// What one cache has done since it was made.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Everything together.
    pub total: Counts,
    /// Each annotated function that was called, by name.
    pub functions: Vec<Named>,
    /// Each key prefix (the text before the first `:`).
    pub prefixes: Vec<Named>,
    /// How many values the cache holds now; `None` where the provider does not tell.
    pub entries: Option<u64>,
    /// About how many bytes they take; `None` where the provider does not tell.
    pub bytes: Option<u64>,
}

/// Counts with the name of what they belong to.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Named {
    /// A function's path (`shop::users::get_user`) or a key prefix (`user`).
    pub name: String,
    /// Its counts.
    pub counts: Counts,
}

/// Counts of reads, loads and writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Reads that were served from the cache.
    pub hits: u64,
    /// Those of them that a near cache served without asking the store (part of `hits`).
    pub near_hits: u64,
    /// Reads that were not, by reason.
    pub misses: Misses,
    /// Misses that waited for a load that was already under way instead of loading.
    pub joined: u64,
    /// Loads that ran to their end.
    pub loads: u64,
    /// Loads that returned an error.
    pub load_failures: u64,
    /// The time that all loads took together.
    pub load_time: Duration,
    /// Reads that were served a value past its TTL (part of `hits`).
    pub stale_served: u64,
    /// Values stored.
    pub stores: u64,
    /// Invalidations by key, tag, function or pattern.
    pub invalidations: u64,
    /// Operations that failed in the store.
    pub errors: u64,
}

/// Misses by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Misses {
    /// Never stored, or so long ago that nothing is known of it.
    pub absent: u64,
    /// Stored, and its time was over.
    pub expired: u64,
    /// Removed by key, tag, function or pattern.
    pub invalidated: u64,
    /// Pushed out by other entries.
    pub evicted: u64,
    /// Too large to be stored.
    pub too_large: u64,
    /// Stored as another type, or in bytes that do not verify.
    pub undecodable: u64,
    /// The store could not be asked.
    pub unavailable: u64,
}

impl Misses {
    /// All misses together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.absent
            + self.expired
            + self.invalidated
            + self.evicted
            + self.too_large
            + self.undecodable
            + self.unavailable
    }
}

impl Counts {
    /// The share of reads that were hits, from 0 to 1; `None` before the first read.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let reads = self.hits + self.misses.total();
        (reads > 0).then(|| self.hits as f64 / reads as f64)
    }

    /// The mean time of a load; `None` before the first load.
    #[must_use]
    pub fn mean_load_time(&self) -> Option<Duration> {
        let loads = u32::try_from(self.loads).ok().filter(|loads| *loads > 0)?;
        Some(self.load_time / loads)
    }

    /// Adds another's counts to these.
    pub(crate) fn add(&mut self, other: &Self) {
        let misses = &other.misses;
        self.hits += other.hits;
        self.near_hits += other.near_hits;
        self.misses.absent += misses.absent;
        self.misses.expired += misses.expired;
        self.misses.invalidated += misses.invalidated;
        self.misses.evicted += misses.evicted;
        self.misses.too_large += misses.too_large;
        self.misses.undecodable += misses.undecodable;
        self.misses.unavailable += misses.unavailable;
        self.joined += other.joined;
        self.loads += other.loads;
        self.load_failures += other.load_failures;
        self.load_time += other.load_time;
        self.stale_served += other.stale_served;
        self.stores += other.stores;
        self.invalidations += other.invalidations;
        self.errors += other.errors;
    }
}
