//! The load: tasks that read, one that writes, and the run around a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::Cache;
use cache_tests::servers::cache_on;
use fastrand::Rng;
use tokio::task::JoinSet;

use crate::report::{Report, Times};
use crate::rows::{BUSY, Rows, read, row};

const READERS: u64 = 32;

/// Each reader's pause between two calls: the machine must not be the bottleneck.
const PAUSE: Duration = Duration::from_millis(3);

/// The pause between two writes.
const BETWEEN_WRITES: Duration = Duration::from_millis(10);

/// The default budget of one operation on Redis.
const BUDGET: Duration = Duration::from_millis(50);

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Before,
    During,
    After,
    Over,
}

#[derive(Clone)]
struct Run {
    rows: Arc<Rows>,
    phase: Arc<AtomicU8>,
}

impl Run {
    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Before,
            1 => Phase::During,
            2 => Phase::After,
            _ => Phase::Over,
        }
    }

    fn set(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }
}

/// What is expected of a fault beyond what is expected of all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    /// After so long without a fault all keys hit again.
    pub(crate) hits_within: Duration,
    /// The longest added time that passes.
    pub(crate) most_added: Duration,
}

impl Default for Expected {
    fn default() -> Self {
        Self { hits_within: Duration::from_secs(1), most_added: 10 * BUDGET }
    }
}

/// Runs the load through the cache at `url`, lets `fault` happen, and checks what came of it. The
/// store is back when `fault` returns. At `witness` another process would see the same store.
pub(crate) async fn run(
    name: &str,
    url: &str,
    witness: &str,
    expected: Expected,
    fault: impl FnOnce(),
) {
    let caches = (cache_on(url, &[]).await, cache_on(witness, &[]).await);
    run_on(name, caches, expected, fault).await;
}

/// The same on a cache that is made already, and on one in which another process would see the
/// same store.
pub(crate) async fn run_on(
    name: &str,
    (cache, other): (Cache, Cache),
    expected: Expected,
    fault: impl FnOnce(),
) {
    let run = Run { rows: Rows::new(), phase: Arc::default() };
    cache_runtime::scope(cache.clone(), warm(&run.rows)).await;

    let mut tasks = JoinSet::new();
    for seed in 0..READERS {
        let task = reader(run.clone(), Rng::with_seed(seed));
        tasks.spawn(cache_runtime::scope(cache.clone(), task));
    }
    tasks.spawn(cache_runtime::scope(cache.clone(), writer(run.clone())));
    tokio::time::sleep(Duration::from_secs(1)).await;

    run.set(Phase::During);
    // The fault talks to servers and waits for them; the other threads go on.
    tokio::task::block_in_place(fault);
    let back = Instant::now();
    cache_runtime::scope(cache.clone(), all_hit(&run.rows)).await;
    let hits_again = back.elapsed();
    run.set(Phase::After);
    cache_runtime::scope(other, all_in_effect(&run.rows)).await;
    let in_effect = back.elapsed();
    tokio::time::sleep(Duration::from_millis(500)).await;
    run.set(Phase::Over);

    let mut report = Report::default();
    while let Some(task) = tasks.join_next().await {
        report.add(&task.expect("no task panics"));
    }
    report.print(name, hits_again, in_effect);
    check(&report, expected, hits_again);
}

fn check(report: &Report, expected: Expected, hits_again: Duration) {
    assert_eq!((report.errors, report.stale), (0, 0), "errors and stale reads");
    assert!(report.acknowledged > 0 && report.before.count() > 100, "the load ran");
    assert!(report.during.count() > 0, "calls return during the fault");
    let added = report.during.quantile(1.0).max(report.after.quantile(1.0));
    assert!(added <= expected.most_added, "a call took {added:?}");
    assert!(hits_again <= expected.hits_within, "hits again only after {hits_again:?}");
}

/// Puts every row into the cache.
async fn warm(rows: &Arc<Rows>) {
    for id in 0..Rows::canaries().end {
        within(Duration::from_secs(10), "a first hit", async || hits(id, rows).await).await;
    }
}

async fn hits(id: u64, rows: &Arc<Rows>) -> bool {
    let (_, ran) = read(id, rows).await.expect("no call fails");
    !ran
}

/// Waits until every canary hits.
async fn all_hit(rows: &Arc<Rows>) {
    within(Duration::from_secs(20), "hits after the fault", async || {
        let mut all = true;
        for id in Rows::canaries() {
            all &= hits(id, rows).await;
        }
        all
    })
    .await;
}

/// Waits until another process reads what the quiet rows are now.
async fn all_in_effect(rows: &Arc<Rows>) {
    within(Duration::from_secs(20), "the invalidations of the outage", async || {
        let mut all = true;
        for id in Rows::quiet() {
            let (version, _) = read(id, rows).await.expect("no call fails");
            all &= version == rows.committed(id);
        }
        all
    })
    .await;
}

/// Looks until the condition holds.
pub(crate) async fn within(limit: Duration, what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < limit, "waited {limit:?} in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn reader(run: Run, mut rng: Rng) -> Report {
    let mut report = Report::default();
    loop {
        let phase = run.phase();
        if phase == Phase::Over {
            return report;
        }
        let id = rng.u64(0..BUSY);
        let floor = run.rows.acknowledged(id);
        let began = Instant::now();
        let outcome = read(id, &run.rows).await;
        times(&mut report, phase).note(began.elapsed());
        match outcome {
            Ok((version, _)) => report.stale += u64::from(version < floor),
            Err(_) => report.errors += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn times(report: &mut Report, phase: Phase) -> &mut Times {
    match phase {
        Phase::Before => &mut report.before,
        Phase::During => &mut report.during,
        Phase::After | Phase::Over => &mut report.after,
    }
}

/// Changes and invalidates one busy row after another, and during the fault each quiet row once.
async fn writer(run: Run) -> Report {
    let mut report = Report::default();
    let mut quiet = Rows::quiet();
    for turn in 0_u64.. {
        let phase = run.phase();
        if phase == Phase::Over {
            return report;
        }
        let next_quiet = (phase == Phase::During && turn % 2 == 0).then(|| quiet.next()).flatten();
        let id = next_quiet.unwrap_or(turn % BUSY);
        let version = run.rows.commit(id);
        match invalidate(id, turn).await {
            Ok(()) => {
                run.rows.acknowledge(id, version);
                report.acknowledged += 1;
            }
            Err(error) => {
                assert!(error.is_retryable(), "{error}");
                report.unsure += 1;
            }
        }
        tokio::time::sleep(BETWEEN_WRITES).await;
    }
    unreachable!("the run is over before the turns are")
}

async fn invalidate(id: u64, turn: u64) -> cache_runtime::Result<()> {
    match turn % 3 {
        0 => row::invalidate(id).await,
        _ => cache_runtime::cache().invalidate_tag(format!("row:{id}")).await,
    }
}
