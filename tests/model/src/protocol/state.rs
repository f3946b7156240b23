//! What the store, the callers and the writers remember.

/// Numbers that stand for random ids and nonces; 0 is none. They are renamed after each step, so
/// that states that differ only in their names are one.
pub type Id = u8;

/// A tag that readers know before the read.
pub const TAG: usize = 0;
/// A tag that only the loaded value names.
pub const RESULT: usize = 1;
/// The epoch of that tag's family.
pub const EPOCH: usize = 2;
/// How many marks there are.
pub const MARKS: usize = 3;

/// What a mark holds that a removal or a guard holds: no nonce.
pub const HELD: Id = Id::MAX;

/// Nobody's number.
pub const NOBODY: u8 = u8::MAX;

/// What a live mark is remembered by: its nonce, mixed with the incarnation of its server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// 0 for a mark that is absent.
    pub nonce: Id,
    pub life: u8,
}

/// A value in a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Entry {
    pub id: Id,
    /// How many commits the load had seen.
    pub version: u8,
    pub stamps: [Stamp; MARKS],
    pub life: u8,
    pub is_expired: bool,
}

/// What lies under the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cell {
    #[default]
    Absent,
    /// Somebody loads.
    Lease(Id),
    /// Somebody writes through.
    Write(Id),
    Value(Entry),
}

impl Cell {
    /// What steps compare that depend on what somebody saw before.
    pub fn prefix(&self) -> Id {
        match self {
            Cell::Absent => 0,
            Cell::Lease(id) | Cell::Write(id) => *id,
            Cell::Value(entry) => entry.id,
        }
    }

    fn each_id(&mut self, visit: &mut impl FnMut(&mut Id)) {
        match self {
            Cell::Absent => {}
            Cell::Lease(id) | Cell::Write(id) => visit(id),
            Cell::Value(entry) => {
                visit(&mut entry.id);
                entry.stamps.iter_mut().for_each(|stamp| visit(&mut stamp.nonce));
            }
        }
    }
}

/// A server, and what lies there. Server 0 has the cell; server 1 has marks alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Server {
    pub cell: Cell,
    /// The lease beside the cell, of whoever renews its value.
    pub beside: Id,
    pub marks: [Id; MARKS],
    /// The incarnation.
    pub life: u8,
}

impl Server {
    fn each_id(&mut self, visit: &mut impl FnMut(&mut Id)) {
        self.cell.each_id(visit);
        visit(&mut self.beside);
        self.marks.iter_mut().for_each(visit);
    }
}

/// Where a caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Idle,
    /// About to read the cell and the request's marks.
    Look,
    /// The cell is read, marks elsewhere are not (Cluster).
    LookAtMarks,
    /// Marks elsewhere are read, the cell is not (Cluster).
    LookAtCell,
    /// The tags that the entry names besides the request's are not read yet.
    LookAtResultTag,
    /// Nothing to serve: joins somebody's load or leads one.
    Board,
    /// Leads: about to take the key for a load.
    Take,
    /// Leads: marks elsewhere are to be read or created.
    Ensure,
    /// Leads: waits for another process's load.
    OutwaitCell,
    /// Leads: waits for whoever renews the value.
    OutwaitBeside,
    /// Leads: about to read the database.
    Load,
    /// Leads: has the value.
    Loaded,
    /// Leads: the marks are read that only the result names; epochs elsewhere are to be compared.
    Guard,
    /// Leads: about to store.
    Fill,
    /// Leads: stored; marks elsewhere are to be looked at.
    Touch,
    /// Leads: the store has answered.
    Land {
        is_exact: bool,
    },
    /// Waits for the end of a load of its process.
    Joined {
        leader: u8,
        before_load: bool,
    },
    /// Waits for it without a claim on its result.
    Watching {
        leader: u8,
    },
    /// Waits for the end of a load that stores nothing, for the sake of the flight that follows.
    Queued {
        leader: u8,
    },
    /// That load has ended: whoever comes first leads the next.
    Next,
    Done,
}

/// How far a load has come, for those who want to join it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Leads no load.
    #[default]
    None,
    Boarding,
    Loading,
    Filling,
}

/// Why a leader looks at the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Looking {
    #[default]
    ForItself,
    /// The load of another process has ended.
    AfterWaiting,
    /// A load that stored nothing has ended.
    BeforeNextFlight,
    /// Its own load has failed.
    InPlaceOfLoad,
}

/// What a look found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seen {
    pub cell: Cell,
    pub states: [Stamp; MARKS],
    pub life: u8,
}

/// What a leader holds of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Claim {
    /// False for `Claim::Nothing`.
    pub stores: bool,
    /// What the cell has to hold when the result comes.
    pub expected: Id,
    /// The lease, in the cell or beside it.
    pub lease: Id,
    pub is_beside: bool,
    pub stamps: [Stamp; MARKS],
    pub life: u8,
}

/// One caller, and the load that it leads, if any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Caller {
    pub process: u8,
    pub reads: u8,
    pub step: Step,
    /// What was acknowledged when the read began.
    pub floor: u8,
    /// Whether its own read is over, and it loads in the background.
    pub is_background: bool,
    /// Whose load it does not wait for any more.
    pub given_up: u8,
    pub looking: Looking,
    pub seen: Seen,
    pub claim: Claim,
    pub version: u8,
    pub phase: Phase,
    /// Whether others find its load.
    pub in_table: bool,
    /// Whether the load stands still.
    pub is_stalled: bool,
}

impl Caller {
    pub fn new(process: u8, reads: u8) -> Self {
        Self {
            process,
            reads,
            step: Step::Idle,
            floor: 0,
            is_background: false,
            given_up: NOBODY,
            looking: Looking::ForItself,
            seen: Seen::default(),
            claim: Claim::default(),
            version: 0,
            phase: Phase::None,
            in_table: false,
            is_stalled: false,
        }
    }

    /// Whether it leads a load whose result will not be stored (`Flight::store_nothing`).
    pub fn stores_nothing(&self) -> bool {
        !self.claim.stores && matches!(self.step, Step::Load | Step::Loaded)
    }

    /// Whether it holds a lease that it would renew.
    pub fn renews(&self, lease: Id) -> bool {
        let loads = matches!(
            self.step,
            Step::Ensure | Step::Load | Step::Loaded | Step::Guard | Step::Fill
        );
        loads && !self.is_stalled && self.claim.lease == lease
    }

    fn each_id(&mut self, visit: &mut impl FnMut(&mut Id)) {
        self.seen.cell.each_id(visit);
        self.seen.states.iter_mut().for_each(|stamp| visit(&mut stamp.nonce));
        visit(&mut self.claim.expected);
        visit(&mut self.claim.lease);
        self.claim.stamps.iter_mut().for_each(|stamp| visit(&mut stamp.nonce));
    }
}

/// Where a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriterStep {
    Idle,
    /// Writes through, and saw no value that could be replaced: a claim is to be put there.
    Claim,
    /// Writes through: marks elsewhere are to be read.
    ClaimMarks,
    /// About to commit.
    Commit,
    /// Writes through: about to store.
    Fill,
    /// About to remove the first name.
    Remove,
    /// About to remove the second one.
    RemoveSecond,
    /// About to hold these marks, a bit for each, in any order.
    Hold(u8),
    /// About to release them.
    Lift(u8),
    /// Waits for the replica.
    Wait {
        is_there: bool,
    },
    /// About to return.
    Return,
    Done,
}

/// Somebody who changes the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Writer {
    pub step: WriterStep,
    pub version: u8,
    pub claim: Claim,
}

/// A command that timed out, and may still be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Late {
    Acquire { expected: Id, lease: Id },
    Fill { expected: Id, entry: Entry, attempts: u8, is_write: bool },
}

/// What is left of the faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    pub drops: u8,
    pub late: u8,
    pub failures: u8,
    pub stalls: u8,
    pub failovers: [u8; 2],
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    StaleRead,
    StaleShare,
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How many commits the database has seen.
    pub database: u8,
    /// The latest of them whose invalidation was acknowledged.
    pub acknowledged: u8,
    pub servers: [Server; 2],
    pub replicas: [Server; 2],
    /// The old server of cells, which the first process still talks to.
    pub old: Option<Server>,
    pub callers: Vec<Caller>,
    pub writers: Vec<Writer>,
    pub late: Vec<Late>,
    pub budget: Budget,
    pub loads: u8,
    pub broken: Option<Broken>,
}

impl State {
    fn each_id(&mut self, visit: &mut impl FnMut(&mut Id)) {
        self.servers.iter_mut().for_each(|server| server.each_id(visit));
        self.replicas.iter_mut().for_each(|server| server.each_id(visit));
        self.old.iter_mut().for_each(|server| server.each_id(visit));
        self.callers.iter_mut().for_each(|caller| caller.each_id(visit));
        for writer in &mut self.writers {
            visit(&mut writer.claim.expected);
            visit(&mut writer.claim.lease);
            writer.claim.stamps.iter_mut().for_each(|stamp| visit(&mut stamp.nonce));
        }
        for late in &mut self.late {
            match late {
                Late::Acquire { expected, lease } => {
                    visit(expected);
                    visit(lease);
                }
                Late::Fill { expected, entry, .. } => {
                    visit(expected);
                    visit(&mut entry.id);
                    entry.stamps.iter_mut().for_each(|stamp| visit(&mut stamp.nonce));
                }
            }
        }
    }

    /// An id that nobody has.
    pub fn unused(&mut self) -> Id {
        let mut largest = 0;
        self.each_id(&mut |id| largest = if *id == HELD { largest } else { largest.max(*id) });
        largest + 1
    }

    /// Renames all ids in the order in which they occur.
    pub fn rename(&mut self) {
        let (mut names, mut named) = ([0; 256], 0);
        self.each_id(&mut |id| {
            let name = &mut names[usize::from(*id)];
            if *id == HELD {
                return;
            }
            if *id != 0 && *name == 0 {
                named += 1;
                *name = named;
            }
            *id = *name;
        });
    }
}
