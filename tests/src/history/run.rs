//! One run: a store, processes on it, faults beside them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::worker::{Answer, Order, SEATS, Sight, SubjectKind, Watch, Worker};

use super::faults::{Crew, happen};
use super::store::{Store, Topology};

/// What a near copy may be late beyond its bound: a read that began in time and was held up before
/// it looked is not late, so this is for the clock alone.
const CLOCK_ERROR: Duration = Duration::from_millis(1);

/// What is run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The store.
    pub topology: Topology,
    /// Through which cache.
    pub subject: SubjectKind,
    /// `CACHE_NEAR`: `off`, `validated` or a time.
    pub near: String,
    /// How many of a hundred invalidations wait for the near caches.
    pub settled: u32,
    /// How many of a hundred of the other writes are guarded.
    pub guarded: u32,
    /// How long.
    pub time: Duration,
    /// Whether faults happen.
    pub faults: bool,
    /// The same for the same choice of reads, writes and faults.
    pub seed: u64,
    /// One write among so many reads.
    pub reads_per_write: u32,
    /// How many processes; one where nothing is shared.
    pub processes: u64,
    /// How many tasks each of them has.
    pub tasks: u64,
    /// The budget of the caches; their own default if there is none.
    pub timeout: Option<String>,
}

impl Setup {
    /// A run of this topology, without faults or near caches.
    #[must_use]
    pub fn new(topology: Topology) -> Self {
        Self {
            topology,
            subject: SubjectKind::Annotated,
            near: "off".to_owned(),
            settled: 0,
            guarded: 5,
            time: Duration::from_secs(20),
            faults: false,
            seed: 1,
            reads_per_write: 40,
            processes: 4,
            tasks: 8,
            timeout: None,
        }
    }

    /// How late a read may be.
    #[must_use]
    pub fn bound(&self) -> Duration {
        let near = self.near.strip_suffix("ms").and_then(|text| text.parse().ok());
        let near = near.map(|millis| Duration::from_millis(millis) + CLOCK_ERROR);
        self.topology.lag() + near.unwrap_or_default()
    }

    fn processes(&self) -> u64 {
        if self.topology.is_shared() { self.processes } else { 1 }
    }

    pub(super) fn watch(&self, seat: u64) -> Watch {
        Watch {
            subject: self.subject,
            seed: self.seed * 100 + seat,
            time: self.time,
            // What waits for no server needs more of them to be busy.
            tasks: if self.topology.is_shared() { self.tasks } else { self.tasks * 16 },
            bound: self.bound(),
            settled: self.settled,
            reads_per_write: self.reads_per_write,
            guarded: if self.subject == SubjectKind::Annotated { self.guarded } else { 0 },
        }
    }
}

/// The files of the oracle; they go when this is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cache-history-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("the folder can be written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts workers on one store and one oracle.
pub(super) struct Start {
    program: PathBuf,
    folder: Folder,
    environment: Vec<(&'static str, String)>,
}

impl Start {
    /// The process with this seat; `store` leads to the store.
    pub(super) fn worker(&self, seat: u64, store: &[(&str, String)]) -> Worker {
        assert!(seat < SEATS, "at most {SEATS} processes");
        let oracle = format!("files:{seat}:{}", self.folder.0.display());
        let environment: Vec<(&str, &str)> = self
            .environment
            .iter()
            .chain(store)
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Worker::start(&self.program.display().to_string(), &oracle, &environment)
    }
}

/// Runs it; `program` is one that serves as a worker.
///
/// # Panics
///
/// If a process or a server fails otherwise than it was made to.
pub async fn run(setup: &Setup, program: &Path) -> Sight {
    let mut store = Store::start(setup.topology).await;
    let mut environment =
        vec![("CACHE_NAMESPACE", "shop".to_owned()), ("CACHE_NEAR", setup.near.clone())];
    if let Some(timeout) = &setup.timeout {
        environment.push(("CACHE_TIMEOUT", timeout.clone()));
    }
    if setup.faults && !setup.topology.is_shared() {
        // Eviction under pressure.
        environment.push(("CACHE_MAX_ENTRIES", "40".to_owned()));
    }
    let start = Start { program: program.to_owned(), folder: Folder::new(), environment };
    let workers =
        (0..setup.processes()).map(|seat| start.worker(seat, &store.environment(seat))).collect();
    tokio::task::block_in_place(|| watch_all(setup, &start, workers, &mut store))
}

fn watch_all(setup: &Setup, start: &Start, mut workers: Vec<Worker>, store: &mut Store) -> Sight {
    for (seat, worker) in workers.iter_mut().enumerate() {
        worker.tell(&Order::Watch(setup.watch(seat as u64)));
    }
    let goes_on = AtomicBool::new(true);
    // The faults stop workers by their process, and this thread reads their answers.
    let processes = workers.iter().map(Worker::process).collect();
    let crew = Crew { processes, start, setup, store: store.environment(setup.processes()) };
    let total = Mutex::new(Sight::default());
    std::thread::scope(|scope| {
        scope.spawn(|| happen(store, &crew, &goes_on));
        let _over = Over(&goes_on);
        for worker in &mut workers {
            match worker.answer() {
                Answer::Watched(sight) => total.lock().expect("no panic").add(*sight),
                other => panic!("{other:?}"),
            }
        }
    });
    total.into_inner().expect("no panic")
}

/// Ends the faults, also when a worker fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}
