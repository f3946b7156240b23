//! What those pay who call through a cache whose store fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::provider::MemoryProvider;
use cache_runtime::resilience::ResilienceOptions;
use cache_runtime::testing::{Fault, FaultyProvider, Operation};
use cache_runtime::{Cache, Clock, ManualClock};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::world::{BUDGET, millis, settle, without_breaker};

/// Longer than any test takes that does not wait in vain.
const PATIENCE: Duration = Duration::from_secs(30);

struct Shop {
    cache: Cache,
    store: FaultyProvider,
    hand: ManualClock,
    /// The milliseconds that have passed.
    time: watch::Sender<u64>,
    loads: AtomicU32,
}

impl Shop {
    async fn open(options: ResilienceOptions) -> Arc<Self> {
        let (clock, hand) = Clock::manual();
        let memory = MemoryProvider::builder().clock(clock.clone()).build();
        let store = FaultyProvider::new(memory, 1).clock(clock.clone());
        let builder = Cache::builder().provider(store.clone()).clock(clock).resilience(options);
        let cache = builder.build().await.expect("nothing to connect to");
        let (time, loads) = (watch::Sender::new(0), AtomicU32::new(0));
        Arc::new(Self { cache, store, hand, time, loads })
    }

    async fn pass_a_millisecond(&self) {
        settle().await;
        self.hand.advance(millis(1));
        self.time.send_modify(|now| *now += 1);
        settle().await;
    }

    fn now(&self) -> u64 {
        *self.time.borrow()
    }

    async fn wait_until(&self, then: u64) {
        let reached = self.time.subscribe().wait_for(|now| *now >= then).await.map(|now| *now);
        assert!(reached.is_ok_and(|now| now >= then), "the sender outlives this");
    }

    /// The price, from a source that takes so many milliseconds; how many the call took.
    async fn price(&self, takes: u64) -> u64 {
        let began = self.now();
        let load = async || {
            self.loads.fetch_add(1, Ordering::Relaxed);
            self.wait_until(self.now() + takes).await;
            Ok::<u64, &str>(7)
        };
        assert_eq!(self.cache.get_or_set("price", load).await, Ok(7));
        self.now() - began
    }
}

/// Callers of one key, one each millisecond; what the slowest of them took.
async fn slowest_of(callers: u64, takes: u64, shop: &Arc<Shop>) -> u64 {
    let mut calls = JoinSet::new();
    for _ in 0..callers {
        let shop_of_call = Arc::clone(shop);
        calls.spawn(async move { shop_of_call.price(takes).await });
        shop.pass_a_millisecond().await;
    }
    let mut slowest = 0;
    while !calls.is_empty() {
        shop.pass_a_millisecond().await;
        assert!(shop.now() < 10_000, "{} calls hang", calls.len());
        while let Some(call) = calls.try_join_next() {
            slowest = slowest.max(call.expect("no call panics"));
        }
    }
    slowest
}

#[tokio::test]
async fn of_a_store_that_hangs_each_caller_pays_for_one_answer_at_most() {
    const TAKES: u64 = 5;
    // With few callers each reads by itself, with many they share reads.
    for callers in [1, 4, 40, 200] {
        let shop = Shop::open(without_breaker()).await;
        shop.store.always(Operation::Read, Fault::Hang);
        let slowest = slowest_of(callers, TAKES, &shop).await;
        // Beside the budget: the load that was under way, and one for all who came meanwhile.
        let most = BUDGET.as_millis() as u64 + 2 * TAKES + 3;
        assert!(slowest <= most, "{callers} callers: {slowest} ms");
        let loads = u64::from(shop.loads.load(Ordering::Relaxed));
        assert!(
            loads <= callers.min(1 + (callers + 50) / TAKES),
            "{callers} callers: {loads} loads"
        );
    }
}

#[tokio::test]
async fn a_lease_that_could_not_be_given_back_keeps_nobody_of_its_process_waiting() {
    let shop = Shop::open(without_breaker().retries(0)).await;
    shop.store.always(Operation::Release, Fault::Refuse);
    let failing = async || Err::<u64, &str>("the source is away");
    assert_eq!(shop.cache.get_or_set("price", failing).await, Err("the source is away"));
    // No time passes: whoever waits for the lease's end waits for ever.
    let next = tokio::time::timeout(PATIENCE, shop.price(0)).await;
    assert_eq!(next.expect("the lease of a load that is over is waited for"), 0);
    let hit = shop.cache.get::<u64>("price").await;
    assert_eq!(hit.expect("the store answers"), Some(7), "what it loaded is stored");
    assert_eq!(shop.loads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn callers_that_came_before_the_load_share_it_when_the_store_lets_go_of_them() {
    for callers in [2, 8, 200] {
        let shop = Shop::open(without_breaker()).await;
        shop.store.always(Operation::Read, Fault::Hang);
        let mut calls = JoinSet::new();
        for _ in 0..callers {
            let shop_of_call = Arc::clone(&shop);
            calls.spawn(async move { shop_of_call.price(5).await });
        }
        while !calls.is_empty() {
            shop.pass_a_millisecond().await;
            assert!(shop.now() < 10_000, "{} calls hang", calls.len());
            while let Some(call) = calls.try_join_next() {
                call.expect("no call panics");
            }
        }
        assert_eq!(shop.loads.load(Ordering::Relaxed), 1, "{callers} callers");
    }
}
