//! Copies of one entry near its readers: whom the store tells, for how long they may be served.
//!
//! | here | what | in `cache-runtime/src` |
//! |---|---|---|
//! | [`state`] | what everybody remembers | |
//! | `readers` | looks, reads, copies | `cache/remote/near/{mod,asking}.rs` (`look`, `before`, `keep`, `validate`) |
//! | `telling` | changes, signs of life, losses | `cache/remote/near/{telling,lease}.rs`, `provider/redis/{ear,watching}.rs` |
//! | `writers` | removals, and waiting for near caches | `cache/remote/{mod,remove}.rs` (`settle`), `cache/remote/near/registry.rs` |
//!
//! The store is exact, as the other models show: a read finds an entry, or loads and stores one, in
//! one step. Time goes by in ticks, of which a bound has a few; everything else takes as long as it
//! likes. What a read has to see is what had been acknowledged a bound before it began, or, after an
//! invalidation that waited for near caches, that.

mod readers;
pub mod state;
mod telling;
mod writers;

use crate::explore::{Model, Steps};
use state::{Looks, Node, Reader, State, Step, WriterStep};

/// When copies are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// While the store's last sign of life is younger than the bound: it tells of changes.
    Told,
    /// Until the bound has passed since they were asked for.
    Timed,
    /// When the store has said that they are current.
    Validated,
}

/// What a read has to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// What was acknowledged before it began.
    Exact,
    /// What was acknowledged a bound before it began.
    Bound,
    /// What an invalidation has waited for near caches with.
    Settled,
}

/// What becomes invalid, and so what the store tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key or a tag is removed.
    Name,
    /// Everything is: the server says that without a name (a null push).
    Everything,
}

/// From when on the bound counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From the moment at which a sign of life, or a value, was asked for.
    Asked,
    /// From the answer on.
    Answered,
}

/// A configuration.
#[derive(Clone, Debug)]
pub struct Near {
    pub mode: Mode,
    pub promise: Promise,
    /// How many ticks the bound has: `BOUND` at most.
    pub bound: u8,
    pub nodes: usize,
    /// For each reader, its node and how many reads it makes.
    pub readers: Vec<(u8, u8)>,
    pub writers: Vec<Change>,
    /// Whether the writers are on the first node, and so exact for readers there.
    pub writes_here: bool,

    pub since: Since,
    /// Whether a copy is made only if nothing was told since before it was asked for
    /// (`NearCache::keep`).
    pub guards_copies: bool,
    /// Whether a sign of life takes two questions (`Ear::ask`).
    pub asks_twice: bool,
    /// Whether a null push is heeded (`Changed::Everything`).
    pub heeds_null: bool,
    /// Whether copies are forgotten when the connection is lost, and again when it is back.
    pub forgets_on_loss: bool,
    /// Whether a process that removes something forgets its own copy after that (`Remote::remove`),
    /// or before it.
    pub forgets_after_removal: bool,
    /// Whether near caches register before they keep anything (`NearCache::announce`).
    pub registers: bool,

    /// How often a connection may be lost.
    pub losses: u8,
    /// How often the registration may be evicted.
    pub evictions: u8,
}

impl Near {
    /// As implemented, for one process that reads and has a copy, and another one that writes.
    pub fn told(promise: Promise) -> Self {
        Self {
            mode: Mode::Told,
            promise,
            bound: 2,
            nodes: 1,
            readers: vec![(0, 2)],
            writers: vec![Change::Name],
            writes_here: false,
            since: Since::Asked,
            guards_copies: true,
            asks_twice: true,
            heeds_null: true,
            forgets_on_loss: true,
            forgets_after_removal: true,
            registers: true,
            losses: 0,
            evictions: 0,
        }
    }
}

impl Model for Near {
    type State = State;

    fn initial(&self) -> State {
        let reader = |(node, reads): &(u8, u8)| Reader {
            step: Step::Idle,
            node: *node,
            reads: *reads,
            floor: 0,
            looks: Looks::default(),
        };
        State {
            database: 0,
            acknowledged: [0; state::HISTORY],
            settled: 0,
            entry: Some((0, 1)),
            is_registered: self.registers,
            nodes: vec![Node::with_copy(self.bound); self.nodes],
            readers: self.readers.iter().map(reader).collect(),
            writers: vec![(WriterStep::Idle, 0); self.writers.len()],
            losses: self.losses,
            evictions: self.evictions,
            is_stale: false,
        }
    }

    fn steps(&self, state: &State, steps: &mut Steps<State>) {
        for at in 0..state.readers.len() {
            readers::reader(self, state, at, steps);
        }
        for at in 0..state.nodes.len() {
            telling::node(self, state, at, steps);
        }
        for at in 0..state.writers.len() {
            writers::writer(self, state, at, steps);
        }
        if state.evictions > 0 && state.is_registered {
            let mut next = state.clone();
            next.evictions -= 1;
            next.is_registered = false;
            steps.add(next, |_| "the registration of near caches is evicted".to_owned());
        }
        let mut next = state.clone();
        next.tick(self.bound);
        steps.add(next, |_| "time passes".to_owned());
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        state.is_stale.then_some("a copy was served that is older than the promise allows")
    }

    fn is_finished(&self, state: &State) -> bool {
        state.readers.iter().all(|reader| reader.step == Step::Done)
            && state.writers.iter().all(|(step, _)| *step == WriterStep::Done)
    }
}
