//! Reads and writes for a time, judges every read, and measures what the cache adds to it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::checker::{Subject, skewed};
use super::oracle::Oracle;
use super::orders::SubjectKind;
use super::table::now;
use super::times::Times;

/// At most so many writes of a task wait for near caches at once.
const WAITING: usize = 32;

/// What a worker is told about its watch.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Through which cache.
    pub subject: SubjectKind,
    /// Different for each worker.
    pub seed: u64,
    /// How long.
    pub time: Duration,
    /// How many tasks.
    pub tasks: u64,
    /// How long after the invalidation a read may still be stale; zero if never.
    pub bound: Duration,
    /// One write among so many reads; none if it only reads.
    pub reads_per_write: Option<u32>,
    /// Only rows that are written to the store where they were invalidated, and else not.
    pub quiet: bool,
    /// How many of a hundred writes wait for the near caches.
    pub settled: u32,
    /// How many of a hundred writes are guarded.
    pub guarded: u32,
}

/// What a worker saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sight {
    /// Reads through the cache.
    pub reads: u64,
    /// Loads for them.
    pub loads: u64,
    /// Loads of rows that are loaded again only after an invalidation.
    pub reloads: u64,
    /// How many of their entries were invalidated: at most that often a row has a new generation.
    pub generations: u64,
    /// Writes whose invalidation was acknowledged.
    pub writes: u64,
    /// Those of them that waited for the near caches.
    pub settled: u64,
    /// Writes whose invalidation was not acknowledged.
    pub unsure: u64,
    /// Reads that returned a version older than one that was acknowledged before they began.
    pub stale: u64,
    /// How long before such a read the acknowledgement came, at most.
    pub worst: Duration,
    /// Stale reads that were not allowed: beyond the bound, of a settled version, or of one that the
    /// reader's own process had acknowledged.
    pub broken: u64,
    /// Reads that returned anything but a version of the row asked for.
    pub foreign: u64,
    /// Reads that missed because the entry had been evicted, where that is known.
    pub evicted: u64,
    /// How long reads took, without their loads.
    pub added: Times,
    /// The first of what was not allowed, in words.
    pub findings: Vec<String>,
}

impl Sight {
    /// Adds what another saw.
    pub fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.loads += other.loads;
        self.reloads += other.reloads;
        self.generations += other.generations;
        self.writes += other.writes;
        self.settled += other.settled;
        self.unsure += other.unsure;
        self.stale += other.stale;
        self.worst = self.worst.max(other.worst);
        self.broken += other.broken;
        self.foreign += other.foreign;
        self.evicted += other.evicted;
        self.added.add(&other.added);
        self.findings.extend(other.findings);
        self.findings.truncate(8);
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reads, loads, writes, settled, unsure, .. } = self;
        let Self { stale, worst, broken, foreign, findings, .. } = self;
        write!(
            formatter,
            "{reads} reads ({loads} loads), {writes} invalidations ({settled} settled, {unsure} \
             more unsure), {stale} stale (worst {worst:?}), {broken} not allowed, {foreign} \
             foreign {findings:?}"
        )
    }
}

/// Lets tasks read and write the subject for a time.
///
/// # Panics
///
/// If a task does.
pub(super) async fn watch<S: Subject>(subject: S, oracle: Arc<Oracle>, orders: Watch) -> Sight {
    let subject = Arc::new(subject);
    let loads = subject.loads();
    let until = Instant::now() + orders.time;
    let mut all = JoinSet::new();
    for task in 0..orders.tasks {
        let rng = Rng::with_seed(orders.seed * 1_000 + task);
        let (subject, oracle) = (Arc::clone(&subject), Arc::clone(&oracle));
        all.spawn(Watcher { subject, oracle, orders, rng, until }.work());
    }
    let mut sight = Sight::default();
    while let Some(one) = all.join_next().await {
        sight.add(one.expect("no task panics"));
    }
    sight.loads = subject.loads() - loads;
    (sight.reloads, sight.generations) = subject.generations();
    sight.evicted = subject.evicted().await;
    sight
}

struct Watcher<S> {
    subject: Arc<S>,
    oracle: Arc<Oracle>,
    orders: Watch,
    rng: Rng,
    until: Instant,
}

/// How a write came out.
enum Written {
    Settled,
    Plain,
    Unsure,
}

impl<S: Subject> Watcher<S> {
    async fn work(mut self) -> Sight {
        let (mut sight, mut waiting) = (Sight::default(), JoinSet::new());
        while Instant::now() < self.until {
            let id = skewed(&mut self.rng);
            if self.orders.quiet && !self.subject.is_quiet(id) {
                continue;
            }
            let writes =
                self.orders.reads_per_write.is_some_and(|many| self.rng.u32(0..=many) == 0);
            if !writes {
                self.read(id, &mut sight).await;
            } else if self.rng.u32(0..100) < self.orders.settled {
                if waiting.len() < WAITING {
                    waiting.spawn(self.write_settled(id));
                }
            } else {
                note(self.write(id).await, &mut sight);
            }
            while let Some(one) = waiting.try_join_next() {
                note(one.expect("no task panics"), &mut sight);
            }
        }
        while let Some(one) = waiting.join_next().await {
            note(one.expect("no task panics"), &mut sight);
        }
        sight
    }

    async fn write(&mut self, id: u64) -> Written {
        let row = if self.rng.u32(0..100) < self.orders.guarded {
            self.subject.write_guarded(&self.oracle, id).await
        } else {
            self.subject.write(&self.oracle, id, &mut self.rng).await
        };
        let Some(row) = row else {
            return Written::Unsure;
        };
        self.oracle.acknowledge(&row).await;
        Written::Plain
    }

    fn write_settled(&mut self, id: u64) -> impl Future<Output = Written> + Send + use<S> {
        let (subject, oracle) = (Arc::clone(&self.subject), Arc::clone(&self.oracle));
        let tag = self.rng.bool();
        async move {
            let Some(row) = subject.write_settled(&oracle, id, tag).await else {
                return Written::Unsure;
            };
            oracle.acknowledge_settled(&row);
            Written::Settled
        }
    }

    async fn read(&mut self, id: u64, sight: &mut Sight) {
        let floor = self.oracle.floor(id);
        let (began, loading) = (now(), self.subject.load_time(id));
        let row = self.subject.read(&self.oracle, id, &mut self.rng).await;
        let took = now() - began;
        let loaded = self.subject.load_time(id) - loading;
        sight.reads += 1;
        sight.added.note(took.saturating_sub(loaded));
        if !row.is_sound(id) {
            sight.foreign += 1;
            sight.findings.push(format!("row {id}: {row:?}"));
            return;
        }
        if row.version >= floor.acknowledged {
            return;
        }
        let first = self.oracle.first_acknowledged(&row, floor.acknowledged).unwrap_or_default();
        let age = began.saturating_sub(first);
        sight.stale += 1;
        sight.worst = sight.worst.max(age);
        let late = age > self.orders.bound;
        if late || row.version < floor.settled || row.version < floor.own {
            sight.broken += 1;
            if sight.findings.len() < 4 {
                let read = row.version;
                let told = format!("{read} of row {id} {age:?} late, {floor:?}, at {began:?}");
                sight.findings.push(told);
            }
        }
    }
}

fn note(written: Written, sight: &mut Sight) {
    match written {
        Written::Plain => sight.writes += 1,
        Written::Settled => {
            sight.writes += 1;
            sight.settled += 1;
        }
        Written::Unsure => sight.unsure += 1,
    }
}
