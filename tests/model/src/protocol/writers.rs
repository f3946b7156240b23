//! Those who change the database: invalidation after a commit, and writing through.

use super::rules::{Change, Order, Overtaken, Rules};
use super::state::{
    Cell, Claim, EPOCH, Entry, HELD, Id, Late, MARKS, RESULT, Stamp, State, TAG, WriterStep,
};
use crate::explore::Steps;

/// Writers talk to the servers as they are now, like every process but the one that is cut off.
const ELSEWHERE: u8 = u8::MAX;

/// The next step of a writer.
pub(super) fn writer(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let change = rules.writers[at];
    let is_through = change == Change::WritesThrough;
    match state.writers[at].step {
        WriterStep::Idle if is_through && rules.claims_before_write => {
            over_value(rules, state, at, steps);
        }
        WriterStep::Idle if change == Change::GuardsTag => {
            let mut next = state.clone();
            next.put_mark(rules, TAG, HELD);
            next.writers[at].step = WriterStep::Commit;
            next.push(steps, |_| format!("writer {at}: holds the tag"));
        }
        WriterStep::Idle | WriterStep::Commit => commit(rules, state, at, steps),
        WriterStep::Claim => claim(rules, state, at, steps),
        WriterStep::ClaimMarks => claim_marks(rules, state, at, steps),
        WriterStep::Fill => fill(rules, state, at, steps),
        WriterStep::Remove => remove(rules, state, at, steps),
        WriterStep::RemoveSecond => remove_second(rules, state, at, steps),
        WriterStep::Hold(left) => hold_or_lift(rules, state, at, left, steps),
        WriterStep::Lift(left) => hold_or_lift(rules, state, at, left, steps),
        WriterStep::Wait { is_there } => {
            let mut next = state.clone();
            next.writers[at].step = if is_there { WriterStep::Return } else { WriterStep::Done };
            let outcome = if is_there { "has it" } else { "does not have it in time" };
            next.push(steps, |_| format!("writer {at}: the replica {outcome}"));
        }
        WriterStep::Return => {
            let mut next = state.clone();
            let version = state.writers[at].version;
            next.acknowledged = next.acknowledged.max(version);
            next.writers[at].step = WriterStep::Done;
            next.push(steps, |_| format!("writer {at}: Ok, version {version} is acknowledged"));
        }
        WriterStep::Done => {}
    }
}

fn commit(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (mut next, change) = (state.clone(), rules.writers[at]);
    next.database += 1;
    next.writers[at].version = next.database;
    let is_held = change == Change::InvalidatesResultTag
        && rules.order == Order::HeldFirst
        && rules.away[EPOCH] != rules.away[RESULT];
    next.writers[at].step = match change {
        Change::WritesThrough => WriterStep::Fill,
        Change::GuardsTag => WriterStep::Lift(1 << TAG),
        _ if is_held => WriterStep::Hold(1 << EPOCH | 1 << RESULT),
        _ => WriterStep::Remove,
    };
    if change == Change::GuardsTag {
        next.acknowledged = next.acknowledged.max(next.database);
    }
    next.push(steps, |next| format!("writer {at}: commits version {}", next.database));
}

/// Remembers the value that is there to be replaced, if there is one (`RemoteClaim::over_value`).
fn over_value(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let cell = next.server(ELSEWHERE, 0).cell;
    let mut stamps = [Stamp::default(); MARKS];
    for mark in (0..MARKS).filter(|mark| rules.asked(*mark)) {
        stamps[mark] = next.mark(rules, ELSEWHERE, mark);
    }
    let all_live = (0..MARKS).filter(|mark| rules.asked(*mark)).all(|mark| stamps[mark].nonce != 0);
    let is_value = matches!(cell, Cell::Value(_)) && all_live;
    if is_value {
        let life = next.life(rules, ELSEWHERE, 0);
        let expected = cell.prefix();
        let claim = Claim { stores: true, expected, stamps, life, ..Claim::default() };
        next.writers[at].claim = claim;
    }
    next.writers[at].step = if is_value { WriterStep::Commit } else { WriterStep::Claim };
    next.push(steps, |_| format!("writer {at}: looks for a value to replace -> {is_value}"));
}

/// Puts a claim in place of whatever the cell holds (`RemoteWrite::claim`).
fn claim(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let lease = next.unused();
    // Anything is expected, so it is always granted.
    let _ = next.acquire(ELSEWHERE, None, Cell::Write(lease));
    let life = next.life(rules, ELSEWHERE, 0);
    let claim = Claim { stores: true, expected: lease, lease, life, ..Claim::default() };
    next.writers[at].claim = claim;
    let is_more_away = rules.asked(TAG) && rules.away[TAG];
    if !is_more_away && rules.asked(TAG) {
        next.writers[at].claim.stamps[TAG] = next.ensure(rules, ELSEWHERE, TAG);
    }
    next.writers[at].step = if is_more_away { WriterStep::ClaimMarks } else { WriterStep::Commit };
    next.push(steps, |_| format!("writer {at}: claims the key"));
}

fn claim_marks(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    next.writers[at].claim.stamps[TAG] = next.ensure(rules, ELSEWHERE, TAG);
    next.writers[at].step = WriterStep::Commit;
    next.push(steps, |_| format!("writer {at}: reads the marks elsewhere"));
}

/// Stores what was written if the claim still holds, else removes the key (`RemoteWrite::finish`).
fn fill(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (mut next, writer) = (state.clone(), state.writers[at]);
    let (claim, version) = (writer.claim, writer.version);
    let life = if rules.claims_before_write { claim.life } else { next.life(rules, ELSEWHERE, 0) };
    let mut stamps = claim.stamps;
    if !rules.claims_before_write && rules.asked(TAG) {
        stamps[TAG] = next.mark(rules, ELSEWHERE, TAG);
    }
    let entry = Entry { id: next.unused(), version, stamps, life, is_expired: false };
    let expected = rules.claims_before_write.then_some(claim.expected);
    let no_guards = Rules { guards: false, ..rules.clone() };
    let is_stored = next.fill(&no_guards, ELSEWHERE, expected, entry, &claim.stamps);
    if !is_stored && rules.overtaken == Overtaken::Removes {
        // `OnRefused::Remove`, in the script or after it; and once more by the writer itself.
        next.server(ELSEWHERE, 0).cell = Cell::Absent;
        next.writers[at].step = WriterStep::Remove;
    } else {
        next.writers[at].step = WriterStep::Return;
    }
    next.writers[at].claim = Claim::default();
    let outcome = if is_stored { "stored" } else { "refused" };
    next.push(steps, |_| format!("writer {at}: FILL with version {version} -> {outcome}"));
    if state.budget.late > 0 {
        let mut next = state.clone();
        next.budget.late -= 1;
        let expected = claim.expected;
        next.late.push(Late::Fill { expected, entry, attempts: 2, is_write: true });
        next.writers[at].claim = Claim::default();
        next.writers[at].step = WriterStep::Remove;
        next.push(steps, |_| format!("writer {at}: FILL with version {version} times out"));
    }
}

/// Holds a mark, or releases one (`lua/hold.lua`, `lua/lift.lua`). With one holder at a time, that it
/// is held is all there is to remember.
fn hold_or_lift(rules: &Rules, state: &State, at: usize, left: u8, steps: &mut Steps<State>) {
    let holds = matches!(state.writers[at].step, WriterStep::Hold(_));
    for mark in (0..MARKS).filter(|mark| left & 1 << mark != 0) {
        let mut next = state.clone();
        next.put_mark(rules, mark, if holds { HELD } else { 0 });
        next.writers[at].step = match left & !(1 << mark) {
            0 if holds => WriterStep::Lift(1 << EPOCH | 1 << RESULT),
            0 => removed(rules),
            left if holds => WriterStep::Hold(left),
            left => WriterStep::Lift(left),
        };
        let what = if holds { "holds" } else { "releases" };
        next.push(steps, |_| format!("writer {at}: {what} mark {mark}"));
    }
}

/// The first command of an invalidation (`Remote::remove`, `Remote::remove_all`, `Steps::unlink`).
fn remove(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let mut unlink = |mark: usize| {
        let held = &mut next.server(ELSEWHERE, rules.server_of(mark)).marks[mark];
        // What is held stays so (`lua/unlink.lua`).
        *held = if *held == HELD { HELD } else { 0 };
    };
    let mut more = false;
    let what = match rules.writers[at] {
        Change::InvalidatesTag => {
            unlink(TAG);
            "the tag"
        }
        Change::InvalidatesResultTag if rules.order == Order::TagAlone => {
            unlink(RESULT);
            "the tag"
        }
        Change::InvalidatesResultTag => {
            let together = rules.away[EPOCH] == rules.away[RESULT];
            more = !together || rules.order == Order::TagFirst;
            let is_epoch_first = rules.order != Order::TagFirst;
            unlink(if is_epoch_first { EPOCH } else { RESULT });
            if !more {
                unlink(RESULT);
            }
            if is_epoch_first { "the epoch" } else { "the tag" }
        }
        Change::InvalidatesKey | Change::WritesThrough | Change::GuardsTag => {
            next.server(ELSEWHERE, 0).cell = Cell::Absent;
            "the key"
        }
    };
    next.writers[at].step = if more { WriterStep::RemoveSecond } else { removed(rules) };
    next.push(steps, |_| format!("writer {at}: UNLINK of {what}"));
}

fn remove_second(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let mark = if rules.order == Order::EpochFirst { RESULT } else { EPOCH };
    next.server(ELSEWHERE, rules.server_of(mark)).marks[mark] = 0;
    next.writers[at].step = removed(rules);
    let what = if mark == RESULT { "the tag" } else { "the epoch" };
    next.push(steps, |_| format!("writer {at}: UNLINK of {what}"));
}

impl State {
    fn put_mark(&mut self, rules: &Rules, mark: usize, held: Id) {
        self.server(ELSEWHERE, rules.server_of(mark)).marks[mark] = held;
    }
}

fn removed(rules: &Rules) -> WriterStep {
    match rules.waits_for_replica {
        true => WriterStep::Wait { is_there: false },
        false => WriterStep::Return,
    }
}
