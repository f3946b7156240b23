//! One run: a store, processes on it, faults beside them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::worker::{Answer, Order, SEATS, Sight, SubjectKind, WITHOUT, Watch, Worker};

use super::faults::{Crew, happen};
use super::kinds::{Kind, planned};
use super::schedule::{Happened, time_for};
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
    /// Only these of them, if there are any.
    pub only: Vec<Kind>,
    /// The rule of the protocol that is left out, by its name.
    pub without: Option<&'static str>,
    /// The same for the same choice of reads, writes and faults.
    pub seed: u64,
    /// One write among so many reads.
    pub reads_per_write: u32,
    /// How many processes; one where nothing is shared.
    pub processes: u64,
    /// How many of them only read: the first ones.
    pub readers: u64,
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
            only: Vec::new(),
            without: None,
            seed: 1,
            reads_per_write: 40,
            processes: 4,
            readers: 0,
            tasks: 8,
            timeout: None,
        }
    }

    /// What is to happen.
    #[must_use]
    pub fn planned(&self) -> Vec<Kind> {
        let mut kinds = planned(self.topology, self.topology.tells() && !self.near().is_zero());
        kinds.retain(|kind| match self.faults {
            true => self.only.is_empty() || self.only.contains(kind),
            // An administrator's daily work.
            false => *kind == Kind::MoveSlot,
        });
        kinds
    }

    /// How long a run has to be for everything to happen that is planned.
    #[must_use]
    pub fn long_enough(&self) -> Duration {
        time_for(&self.planned())
    }

    /// What had its time and never happened.
    fn missed(&self, happened: &Happened) -> Vec<Kind> {
        let mut missed = self.planned();
        missed.retain(|kind| self.time >= self.long_enough() && happened.times(*kind) == 0);
        missed
    }

    /// For how long a near copy is served.
    pub(super) fn near(&self) -> Duration {
        let millis = self.near.strip_suffix("ms").and_then(|text| text.parse().ok());
        Duration::from_millis(millis.unwrap_or_default())
    }

    /// How late a read may be.
    #[must_use]
    pub fn bound(&self) -> Duration {
        let near = self.near();
        let clock_error = if near.is_zero() { Duration::ZERO } else { CLOCK_ERROR };
        self.topology.late() + near + clock_error
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
            quiet: self.readers > 0,
            reads_per_write: (seat >= self.readers).then_some(self.reads_per_write),
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

/// What a run saw, and what happened during it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What the processes saw.
    pub sight: Sight,
    /// What happened, as far as it was seen to.
    pub happened: Happened,
    /// What was planned and never happened; only a run that is long enough misses it.
    pub missed: Vec<Kind>,
}

/// Runs it; `program` is one that serves as a worker.
///
/// # Panics
///
/// If a process or a server fails otherwise than it was made to.
pub async fn run(setup: &Setup, program: &Path) -> Report {
    let mut store = Store::start(setup.topology).await;
    let mut environment =
        vec![("CACHE_NAMESPACE", "shop".to_owned()), ("CACHE_NEAR", setup.near.clone())];
    if let Some(timeout) = &setup.timeout {
        environment.push(("CACHE_TIMEOUT", timeout.clone()));
    }
    if let Some(rule) = setup.without {
        environment.push((WITHOUT, rule.to_owned()));
    }
    if setup.topology == Topology::Memory && setup.planned().contains(&Kind::Evict) {
        environment.push(("CACHE_MAX_ENTRIES", "40".to_owned()));
    }
    let start = Start { program: program.to_owned(), folder: Folder::new(), environment };
    let workers =
        (0..setup.processes()).map(|seat| start.worker(seat, &store.environment(seat))).collect();
    let happened = Mutex::default();
    let sight =
        tokio::task::block_in_place(|| watch_all(setup, &start, workers, &mut store, &happened));
    let mut happened = happened.into_inner().expect("no panic");
    happened.note(Kind::Evict, sight.evicted);
    Report { missed: setup.missed(&happened), sight, happened }
}

fn watch_all(
    setup: &Setup,
    start: &Start,
    mut workers: Vec<Worker>,
    store: &mut Store,
    happened: &Mutex<Happened>,
) -> Sight {
    for (seat, worker) in workers.iter_mut().enumerate() {
        worker.tell(&Order::Watch(setup.watch(seat as u64)));
    }
    let goes_on = AtomicBool::new(true);
    // The faults stop workers by their process, and this thread reads their answers.
    let processes = workers.iter().map(Worker::process).collect();
    let to_store = store.environment(setup.processes());
    let crew = Crew { processes, start, setup, store: to_store, happened };
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

#[cfg(test)]
mod tests {
    use super::{Duration, Happened, Kind, Setup, Topology};

    #[test]
    fn what_is_planned_and_never_happens_is_missed_by_a_run_that_is_long_enough() {
        let setup = Setup { faults: true, ..Setup::new(Topology::Log) };
        let setup = Setup { time: setup.long_enough(), ..setup };
        let mut happened = Happened::default();
        for kind in setup.planned().into_iter().filter(|kind| *kind != Kind::Truncate) {
            happened.note(kind, 1);
        }
        assert_eq!(setup.missed(&happened), [Kind::Truncate]);
        happened.note(Kind::Truncate, 0);
        assert_eq!(setup.missed(&happened), [Kind::Truncate]);
        let shorter = Setup { time: setup.time - Duration::from_secs(1), ..setup.clone() };
        assert_eq!(shorter.missed(&happened), []);
        happened.note(Kind::Truncate, 1);
        assert_eq!(setup.missed(&happened), []);
    }

    #[test]
    fn without_faults_nothing_but_daily_work_is_planned() {
        let planned = |topology| Setup::new(topology).planned();
        assert_eq!(planned(Topology::Cluster), [Kind::MoveSlot]);
        assert_eq!(planned(Topology::Sentinel), []);
        let setup = Setup { near: "500ms".to_owned(), ..Setup::new(Topology::Standalone) };
        let planned = |faults| Setup { faults, ..setup.clone() }.planned();
        assert!(planned(true).contains(&Kind::DropListeners) && planned(false).is_empty());
    }
}
