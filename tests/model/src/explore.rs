//! Breadth-first search through every state that a model can reach.
//!
//! States are remembered by a hash of 64 bits and the number of the state that they were reached
//! from. Whole states are kept only while they wait for their turn; a trace is found by running the
//! model again along the hashes. Two states with one hash would be taken for one: with ten million
//! states that happens in about three of a million searches.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use foldhash::quality::FixedState;

/// A system whose parts take steps in any order.
pub trait Model {
    /// All that the system's future depends on.
    type State: Clone + Eq + Hash;

    /// Where it starts.
    fn initial(&self) -> Self::State;

    /// Every step that some part can take now.
    fn steps(&self, state: &Self::State, steps: &mut Steps<Self::State>);

    /// The promise that this state breaks.
    fn broken(&self, state: &Self::State) -> Option<&'static str>;

    /// Whether everybody has come to an end.
    fn is_finished(&self, state: &Self::State) -> bool;
}

/// The steps out of one state.
#[derive(Debug)]
pub struct Steps<S> {
    found: Vec<(String, S)>,
    named: bool,
}

impl<S> Steps<S> {
    /// Adds a step by its outcome. The name is made only where a trace is wanted.
    pub fn add(&mut self, state: S, name: impl FnOnce(&S) -> String) {
        let name = if self.named { name(&state) } else { String::new() };
        self.found.push((name, state));
    }
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// After so many states it is given up.
    pub most_states: usize,
    /// Whether it also looks for states from which nobody can come to an end any more.
    pub looks_for_hangs: bool,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found {
    /// How many different states were seen.
    pub states: usize,
    /// The longest way to a state, in steps.
    pub depth: usize,
    /// How it ended.
    pub ending: Ending,
}

/// How a search ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// Every state was seen, and none breaks a promise.
    Exhausted,
    /// A promise is broken; the trace is a shortest one.
    Broken(Trace),
    /// There are more states than the bound allows.
    GivenUp,
}

/// The way from the start to a state that breaks a promise.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The promise.
    pub broken: String,
    /// The steps, one a line.
    pub steps: Vec<String>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            writeln!(f, "    {:>3}. {step}", at + 1)?;
        }
        writeln!(f, "    broken: {}", self.broken)
    }
}

const NOWHERE: u32 = u32::MAX;

/// A hash that is a number already, and needs no other.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

struct Search<'m, M: Model> {
    model: &'m M,
    hasher: FixedState,
    numbers: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    /// Where each state was reached from, and its hash.
    reached: Vec<(u32, u64)>,
    /// The steps between states, where hangs are looked for.
    edges: Vec<(u32, u32)>,
    finished: Vec<u32>,
}

/// Searches all states of a model, up to the bounds.
pub fn explore<M: Model>(model: &M, bounds: Bounds) -> Found {
    let mut search = Search {
        model,
        hasher: FixedState::with_seed(0x5eed),
        numbers: HashMap::default(),
        reached: Vec::new(),
        edges: Vec::new(),
        finished: Vec::new(),
    };
    let (ending, depth) = search.run(bounds);
    Found { states: search.reached.len(), depth, ending }
}

impl<M: Model> Search<'_, M> {
    fn run(&mut self, bounds: Bounds) -> (Ending, usize) {
        let initial = self.model.initial();
        self.number(NOWHERE, &initial);
        let (mut present, mut depth) = (vec![(0, initial)], 0);
        let mut steps = Steps { found: Vec::new(), named: false };
        while !present.is_empty() {
            let mut following = Vec::new();
            for (from, state) in present.drain(..) {
                if bounds.looks_for_hangs && self.model.is_finished(&state) {
                    self.finished.push(from);
                }
                self.model.steps(&state, &mut steps);
                for (_, next) in steps.found.drain(..) {
                    let (number, is_new) = self.number(from, &next);
                    if bounds.looks_for_hangs {
                        self.edges.push((from, number));
                    }
                    if !is_new {
                        continue;
                    }
                    if let Some(broken) = self.model.broken(&next) {
                        return (Ending::Broken(self.trace(number, broken)), depth + 1);
                    }
                    following.push((number, next));
                }
                if self.reached.len() > bounds.most_states {
                    return (Ending::GivenUp, depth);
                }
            }
            depth += usize::from(!following.is_empty());
            present = following;
        }
        match self.first_hang().filter(|_| bounds.looks_for_hangs) {
            Some(number) => {
                let broken = "nobody can come to an end from here any more";
                (Ending::Broken(self.trace(number, broken)), depth)
            }
            None => (Ending::Exhausted, depth),
        }
    }

    /// The number of a state, and whether it is new.
    fn number(&mut self, from: u32, state: &M::State) -> (u32, bool) {
        let hash = self.hasher.hash_one(state);
        let next = u32::try_from(self.reached.len()).expect("the bound is below 2^32 states");
        let number = *self.numbers.entry(hash).or_insert(next);
        if number == next {
            self.reached.push((from, hash));
        }
        (number, number == next)
    }

    /// The first state from which no step, and no number of steps, leads to an end.
    fn first_hang(&self) -> Option<u32> {
        let mut can_end = vec![false; self.reached.len()];
        let mut backwards: Vec<(u32, u32)> = self.edges.iter().map(|(a, b)| (*b, *a)).collect();
        backwards.sort_unstable();
        let mut open = self.finished.clone();
        open.iter().for_each(|number| can_end[*number as usize] = true);
        while let Some(number) = open.pop() {
            let first = backwards.partition_point(|(to, _)| *to < number);
            for (_, from) in backwards[first..].iter().take_while(|(to, _)| *to == number) {
                if !std::mem::replace(&mut can_end[*from as usize], true) {
                    open.push(*from);
                }
            }
        }
        can_end.iter().position(|can_end| !can_end).and_then(|at| u32::try_from(at).ok())
    }

    /// The names of the steps to a state, found by going the same way again.
    fn trace(&self, number: u32, broken: &str) -> Trace {
        let (mut way, mut at) = (Vec::new(), number);
        while at != NOWHERE {
            let (from, hash) = self.reached[at as usize];
            way.push(hash);
            at = from;
        }
        let (mut state, mut names) = (self.model.initial(), Vec::new());
        for hash in way.iter().rev().skip(1) {
            let mut steps = Steps { found: Vec::new(), named: true };
            self.model.steps(&state, &mut steps);
            let step =
                steps.found.into_iter().find(|(_, next)| self.hasher.hash_one(next) == *hash);
            let (name, next) = step.expect("the model takes the same steps again");
            names.push(name);
            state = next;
        }
        Trace { broken: broken.to_owned(), steps: names }
    }
}
