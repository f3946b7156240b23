//! What a leader does: takes the key, loads, stores.

use super::flights::keeps_entry;
use super::rules::{Expired, Renewal, Rules};
use super::state::{
    Caller, Cell, Claim, EPOCH, Entry, Late, Looking, MARKS, Phase, Seen, State, Step,
};
use crate::explore::Steps;

/// Takes the key for a load (`RemoteClaim::take`).
pub(super) fn take(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let caller = state.callers[at];
    if keeps_entry(rules, state, at) {
        return take_beside(rules, state, at, steps);
    }
    let (mut next, name) = (state.clone(), state.name(at));
    match caller.seen.cell {
        Cell::Lease(lease) if lease != caller.claim.expected => next.outwait(at, lease),
        Cell::Write(_) => next.load_without_storing(at),
        _ => return acquire(rules, state, at, steps),
    }
    next.push(steps, |next| format!("{name}: takes the key -> {:?}", next.callers[at].step));
}

/// ACQUIRE (`RemoteClaim::acquire`, `Steps::begin_load`).
fn acquire(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (caller, name) = (state.callers[at], state.name(at));
    let expected = caller.seen.cell.prefix();
    let mut next = state.clone();
    let lease = next.unused();
    let acquired = match rules.leases {
        true => next.acquire(caller.process, Some(expected), Cell::Lease(lease)),
        false => Ok(()),
    };
    match acquired {
        Ok(()) => {
            let life = next.life(rules, caller.process, 0);
            let claim = Claim { stores: true, expected: lease, lease, life, ..Claim::default() };
            next.callers[at].claim = claim;
            next.ensure_marks(rules, at, |mark| rules.before_load(mark) && !rules.away[mark]);
            let is_more_away = next.callers[at].claim.stores
                && (0..MARKS).any(|mark| rules.before_load(mark) && rules.away[mark]);
            next.callers[at].step = if is_more_away { Step::Ensure } else { Step::Load };
        }
        Err(Cell::Lease(held)) => next.outwait(at, held),
        Err(_) if caller.looking == Looking::BeforeNextFlight => next.load_without_storing(at),
        Err(_) => next.look_again(rules, at),
    }
    next.forget_look(rules, at);
    next.push(steps, |next| format!("{name}: ACQUIRE -> {:?}", next.callers[at].step));
    if state.budget.late > 0 {
        let mut next = state.clone();
        next.budget.late -= 1;
        next.late.push(Late::Acquire { expected, lease });
        next.load_without_storing(at);
        next.forget_look(rules, at);
        next.push(steps, |_| format!("{name}: ACQUIRE times out"));
    }
}

/// Takes the lease beside the cell, to put a new value in place of the entry that was found
/// (`RemoteClaim::take_beside`, `RemoteClaim::renewing`).
fn take_beside(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (caller, mut next, name) = (state.callers[at], state.clone(), state.name(at));
    let lease = next.unused();
    let beside = &mut next.server(caller.process, 0).beside;
    let held = *beside;
    if held == 0 {
        *beside = lease;
        next.callers[at].claim = Claim {
            stores: true,
            expected: caller.seen.cell.prefix(),
            lease,
            is_beside: true,
            stamps: caller.seen.states,
            life: caller.seen.life,
        };
        let needs_epoch = rules.before_load(EPOCH);
        next.callers[at].step = if needs_epoch { Step::Ensure } else { Step::Load };
    } else if caller.is_background {
        next.end_flight(rules, at, None);
        next.finish_read(at);
    } else {
        next.outwait(at, held);
        next.callers[at].step = Step::OutwaitBeside;
    }
    next.forget_look(rules, at);
    next.push(steps, |next| format!("{name}: lease beside -> {:?}", next.callers[at].step));
}

/// Reads or creates the marks that lie elsewhere, before the load (`Steps::ensure_call`).
pub(super) fn ensure(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let is_beside = state.callers[at].claim.is_beside;
    next.ensure_marks(rules, at, |mark| {
        let is_new = if is_beside { mark == EPOCH } else { rules.away[mark] };
        rules.before_load(mark) && is_new
    });
    next.callers[at].step = Step::Load;
    next.push(steps, |_| format!("{}: reads marks before the load", state.name(at)));
}

/// Waits for a load of another process (`Elsewhere::outwait`, `boarding::outwait`).
pub(super) fn outwait(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (caller, mut next, name) = (state.callers[at], state.clone(), state.name(at));
    let server = next.server(caller.process, 0);
    let held = match caller.step {
        Step::OutwaitBeside => server.beside,
        _ => server.cell.prefix(),
    };
    if held != caller.claim.expected {
        let it = &mut next.callers[at];
        it.claim = Claim::default();
        it.phase = Phase::Loading;
        it.looking = Looking::AfterWaiting;
        it.step = Step::Look;
        next.push(steps, |_| format!("{name}: the other load is over"));
    }
    if rules.impatient {
        let mut next = state.clone();
        next.load_without_storing(at);
        next.push(steps, |_| format!("{name}: the other load takes too long"));
    }
}

/// The load reads the database, or fails (`Leader::run_here`, `Leader::finish`).
pub(super) fn load(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let (name, version) = (state.name(at), state.database);
    next.callers[at].version = version;
    next.callers[at].phase = Phase::Loading;
    next.callers[at].step = Step::Loaded;
    next.loads += u8::from(rules.most_loads > 0);
    next.push(steps, |_| format!("{name}: loads version {version}"));
    if state.budget.failures > 0 {
        let mut next = state.clone();
        next.budget.failures -= 1;
        next.give_back(at);
        fail(rules, &mut next, at);
        next.push(steps, |_| format!("{name}: its load fails"));
    }
}

/// The error is the caller's, unless there is an expired value to serve (rule E3).
fn fail(rules: &Rules, next: &mut State, at: usize) {
    let caller = next.callers[at];
    next.callers[at].phase = Phase::Filling;
    if let Cell::Value(entry) = caller.seen.cell
        && rules.serves_invalidated
    {
        next.end_flight(rules, at, None);
        next.serve(at, entry.version);
        next.finish_read(at);
    } else if rules.expired == Expired::ServedIfLoadFails {
        let it = &mut next.callers[at];
        (it.claim, it.seen) = (Claim::default(), Seen::default());
        it.looking = Looking::InPlaceOfLoad;
        it.step = Step::Look;
    } else {
        next.end_flight(rules, at, None);
        next.finish_read(at);
    }
}

/// A load has a value (`Leader::finish`, `RemoteClaim::conclude`).
pub(super) fn loaded(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (caller, mut next, name) = (state.callers[at], state.clone(), state.name(at));
    if !caller.claim.stores {
        next.land(rules, at, false);
        next.push(steps, |_| format!("{name}: returns version {}, stores nothing", caller.version));
        return;
    }
    if !(0..MARKS).any(|mark| rules.after_load(mark)) {
        return fill(rules, state, at, steps);
    }
    next.callers[at].phase = Phase::Filling;
    next.ensure_marks(rules, at, |mark| rules.after_load(mark));
    let is_guarded_elsewhere = rules.has_result_tag && rules.guards && rules.away[EPOCH];
    next.callers[at].step = if is_guarded_elsewhere { Step::Guard } else { Step::Fill };
    if !next.callers[at].claim.stores {
        next.land(rules, at, false);
    }
    next.push(steps, |_| format!("{name}: reads marks after the load"));
}

/// Compares the epochs that lie elsewhere, before FILL is sent (`Steps::end_load`).
pub(super) fn guard(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (caller, mut next) = (state.callers[at], state.clone());
    let holds = next.mark(rules, caller.process, EPOCH) == caller.claim.stamps[EPOCH];
    if holds {
        next.callers[at].step = Step::Fill;
    } else {
        next.give_back(at);
        next.land(rules, at, false);
    }
    next.push(steps, |_| {
        format!("{}: the epoch {}", state.name(at), if holds { "holds" } else { "has changed" })
    });
}

/// FILL (`Filling::send`, `Steps::end_load`).
pub(super) fn fill(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (caller, mut next, name) = (state.callers[at], state.clone(), state.name(at));
    let claim = caller.claim;
    let mut stamps = claim.stamps;
    (0..MARKS)
        .filter(|mark| !rules.carried(*mark))
        .for_each(|mark| stamps[mark] = Default::default());
    let (version, life) = (caller.version, claim.life);
    let entry = Entry { id: next.unused(), version, stamps, life, is_expired: false };
    let is_blind = claim.is_beside && rules.refresh_always_fills;
    let expected = (!is_blind).then_some(claim.expected);
    let is_stored = next.fill(rules, caller.process, expected, entry, &claim.stamps);
    next.callers[at].phase = Phase::Filling;
    next.give_back(at);
    let is_exact = is_stored && next.stamps_hold(rules, at, false);
    if is_exact && (0..MARKS).any(|mark| rules.carried(mark) && rules.away[mark]) {
        next.callers[at].step = Step::Touch;
    } else {
        next.callers[at].step = Step::Land { is_exact };
    }
    let outcome = if is_stored { "stored" } else { "refused" };
    next.push(steps, |_| format!("{name}: FILL with version {version} -> {outcome}"));
    if state.budget.late > 0 {
        let mut next = state.clone();
        next.budget.late -= 1;
        // It is sent once more off the caller's path (`Filling::send_again`).
        let expected = claim.expected;
        next.late.push(Late::Fill { expected, entry, attempts: 2, is_write: false });
        next.callers[at].phase = Phase::Filling;
        next.callers[at].step = Step::Land { is_exact: false };
        next.push(steps, |_| format!("{name}: FILL with version {version} times out"));
    }
}

/// Looks at the marks elsewhere after FILL, for those who joined (`Steps::touch`).
pub(super) fn touch(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let is_exact = next.stamps_hold(rules, at, true);
    next.callers[at].step = Step::Land { is_exact };
    next.push(steps, |_| format!("{}: looks at the marks elsewhere", state.name(at)));
}

/// The store's answer has come: the flight ends (`Flight::end`), and the value is returned.
pub(super) fn land(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let (mut next, Caller { step, version, .. }) = (state.clone(), state.callers[at]);
    let is_exact = step == Step::Land { is_exact: true };
    next.land(rules, at, is_exact);
    next.push(steps, |_| format!("{}: returns version {version}", state.name(at)));
}

/// Renews the lease of a load that shows life (`Renewal::start`). A renewal that compares changes
/// nothing but the lease's end, which `LeaseEnds` stands for.
pub(super) fn renew(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let caller = &state.callers[at];
    if rules.renewal == Renewal::PutsBack && caller.renews(caller.claim.lease) {
        let mut next = state.clone();
        next.server(caller.process, 0).cell = Cell::Lease(caller.claim.lease);
        next.push(steps, |_| format!("{}: renews its lease", state.name(at)));
    }
}

impl State {
    fn outwait(&mut self, at: usize, lease: u8) {
        self.callers[at].claim = Claim { expected: lease, ..Claim::default() };
        self.callers[at].step = Step::OutwaitCell;
    }

    /// What the look saw is not needed any more.
    fn forget_look(&mut self, rules: &Rules, at: usize) {
        if !rules.serves_invalidated {
            self.callers[at].seen = Seen::default();
        }
    }

    fn ensure_marks(&mut self, rules: &Rules, at: usize, wanted: impl Fn(usize) -> bool) {
        for mark in (0..MARKS).filter(|mark| wanted(*mark)) {
            let stamp = self.ensure(rules, self.callers[at].process, mark);
            self.callers[at].claim.stamps[mark] = stamp;
            // What is held stores nothing, and is no result to share.
            if stamp.nonce == 0 && self.callers[at].claim.stores {
                self.give_back(at);
                self.callers[at].claim = Claim::default();
            }
        }
    }

    /// Whether the marks of the entry that was just stored are what they were (rule J).
    fn stamps_hold(&mut self, rules: &Rules, at: usize, away: bool) -> bool {
        let caller = self.callers[at];
        (0..MARKS).filter(|mark| rules.carried(*mark) && rules.away[*mark] == away).all(|mark| {
            let is_unasked = rules.join == super::rules::Join::WithoutTagCheck;
            is_unasked || self.mark(rules, caller.process, mark) == caller.claim.stamps[mark]
        })
    }

    /// Gives back the lease, in the cell or beside it (`RemoteClaim::give_back`). What is given
    /// back off the caller's path is given back at once here; that it takes longer, or never
    /// comes, is what the end of leases stands for.
    pub(super) fn give_back(&mut self, at: usize) {
        let caller = self.callers[at];
        match caller.claim.is_beside {
            true => self.release_beside(caller.process, caller.claim.lease),
            false => self.release(caller.process, caller.claim.lease),
        }
    }
}
