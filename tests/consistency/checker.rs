//! The history check: promise P1 of a cache, whichever it is, under concurrent readers and writers.

use std::fmt;
use std::sync::Arc;

use fastrand::Rng;

use crate::database::{Database, ROWS, Row};

/// How many tasks read and write at once.
const WORKERS: u64 = 8;

/// One write among so many reads.
const READS_PER_WRITE: u32 = 12;

/// A cache in front of the database.
pub(crate) trait Subject: Send + Sync + 'static {
    /// Reads a row through the cache.
    fn read(
        &self,
        database: &Arc<Database>,
        id: u64,
        rng: &mut Rng,
    ) -> impl Future<Output = Row> + Send;

    /// Changes a row and invalidates what is cached of it. What it returns is acknowledged.
    fn write(
        &self,
        database: &Arc<Database>,
        id: u64,
        rng: &mut Rng,
    ) -> impl Future<Output = Row> + Send;
}

/// What a run saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Verdict {
    pub reads: u64,
    pub writes: u64,
    /// Reads that returned a version older than one that was acknowledged before they began.
    pub stale: u64,
    /// Reads that returned another row than the one asked for.
    pub foreign: u64,
}

impl Verdict {
    pub(crate) fn add(&mut self, other: Self) {
        self.reads += other.reads;
        self.writes += other.writes;
        self.stale += other.stale;
        self.foreign += other.foreign;
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reads, writes, stale, foreign } = self;
        write!(formatter, "{reads} reads, {writes} invalidations, {stale} stale, {foreign} foreign")
    }
}

/// Lets eight workers read and write the subject on eight threads.
pub(crate) fn check<S: Subject>(subject: impl Fn() -> S, reads: u64) -> Verdict {
    // More threads than processors, so that a thread can be stopped between any two steps.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS as usize)
        .enable_all()
        .build()
        .expect("a runtime");
    let (subject, database) = (Arc::new(subject()), Arc::new(Database::default()));
    runtime.block_on(async {
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..WORKERS {
            workers.spawn(work(
                Arc::clone(&subject),
                Arc::clone(&database),
                worker,
                reads / WORKERS,
            ));
        }
        let mut verdict = Verdict::default();
        while let Some(worker) = workers.join_next().await {
            verdict.add(worker.expect("no worker panics"));
        }
        verdict
    })
}

async fn work<S: Subject>(
    subject: Arc<S>,
    database: Arc<Database>,
    worker: u64,
    reads: u64,
) -> Verdict {
    let mut rng = Rng::with_seed(worker);
    let mut verdict = Verdict::default();
    while verdict.reads < reads {
        let id = skewed(&mut rng);
        if rng.u32(0..=READS_PER_WRITE) == 0 {
            let row = subject.write(&database, id, &mut rng).await;
            database.acknowledge(&row);
            verdict.writes += 1;
            continue;
        }
        let floor = database.acknowledged(id);
        let row = subject.read(&database, id, &mut rng).await;
        verdict.reads += 1;
        verdict.stale += u64::from(row.version < floor);
        verdict.foreign += u64::from(row.id != id || row.shelf != Database::shelf(id));
        // Memory hits never wait, so a worker gives way itself now and then.
        if verdict.reads % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
    verdict
}

/// Half of all choices fall on four rows, so that loads, reads and invalidations meet.
fn skewed(rng: &mut Rng) -> u64 {
    if rng.bool() { rng.u64(0..4) } else { rng.u64(0..ROWS as u64) }
}
