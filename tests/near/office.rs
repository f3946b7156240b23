//! Two processes in front of one store, and functions that they call.

use std::time::Duration;

use cache_runtime::provider::MemoryProvider;
use cache_runtime::{Cache, Clock, ManualClock, Near, cached, scope};
use cache_tests::fixture::{load, seconds};
use serde::{Deserialize, Serialize};

use crate::gate::Gate;

/// The bound of the near caches of these tests.
pub(crate) const BOUND: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) team: u64,
    pub(crate) times: u64,
}

#[cached(key = "person:<id>", ttl = 60, tags = ["people", "team:<result.team>"])]
pub(crate) async fn person(id: u64) -> Person {
    Person { team: id % 10, times: load("person") }
}

#[cached(key = "plain:<id>", ttl = 60)]
pub(crate) async fn plain(id: u64) -> u64 {
    let _ = id;
    load("plain")
}

#[cached(key = "large:<id>", ttl = 60, tags = ["large"])]
pub(crate) async fn large(id: u64) -> String {
    format!("{id} {} {}", load("large"), "x".repeat(5_000))
}

/// Reads another function's value.
#[cached(key = "outer:<id>", ttl = 60)]
pub(crate) async fn outer(id: u64) -> u64 {
    load("outer");
    plain(id).await
}

/// One process with a near cache, and another one without, in front of one store.
pub(crate) struct Office {
    pub(crate) here: Cache,
    pub(crate) there: Cache,
    pub(crate) gate: Gate,
    pub(crate) hand: ManualClock,
}

impl Office {
    pub(crate) async fn open(near: Near, tells: bool) -> Self {
        let (clock, hand) = Clock::manual();
        let store = MemoryProvider::builder().clock(clock.clone()).build();
        let gate = Gate::new(&store, tells);
        let build = |builder: cache_runtime::CacheBuilder| {
            builder.clock(clock.clone()).lease(seconds(3_600)).build()
        };
        let here = build(Cache::builder().provider(gate.clone()).near(near));
        let there = build(Cache::builder().provider(store));
        let (here, there) = (here.await.expect("sound"), there.await.expect("sound"));
        Self { here, there, gate, hand }
    }

    /// A store that tells what changes, and was alive just now.
    pub(crate) async fn told() -> Self {
        let office = Self::open(Near::Bound(BOUND), true).await;
        office.gate.sign();
        office
    }

    /// Calls a function in the process with the near cache.
    pub(crate) async fn call<R>(&self, call: impl Future<Output = R>) -> R {
        scope(self.here.clone(), call).await
    }

    /// So often until it must be served near if it can be: the first call loads, the second reads
    /// what was stored, and what it reads is kept.
    pub(crate) async fn warm<R, F: Future<Output = R>>(&self, call: impl Fn() -> F) {
        self.call(call()).await;
        self.call(call()).await;
        let reads = self.gate.reads();
        self.call(call()).await;
        assert_eq!(self.gate.reads(), reads, "the copy is served");
    }

    /// How many reads of the store a call takes.
    pub(crate) async fn reads_of<R>(&self, call: impl Future<Output = R>) -> u64 {
        let before = self.gate.reads();
        self.call(call).await;
        self.gate.reads() - before
    }
}
