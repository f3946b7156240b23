//! The suite that every provider has to pass.
//!
//! It runs named cases, each in a namespace of its own, and returns a [`Report`] that can be
//! printed and asserted. A case touches the provider only through
//! [`Provider`], so the same suite runs on a store in memory, where a
//! hand moves the clock, and on servers, where it waits.
//!
//! # Examples
//!
//! ```
//! use cache_runtime::Clock;
//! use cache_runtime::conformance::Suite;
//! use cache_runtime::provider::MemoryProvider;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (clock, hand) = Clock::manual();
//! let store = MemoryProvider::builder().clock(clock).build();
//! let suite = Suite::on_manual_clock(move |namespace| store.in_namespace(namespace), hand);
//! suite.only("leases").run().await.assert_passed();
//! # }
//! ```

#[macro_use]
mod check;
mod cases;
mod report;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinSet};

use crate::clock::ManualClock;
use crate::entry::unique_bytes;
use crate::provider::{BoxFuture, Provider};
use crate::{Error, ErrorKind, Result};

pub use report::{Outcome, Report};

use check::{Failure, Verdict};
use world::World;

/// How long the short TTLs of the suite are where time is real.
const DEFAULT_UNIT: Duration = Duration::from_millis(400);

/// How long one case may take before it counts as hung, beside the time that it asks to pass.
const PATIENCE: Duration = Duration::from_secs(30);

type Connect = dyn Fn(String) -> BoxFuture<'static, Result<Arc<dyn Provider>>> + Send + Sync;
type Advance = dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync;

/// The cases, and the provider that they are run on.
#[derive(Clone)]
#[must_use = "call `run()`"]
pub struct Suite {
    connect: Arc<Connect>,
    advance: Arc<Advance>,
    unit: Duration,
    at_once: usize,
    only: Option<String>,
}

impl Suite {
    /// Runs on what `connect` makes for a namespace, and lets time pass through `advance`.
    ///
    /// All that `connect` makes has to share one store; each provider that it returns may be shut
    /// down by a case, and the others must go on. Namespaces are fresh in each run.
    pub fn new(
        connect: impl Fn(String) -> BoxFuture<'static, Result<Arc<dyn Provider>>>
        + Send
        + Sync
        + 'static,
        advance: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            connect: Arc::new(connect),
            advance: Arc::new(advance),
            unit: DEFAULT_UNIT,
            at_once: 1,
            only: None,
        }
    }

    /// Runs on a store in this process, whose clock the hand moves.
    pub fn on_manual_clock<P: Provider>(
        connect: impl Fn(String) -> P + Send + Sync + 'static,
        hand: ManualClock,
    ) -> Self {
        Self::new(
            move |namespace| {
                let provider: Arc<dyn Provider> = Arc::new(connect(namespace));
                Box::pin(std::future::ready(Ok(provider)))
            },
            move |by| {
                hand.advance(by);
                Box::pin(std::future::ready(()))
            },
        )
    }

    /// Runs on a server, where time has to be waited for.
    pub fn on_server<F>(connect: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Arc<dyn Provider>>> + Send + 'static,
    {
        Self::new(
            move |namespace| Box::pin(connect(namespace)),
            |by| Box::pin(tokio::time::sleep(by)),
        )
    }

    /// Makes the short TTLs of the suite this long: longer than a slow server's answers take.
    pub fn unit(mut self, unit: Duration) -> Self {
        self.unit = unit;
        self
    }

    /// Runs up to so many cases at once instead of one after the other.
    ///
    /// For servers, where most of the time is waited for. It is not for a clock that a hand moves:
    /// it would move under all of them.
    pub fn at_once(mut self, cases: usize) -> Self {
        self.at_once = cases.max(1);
        self
    }

    /// Runs only the cases whose name, such as `leases::..`, holds this text.
    pub fn only(mut self, text: impl Into<String>) -> Self {
        self.only = Some(text.into());
        self
    }

    /// The names of all cases that would run.
    pub fn names(&self) -> Vec<String> {
        self.chosen().map(|(name, _)| name).collect()
    }

    /// Runs the cases, one after the other unless [`at_once`](Self::at_once) says otherwise.
    ///
    /// A case that panics or hangs fails like any other, and the rest still runs.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime with time enabled.
    pub async fn run(&self) -> Report {
        let run: [u8; 4] = unique_bytes();
        let run = u32::from_le_bytes(run);
        let (mut running, mut outcomes) = (JoinSet::new(), BTreeMap::new());
        for (number, (name, case)) in self.chosen().enumerate() {
            if running.len() >= self.at_once {
                outcomes.extend(running.join_next().await.map(ended));
            }
            let suite = self.clone();
            running.spawn(async move {
                let began = Instant::now();
                let namespace = format!("conformance-{run:08x}-{number}");
                let verdict = suite.run_one(namespace, case).await;
                (number, Outcome::new(name, verdict, began.elapsed()))
            });
        }
        while let Some(one) = running.join_next().await {
            outcomes.extend([ended(one)]);
        }
        // By their numbers: the report does not depend on which case was faster.
        Report::new(outcomes.into_values().collect())
    }

    async fn run_one(&self, namespace: String, case: cases::Run) -> Verdict {
        let connect = Arc::clone(&self.connect);
        let advance = Arc::clone(&self.advance);
        let unit = self.unit;
        let job = async move {
            let world = World::new(namespace, connect, advance, unit).await?;
            let verdict = case(&world).await;
            // What the case leaves behind is nobody's business any more, on a server least of all.
            world.tidy_up().await;
            verdict
        };
        // A task of its own, so that a provider's panic becomes a failed case.
        let mut task = tokio::spawn(job);
        match tokio::time::timeout(PATIENCE, &mut task).await {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(error)) => Err(Failure::new(format!("panicked: {error}"))),
            Err(_) => {
                task.abort();
                let message = format!("no end after {} s", PATIENCE.as_secs());
                Err(Failure::from(Error::new(ErrorKind::Timeout, "conformance", message)))
            }
        }
    }

    fn chosen(&self) -> impl Iterator<Item = (String, cases::Run)> {
        cases::all().filter(|(name, _)| self.only.as_deref().is_none_or(|text| name.contains(text)))
    }
}

/// What became of a case; its own panics have become failures already.
fn ended(one: std::result::Result<(usize, Outcome), JoinError>) -> (usize, Outcome) {
    one.unwrap_or_else(|error| panic!("the suite itself failed: {error}"))
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite")
            .field("unit", &self.unit)
            .field("at_once", &self.at_once)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}
