//! A resilient provider over a scripted one, in a time that the test moves.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cache_runtime::provider::{
    CellKind, Mark, MemoryProvider, Prefix, Provider, ProviderExt, Stamp,
};
use cache_runtime::resilience::{BreakerState, ResilienceOptions, Resilient};
use cache_runtime::{Clock, ErrorKind, ManualClock, Result};

use crate::scripted::Scripted;

pub(crate) const BUDGET: Duration = Duration::from_millis(50);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The defaults with a seed, so that each run is the same.
pub(crate) fn options() -> ResilienceOptions {
    ResilienceOptions::new(BUDGET).seed(Some(7))
}

/// Without a breaker, for tests of the other rules.
pub(crate) fn without_breaker() -> ResilienceOptions {
    options().failures_in_a_row(u32::MAX).failure_percent(1_000)
}

pub(crate) struct World {
    hand: ManualClock,
    /// What lies in the store, past everything.
    pub(crate) store: MemoryProvider,
    pub(crate) scripted: Arc<Scripted>,
    pub(crate) resilient: Arc<Resilient>,
}

impl World {
    pub(crate) fn new(options: ResilienceOptions) -> Self {
        let (clock, hand) = Clock::manual();
        let store = MemoryProvider::builder().clock(clock.clone()).build();
        let scripted = Scripted::new(Arc::new(store.clone()));
        let inner: Arc<dyn Provider> = scripted.clone();
        let resilient = Resilient::new(inner, options, clock);
        Self { hand, store, scripted, resilient }
    }

    /// Runs a call, a millisecond passing whenever nothing else can be done; how long it took too.
    pub(crate) async fn timed<F: Future>(&self, call: F) -> (F::Output, Duration) {
        let mut call = pin!(call);
        let mut took = Duration::ZERO;
        while took < Duration::from_secs(3_600) {
            for _ in 0..4 {
                if let Poll::Ready(output) = poll_once(call.as_mut()) {
                    return (output, took);
                }
                tokio::task::yield_now().await;
            }
            self.pass_a_millisecond();
            took += millis(1);
        }
        panic!("the call hangs");
    }

    /// The same, without the time.
    pub(crate) async fn run<F: Future>(&self, call: F) -> F::Output {
        self.timed(call).await.0
    }

    /// Lets time pass, and background tasks work.
    pub(crate) async fn pass(&self, time: Duration) {
        for _ in 0..time.as_millis() {
            settle().await;
            self.pass_a_millisecond();
        }
        settle().await;
    }

    /// Lets time pass without anybody working meanwhile.
    pub(crate) fn pass_a_millisecond(&self) {
        self.hand.advance(millis(1));
        self.scripted.pass_millis(1);
    }

    /// Stores a value in the store itself.
    pub(crate) async fn put(&self, key: &str) -> Prefix {
        let value = Prefix::unique(CellKind::Value);
        let filled = self.store.put(key, value.as_bytes(), HOUR).await.expect("memory");
        assert!(filled.is_stored());
        value
    }

    /// Creates marks in the store itself.
    pub(crate) async fn mark(&self, marks: &[Mark<'_>]) -> Vec<Stamp> {
        let baseline = self.store.ensure_marks("", marks, HOUR).await.expect("memory");
        baseline.marks.iter().map(|state| state.stamp().expect("a live mark")).collect()
    }

    /// Whether the store itself holds the cell.
    pub(crate) async fn holds(&self, key: &str) -> bool {
        self.store.read_one(key, &[]).await.expect("memory").cell.is_some()
    }

    /// Whether the cell is found through the rules.
    pub(crate) async fn finds(&self, key: &str) -> Result<bool> {
        Ok(self.run(self.resilient.read_one(key, &[])).await?.cell.is_some())
    }

    pub(crate) fn breaker(&self) -> BreakerState {
        self.resilient.health().breaker
    }

    /// Asks until the breaker is open.
    pub(crate) async fn open_breaker(&self) {
        for _ in 0..100 {
            if self.breaker() == BreakerState::Open {
                return;
            }
            let _ = self.run(self.resilient.read_one("any", &[])).await;
        }
        panic!("the breaker stays closed");
    }
}

/// Lets tasks run until they wait for time.
pub(crate) async fn settle() {
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn poll_once<F: Future + ?Sized>(call: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    call.poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn kind<T>(answer: Result<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind())
}
