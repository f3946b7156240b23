//! Reads of functions whose loads call one another.

use super::state::{Cell, Entry, Frame, State, Step};
use super::{Asks, Removals};
use crate::explore::Steps;

/// The next step of a caller.
pub(super) fn caller(model: &Removals, state: &State, at: usize, steps: &mut Steps<State>) {
    let caller = state.callers[at];
    let level = usize::from(caller.level);
    let mut next = state.clone();
    let what = match caller.step {
        Step::Idle => {
            // With a near cache the promise counts from its bound on.
            let counts = !model.near || state.bound_has_passed;
            next.callers[at].floor = if counts { state.promised } else { 0 };
            next.callers[at].step = Step::Look;
            "begins"
        }
        Step::Look => return look(model, state, at, steps),
        Step::ReadMarks => {
            let is_read = see(model, &mut next, at, false);
            after_marks(model, &mut next, at, Asks::AfterTags);
            if is_read { "reads the marks elsewhere" } else { "finds a mark elsewhere held" }
        }
        Step::Ask => {
            let reads_now = model.asks == Asks::BeforeTags && state.under_way == 0;
            next.callers[at].step = if reads_now { Step::ReadMarks } else { Step::Load };
            if state.under_way > 0 {
                give_up(&mut next, at);
            }
            if state.under_way > 0 { "finds a removal under way" } else { "finds none under way" }
        }
        Step::Load => load(model, &mut next, at),
        Step::ReadResultTag => {
            let (tag, _) = model.functions[level].result.unwrap_or_default();
            let nonce = next.ensure(tag);
            next.callers[at].frames[level].stamps[tag] = nonce;
            if nonce == 0 {
                give_up(&mut next, at);
            }
            next.callers[at].step = Step::Fill;
            "reads the result's tag"
        }
        Step::Fill => {
            let is_stored = fill(model, &mut next, at);
            returned(model, &mut next, at, false);
            if is_stored { "FILL stores" } else { "FILL is refused" }
        }
        Step::Done => return,
    };
    next.push(steps, |_| format!("caller {at}, function {level}: {what}; {}", told(&caller)));
}

fn told(caller: &super::state::Caller) -> String {
    match caller.step {
        Step::Idle => "then".to_owned(),
        _ => format!("version {}, floor {}", caller.version, caller.floor),
    }
}

fn look(model: &Removals, state: &State, at: usize, steps: &mut Steps<State>) {
    let caller = state.callers[at];
    let level = usize::from(caller.level);
    let mut next = state.clone();
    let what = match state.cells[level] {
        Cell::Value(entry) if model.is_valid(state, level, &entry) => {
            if caller.level == caller.top && state.budget[0] > 0 {
                refresh(model, state, at, &entry, steps);
            }
            next.callers[at].version = entry.version;
            returned(model, &mut next, at, true);
            "hits"
        }
        // Whoever waits for another's load looks later.
        Cell::Blocked(_) | Cell::Claimed(_) | Cell::Lease(_) => {
            next.callers[at].step = Step::Load;
            "finds the key taken"
        }
        Cell::Absent | Cell::Value(_) => {
            acquire(model, &mut next, at);
            "misses, ACQUIRE"
        }
    };
    next.push(steps, |_| format!("caller {at}, function {level}: {what}"));
}

/// ACQUIRE, with the marks beside the cell (`lua/acquire.lua`).
fn acquire(model: &Removals, next: &mut State, at: usize) {
    let level = usize::from(next.callers[at].level);
    let lease = next.unused();
    next.callers[at].frames[level].expected = lease;
    if model.leases_in_place {
        next.cells[level] = Cell::Lease(lease);
    }
    see(model, next, at, true);
    after_marks(model, next, at, Asks::BeforeTags);
}

/// Serves a value, and goes on to refresh it: it stays until the load has ended (rule E2).
fn refresh(model: &Removals, state: &State, at: usize, entry: &Entry, steps: &mut Steps<State>) {
    let (mut next, level) = (state.clone(), usize::from(state.callers[at].level));
    next.budget[0] -= 1;
    next.is_stale |= entry.version < next.callers[at].floor;
    next.callers[at].is_background = true;
    next.callers[at].floor = 0;
    next.callers[at].frames[level].expected = entry.id;
    see(model, &mut next, at, true);
    after_marks(model, &mut next, at, Asks::BeforeTags);
    next.push(steps, |_| format!("caller {at}, function {level}: hits, and refreshes it"));
}

/// Reads or creates the marks beside the cell, or those elsewhere; false if one is held.
fn see(model: &Removals, next: &mut State, at: usize, beside: bool) -> bool {
    let caller = next.callers[at];
    let level = usize::from(caller.level);
    for mark in model.marks_before_load(level, beside) {
        let is_heeded = model.functions[level].heeds.contains(&mark);
        if is_heeded && caller.is_background && !model.refreshes_heed {
            continue;
        }
        let is_held = next.marks[mark].holders > 0;
        if is_held {
            give_up(next, at);
            return false;
        }
        // What a mark that is heeded holds does not matter.
        if !is_heeded {
            next.callers[at].frames[level].stamps[mark] = next.ensure(mark);
        }
    }
    true
}

/// What follows when marks have been read.
fn after_marks(model: &Removals, next: &mut State, at: usize, asks: Asks) {
    let caller = next.callers[at];
    let level = usize::from(caller.level);
    let has_more = model.marks_before_load(level, false).next().is_some();
    next.callers[at].step = match caller.step {
        _ if caller.frames[level].expected == 0 => Step::Load,
        Step::Look if model.asks == asks => Step::Ask,
        Step::Look if has_more => Step::ReadMarks,
        Step::Look | Step::ReadMarks if model.asks == Asks::AfterTags => Step::Ask,
        _ => Step::Load,
    };
}

/// The load stores nothing: a lease is given back, a value stays.
fn give_up(next: &mut State, at: usize) {
    let level = usize::from(next.callers[at].level);
    let frame = &mut next.callers[at].frames[level];
    if next.cells[level] == Cell::Lease(frame.expected) {
        next.cells[level] = Cell::Absent;
    }
    *frame = Frame::default();
}

fn load(model: &Removals, next: &mut State, at: usize) -> &'static str {
    let level = usize::from(next.callers[at].level);
    if level == model.innermost() {
        next.callers[at].version = if model.loads_lag { next.lagging } else { next.database };
        loaded(model, next, at);
        return "reads the database";
    }
    if level + 1 == model.innermost() && next.near && !model.reads_past_near {
        next.callers[at].version = 0;
        loaded(model, next, at);
        return "hits the near cache for the next function";
    }
    next.callers[at].level += 1;
    next.callers[at].step = Step::Look;
    "calls the next function"
}

/// The load has its value.
fn loaded(model: &Removals, next: &mut State, at: usize) {
    let caller = next.callers[at];
    let level = usize::from(caller.level);
    match model.functions[level].result {
        _ if caller.frames[level].expected == 0 => returned(model, next, at, false),
        Some(_) => next.callers[at].step = Step::ReadResultTag,
        None => next.callers[at].step = Step::Fill,
    }
}

/// FILL, with the epoch as it was before the load (`lua/fill.lua`).
fn fill(model: &Removals, next: &mut State, at: usize) -> bool {
    let caller = next.callers[at];
    let level = usize::from(caller.level);
    let Frame { expected, mut stamps } = caller.frames[level];
    let holds = match next.cells[level] {
        Cell::Lease(lease) => lease == expected,
        Cell::Value(entry) => entry.id == expected,
        Cell::Absent | Cell::Blocked(_) | Cell::Claimed(_) => false,
    };
    let guard_holds = model.functions[level].result.is_none_or(|(_, epoch)| {
        next.marks[epoch].holders == 0 && next.marks[epoch].nonce == stamps[epoch]
    });
    let is_stored = expected != 0 && guard_holds && (holds || !model.leases_in_place);
    if is_stored {
        for (mark, stamp) in stamps.iter_mut().enumerate() {
            *stamp *= u8::from(model.is_carried(level, mark));
        }
        let id = next.unused();
        next.cells[level] = Cell::Value(Entry { id, version: caller.version, stamps });
    } else {
        give_up(next, at);
    }
    is_stored
}

/// A function returns its value to whoever called it.
fn returned(model: &Removals, next: &mut State, at: usize, is_hit: bool) {
    let caller = &mut next.callers[at];
    caller.frames[usize::from(caller.level)] = Frame::default();
    if caller.level > caller.top {
        caller.level -= 1;
        return loaded(model, next, at);
    }
    // A replica's lag is the database's own where nothing was cached.
    let counts = !caller.is_background && (is_hit || !model.loads_lag);
    next.is_stale |= counts && caller.version < caller.floor;
    caller.step = Step::Done;
    (caller.floor, caller.version, caller.is_background) = (0, 0, false);
}
