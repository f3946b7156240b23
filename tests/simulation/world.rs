//! Everything that one seed decides: what happens next, to whom, and what goes wrong.
//!
//! Nothing goes on by itself. Tasks stop at gates, commands and answers lie in the network, and what
//! the store tells waits in a line of its own for each process, until the scheduler picks it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cache_runtime::provider::{Sign, Watch};
use cache_runtime::{ManualClock, Result};
use fastrand::Rng;

use crate::command::{Command, Reply};
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::slot::{Slot, lock, slot};
use crate::store::{MiniStore, News};

/// One simulated data centre.
pub(crate) struct World {
    state: Mutex<State>,
    pub(crate) ledger: Ledger,
}

pub(crate) struct State {
    pub(crate) random: Rng,
    pub(crate) hand: ManualClock,
    pub(crate) now: u64,
    pub(crate) store: MiniStore,
    /// States that the store had: what a server may hold that takes over.
    pub(crate) copies: VecDeque<MiniStore>,
    pub(crate) waiting: BTreeMap<u64, Waiting>,
    pub(crate) numbers: u64,
    pub(crate) calls: u64,
    pub(crate) processes: Vec<Process>,
    pub(crate) faults: Faults,
    pub(crate) trace: u64,
    pub(crate) says: bool,
}

#[derive(Default)]
pub(crate) struct Process {
    pub(crate) is_dead: bool,
    /// Not picked until so many steps were taken.
    pub(crate) stopped_until: u64,
    pub(crate) ear: Option<Ear>,
}

/// What a process hears of changes.
pub(crate) struct Ear {
    pub(crate) watch: Watch,
    pub(crate) next_ping: u64,
    pub(crate) ping: Option<Sign>,
    pub(crate) line: VecDeque<Told>,
    pub(crate) is_connected: bool,
    /// Not connected again before so many steps were taken.
    pub(crate) back_at: u64,
}

pub(crate) enum Told {
    News(News),
    Sign(Sign),
}

pub(crate) struct Waiting {
    pub(crate) process: usize,
    pub(crate) what: What,
}

pub(crate) enum What {
    Gate(Slot<()>),
    Command(Command, Slot<Result<Reply>>),
    /// One whose sender has given up, or never hears of it.
    Late(Command),
    Answer(Reply, Slot<Result<Reply>>),
}

impl World {
    pub(crate) fn new(
        mut random: Rng,
        hand: ManualClock,
        processes: usize,
        faults: Faults,
        ledger: Ledger,
    ) -> Arc<Self> {
        let random = Rng::with_seed(random.u64(..));
        let state = State {
            random,
            hand,
            now: 0,
            store: MiniStore::new(),
            copies: VecDeque::from([MiniStore::new()]),
            waiting: BTreeMap::new(),
            numbers: 0,
            calls: 0,
            processes: (0..processes).map(|_| Process::default()).collect(),
            faults,
            trace: 0xcbf2_9ce4_8422_2325,
            says: false,
        };
        Arc::new(Self { state: Mutex::new(state), ledger })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// A place where anything may happen in between.
    pub(crate) async fn gate(&self, process: usize) {
        let (slot, wait) = slot();
        self.state().wait(process, What::Gate(slot));
        wait.await;
    }

    pub(crate) async fn send(&self, process: usize, command: Command) -> Result<Reply> {
        let (slot, wait) = slot();
        self.state().wait(process, What::Command(command, slot));
        wait.await
    }

    pub(crate) fn listen(&self, process: usize, watch: Watch) {
        let (line, ping) = (VecDeque::new(), None);
        let ear = Ear { watch, next_ping: 0, ping, line, is_connected: true, back_at: 0 };
        self.state().processes[process].ear = Some(ear);
    }

    /// Nothing of this process goes on.
    pub(crate) fn kill(&self, process: usize) {
        self.state().kill(process);
    }

    pub(crate) fn is_dead(&self, process: usize) -> bool {
        self.state().processes[process].is_dead
    }

    pub(crate) fn now(&self) -> u64 {
        self.state().now
    }

    /// A number that only the same sequence of events gives.
    pub(crate) fn trace(&self) -> u64 {
        self.state().trace
    }

    /// Lets one thing happen. False if there is nothing but to wait for the clock.
    pub(crate) fn step(&self, number: u64, is_calm: bool) -> bool {
        let Some(call) = self.state().next(number, is_calm) else { return false };
        // Watchers are called without the lock: they may ask for anything.
        match call {
            Call::Ask(process, watch) => {
                if let Some(watcher) = watch.watcher.upgrade() {
                    let sign = watcher.asking();
                    if let Some(ear) = &mut self.state().processes[process].ear {
                        ear.ping = Some(sign);
                    }
                }
            }
            Call::Tell(watch, told) => {
                if let Some(watcher) = watch.watcher.upgrade() {
                    match told {
                        Told::News(news) => watcher.changed(news.as_changed()),
                        Told::Sign(sign) => watcher.alive(sign),
                    }
                }
            }
            Call::Give(slot, answer) => slot.give(answer),
            Call::Open(slot) => slot.give(()),
            Call::Nothing => {}
        }
        true
    }

    pub(crate) fn advance(&self, by: u64) {
        self.state().advance(by);
    }
}

/// What is done when the state is free again.
pub(crate) enum Call {
    Ask(usize, Watch),
    Tell(Watch, Told),
    Give(Slot<Result<Reply>>, Result<Reply>),
    Open(Slot<()>),
    Nothing,
}

impl State {
    pub(crate) fn wait(&mut self, process: usize, what: What) {
        // What is dropped here is waited for in vain, as the dead do.
        if self.processes[process].is_dead && !matches!(what, What::Late(_)) {
            return;
        }
        self.numbers += 1;
        self.waiting.insert(self.numbers, Waiting { process, what });
    }

    /// Adds an event to the trace, and prints it if this seed is looked at.
    pub(crate) fn note(&mut self, event: impl FnOnce() -> String) {
        if self.says {
            println!("{:>8} ms  {}", self.now, event());
        }
    }

    pub(crate) fn kill(&mut self, process: usize) {
        self.note(|| format!("process {process} dies"));
        self.processes[process].is_dead = true;
        let (its, others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|(_, waiting)| waiting.process == process);
        self.waiting.extend(others);
        // What it has sent may still arrive.
        for (id, Waiting { what, .. }) in its {
            if let What::Command(command, _) | What::Late(command) = what {
                self.waiting.insert(id, Waiting { process, what: What::Late(command) });
            }
        }
    }

    /// The number of a call, for whoever reads what happened.
    pub(crate) fn begin(&mut self) -> u64 {
        self.calls += 1;
        self.calls
    }

    pub(crate) fn hash(&mut self, number: u64) {
        self.trace = (self.trace ^ number).wrapping_mul(0x0100_0000_01b3);
    }

    pub(crate) fn advance(&mut self, by: u64) {
        self.now += by;
        self.hash(self.now);
        self.note(|| format!("the clock moves by {by} ms"));
        self.store.at(self.now);
        self.spread();
        self.hand.advance(Duration::from_millis(by));
    }

    /// Puts what changed into the line of everybody who listens.
    pub(crate) fn spread(&mut self) {
        for news in std::mem::take(&mut self.store.news) {
            for ear in self.processes.iter_mut().filter_map(|process| process.ear.as_mut()) {
                if ear.is_connected {
                    ear.line.push_back(Told::News(news.clone()));
                }
            }
        }
    }
}
