//! One key, its marks, and the protocol around them as `cache-runtime` has it.
//!
//! | here | what | in `cache-runtime/src` |
//! |---|---|---|
//! | [`rules`] | which rules hold, and the faults | |
//! | [`state`] | what everybody remembers | |
//! | `store` | the atomic steps of a server | `provider/commands`, `provider/commands/lua` |
//! | `look` | reads, and verdicts on what was found | `cache/remote/read.rs`, `cache/engine.rs` |
//! | `flights` | who joins and who leads | `cache/boarding.rs`, `flight/` |
//! | `leader` | leases, loads, fills, waiting, renewal | `cache/remote/{claim,fill,elsewhere,renewal}.rs` |
//! | `writers` | invalidation, writing through | `cache/remote/{remove,write}.rs` |
//! | `faults` | what happens by itself | |
//!
//! The oracle: a value is the number of commits that its load had seen. A read may return no number
//! below the one that was acknowledged when it began (promise P1), and no more loads may happen than
//! the configuration says (promise P2).

mod faults;
mod flights;
mod leader;
mod look;
pub mod rules;
pub mod state;
mod store;
mod writers;

use rules::Rules;
use state::{
    Broken, Budget, Caller, Cell, Claim, Entry, MARKS, Server, Stamp, State, Step, Writer,
    WriterStep,
};

use crate::explore::{Model, Steps};

impl Model for Rules {
    type State = State;

    fn initial(&self) -> State {
        let empty = Server { life: 1, ..Server::default() };
        let mut servers = [empty; 2];
        if self.starts_filled {
            let (mut stamps, life) = ([Stamp::default(); MARKS], u8::from(self.fence));
            for mark in (0..MARKS).filter(|mark| self.carried(*mark)) {
                stamps[mark] = Stamp { nonce: mark as u8 + 2, life };
                servers[self.server_of(mark)].marks[mark] = mark as u8 + 2;
            }
            let entry = Entry { id: 1, version: 0, stamps, life, is_expired: false };
            servers[0].cell = Cell::Value(entry);
        }
        let replicas = if self.has_replicas() { servers } else { Default::default() };
        let writer = Writer { step: WriterStep::Idle, version: 0, claim: Claim::default() };
        let mut state = State {
            database: 0,
            acknowledged: 0,
            servers,
            replicas,
            old: None,
            callers: self
                .callers
                .iter()
                .map(|(process, reads)| Caller::new(*process, *reads))
                .collect(),
            writers: vec![writer; self.writers.len()],
            late: Vec::new(),
            budget: Budget {
                drops: self.drops,
                late: self.late,
                failures: self.failures,
                stalls: self.stalls,
                failovers: self.failovers,
            },
            loads: 0,
            broken: None,
        };
        state.rename();
        state
    }

    fn steps(&self, state: &State, steps: &mut Steps<State>) {
        for at in 0..state.callers.len() {
            caller(self, state, at, steps);
        }
        for at in 0..state.writers.len() {
            writers::writer(self, state, at, steps);
        }
        faults::faults(self, state, steps);
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        match state.broken {
            Some(Broken::StaleRead) => Some(
                "P1: a read that began after an acknowledged invalidation returned an older value",
            ),
            Some(Broken::StaleShare) => Some(
                "P1: a caller took a load's value that is older than what was acknowledged before",
            ),
            None if self.most_loads > 0 && state.loads > self.most_loads => {
                Some("P2: more loads than one for each miss")
            }
            None => None,
        }
    }

    fn is_finished(&self, state: &State) -> bool {
        state.callers.iter().all(|caller| caller.step == Step::Done)
            && state.writers.iter().all(|writer| writer.step == WriterStep::Done)
    }
}

fn caller(rules: &Rules, state: &State, at: usize, steps: &mut Steps<State>) {
    match state.callers[at].step {
        Step::Idle => flights::start(rules, state, at, steps),
        Step::Look | Step::LookAtMarks | Step::LookAtCell | Step::LookAtResultTag => {
            look::look(rules, state, at, steps);
        }
        Step::Board => flights::board(rules, state, at, steps),
        Step::Take => leader::take(rules, state, at, steps),
        Step::Ensure => leader::ensure(rules, state, at, steps),
        Step::OutwaitCell | Step::OutwaitBeside => leader::outwait(rules, state, at, steps),
        Step::Load => leader::load(rules, state, at, steps),
        Step::Loaded => leader::loaded(rules, state, at, steps),
        Step::Guard => leader::guard(rules, state, at, steps),
        Step::Fill => leader::fill(rules, state, at, steps),
        Step::Touch => leader::touch(rules, state, at, steps),
        Step::Land { .. } => leader::land(rules, state, at, steps),
        Step::Joined { leader, .. } | Step::Watching { leader } => {
            flights::give_up(state, at, leader, steps);
        }
        Step::Next => flights::lead_next(rules, state, at, steps),
        Step::Queued { .. } | Step::Done => {}
    }
    leader::renew(rules, state, at, steps);
}
