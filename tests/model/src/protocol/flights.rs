//! Sharing one load inside a process: who joins, who leads, who waits.

use super::look::{Look, judge};
use super::rules::{Join, Rules};
use super::state::{Claim, Looking, NOBODY, Phase, Seen, State, Step, TAG};
use crate::explore::Steps;

impl Rules {
    /// Join rule J (`Landing::may_take`).
    pub(super) fn may_take(&self, before_load: bool, exact: bool) -> bool {
        self.join == Join::Everybody || before_load || exact
    }
}

impl State {
    /// The flight that others of this process find (`Flights::table`).
    fn in_table(&self, process: u8, but: usize) -> Option<usize> {
        self.callers
            .iter()
            .enumerate()
            .position(|(at, caller)| at != but && caller.in_table && caller.process == process)
    }

    /// Joins a load, as far as that has come (`Flight::board`).
    fn join(&mut self, rules: &Rules, at: usize, leader: usize) {
        let flight = self.callers[leader];
        let number = u8::try_from(leader).unwrap_or(NOBODY);
        let stores_nothing = flight.stores_nothing() && rules.join == Join::RuleJ;
        self.callers[at].seen = Seen::default();
        self.callers[at].step = match flight.phase {
            Phase::Boarding => Step::Joined { leader: number, before_load: true },
            Phase::Loading if stores_nothing => Step::Queued { leader: number },
            Phase::Loading => Step::Joined { leader: number, before_load: false },
            _ if matches!(rules.join, Join::UntilTheEnd | Join::Everybody) => {
                Step::Joined { leader: number, before_load: false }
            }
            _ => Step::Watching { leader: number },
        };
    }

    /// Leads a load. `replaces` is the lease of a load of this process that it takes the place of.
    fn lead(&mut self, rules: &Rules, at: usize, replaces: u8) {
        let process = self.callers[at].process;
        for (other, caller) in self.callers.iter_mut().enumerate() {
            caller.in_table &= other == at || caller.process != process;
            if caller.step == Step::Next && caller.process == process && other != at {
                let leader = u8::try_from(at).unwrap_or(NOBODY);
                caller.step = Step::Joined { leader, before_load: true };
            }
        }
        let caller = &mut self.callers[at];
        caller.phase = Phase::Boarding;
        caller.in_table = rules.join != Join::Nobody;
        caller.claim = Claim { expected: replaces, ..Claim::default() };
        caller.step = Step::Take;
    }
}

/// A read begins (`engine::begin`).
pub(super) fn start(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    next.callers[at].floor = state.acknowledged;
    next.callers[at].step = Step::Look;
    let floor = state.acknowledged;
    next.clone().push(steps, |_| format!("{}: begins after {floor} acknowledged", state.name(at)));
    // Whoever would find what the load's leader found joins without a look
    // (`Flights::join_blocking`). The count of removals, which keeps some from it, is left out:
    // more may join here than there.
    let Some(leader) = state.in_table(state.callers[at].process, at) else { return };
    let flight = &state.callers[leader];
    let begins = matches!(flight.phase, Phase::Boarding | Phase::Loading);
    if begins && !flight.is_background && !flight.claim.is_beside && !flight.stores_nothing() {
        next.join(rules, at, leader);
        let floor = state.acknowledged;
        next.push(steps, |_| {
            format!("{}: begins after {floor} acknowledged, joins {leader}", state.name(at))
        });
    }
}

/// Joins the key's load or starts one (`boarding::board`).
pub(super) fn board(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let caller = state.callers[at];
    let leader = state.in_table(caller.process, at);
    match leader {
        // A refresh is for nobody else to wait for: whoever flies already does it.
        Some(_) if caller.is_background => next.finish_read(at),
        Some(leader) if is_worth_joining(rules, state, at, leader) => next.join(rules, at, leader),
        Some(leader) => {
            let held = state.callers[leader].claim;
            let in_the_cell = held.stores && !held.is_beside;
            next.lead(rules, at, if in_the_cell { held.lease } else { 0 });
        }
        None => next.lead(rules, at, 0),
    }
    next.push(steps, |next| format!("{}: boards -> {:?}", state.name(at), next.callers[at].step));
}

/// Whether a flight's result could still be stored, and so be shared (`boarding::is_intact`).
fn is_worth_joining(rules: &Rules, state: &State, at: usize, leader: usize) -> bool {
    let (caller, flight) = (&state.callers[at], &state.callers[leader]);
    if rules.join != Join::RuleJ {
        return true;
    }
    if usize::from(caller.given_up) == leader {
        return false;
    }
    // The ticket is there once everything before the load is done.
    let has_ticket = flight.claim.stores && !matches!(flight.step, Step::Take | Step::Ensure);
    let lease_seen_before =
        !flight.claim.is_beside && flight.claim.lease != caller.seen.cell.prefix();
    let tags_hold = !rules.has_tag || flight.claim.stamps[TAG] == caller.seen.states[TAG];
    !has_ticket || lease_seen_before || tags_hold
}

/// A load that stored nothing has ended: the first who waited leads the next one, for all who came
/// meanwhile (`boarding::lead_next`).
pub(super) fn lead_next(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    let mut next = state.clone();
    let (process, table) =
        (state.callers[at].process, state.in_table(state.callers[at].process, at));
    next.lead(rules, at, 0);
    if let Some(other) = table {
        // The one that it follows was replaced: nobody finds this one.
        next.callers[other].in_table = true;
        next.callers[at].in_table = false;
    }
    let caller = &mut next.callers[at];
    caller.phase = Phase::Loading;
    caller.looking = Looking::BeforeNextFlight;
    caller.seen = Seen::default();
    caller.step = Step::Look;
    next.push(steps, |_| format!("caller {at} of process {process}: leads the next flight"));
}

/// A waiter finds that nobody polls the load (`Waited::Stalled`, `Pulse`).
pub(super) fn give_up(state: &State, at: usize, leader: u8, steps: &mut Steps<State>) {
    let flight = &state.callers[usize::from(leader)];
    let can_stall = matches!(flight.step, Step::Load | Step::Loaded);
    if !can_stall || (state.budget.stalls == 0 && !flight.is_stalled) {
        return;
    }
    let mut next = state.clone();
    if !flight.is_stalled {
        next.budget.stalls -= 1;
        next.callers[usize::from(leader)].is_stalled = true;
    }
    next.callers[at].given_up = leader;
    next.callers[at].step = Step::Look;
    next.push(steps, |_| {
        format!("{}: gives up the load of {leader}, which stands still", state.name(at))
    });
}

/// Whether there is a value that stays until the load has ended (rule E2).
pub(super) fn keeps_entry(rules: &Rules, state: &State, at: usize) -> bool {
    matches!(
        judge(rules, &state.callers[at].seen),
        Look::Kept { .. } | Look::Hit { is_stale: true, .. }
    )
}
