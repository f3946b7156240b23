//! What the store, the callers and the writers remember.

use crate::explore::Steps;

/// Numbers that stand for random ids and nonces; 0 is none. They are renamed after each step.
pub type Id = u8;

/// How many functions there can be.
pub const CELLS: usize = 3;
/// How many marks there can be.
pub const MARKS: usize = 5;

/// A mark: its nonce, or who holds it; neither if it is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mark {
    pub nonce: Id,
    /// How many hold it, or a bit for each writer that does.
    pub holders: u8,
}

/// A value in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entry {
    pub id: Id,
    pub version: u8,
    pub stamps: [Id; MARKS],
}

/// What lies under a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cell {
    #[default]
    Absent,
    /// Somebody loads.
    Lease(Id),
    /// Removals or guards have blocked it: a bit for each.
    Blocked(u8),
    /// This writer writes through.
    Claimed(u8),
    Value(Entry),
}

/// Where a caller is in its innermost load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Idle,
    /// About to look, and to take the key if nothing is to be served.
    Look,
    /// Marks elsewhere are to be read or created (Cluster), or all of them (in memory).
    ReadMarks,
    /// In memory: is a removal under way?
    Ask,
    Load,
    /// The marks are to be read that only the result names.
    ReadResultTag,
    Fill,
    Done,
}

/// What one load of a caller holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Frame {
    /// What the cell must hold to be filled: the lease, or the value that is refreshed. 0 if the
    /// load stores nothing.
    pub expected: Id,
    pub stamps: [Id; MARKS],
}

/// Somebody who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    pub step: Step,
    /// Whether it has its value, and goes on to refresh it.
    pub is_background: bool,
    /// Which function it called, and in whose load it is.
    pub top: u8,
    pub level: u8,
    pub floor: u8,
    pub version: u8,
    pub frames: [Frame; CELLS],
}

/// How far a writer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Progress {
    pub phase: u8,
    /// A bit for each command of the phase that is done.
    pub done: u8,
    pub version: u8,
    /// Whether it found that a hold or a block of its own had ended before.
    pub has_lost: bool,
    /// Whether it has died or failed.
    pub has_ended: bool,
}

/// Refreshes, crashes, holds that end early, releases done twice, failovers: how many are left.
pub type Budget = [u8; 5];

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub database: u8,
    /// The version that a replica of the database has.
    pub lagging: u8,
    /// What a read that begins now has to see.
    pub promised: u8,
    pub cells: [Cell; CELLS],
    pub marks: [Mark; MARKS],
    /// Whether the near cache has its copy of the innermost entry, which is of version 0.
    pub near: bool,
    pub bound_has_passed: bool,
    /// How many removals of several names are under way in memory.
    pub under_way: u8,
    /// A bit for each cell that has been there since the scan began.
    pub found_by_scan: u8,
    pub callers: Vec<Caller>,
    pub writers: Vec<Progress>,
    /// A release that will be done again: by whom, and of which mark.
    pub late: Option<(u8, u8)>,
    pub budget: Budget,
    pub is_stale: bool,
}

impl State {
    /// The nonce of a mark that nobody holds; created if it is absent. 0 if it is held.
    pub(super) fn ensure(&mut self, mark: usize) -> Id {
        if self.marks[mark].holders > 0 {
            return 0;
        }
        if self.marks[mark].nonce == 0 {
            self.marks[mark].nonce = self.unused();
        }
        self.marks[mark].nonce
    }

    fn each_id(&mut self, visit: &mut impl FnMut(&mut Id)) {
        for cell in &mut self.cells {
            match cell {
                Cell::Absent | Cell::Blocked(_) | Cell::Claimed(_) => {}
                Cell::Lease(id) => visit(id),
                Cell::Value(entry) => {
                    visit(&mut entry.id);
                    entry.stamps.iter_mut().for_each(&mut *visit);
                }
            }
        }
        self.marks.iter_mut().for_each(|mark| visit(&mut mark.nonce));
        for frame in self.callers.iter_mut().flat_map(|caller| &mut caller.frames) {
            visit(&mut frame.expected);
            frame.stamps.iter_mut().for_each(&mut *visit);
        }
    }

    /// An id that nobody has.
    pub(super) fn unused(&mut self) -> Id {
        let mut largest = 0;
        self.each_id(&mut |id| largest = largest.max(*id));
        largest + 1
    }

    /// Renames all ids in the order in which they occur.
    pub(super) fn rename(&mut self) {
        let (mut names, mut named) = ([0; 256], 0);
        self.each_id(&mut |id| {
            let name = &mut names[usize::from(*id)];
            if *id != 0 && *name == 0 {
                named += 1;
                *name = named;
            }
            *id = *name;
        });
    }

    /// Adds this as the outcome of a step.
    pub(super) fn push(mut self, steps: &mut Steps<State>, name: impl FnOnce(&State) -> String) {
        self.rename();
        for (at, cell) in self.cells.iter().enumerate() {
            if *cell == Cell::Absent {
                self.found_by_scan &= !(1 << at);
            }
        }
        steps.add(self, name);
    }
}
