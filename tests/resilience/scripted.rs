//! A provider whose failures are scripted, and that remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Fill, Filled, Incarnation, Lookup, Mark,
    Observed, Prefix, Provider, Removal, Usage, Watch,
};
use cache_runtime::{Error, ErrorKind, Pattern, Result};
use tokio::sync::watch;

/// How the store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Nothing happens, and an error of this kind says so at once.
    Fails(ErrorKind),
    /// Nothing happens, and nobody says so.
    Hangs,
    /// It happens, but the answer is lost.
    AnswerIsLost,
    /// It happens after so long.
    Slow(Duration),
    /// It happens at once, and is answered after so long.
    AnswersLate(Duration),
    /// It happens after the caller was polled so often.
    Stutters(u32),
}

pub(crate) const DEAD: Fault = Fault::Fails(ErrorKind::Unavailable);

/// A provider in front of another one.
#[derive(Debug)]
pub(crate) struct Scripted {
    inner: Arc<dyn Provider>,
    state: Mutex<State>,
    /// The milliseconds that have passed.
    time: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    general: Fault,
    /// What comes before the general behaviour: by operation, then in order.
    of_operation: HashMap<&'static str, Fault>,
    next: VecDeque<Fault>,
    /// Names that the store does not take, or cannot serve.
    faulty: Vec<(String, ErrorKind)>,
    calls: Vec<String>,
    /// Whether another part of the store serves.
    serves_in_part: bool,
}

impl Scripted {
    pub(crate) fn new(inner: Arc<dyn Provider>) -> Arc<Self> {
        let state = State {
            general: Fault::None,
            of_operation: HashMap::new(),
            next: VecDeque::new(),
            faulty: Vec::new(),
            calls: Vec::new(),
            serves_in_part: false,
        };
        Arc::new(Self { inner, state: Mutex::new(state), time: watch::Sender::new(0) })
    }

    /// From now on.
    pub(crate) fn set(&self, fault: Fault) {
        self.lock().general = fault;
    }

    /// Whether another part of the store serves, whatever this one does.
    pub(crate) fn serve_in_part(&self, serves: bool) {
        self.lock().serves_in_part = serves;
    }

    /// From now on, for one operation.
    pub(crate) fn set_for(&self, operation: &'static str, fault: Fault) {
        self.lock().of_operation.insert(operation, fault);
    }

    /// Once each, before anything else.
    pub(crate) fn then(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock().next.extend(faults);
    }

    /// Whatever names this is called impossible.
    pub(crate) fn is_impossible(&self, name: &str) {
        self.lock().faulty.push((name.to_owned(), ErrorKind::InvalidKey));
    }

    /// Whatever names this fails.
    pub(crate) fn refuses(&self, name: &str) {
        self.lock().faulty.push((name.to_owned(), ErrorKind::Unavailable));
    }

    /// What was asked since the last time, as `operation names`.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().calls)
    }

    pub(crate) fn pass_millis(&self, millis: u64) {
        self.time.send_modify(|now| *now += millis);
    }

    async fn wait(&self, time: Duration) {
        let until = *self.time.borrow() + time.as_millis() as u64;
        let _ = self.time.subscribe().wait_for(|now| *now >= until).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn called(&self, operation: &'static str, names: &str) -> Result<Fault> {
        let mut state = self.lock();
        state.calls.push(format!("{operation} {names}").trim_end().to_owned());
        let is_named = |faulty: &str| names.split(' ').any(|name| name == faulty);
        if let Some((_, kind)) = state.faulty.iter().find(|(name, _)| is_named(name)) {
            return Err(Error::new(*kind, operation, "the name is scripted to fail"));
        }
        let next = state.next.pop_front();
        let own = || state.of_operation.get(operation).copied();
        Ok(next.or_else(own).unwrap_or(state.general))
    }

    fn step<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        names: String,
        step: BoxFuture<'a, Result<T>>,
    ) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            match self.called(operation, &names)? {
                Fault::None => step.await,
                Fault::Fails(kind) => Err(Error::new(kind, operation, "scripted")),
                Fault::Hangs => pending().await,
                Fault::AnswerIsLost => {
                    step.await?;
                    Err(Error::new(ErrorKind::Unknown, operation, "the answer was lost"))
                }
                Fault::Slow(wait) => {
                    self.wait(wait).await;
                    step.await
                }
                Fault::AnswersLate(wait) => {
                    let answer = step.await;
                    self.wait(wait).await;
                    answer
                }
                Fault::Stutters(times) => {
                    for _ in 0..times {
                        tokio::task::yield_now().await;
                    }
                    step.await
                }
            }
        })
    }
}

fn mark_names(marks: &[Mark<'_>]) -> String {
    let names: Vec<String> =
        marks.iter().map(|mark| format!("{:?}:{}", mark.kind, mark.name)).collect();
    names.join(" ")
}

impl Provider for Scripted {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        let keys: Vec<&str> = lookups.iter().map(|lookup| lookup.key).collect();
        self.step("read", keys.join(" "), self.inner.read(lookups))
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        self.step("acquire", request.key.to_owned(), self.inner.acquire(request))
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        self.step("fill", request.key.to_owned(), self.inner.fill(request))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        self.step("renew", key.to_owned(), self.inner.renew(key, prefix, ttl))
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        self.step("release", key.to_owned(), self.inner.release(key, prefix))
    }

    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        self.step("ensure_marks", mark_names(marks), self.inner.ensure_marks(key, marks, ttl))
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        self.step("hold_marks", mark_names(marks), self.inner.hold_marks(marks, ttl))
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        self.step("release_marks", mark_names(marks), self.inner.release_marks(marks))
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        let names = format!("{} {}", removal.keys.join(" "), mark_names(removal.marks));
        self.step("remove", names.trim().to_owned(), self.inner.remove(removal))
    }

    fn replicate<'a>(
        &'a self,
        names: Removal<'a>,
        replicas: u32,
        patience: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        self.step(
            "replicate",
            names.keys.join(" "),
            self.inner.replicate(names, replicas, patience),
        )
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        let text = pattern.as_str().to_owned();
        self.step("remove_matching", text, self.inner.remove_matching(pattern))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.step("clear", String::new(), self.inner.clear())
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        self.step("ping", String::new(), self.inner.ping())
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        self.step("usage", String::new(), self.inner.usage())
    }

    fn describe(&self) -> Description {
        self.inner.describe()
    }

    fn serves_in_part(&self) -> bool {
        self.lock().serves_in_part
    }

    fn watch(&self, watch: Watch) -> bool {
        self.inner.watch(watch)
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        self.step("shutdown", String::new(), self.inner.shutdown())
    }
}
