//! A caller's look at the store, and what it makes of the answer.

use super::rules::{Expired, Rules};
use super::state::{
    Broken, Caller, Cell, Looking, MARKS, NOBODY, Phase, RESULT, Seen, State, Step,
};
use super::store::is_valid;
use crate::explore::Steps;

/// What a look at the store says (`cache::core::Look`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Hit { version: u8, is_stale: bool },
    Kept { version: u8 },
    Miss,
    Leased,
}

/// The verdict on what was seen (`Remote::open`, `Age::look`).
pub(super) fn judge(rules: &Rules, seen: &Seen) -> Look {
    match seen.cell {
        Cell::Absent => Look::Miss,
        Cell::Lease(_) | Cell::Write(_) => Look::Leased,
        Cell::Value(entry) if !is_valid(rules, seen, &entry) => Look::Miss,
        Cell::Value(entry) => match (entry.is_expired, rules.expired) {
            (false, _) => Look::Hit { version: entry.version, is_stale: false },
            (true, Expired::ServedWhileRefreshed) => {
                Look::Hit { version: entry.version, is_stale: true }
            }
            (true, Expired::ServedIfLoadFails) => Look::Kept { version: entry.version },
            (true, Expired::Nothing) => Look::Miss,
        },
    }
}

/// The steps of a look: one command where all lies on one server, and one for each server, seen in
/// either order, where it does not (`Steps::look_up`, `look_up_in_buckets`).
pub(super) fn look(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let caller = &state.callers[at];
    let process = caller.process;
    let asked_on = |number: usize| {
        (0..MARKS).filter(move |mark| rules.asked(*mark) && rules.server_of(*mark) == number)
    };
    let has_marks_away = asked_on(1).next().is_some();
    let read = |next: &mut State, with_cell: bool, numbers: &[usize]| {
        let mut seen = next.callers[at].seen;
        if with_cell {
            next.read_cell(rules, process, &mut seen);
        }
        for mark in numbers.iter().flat_map(|number| asked_on(*number)) {
            seen.states[mark] = next.mark(rules, process, mark);
        }
        next.callers[at].seen = seen;
    };
    let name = |what: &str| format!("{}: reads {what}", state.name(at));
    match caller.step {
        Step::Look if has_marks_away => {
            let mut next = state.clone();
            read(&mut next, true, &[0]);
            next.callers[at].step = Step::LookAtMarks;
            next.push(steps, |_| name("the cell, and the marks beside it"));
            let mut next = state.clone();
            read(&mut next, false, &[1]);
            next.callers[at].step = Step::LookAtCell;
            next.push(steps, |_| name("the marks elsewhere"));
        }
        Step::Look | Step::LookAtCell => {
            let mut next = state.clone();
            read(&mut next, true, &[0]);
            seen(rules, &mut next, at);
            next.push(steps, |next| format!("{} -> {}", name("the cell"), next_step(next, at)));
        }
        Step::LookAtMarks => {
            let mut next = state.clone();
            read(&mut next, false, &[1]);
            seen(rules, &mut next, at);
            let text = name("the marks elsewhere");
            next.push(steps, |next| format!("{text} -> {}", next_step(next, at)));
        }
        Step::LookAtResultTag => {
            let mut next = state.clone();
            next.callers[at].seen.states[RESULT] = next.mark(rules, process, RESULT);
            decide(rules, &mut next, at);
            let text = name("the tags that the entry names");
            next.push(steps, |next| format!("{text} -> {}", next_step(next, at)));
        }
        _ => {}
    }
}

fn next_step(state: &State, at: usize) -> String {
    format!("{:?}", state.callers[at].step)
}

/// The cell and the request's marks are read: tags that the entry names besides are read next.
fn seen(rules: &Rules, state: &mut State, at: usize) {
    let caller = &mut state.callers[at];
    if rules.has_result_tag && matches!(caller.seen.cell, Cell::Value(_)) {
        caller.step = Step::LookAtResultTag;
    } else {
        decide(rules, state, at);
    }
}

/// Goes on with what was found, according to why it was looked for.
fn decide(rules: &Rules, state: &mut State, at: usize) {
    let look = judge(rules, &state.callers[at].seen);
    match (state.callers[at].looking, look) {
        // `engine::look`
        (Looking::ForItself, Look::Hit { version, is_stale: false }) => {
            state.serve(at, version);
            state.finish_read(at);
        }
        (Looking::ForItself, Look::Hit { version, is_stale: true }) => {
            state.serve(at, version);
            state.callers[at].is_background = true;
            state.callers[at].step = Step::Board;
        }
        (Looking::ForItself, _) => state.callers[at].step = Step::Board,
        // `boarding::outwait` and `boarding::lead_next`
        (Looking::AfterWaiting | Looking::BeforeNextFlight, Look::Hit { version, .. }) => {
            state.callers[at].version = version;
            state.land(rules, at, false);
        }
        (Looking::AfterWaiting, _) => state.look_again(rules, at),
        (Looking::BeforeNextFlight, Look::Miss) => state.callers[at].step = Step::Take,
        (Looking::BeforeNextFlight, _) => state.load_without_storing(at),
        // `engine::fallback`
        (Looking::InPlaceOfLoad, Look::Hit { version, .. } | Look::Kept { version }) => {
            state.end_flight(rules, at, None);
            state.serve(at, version);
            state.finish_read(at);
        }
        (Looking::InPlaceOfLoad, _) => {
            state.end_flight(rules, at, None);
            state.finish_read(at);
        }
    }
}

impl State {
    /// Who it is, for traces.
    pub(super) fn name(&self, at: usize) -> String {
        format!("caller {at} of process {}", self.callers[at].process)
    }

    /// Adds this state as the outcome of a step.
    pub(super) fn push(mut self, steps: &mut Steps<Self>, name: impl FnOnce(&Self) -> String) {
        self.rename();
        steps.add(self, name);
    }

    /// A caller gets this value: promise P1 says how old it may be.
    pub(super) fn serve(&mut self, at: usize, version: u8) {
        if version < self.callers[at].floor {
            self.broken = Some(Broken::StaleRead);
        }
    }

    /// A caller's read is over, and so is what it led.
    pub(super) fn finish_read(&mut self, at: usize) {
        let caller = self.callers[at];
        let reads = caller.reads - 1;
        self.callers[at] = Caller::new(caller.process, reads);
        if reads == 0 {
            self.callers[at].step = Step::Done;
        }
    }

    /// A caller starts over within its read.
    pub(super) fn look_again(&mut self, rules: &Rules, at: usize) {
        self.end_flight(rules, at, None);
        let caller = self.callers[at];
        let again = Caller::new(caller.process, caller.reads);
        let step = Step::Look;
        self.callers[at] = Caller { floor: caller.floor, given_up: caller.given_up, step, ..again };
    }

    /// A leader goes on with `Claim::Nothing`.
    pub(super) fn load_without_storing(&mut self, at: usize) {
        self.callers[at].claim = Default::default();
        self.callers[at].step = Step::Load;
    }

    /// A leader's load has come to its end with a value (`Leader::finish`, `Leader::hand_over`).
    pub(super) fn land(&mut self, rules: &Rules, at: usize, exact: bool) {
        let version = self.callers[at].version;
        self.end_flight(rules, at, Some((version, exact)));
        if !self.callers[at].is_background {
            self.serve(at, version);
        }
        self.finish_read(at);
    }

    /// Takes a flight off the table and tells those who wait (`Flight::end`). Without a value it
    /// has failed or was abandoned, and everybody looks again.
    pub(super) fn end_flight(&mut self, rules: &Rules, at: usize, landed: Option<(u8, bool)>) {
        if self.callers[at].phase == Phase::None {
            return;
        }
        self.callers[at].phase = Phase::None;
        self.callers[at].in_table = false;
        let leader = u8::try_from(at).unwrap_or(NOBODY);
        for other in 0..self.callers.len() {
            if self.callers[other].given_up == leader {
                self.callers[other].given_up = NOBODY;
            }
            match self.callers[other].step {
                Step::Joined { leader: of, before_load } if of == leader => match landed {
                    Some((version, exact)) if rules.may_take(before_load, exact) => {
                        if version < self.callers[other].floor {
                            self.broken = Some(Broken::StaleShare);
                        }
                        self.finish_read(other);
                    }
                    _ => self.look_again(rules, other),
                },
                Step::Watching { leader: of } if of == leader => self.look_again(rules, other),
                Step::Queued { leader: of } if of == leader => {
                    self.callers[other].step = Step::Next;
                }
                _ => {}
            }
        }
    }
}
