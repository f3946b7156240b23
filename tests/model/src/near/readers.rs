//! Looks, reads, and copies of what was read.

use super::state::{Copied, Looks, State, Step};
use super::{Mode, Near, Promise, Since};
use crate::explore::Steps;

/// The next step of a reader.
pub(super) fn reader(model: &Near, state: &State, at: usize, steps: &mut Steps<State>) {
    let reader = state.readers[at];
    let number = usize::from(reader.node);
    let mut next = state.clone();
    let what = match reader.step {
        Step::Idle => {
            next.readers[at].floor = floor(model, state, number);
            next.readers[at].step = Step::Near;
            // The lease is looked at before the copy is.
            if model.mode == Mode::Told && state.nodes[number].lease == 0 {
                next.readers[at].step = Step::Before;
            }
            "begins"
        }
        Step::Near => near(model, &mut next, at),
        Step::Before => before(model, &mut next, at),
        Step::Asking => ask(&mut next, at),
        Step::Validating(copy) => {
            let is_current = state.entry.is_some_and(|(_, id)| id == copy.id);
            if is_current {
                serve(&mut next, at, copy.version);
            } else {
                next.forget(number);
                next.readers[at].step = Step::Before;
            }
            if is_current { "serves its copy, which is current" } else { "has an older copy" }
        }
        Step::Answered { version, id, is_found } => {
            let is_kept = is_found && keep(model, &mut next, at, version, id);
            serve(&mut next, at, version);
            if is_kept { "keeps a copy and returns" } else { "returns" }
        }
        Step::Done => return,
    };
    steps.add(next, |next| {
        let step = next.readers[at].step;
        format!("reader {at} of process {number}: {what} (floor {}) -> {step:?}", reader.floor)
    });
}

/// What a read that begins now has to see.
fn floor(model: &Near, state: &State, node: usize) -> u8 {
    let promised = match model.promise {
        Promise::Exact => state.acknowledged[0],
        Promise::Bound => state.acknowledged[usize::from(model.bound)],
        Promise::Settled => state.settled,
    };
    let is_own = model.writes_here && node == 0;
    if is_own { promised.max(state.acknowledged[0]) } else { promised }
}

/// Looks for a copy (`NearCache::look`).
fn near(model: &Near, next: &mut State, at: usize) -> &'static str {
    let copy = next.nodes[usize::from(next.readers[at].node)].copy;
    let may_serve = |copy: &Copied| model.mode != Mode::Timed || copy.left > 0;
    match copy.filter(may_serve) {
        Some(copy) if model.mode == Mode::Validated => {
            next.readers[at].step = Step::Validating(copy);
            "has a copy"
        }
        Some(copy) => {
            serve(next, at, copy.version);
            "serves its copy"
        }
        None => {
            next.readers[at].step = Step::Before;
            "has no copy"
        }
    }
}

/// How things are before the store is asked (`NearCache::announce`, `NearCache::before`).
fn before(model: &Near, next: &mut State, at: usize) -> &'static str {
    let node = &mut next.nodes[usize::from(next.readers[at].node)];
    let needs_registration = model.mode != Mode::Validated && model.registers;
    if needs_registration && !node.is_registered {
        (node.is_registered, next.is_registered) = (true, true);
        return "registers";
    }
    let may_keep = model.mode != Mode::Told || node.lease > 0;
    next.readers[at].looks = Looks { may_keep, is_unchanged: true, age: 0 };
    next.readers[at].step = Step::Asking;
    "sees how things are, and asks the store"
}

/// The store finds an entry, or a load makes a new one, of which no copy is made.
fn ask(next: &mut State, at: usize) -> &'static str {
    let is_found = next.entry.is_some();
    let (version, id) = next.entry.unwrap_or((next.database, next.unused()));
    next.readers[at].step = Step::Answered { version, id, is_found };
    if is_found {
        return "is answered";
    }
    next.entry = Some((version, id));
    next.tell(super::state::Message::Changed);
    next.forget(usize::from(next.readers[at].node));
    "loads, and stores"
}

/// Keeps a copy, if nothing about it has changed (`NearCache::keep`).
fn keep(model: &Near, next: &mut State, at: usize, version: u8, id: u8) -> bool {
    let reader = next.readers[at];
    let Looks { may_keep, is_unchanged, age } = reader.looks;
    let node = &mut next.nodes[usize::from(reader.node)];
    let age = if model.since == Since::Asked { age } else { 0 };
    let left = model.bound - age.min(model.bound);
    let is_known = node.is_registered || !model.registers || model.mode == Mode::Validated;
    let lasts = model.mode != Mode::Timed || left > 0;
    let is_kept = may_keep && is_known && lasts && (is_unchanged || !model.guards_copies);
    if is_kept {
        let left = if model.mode == Mode::Timed { left } else { 0 };
        node.copy = Some(Copied { version, id, left });
    }
    is_kept
}

fn serve(next: &mut State, at: usize, version: u8) {
    let reader = &mut next.readers[at];
    next.is_stale |= version < reader.floor;
    reader.reads -= 1;
    reader.step = if reader.reads == 0 { Step::Done } else { Step::Idle };
    (reader.floor, reader.looks) = (0, Looks::default());
}
