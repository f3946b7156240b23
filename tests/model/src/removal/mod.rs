//! Removals of several names, what is held meanwhile, and functions whose loads call one another.
//!
//! An inner entry may be what an outer one is made of, so an invalidation that is meant for both has
//! to reach both before anybody can make a new outer entry of an old inner one. What goes at one
//! instant does. What cannot, because it lies in several buckets or is found page by page, is
//! blocked first, all of it, and then removed: marks are held, cells are blocked as if a writer had
//! them, and a scan holds a mark that every load in the namespace heeds.
//!
//! | here | what | in `cache-runtime/src` |
//! |---|---|---|
//! | [`state`] | what everybody remembers | |
//! | `callers` | reads, loads, refreshes | `cache/remote/{read,claim}.rs`, `cache/memory.rs` |
//! | `writers` | removals, holds, scans, guards | `provider/commands/{remove,holds,scan,sweep}.rs` |
//! | `faults` | crashes, holds that end, failover | |
//!
//! A look and the ACQUIRE after it are one step here: ACQUIRE compares the cell, and a nonce never
//! comes back, so that what happens in between makes the look one that was made later.

mod callers;
mod faults;
pub mod state;
mod writers;

use crate::explore::{Model, Steps};
use state::{CELLS, Caller, Cell, Entry, Frame, MARKS, Mark, Progress, State, Step};

/// A cached function; its load calls the next one, and that of the last one reads the database.
#[derive(Clone, Debug, Default)]
pub struct Function {
    /// The marks that its entries carry and that are known before the read.
    pub carries: Vec<usize>,
    /// The marks that its loads heed without carrying them: while one is held they store nothing.
    pub heeds: Vec<usize>,
    /// A tag that only its result names, and the epoch of that tag's family.
    pub result: Option<(usize, usize)>,
    /// In which bucket its cell lies.
    pub bucket: usize,
}

/// How a mark remembers who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// That it is held: the first release ends it.
    Flagged,
    /// How many do (`lua/put_hold.lua`).
    Counted,
    /// Who does.
    Named,
}

/// What becomes of a cell that a removal has blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// Another removal of the key ends the block, and nobody notices (`lua/lift.lua`).
    Unnoticed,
    /// It ends it, and the removal whose block it was fails: it is done again.
    Noticed,
    /// It leaves it: a block names its holders, as a mark does.
    Kept,
}

/// When a load of the in-memory provider asks whether a removal is under way (`Store::is_swept`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// It is no load of the in-memory provider.
    Not,
    /// After it has its lease and has seen its tags (`MemoryClaim::take`).
    AfterTags,
    /// Before it has seen its tags.
    BeforeTags,
}

/// From when on a change has to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promises {
    /// From the acknowledgement on (P1).
    AtOk,
    /// From the commit on, also if the writer dies: what a write guard is for.
    AtCommit,
    Nothing,
}

/// One thing that is done to one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The database changes.
    Commits,
    /// A mark is held (`lua/hold.lua`).
    Holds(usize),
    /// One hold of a mark ends (`lua/lift.lua`).
    Releases(usize),
    /// A mark is removed, unless it is held (`lua/unlink.lua`).
    Removes(usize),
    /// A cell is blocked (`lua/hold.lua`).
    Blocks(usize),
    /// A cell that was blocked is removed (`lua/lift.lua`).
    Unblocks(usize),
    /// A cell is removed.
    RemovesCell(usize),
    /// A cell is claimed by a writer that stores what it wrote (`RemoteWrite::claim`).
    ClaimsCell(usize),
    /// It stores that if its claim still holds, else it removes the cell (`RemoteWrite::finish`).
    FillsCell(usize),
    /// A scan begins: what is there until its end will be found.
    BeginsScan,
    /// A page of it may find a cell.
    ScansCell(usize),
    /// The in-memory provider's count of removals (`Store::sweep`).
    CountsUp,
    CountsDown,
}

/// Somebody who changes the database, or removes for no reason.
#[derive(Clone, Debug)]
pub struct Writer {
    /// One phase after the other; the commands of a phase in any order, each of them at one instant.
    pub phases: Vec<Vec<Vec<Act>>>,
    pub promises: Promises,
}

/// A configuration.
#[derive(Clone, Debug)]
pub struct Removals {
    /// The outermost first.
    pub functions: Vec<Function>,
    /// In which bucket each mark lies.
    pub buckets: [usize; MARKS],
    /// Which function each caller calls.
    pub callers: Vec<usize>,
    pub writers: Vec<Writer>,

    pub holds: Holds,
    /// Whether removing a held mark ends the hold.
    pub removal_ends_holds: bool,
    /// Whether a removal fails that finds its hold gone when it wants to release it.
    pub notices_lost_holds: bool,
    pub blocks: Blocks,
    /// Whether a lease lies in the cell, where a scan finds it.
    pub leases_in_place: bool,
    pub asks: Asks,
    /// Whether the store has every function's entry at the beginning.
    pub starts_filled: bool,
    /// Whether loads may read a replica of the database that lags.
    pub loads_lag: bool,
    /// Whether a near cache has a copy of the innermost entry, up to its bound.
    pub near: bool,
    /// Whether loads read past the near cache (rule K1).
    pub reads_past_near: bool,

    /// How many refreshes in the background there may be, and whether they heed what loads heed.
    pub refreshes: u8,
    pub refreshes_heed: bool,
    /// How many writers may die in the middle.
    pub crashes: u8,
    /// How many holds may end while their writer relies on them: by eviction, or because the writer
    /// took longer than they last.
    pub early_ends: u8,
    /// How many releases may be done twice, since the first answer was lost.
    pub repeats: u8,
    /// How often a bucket's server may be replaced by one that knows of no hold.
    pub failovers: u8,
}

impl Removals {
    /// With rules under which all promises hold, and nothing going wrong.
    pub fn of(functions: Vec<Function>, writers: Vec<Writer>) -> Self {
        Self {
            functions,
            buckets: [0, 1, 0, 1, 0],
            callers: vec![0; 3],
            writers,
            holds: Holds::Counted,
            removal_ends_holds: false,
            notices_lost_holds: true,
            blocks: Blocks::Kept,
            leases_in_place: true,
            asks: Asks::Not,
            starts_filled: true,
            loads_lag: false,
            near: false,
            reads_past_near: true,
            refreshes: 0,
            refreshes_heed: true,
            crashes: 0,
            early_ends: 0,
            repeats: 0,
            failovers: 0,
        }
    }

    fn innermost(&self) -> usize {
        self.functions.len() - 1
    }

    /// The marks of a function that lie beside its cell, or those that do not.
    fn marks_before_load(&self, level: usize, beside: bool) -> impl Iterator<Item = usize> {
        let function = &self.functions[level];
        let epoch = function.result.map(|(_, epoch)| epoch);
        let all = function.carries.iter().chain(&function.heeds).copied().chain(epoch);
        all.filter(move |mark| (self.buckets[*mark] == function.bucket) == beside)
    }

    fn is_carried(&self, level: usize, mark: usize) -> bool {
        let function = &self.functions[level];
        function.carries.contains(&mark) || function.result.is_some_and(|(tag, _)| tag == mark)
    }

    fn is_valid(&self, state: &State, level: usize, entry: &Entry) -> bool {
        (0..MARKS).filter(|mark| self.is_carried(level, *mark)).all(|mark| {
            let Mark { nonce, holders } = state.marks[mark];
            holders == 0 && nonce != 0 && nonce == entry.stamps[mark]
        })
    }
}

impl Model for Removals {
    type State = State;

    fn initial(&self) -> State {
        let mut state = State {
            database: 0,
            lagging: 0,
            promised: 0,
            cells: [Cell::Absent; CELLS],
            marks: [Mark::default(); MARKS],
            near: self.near,
            bound_has_passed: false,
            under_way: 0,
            found_by_scan: 0,
            callers: self.callers.iter().map(|top| Caller::new(*top as u8)).collect(),
            writers: vec![Progress::default(); self.writers.len()],
            late: None,
            budget: [self.refreshes, self.crashes, self.early_ends, self.repeats, self.failovers],
            is_stale: false,
        };
        for level in (0..self.functions.len()).filter(|_| self.starts_filled) {
            let mut entry = Entry { id: state.unused(), version: 0, stamps: [0; MARKS] };
            state.cells[level] = Cell::Value(entry);
            for mark in (0..MARKS).filter(|mark| self.is_carried(level, *mark)) {
                entry.stamps[mark] = state.ensure(mark);
                state.cells[level] = Cell::Value(entry);
            }
        }
        state.rename();
        state
    }

    fn steps(&self, state: &State, steps: &mut Steps<State>) {
        for at in 0..state.callers.len() {
            callers::caller(self, state, at, steps);
        }
        for at in 0..state.writers.len() {
            writers::writer(self, state, at, steps);
        }
        faults::faults(self, state, steps);
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        state.is_stale.then_some("P1: a read returned an older value than what was promised to it")
    }

    fn is_finished(&self, state: &State) -> bool {
        let is_over = |(writer, progress): (&Writer, &Progress)| {
            progress.has_ended || usize::from(progress.phase) > writer.phases.len()
        };
        state.callers.iter().all(|caller| caller.step == Step::Done)
            && self.writers.iter().zip(&state.writers).all(is_over)
    }
}

impl Caller {
    fn new(top: u8) -> Self {
        Self {
            step: Step::Idle,
            is_background: false,
            top,
            level: top,
            floor: 0,
            version: 0,
            frames: [Frame::default(); CELLS],
        }
    }
}
