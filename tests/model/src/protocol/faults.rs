//! What happens without anybody's doing: time, memory pressure, lost answers, servers that fail.

use super::rules::{Expired, LeaseEnds, Rules};
use super::state::{Cell, HELD, Late, MARKS, Phase, Server, State, Step, WriterStep};
use crate::explore::Steps;

/// Late commands reach the servers as they are now: those sent to a server that is gone are lost.
const ELSEWHERE: u8 = u8::MAX;

/// Every fault that can happen now.
pub(super) fn faults(rules: &Rules, state: &State, steps: &mut Steps<State>) {
    late(rules, state, steps);
    evictions(rules, state, steps);
    ends_of_leases(rules, state, steps);
    drops(rules, state, steps);
    if let Cell::Value(mut entry) = state.servers[0].cell
        && rules.expired != Expired::Nothing
        && !entry.is_expired
    {
        entry.is_expired = true;
        let mut next = state.clone();
        next.servers[0].cell = Cell::Value(entry);
        next.push(steps, |_| "the entry expires, and is kept".to_owned());
    }
    if rules.has_replicas() {
        replicas(rules, state, steps);
    }
}

/// Commands that timed out are done after all.
fn late(rules: &Rules, state: &State, steps: &mut Steps<State>) {
    for at in 0..state.late.len() {
        let mut next = state.clone();
        let what = match next.late.remove(at) {
            Late::Acquire { expected, lease } => {
                let _ = next.acquire(ELSEWHERE, Some(expected), Cell::Lease(lease));
                "ACQUIRE"
            }
            Late::Fill { expected, entry, attempts, is_write } => {
                let no_stamps = entry.stamps;
                let fits = next.fill(rules, ELSEWHERE, Some(expected), entry, &no_stamps);
                if !fits && is_write {
                    next.servers[0].cell = Cell::Absent;
                }
                if attempts > 1 {
                    let attempts = attempts - 1;
                    next.late.insert(at, Late::Fill { expected, entry, attempts, is_write });
                }
                "FILL"
            }
        };
        next.push(steps, |_| format!("a late {what} is done"));
    }
}

fn evictions(rules: &Rules, state: &State, steps: &mut Steps<State>) {
    if !rules.evicts {
        return;
    }
    if matches!(state.servers[0].cell, Cell::Value(_)) {
        let mut next = state.clone();
        next.servers[0].cell = Cell::Absent;
        next.push(steps, |_| "the entry is evicted".to_owned());
    }
    for mark in 0..MARKS {
        let number = rules.server_of(mark);
        if !matches!(state.servers[number].marks[mark], 0 | HELD) {
            let mut next = state.clone();
            next.servers[number].marks[mark] = 0;
            next.push(steps, |_| format!("mark {mark} is evicted"));
        }
    }
}

fn ends_of_leases(rules: &Rules, state: &State, steps: &mut Steps<State>) {
    let can_end = |lease: u8| match rules.lease_ends {
        LeaseEnds::AtAnyTime => true,
        LeaseEnds::Unrenewed => !state.callers.iter().any(|caller| caller.renews(lease)),
        LeaseEnds::Never => false,
    };
    let held = match state.servers[0].cell {
        Cell::Lease(lease) => Some(lease),
        Cell::Write(lease) if rules.lease_ends == LeaseEnds::AtAnyTime => Some(lease),
        _ => None,
    };
    if held.is_some_and(can_end) {
        let mut next = state.clone();
        next.servers[0].cell = Cell::Absent;
        next.push(steps, |_| "the lease ends".to_owned());
    }
    if state.servers[0].beside != 0 && can_end(state.servers[0].beside) {
        let mut next = state.clone();
        next.servers[0].beside = 0;
        next.push(steps, |_| "the lease beside ends".to_owned());
    }
}

/// A leader is dropped: a waiter takes over (`Leader::drop`). Its lease ends by itself.
fn drops(rules: &Rules, state: &State, steps: &mut Steps<State>) {
    if state.budget.drops == 0 {
        return;
    }
    for (at, caller) in state.callers.iter().enumerate() {
        if caller.phase != Phase::None && caller.step != Step::Done {
            let mut next = state.clone();
            next.budget.drops -= 1;
            next.end_flight(rules, at, None);
            next.finish_read(at);
            next.push(steps, |_| format!("{}: is dropped at {:?}", state.name(at), caller.step));
        }
    }
}

fn replicas(rules: &Rules, state: &State, steps: &mut Steps<State>) {
    for number in 0..2 {
        let mut next = state.clone();
        next.replicas[number] = state.servers[number];
        for (writer, change) in next.writers.iter_mut().zip(&rules.writers) {
            if let WriterStep::Wait { is_there } = &mut writer.step {
                *is_there |= number == rules.server_of_change(*change);
            }
        }
        next.push(steps, |_| format!("the replica of server {number} catches up"));
        if state.budget.failovers[number] == 0 {
            continue;
        }
        let mut next = state.clone();
        next.budget.failovers[number] -= 1;
        if rules.splits && number == 0 {
            next.old = Some(state.servers[0]);
        }
        let life = state.servers[number].life + 1;
        let promoted = Server { life, ..state.replicas[number] };
        (next.servers[number], next.replicas[number]) = (promoted, promoted);
        for writer in &mut next.writers {
            if matches!(writer.step, WriterStep::Wait { .. }) {
                writer.step = WriterStep::Done;
            }
        }
        next.push(steps, |_| format!("the replica of server {number} takes its place"));
    }
}
