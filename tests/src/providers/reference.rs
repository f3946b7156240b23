//! The contract written down as code: ordered maps under one mutex, nothing clever.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Baseline, BoxFuture, CellBytes, Description, Extent, Fill, Filled,
    Incarnation, Lookup, Mark, MarkKind, MarkState, Observed, OnRefused, Prefix, Provider, Refusal,
    Removal, Stamp, Usage, Watch, ttl_millis,
};
use cache_runtime::{Error, ErrorKind, Pattern, Result};

use super::glob;

const INCARNATION: Incarnation = Incarnation::new(0x5eed);

type CellName = (String, String);
type MarkName = (String, MarkKind, String);

/// A provider to compare others with. Clones with the same namespace are the same provider.
#[derive(Debug)]
pub struct Reference {
    state: Arc<Mutex<State>>,
    namespace: String,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    now: u64,
    nonces: u64,
    /// Each with the millisecond at which it is no longer there.
    cells: BTreeMap<CellName, (Vec<u8>, u64)>,
    marks: BTreeMap<MarkName, (Held, u64)>,
}

/// What a mark holds.
#[derive(Clone, Debug)]
enum Held {
    Nonce([u8; 8]),
    /// Until then, by each of those who hold it.
    Until(Vec<u64>),
}

impl Reference {
    /// An empty store, seen from this namespace.
    pub fn new(namespace: &str) -> Self {
        let state = Arc::default();
        Self { state, namespace: namespace.to_owned(), closed: AtomicBool::new(false) }
    }

    /// The same store seen from another namespace.
    pub fn in_namespace(&self, namespace: &str) -> Self {
        Self { state: Arc::clone(&self.state), ..Self::new(namespace) }
    }

    /// Lets time pass, rounded down to milliseconds.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.now += u64::try_from(by.as_millis()).expect("a test's time");
        let now = state.now;
        state.cells.retain(|_, (_, end)| now < *end);
        state.marks.retain(|_, (_, end)| now < *end);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        step: impl FnOnce(&mut State) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            if self.closed.load(Ordering::SeqCst) {
                return Err(Error::new(
                    ErrorKind::Shutdown,
                    operation,
                    "the reference was shut down",
                ));
            }
            Ok(step(&mut self.lock()))
        })
    }

    fn cell(&self, key: &str) -> CellName {
        (self.namespace.clone(), key.to_owned())
    }

    fn mark(&self, mark: &Mark<'_>) -> MarkName {
        (self.namespace.clone(), mark.kind, mark.name.to_owned())
    }

    fn states(&self, state: &State, marks: &[Mark<'_>]) -> Vec<MarkState> {
        marks.iter().map(|mark| state.mark(&self.mark(mark))).collect()
    }

    fn create(&self, state: &mut State, marks: &[Mark<'_>], ttl: Duration) -> Baseline {
        let end = state.end(ttl);
        for mark in marks {
            state.nonces += 1;
            let nonce = state.nonces.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            state.marks.entry(self.mark(mark)).or_insert((Held::Nonce(nonce), end));
        }
        Baseline { marks: self.states(state, marks), incarnation: INCARNATION }
    }
}

impl State {
    fn end(&self, ttl: Duration) -> u64 {
        self.now + ttl_millis(ttl)
    }

    fn prefix(&self, cell: &CellName) -> Prefix {
        self.cells.get(cell).map_or(Prefix::ABSENT, |(bytes, _)| Prefix::of(bytes))
    }

    /// When the holds of a mark end that have not ended yet.
    fn ends_of_holds(&self, mark: &MarkName) -> Vec<u64> {
        match self.marks.get(mark) {
            Some((Held::Until(ends), _)) => {
                ends.iter().copied().filter(|end| *end > self.now).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Leaves a mark with these holds, or none.
    fn hold(&mut self, mark: MarkName, ends: Vec<u64>) {
        match ends.iter().copied().max() {
            Some(last) => drop(self.marks.insert(mark, (Held::Until(ends), last))),
            None => drop(self.marks.remove(&mark)),
        }
    }

    fn mark(&self, mark: &MarkName) -> MarkState {
        match self.marks.get(mark) {
            None => MarkState::Absent,
            Some((Held::Until(_), _)) => MarkState::Held,
            Some((Held::Nonce(nonce), _)) => MarkState::Live(Stamp::new(*nonce, INCARNATION)),
        }
    }
}

impl Provider for Reference {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        self.step("read", move |state| {
            let answer = |lookup: &Lookup<'_>| {
                let bytes = state.cells.get(&self.cell(lookup.key)).map(|(bytes, _)| &bytes[..]);
                let cell = match lookup.extent {
                    Extent::Whole => bytes.map(CellBytes::from),
                    Extent::Prefix => bytes.map(|bytes| Prefix::of(bytes).as_bytes().into()),
                    Extent::Nothing => None,
                };
                let marks = self.states(state, lookup.marks);
                Observed { cell, incarnation: INCARNATION, marks }
            };
            lookups.iter().map(answer).collect()
        })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        self.step("acquire", move |state| {
            let cell = self.cell(request.key);
            let found = state.prefix(&cell);
            if !request.expected.accepts(found) {
                return Acquired::Busy(found);
            }
            let end = state.end(request.lease_ttl);
            state.cells.insert(cell, (request.lease.as_bytes().to_vec(), end));
            Acquired::Granted(self.create(state, request.marks, request.mark_ttl))
        })
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        let step = self.step("fill", move |state| {
            let cell = self.cell(request.key);
            let broken = |(mark, stamp): &(Mark<'_>, Stamp)| {
                state.mark(&self.mark(mark)) != MarkState::Live(*stamp)
            };
            let refusal = if request.incarnation.is_some_and(|began| began != INCARNATION) {
                Some(Refusal::Incarnation)
            } else if !request.expected.accepts(state.prefix(&cell)) {
                Some(Refusal::Cell)
            } else if request.guards.iter().any(broken) {
                Some(Refusal::Guard)
            } else {
                None
            };
            if let Some(refusal) = refusal {
                if request.on_refused == OnRefused::Remove {
                    state.cells.remove(&cell);
                }
                return Filled::Refused(refusal);
            }
            let end = state.end(request.ttl);
            state.cells.insert(cell, (request.value.to_vec(), end));
            let end = state.end(request.mark_ttl);
            for mark in request.marks {
                if let Some((Held::Nonce(_), until)) = state.marks.get_mut(&self.mark(mark)) {
                    *until = end.max(*until);
                }
            }
            Filled::Stored(self.states(state, request.marks))
        });
        Box::pin(async move {
            if request.value.len() < Prefix::LENGTH {
                let message = "the value is shorter than a prefix";
                return Err(Error::new(ErrorKind::Codec, "fill", message));
            }
            step.await
        })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        self.step("renew", move |state| {
            let end = state.end(ttl);
            match state.cells.get_mut(&self.cell(key)) {
                Some((bytes, until)) if Prefix::of(bytes) == prefix => {
                    *until = end;
                    true
                }
                _ => false,
            }
        })
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        self.step("release", move |state| {
            let cell = self.cell(key);
            state.prefix(&cell) == prefix && state.cells.remove(&cell).is_some()
        })
    }

    fn ensure_marks<'a>(
        &'a self,
        _key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        self.step("ensure_marks", move |state| self.create(state, marks, ttl))
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        self.step("hold_marks", move |state| {
            let end = state.end(ttl);
            for mark in marks.iter().map(|mark| self.mark(mark)) {
                let mut ends = state.ends_of_holds(&mark);
                ends.push(end);
                state.hold(mark, ends);
            }
        })
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        self.step("release_marks", move |state| {
            for mark in marks.iter().map(|mark| self.mark(mark)) {
                let mut ends = state.ends_of_holds(&mark);
                ends.sort_unstable();
                state.hold(mark, ends.into_iter().skip(1).collect());
            }
        })
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        self.step("remove", move |state| {
            let cells =
                removal.keys.iter().filter(|key| state.cells.remove(&self.cell(key)).is_some());
            let cells = cells.count();
            let marks = removal.marks.iter().filter(|mark| {
                let mark = self.mark(mark);
                state.mark(&mark) != MarkState::Held && state.marks.remove(&mark).is_some()
            });
            (cells + marks.count()) as u64
        })
    }

    fn replicate<'a>(
        &'a self,
        _: Removal<'a>,
        replicas: u32,
        _: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        self.step("replicate", move |_| replicas)
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        self.step("remove_matching", move |state| {
            let before = state.cells.len();
            let pattern = pattern.as_str().as_bytes();
            state.cells.retain(|(namespace, key), _| {
                *namespace != self.namespace || !glob::fits(pattern, key.as_bytes())
            });
            (before - state.cells.len()) as u64
        })
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.step("clear", move |state| {
            state.cells.retain(|(namespace, _), _| *namespace != self.namespace);
            state.marks.retain(|(namespace, _, _), (held, _)| {
                *namespace != self.namespace || matches!(held, Held::Until(_))
            });
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        self.step("ping", |_| INCARNATION)
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        self.step("usage", move |state| {
            let own = state.cells.keys().filter(|(namespace, _)| *namespace == self.namespace);
            Usage::new(Some(own.count() as u64), None)
        })
    }

    fn describe(&self) -> Description {
        Description::in_process("reference", self.namespace.as_str())
    }

    fn watch(&self, _watch: Watch) -> bool {
        false
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.closed.store(true, Ordering::SeqCst);
            Ok(())
        })
    }
}
