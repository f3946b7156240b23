//! The history check across processes: promise P1 of a cache, whichever it is.
//!
//! The same as the one in a single process (`tests/consistency`): a writer commits, invalidates,
//! and then notes its version as acknowledged; a reader notes the newest acknowledged version,
//! then reads, and what it gets must not be older.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::oracle::{Oracle, Row};

/// How many rows there are.
pub(super) const ROWS: u64 = 64;

/// One write among so many reads.
const READS_PER_WRITE: u32 = 12;

/// A cache in front of the database.
pub trait Subject: Send + Sync + 'static {
    /// Reads a row through the cache.
    fn read(
        &self,
        oracle: &Arc<Oracle>,
        id: u64,
        rng: &mut Rng,
    ) -> impl Future<Output = Row> + Send;

    /// Changes a row and invalidates what is cached of it; `None` if it is not known whether that
    /// happened. What it returns is acknowledged.
    fn write(
        &self,
        oracle: &Arc<Oracle>,
        id: u64,
        rng: &mut Rng,
    ) -> impl Future<Output = Option<Row>> + Send;

    /// How often a loader ran in this process.
    fn loads(&self) -> u64;

    /// How many loads only invalidations were the reason of, and how many entries invalidations
    /// ended, of those rows for which both are known.
    fn generations(&self) -> (u64, u64) {
        (0, 0)
    }

    /// Whether reading this row writes to the store only where the row was invalidated.
    fn is_quiet(&self, _id: u64) -> bool {
        true
    }

    /// How many reads of this process missed because the entry had been evicted, as far as that is
    /// known.
    fn evicted(&self) -> impl Future<Output = u64> + Send {
        std::future::ready(0)
    }

    /// How long the loads of a row took together in this process, as far as they are known.
    fn load_time(&self, _id: u64) -> Duration {
        Duration::ZERO
    }

    /// The same as `write`, by tag or by key, and waits for the near caches.
    fn write_settled(
        &self,
        _oracle: &Arc<Oracle>,
        _id: u64,
        _tag: bool,
    ) -> impl Future<Output = Option<Row>> + Send {
        std::future::ready(None)
    }

    /// The same as `write` under a guard; acknowledges it as soon as the commit is made.
    fn write_guarded(
        &self,
        _oracle: &Arc<Oracle>,
        _id: u64,
    ) -> impl Future<Output = Option<Row>> + Send {
        std::future::ready(None)
    }
}

/// What a run saw.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// Reads through the cache.
    pub reads: u64,
    /// Loads for them.
    pub loads: u64,
    /// Writes whose invalidation was acknowledged.
    pub writes: u64,
    /// Writes whose invalidation was not.
    pub unsure: u64,
    /// Reads that returned a version older than one that was acknowledged before they began.
    pub stale: u64,
    /// Reads that returned another row than the one asked for.
    pub foreign: u64,
}

impl Verdict {
    /// Adds what another worker saw.
    pub const fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.loads += other.loads;
        self.writes += other.writes;
        self.unsure += other.unsure;
        self.stale += other.stale;
        self.foreign += other.foreign;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reads, loads, writes, unsure, stale, foreign } = self;
        write!(
            formatter,
            "{reads} reads ({loads} loads), {writes} invalidations ({unsure} more unsure), \
             {stale} stale, {foreign} foreign"
        )
    }
}

/// Lets tasks read and write the subject until they have read `reads` rows together.
///
/// # Panics
///
/// If a task does.
pub async fn check<S: Subject>(
    subject: S,
    oracle: Arc<Oracle>,
    seed: u64,
    reads: u64,
    tasks: u64,
) -> Verdict {
    let subject = Arc::new(subject);
    let mut all = tokio::task::JoinSet::new();
    for task in 0..tasks {
        let rng = Rng::with_seed(seed * 1_000 + task);
        all.spawn(work(Arc::clone(&subject), Arc::clone(&oracle), rng, reads.div_ceil(tasks)));
    }
    let mut verdict = Verdict { loads: subject.loads(), ..Verdict::default() };
    while let Some(one) = all.join_next().await {
        verdict.add(one.expect("no task panics"));
    }
    verdict.loads = subject.loads() - verdict.loads;
    verdict
}

async fn work<S: Subject>(
    subject: Arc<S>,
    oracle: Arc<Oracle>,
    mut rng: Rng,
    reads: u64,
) -> Verdict {
    let mut verdict = Verdict::default();
    while verdict.reads < reads {
        let id = skewed(&mut rng);
        if rng.u32(0..=READS_PER_WRITE) == 0 {
            match subject.write(&oracle, id, &mut rng).await {
                Some(row) => {
                    oracle.acknowledge(&row).await;
                    verdict.writes += 1;
                }
                None => verdict.unsure += 1,
            }
            continue;
        }
        let floor = oracle.acknowledged(id).await;
        let row = subject.read(&oracle, id, &mut rng).await;
        verdict.reads += 1;
        verdict.stale += u64::from(row.version < floor);
        verdict.foreign += u64::from(!row.is_sound(id));
    }
    verdict
}

/// Half of all choices fall on eight rows, so that loads, reads and invalidations meet.
pub(super) fn skewed(rng: &mut Rng) -> u64 {
    if rng.bool() { rng.u64(0..8) } else { rng.u64(0..ROWS) }
}
