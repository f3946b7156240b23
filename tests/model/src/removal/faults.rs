//! What happens without anybody's doing: crashes, holds that end, servers that fail, time.

use super::state::{Cell, Mark, State};
use super::{Holds, Removals};
use crate::explore::Steps;

/// Every fault that can happen now.
pub(super) fn faults(model: &Removals, state: &State, steps: &mut Steps<State>) {
    crashes(model, state, steps);
    ends_of_holds(model, state, steps);
    ends_of_blocks(model, state, steps);
    for (at, _) in state.cells.iter().enumerate().filter(|(_, cell)| matches!(cell, Cell::Value(_)))
    {
        let mut next = state.clone();
        next.cells[at] = Cell::Absent;
        next.push(steps, |_| format!("the entry in cell {at} is evicted"));
    }
    if let Some((at, mark)) = state.late {
        let mut next = state.clone();
        next.late = None;
        next.release(model, usize::from(at), usize::from(mark));
        next.push(steps, |_| format!("writer {at}: releases mark {mark} a second time"));
    }
    if state.budget[4] > 0 {
        (0..2).for_each(|bucket| fail_over(model, state, bucket, steps));
    }
    if model.loads_lag && state.lagging < state.database {
        let mut next = state.clone();
        next.lagging = state.database;
        next.push(steps, |_| "the database's replica catches up".to_owned());
    }
    if model.near && state.promised > 0 && !state.bound_has_passed {
        let mut next = state.clone();
        // The push arrives before the bound has passed, or the lease has ended.
        next.bound_has_passed = !state.near;
        next.near = false;
        let what = if state.near { "the copy near is gone" } else { "the near bound has passed" };
        next.push(steps, |_| what.to_owned());
    }
}

fn crashes(model: &Removals, state: &State, steps: &mut Steps<State>) {
    if state.budget[1] == 0 {
        return;
    }
    for (at, progress) in state.writers.iter().enumerate() {
        let is_at_work = usize::from(progress.phase) < model.writers[at].phases.len();
        let has_begun = progress.phase > 0 || progress.done != 0;
        if is_at_work && has_begun && !progress.has_ended {
            let mut next = state.clone();
            next.budget[1] -= 1;
            next.writers[at].has_ended = true;
            next.push(steps, |_| format!("writer {at}: dies"));
        }
    }
}

/// A hold ends by itself once nobody relies on it, or, as a fault, before.
fn ends_of_holds(model: &Removals, state: &State, steps: &mut Steps<State>) {
    // A hold-off is longer than the lag of the database's replica.
    let may_end = !model.loads_lag || state.lagging == state.database;
    for (mark, Mark { holders, .. }) in state.marks.iter().enumerate() {
        if *holders == 0 {
            continue;
        }
        let reliant = |at: &usize| model.relies_on(state, *at, mark) && model.holds != Holds::Named;
        let is_relied_on = (0..state.writers.len()).any(|at| reliant(&at));
        let is_early = is_relied_on || !may_end;
        let left = match model.holds {
            Holds::Named => (0..state.writers.len())
                .filter(|at| holders & 1 << at != 0 && model.relies_on(state, *at, mark))
                .fold(0, |left, at| left | 1 << at),
            _ => 0,
        };
        if !is_early && left != *holders {
            let mut next = state.clone();
            next.marks[mark].holders = left;
            next.push(steps, |_| format!("holds of mark {mark} end"));
        }
        if state.budget[2] > 0 && (is_early || left != 0) {
            let mut next = state.clone();
            next.budget[2] -= 1;
            next.marks[mark].holders = 0;
            next.push(steps, |_| format!("all holds of mark {mark} are lost"));
        }
    }
}

fn ends_of_blocks(model: &Removals, state: &State, steps: &mut Steps<State>) {
    for (at, cell) in state.cells.iter().enumerate() {
        let Cell::Blocked(_) = cell else { continue };
        let is_early = (0..state.writers.len()).any(|who| model.relies_on_cell(state, who, at));
        if is_early && state.budget[2] == 0 {
            continue;
        }
        let mut next = state.clone();
        next.budget[2] -= u8::from(is_early);
        next.cells[at] = Cell::Absent;
        next.push(steps, |_| format!("the block of cell {at} ends"));
    }
}

/// A server is replaced by one that has none of the holds. The fence makes the bucket cold: an entry
/// of the former life is invalid, its marks have other stamps, and fills of loads that began in it
/// are refused.
fn fail_over(model: &Removals, state: &State, bucket: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    next.budget[4] -= 1;
    for (at, function) in model.functions.iter().enumerate() {
        if function.bucket == bucket {
            next.cells[at] = Cell::Absent;
        }
    }
    for mark in (0..model.buckets.len()).filter(|mark| model.buckets[*mark] == bucket) {
        next.marks[mark] = Mark::default();
    }
    next.push(steps, |_| format!("the server of bucket {bucket} is replaced"));
}
