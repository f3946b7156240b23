//! Removals, holds, scans, and what they promise.

use super::state::{Cell, Entry, MARKS, Mark, State};
use super::{Act, Blocks, Holds, Promises, Removals};
use crate::explore::Steps;

/// The next steps of a writer: those of its phase, in any order.
pub(super) fn writer(model: &Removals, state: &State, at: usize, steps: &mut Steps<State>) {
    let progress = state.writers[at];
    let phases = &model.writers[at].phases;
    if progress.has_ended {
        return;
    }
    let Some(commands) = phases.get(usize::from(progress.phase)) else {
        if usize::from(progress.phase) == phases.len() {
            acknowledge(model, state, at, steps);
        }
        return;
    };
    for (number, command) in commands.iter().enumerate() {
        if progress.done & 1 << number != 0 {
            continue;
        }
        if let [Act::ScansCell(cell)] = command.as_slice()
            && state.found_by_scan & 1 << cell == 0
        {
            let mut next = state.clone();
            next.do_command(model, at, number);
            next.push(steps, |_| format!("writer {at}: the scan passes over cell {cell}"));
        }
        let mut next = state.clone();
        command.iter().for_each(|act| next.act(model, at, *act));
        next.do_command(model, at, number);
        if let [Act::Releases(mark)] = command.as_slice()
            && state.budget[3] > 0
        {
            let mut next = next.clone();
            next.budget[3] -= 1;
            next.late = Some((at as u8, *mark as u8));
            next.push(steps, |_| format!("writer {at}: {command:?}, and hears nothing of it"));
        }
        next.push(steps, |_| format!("writer {at}: {command:?}"));
    }
}

fn acknowledge(model: &Removals, state: &State, at: usize, steps: &mut Steps<State>) {
    let (mut next, progress) = (state.clone(), state.writers[at]);
    next.writers[at].phase += 1;
    let fails = progress.has_lost && (model.notices_lost_holds || model.blocks == Blocks::Noticed);
    next.writers[at].has_ended = fails;
    next.writers[at].has_lost = false;
    if !fails && model.writers[at].promises == Promises::AtOk {
        next.promised = next.promised.max(progress.version);
    }
    let answer = if fails { "fails: a hold had ended" } else { "Ok" };
    next.push(steps, |_| format!("writer {at}: {answer}"));
}

impl Removals {
    /// Whether a writer that is at work still needs a mark held that it has held.
    pub(super) fn relies_on(&self, state: &State, at: usize, mark: usize) -> bool {
        self.has_done(state, at, |act| act == Act::Holds(mark))
            && !self.has_done(state, at, |act| act == Act::Releases(mark))
    }

    /// Whether it still needs a cell blocked.
    pub(super) fn relies_on_cell(&self, state: &State, at: usize, cell: usize) -> bool {
        self.has_done(state, at, |act| act == Act::Blocks(cell))
            && !self.has_done(state, at, |act| act == Act::Unblocks(cell))
    }

    fn has_done(&self, state: &State, at: usize, is_it: impl Fn(Act) -> bool) -> bool {
        let (progress, phases) = (state.writers[at], &self.writers[at].phases);
        let is_at_work = !progress.has_ended && usize::from(progress.phase) < phases.len();
        is_at_work
            && phases.iter().enumerate().any(|(phase, commands)| {
                commands.iter().enumerate().any(|(number, command)| {
                    let is_done = phase < usize::from(progress.phase)
                        || (phase == usize::from(progress.phase)
                            && progress.done & 1 << number != 0);
                    is_done && command.iter().any(|act| is_it(*act))
                })
            })
    }
}

impl State {
    fn do_command(&mut self, model: &Removals, at: usize, number: usize) {
        let progress = &mut self.writers[at];
        progress.done |= 1 << number;
        let commands = &model.writers[at].phases[usize::from(progress.phase)];
        if progress.done.count_ones() as usize == commands.len() {
            progress.phase += 1;
            progress.done = 0;
        }
    }

    fn act(&mut self, model: &Removals, at: usize, act: Act) {
        let own = 1 << at;
        match act {
            Act::Commits => {
                self.database += 1;
                self.writers[at].version = self.database;
                if model.writers[at].promises == Promises::AtCommit {
                    self.promised = self.promised.max(self.database);
                }
            }
            Act::Holds(mark) => {
                let before = self.marks[mark].holders;
                let holders = match model.holds {
                    Holds::Flagged => 1,
                    Holds::Counted => before + 1,
                    Holds::Named => before | own,
                };
                self.marks[mark] = Mark { nonce: 0, holders };
            }
            Act::Releases(mark) => {
                let was_held = self.release(model, at, mark);
                self.writers[at].has_lost |= !was_held && model.notices_lost_holds;
            }
            Act::Removes(mark) => {
                if self.marks[mark].holders == 0 || model.removal_ends_holds {
                    self.marks[mark] = Mark::default();
                }
            }
            Act::Blocks(cell) => {
                self.cells[cell] = match self.cells[cell] {
                    Cell::Blocked(others) if model.blocks == Blocks::Kept => {
                        Cell::Blocked(others | own)
                    }
                    _ => Cell::Blocked(own),
                };
            }
            Act::ClaimsCell(cell) if self.leaves_block(model, cell) => {}
            Act::ClaimsCell(cell) => self.cells[cell] = Cell::Claimed(at as u8),
            Act::FillsCell(cell) if self.cells[cell] == Cell::Claimed(at as u8) => {
                let (id, version) = (self.unused(), self.writers[at].version);
                self.cells[cell] = Cell::Value(Entry { id, version, stamps: [0; MARKS] });
            }
            Act::Unblocks(cell) => self.unblock(model, at, cell),
            Act::RemovesCell(cell) | Act::ScansCell(cell) | Act::FillsCell(cell) => {
                if !self.leaves_block(model, cell) {
                    self.cells[cell] = Cell::Absent;
                }
            }
            Act::BeginsScan => self.found_by_scan = u8::MAX,
            Act::CountsUp => self.under_way += 1,
            Act::CountsDown => self.under_way -= 1,
        }
    }

    /// Whether a cell is blocked in such a way that others leave it so.
    fn leaves_block(&self, model: &Removals, cell: usize) -> bool {
        matches!(self.cells[cell], Cell::Blocked(_)) && model.blocks == Blocks::Kept
    }

    /// Ends one hold, or removes a mark that is not held; false if the hold had ended before, as
    /// far as the mark can tell.
    pub(super) fn release(&mut self, model: &Removals, at: usize, mark: usize) -> bool {
        let own = 1 << at;
        let Mark { nonce, holders } = self.marks[mark];
        let (was_held, left) = match model.holds {
            Holds::Flagged => (holders > 0, 0),
            Holds::Counted => (holders > 0, holders.saturating_sub(1)),
            Holds::Named => (holders & own != 0, holders & !own),
        };
        // Whoever's hold is gone removes the mark; what others hold stays.
        self.marks[mark] = Mark { nonce: if left == 0 { 0 } else { nonce }, holders: left };
        was_held
    }

    fn unblock(&mut self, model: &Removals, at: usize, cell: usize) {
        let own = 1 << at;
        let (was_blocked, left) = match self.cells[cell] {
            Cell::Blocked(holders) => (holders & own != 0, holders & !own),
            _ => (false, 0),
        };
        if model.blocks == Blocks::Unnoticed {
            self.cells[cell] = Cell::Absent;
            return;
        }
        self.writers[at].has_lost |= !was_blocked;
        self.cells[cell] = if left == 0 { Cell::Absent } else { Cell::Blocked(left) };
    }
}
