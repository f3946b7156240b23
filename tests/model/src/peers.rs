//! Other ways to invalidate, as libraries in use have them, each with what is wrong about it.
//!
//! One key and readers that look, load and fill; one writer that commits and invalidates. What the
//! readers compare when they fill, and what the writer leaves behind, is what the ways differ in.

use crate::explore::{Model, Steps};

/// How a value is kept from being stored, or served, after it was invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A tombstone in place of the value, which fills respect while it lasts.
    Tombstone,
    /// A lease under a name of its own. The writer removes the value, then the lease.
    LeaseApartValueFirst,
    /// The writer removes the lease, then the value.
    LeaseApartLeaseFirst,
    /// The writer removes both at one instant.
    LeaseApartTogether,
    /// A counter for a tag, which entries carry as it was before their load.
    Counter,
    /// A number that never comes back in place of the counter.
    Nonce,
    /// The time of the tag's last invalidation; an entry carries that of its load's begin.
    TimeOfLoad { skew: i8, ties_are_valid: bool },
    /// An entry carries the time of its fill.
    TimeOfFill,
}

/// A way, and how many readers there are.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    pub way: Way,
    pub readers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    Look,
    Load,
    Fill,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reader {
    step: Step,
    floor: u8,
    version: u8,
    /// The lease, or what the tag or the clock said before the load.
    stamp: i8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Cell {
    Absent,
    Tombstone,
    Value { version: u8, stamp: i8 },
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    database: u8,
    acknowledged: u8,
    cell: Cell,
    /// The lease, the tag's counter or nonce, or the time of its invalidation; 0 is none.
    beside: i8,
    drawn: i8,
    clock: i8,
    readers: Vec<Reader>,
    writer: u8,
    is_stale: bool,
}

const LAST_TICK: i8 = 4;

impl Peer {
    fn has_lease(self) -> bool {
        use Way::{LeaseApartLeaseFirst, LeaseApartTogether, LeaseApartValueFirst};
        matches!(self.way, LeaseApartValueFirst | LeaseApartLeaseFirst | LeaseApartTogether)
    }

    fn has_clock(self) -> bool {
        matches!(self.way, Way::TimeOfLoad { .. } | Way::TimeOfFill)
    }

    fn is_valid(self, state: &State, stamp: i8) -> bool {
        match self.way {
            Way::Counter | Way::Nonce => state.beside != 0 && stamp == state.beside,
            Way::TimeOfLoad { ties_are_valid: true, .. } => stamp >= state.beside,
            Way::TimeOfLoad { .. } | Way::TimeOfFill => stamp > state.beside,
            _ => true,
        }
    }

    /// What a reader takes along into its load.
    fn begin_load(self, next: &mut State, at: usize) -> bool {
        match self.way {
            Way::Tombstone | Way::TimeOfFill => {}
            Way::TimeOfLoad { .. } => next.readers[at].stamp = next.clock,
            Way::Counter | Way::Nonce => {
                if next.beside == 0 {
                    next.drawn += 1;
                    // A counter that was evicted begins anew.
                    next.beside = if self.way == Way::Counter { 1 } else { next.drawn };
                }
                next.readers[at].stamp = next.beside;
            }
            _ if next.beside != 0 => return false,
            _ => {
                next.drawn += 1;
                (next.beside, next.readers[at].stamp) = (next.drawn, next.drawn);
            }
        }
        true
    }

    fn fill(self, next: &mut State, at: usize) {
        let Reader { version, mut stamp, .. } = next.readers[at];
        if self.way == Way::TimeOfFill {
            stamp = next.clock;
        }
        let is_refused = match self.way {
            Way::Tombstone => next.cell == Cell::Tombstone,
            _ => self.has_lease() && next.beside != stamp,
        };
        if is_refused {
            return;
        }
        if self.has_lease() {
            next.beside = 0;
        }
        next.cell = Cell::Value { version, stamp };
    }

    fn reader(self, state: &State, at: usize, steps: &mut Steps<State>) {
        let (mut next, reader) = (state.clone(), state.readers[at]);
        let what = match reader.step {
            Step::Idle => {
                next.readers[at].floor = state.acknowledged;
                next.readers[at].step = Step::Look;
                "begins"
            }
            Step::Look => match state.cell {
                Cell::Value { version, stamp } if self.is_valid(state, stamp) => {
                    next.is_stale |= version < reader.floor;
                    next.readers[at].step = Step::Done;
                    "hits"
                }
                _ => {
                    let leads = self.begin_load(&mut next, at);
                    next.readers[at].step = if leads { Step::Load } else { Step::Done };
                    if leads { "misses" } else { "loads for itself" }
                }
            },
            Step::Load => {
                next.readers[at].version = state.database;
                next.readers[at].step = Step::Fill;
                "reads the database"
            }
            Step::Fill => {
                self.fill(&mut next, at);
                next.readers[at].step = Step::Done;
                "fills"
            }
            Step::Done => return,
        };
        steps.add(next, |next| {
            format!("reader {at}: {what}; the key holds {:?}, beside {}", next.cell, next.beside)
        });
    }

    fn writer(self, state: &State, steps: &mut Steps<State>) {
        let mut next = state.clone();
        next.writer += 1;
        let what = match state.writer {
            0 => {
                next.database = 1;
                "commits"
            }
            1 => {
                self.invalidate(&mut next);
                "invalidates"
            }
            2 => {
                match self.way {
                    Way::LeaseApartValueFirst => next.beside = 0,
                    Way::LeaseApartLeaseFirst => next.cell = Cell::Absent,
                    _ => {}
                }
                "is done with it"
            }
            3 => {
                next.acknowledged = 1;
                "Ok"
            }
            _ => return,
        };
        steps.add(next, |next| {
            format!("writer: {what}; the key holds {:?}, beside {}", next.cell, next.beside)
        });
    }

    fn invalidate(self, next: &mut State) {
        match self.way {
            Way::Tombstone => next.cell = Cell::Tombstone,
            Way::LeaseApartValueFirst => next.cell = Cell::Absent,
            Way::LeaseApartLeaseFirst => next.beside = 0,
            Way::LeaseApartTogether => (next.cell, next.beside) = (Cell::Absent, 0),
            Way::Counter if next.beside != 0 => next.beside += 1,
            Way::Counter => next.beside = 1,
            Way::Nonce => next.beside = 0,
            Way::TimeOfLoad { skew, .. } => next.beside = next.clock + skew,
            Way::TimeOfFill => next.beside = next.clock,
        }
    }

    /// What time does: it goes by, tombstones end, tags are evicted.
    fn time(self, state: &State, steps: &mut Steps<State>) {
        let mut next = state.clone();
        let what = match self.way {
            Way::Tombstone if state.cell == Cell::Tombstone => {
                next.cell = Cell::Absent;
                "the tombstone ends"
            }
            Way::Counter | Way::Nonce if state.beside != 0 => {
                next.beside = 0;
                "the tag is evicted"
            }
            _ if self.has_clock() && state.clock < LAST_TICK => {
                next.clock += 1;
                "the clock ticks"
            }
            _ if self.has_lease() && state.beside != 0 => {
                next.beside = 0;
                "the lease ends"
            }
            _ => return,
        };
        steps.add(next, |_| what.to_owned());
    }
}

impl Model for Peer {
    type State = State;

    fn initial(&self) -> State {
        let reader = Reader { step: Step::Idle, floor: 0, version: 0, stamp: 0 };
        State {
            database: 0,
            acknowledged: 0,
            cell: Cell::Absent,
            beside: if self.has_clock() { -9 } else { 0 },
            drawn: 0,
            clock: 0,
            readers: vec![reader; self.readers],
            writer: 0,
            is_stale: false,
        }
    }

    fn steps(&self, state: &State, steps: &mut Steps<State>) {
        for at in 0..state.readers.len() {
            self.reader(state, at, steps);
        }
        self.writer(state, steps);
        self.time(state, steps);
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        state.is_stale.then_some("P1: a read that began after the invalidation hit an older value")
    }

    fn is_finished(&self, state: &State) -> bool {
        state.readers.iter().all(|reader| reader.step == Step::Done) && state.writer == 4
    }
}
