//! One read of the store for many callers of one key (`cache/remote/share.rs`).
//!
//! At most one read is under way and one waits for it. Whoever comes before a read is sent may take
//! its answer; whoever comes later waits for the one that follows. What an answer says counts from
//! the moment at which the server read it; here it is the number of invalidations by then.

use crate::explore::{Model, Steps};

/// Which read's answer a caller may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// That of a read that was sent after the caller began (`Flights::board`, `Boarding::Queue`).
    SentAfter,
    /// That of any read that has not come back.
    UnderWay,
}

/// A configuration.
#[derive(Clone, Copy, Debug)]
pub struct SharedReads {
    pub takes: Takes,
    pub callers: usize,
    pub changes: u8,
    /// How many callers may be dropped while they read for others.
    pub drops: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// Reads for itself and for those who wait for this read: it is not sent yet.
    Leads,
    /// It is sent.
    Sent,
    /// The server has read.
    Read(u8),
    /// Waits for this caller's read.
    Waits(u8),
    /// Waits for the read that follows the one under way.
    Queued,
    Alone,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Caller {
    step: Step,
    floor: u8,
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    stored: u8,
    acknowledged: u8,
    callers: Vec<Caller>,
    drops: u8,
    is_stale: bool,
}

impl State {
    fn reader(&self, is_sent: bool) -> Option<usize> {
        self.callers.iter().position(|caller| match caller.step {
            Step::Leads => !is_sent,
            Step::Sent | Step::Read(_) => is_sent,
            _ => false,
        })
    }

    fn take(&mut self, at: usize, version: u8) {
        self.is_stale |= version < self.callers[at].floor;
        self.callers[at] = Caller { step: Step::Done, floor: 0 };
    }

    /// A read has ended, or nobody reads any more: those who waited for the next one begin it.
    fn follow(&mut self) {
        let mut first = None;
        for at in 0..self.callers.len() {
            if self.callers[at].step == Step::Queued {
                let leader = *first.get_or_insert(at);
                let leads = leader == at;
                self.callers[at].step = if leads { Step::Leads } else { Step::Waits(leader as u8) };
            }
        }
    }
}

impl SharedReads {
    fn caller(self, state: &State, at: usize, steps: &mut Steps<State>) {
        let (mut next, caller) = (state.clone(), state.callers[at]);
        let what = match caller.step {
            Step::Idle => {
                let step = match (state.reader(false), state.reader(true)) {
                    (Some(leader), _) => Step::Waits(leader as u8),
                    (None, Some(leader)) if self.takes == Takes::UnderWay => {
                        Step::Waits(leader as u8)
                    }
                    (None, Some(_)) => Step::Queued,
                    (None, None) => Step::Leads,
                };
                next.callers[at] = Caller { step, floor: state.acknowledged };
                "begins"
            }
            Step::Leads => {
                next.callers[at].step = Step::Sent;
                "sends a read"
            }
            Step::Sent => {
                next.callers[at].step = Step::Read(state.stored);
                "is read by the server"
            }
            Step::Read(version) => {
                next.take(at, version);
                for other in 0..state.callers.len() {
                    if state.callers[other].step == Step::Waits(at as u8) {
                        next.take(other, version);
                    }
                }
                next.follow();
                "has the answer, for all who wait for it"
            }
            Step::Alone => {
                next.take(at, state.stored);
                "reads alone"
            }
            // A budget of time ends the wait.
            Step::Waits(_) | Step::Queued => {
                next.callers[at].step = Step::Alone;
                "waits no longer"
            }
            Step::Done => return,
        };
        let is_reading = matches!(caller.step, Step::Leads | Step::Sent | Step::Read(_));
        if is_reading && state.drops > 0 {
            self.drop_reader(state, at, steps);
        }
        steps.add(next, |next| {
            format!("caller {at}: {what} -> {:?} (floor {})", next.callers[at].step, caller.floor)
        });
    }

    /// A caller is dropped while it reads: those who wait read for themselves (`Reader::drop`).
    fn drop_reader(self, state: &State, at: usize, steps: &mut Steps<State>) {
        let mut next = state.clone();
        next.drops -= 1;
        next.callers[at] = Caller { step: Step::Done, floor: 0 };
        for caller in next.callers.iter_mut().filter(|other| other.step == Step::Waits(at as u8)) {
            caller.step = Step::Alone;
        }
        next.follow();
        steps.add(next, |_| format!("caller {at}: is dropped"));
    }
}

impl Model for SharedReads {
    type State = State;

    fn initial(&self) -> State {
        let idle = Caller { step: Step::Idle, floor: 0 };
        State {
            stored: 0,
            acknowledged: 0,
            callers: vec![idle; self.callers],
            drops: self.drops,
            is_stale: false,
        }
    }

    fn steps(&self, state: &State, steps: &mut Steps<State>) {
        for at in 0..state.callers.len() {
            self.caller(state, at, steps);
        }
        let mut next = state.clone();
        if state.acknowledged < state.stored {
            next.acknowledged = state.stored;
            steps.add(next, |_| "the removal is acknowledged".to_owned());
        } else if state.stored < self.changes {
            next.stored += 1;
            steps.add(next, |_| "a removal takes place".to_owned());
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        state.is_stale.then_some("P1: a caller took an answer from before it began")
    }

    fn is_finished(&self, state: &State) -> bool {
        state.callers.iter().all(|caller| caller.step == Step::Done)
    }
}
