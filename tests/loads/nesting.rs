//! Loads inside loads: of other keys, and of a key that waits for them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, Clock, cached, scope};
use tokio::sync::Barrier;

use super::source::{in_fresh_cache, in_time, spawn_in, until_missed};

type Boxed = Pin<Box<dyn Future<Output = usize> + Send>>;

#[cached(key = "fibonacci:<n>", ttl = "1h")]
async fn fibonacci(n: u64) -> u64 {
    match n {
        0 | 1 => n,
        _ => Box::pin(fibonacci(n - 1)).await + Box::pin(fibonacci(n - 2)).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_may_load_other_keys_of_its_own_function() {
    in_fresh_cache(async |cache| {
        assert_eq!(fibonacci(40).await, 102_334_155);
        let total = cache.stats().await.expect("statistics").total;
        assert_eq!((total.loads, total.errors), (41, 0));
    })
    .await;
}

#[cached(key = "outer:<id>", ttl = "1h")]
async fn outer(id: u64) -> u64 {
    let (left, right) = tokio::join!(middle(id, 1), middle(id, 2));
    left + right
}

#[cached(key = "middle:<id>:<side>", ttl = "1h")]
async fn middle(id: u64, side: u64) -> u64 {
    inner(id).await * side
}

#[cached(key = "inner:<id>", ttl = "1h")]
async fn inner(id: u64) -> u64 {
    tokio::task::yield_now().await;
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_that_meet_in_one_inner_load_share_it() {
    in_fresh_cache(async |cache| {
        let (one, other) = tokio::join!(outer(5), outer(5));
        assert_eq!((one, other), (15, 15));
        let total = cache.stats().await.expect("statistics").total;
        assert_eq!((total.loads, total.errors), (4, 0));
    })
    .await;
}

/// How often each of the functions below ran; without such a bound they would never end, cache or
/// not.
#[derive(Default)]
struct Runs([AtomicUsize; 2]);

impl Runs {
    fn next(&self, function: usize) -> usize {
        self.0[function].fetch_add(1, Ordering::SeqCst)
    }
}

#[cached(key = "self:<id>", ttl = "1h", skip(runs))]
async fn needs_itself(id: u64, runs: Arc<Runs>) -> usize {
    match runs.next(0) {
        0 => 10 + by_a_detour(id, runs).await,
        run => run,
    }
}

#[cached(key = "detour:<id>", ttl = "1h", skip(runs))]
async fn by_a_detour(id: u64, runs: Arc<Runs>) -> usize {
    100 + boxed_needs_itself(id, runs).await
}

/// A future cannot hold itself, nor say of itself that it is `Send`.
fn boxed_needs_itself(id: u64, runs: Arc<Runs>) -> Boxed {
    Box::pin(needs_itself(id, runs))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_that_needs_its_own_key_is_reported_instead_of_hanging() {
    in_fresh_cache(async |cache| {
        assert_eq!(needs_itself(1, Arc::default()).await, 111);
        assert_eq!(cache.stats().await.expect("statistics").total.errors, 1);
        assert_eq!(needs_itself::peek(1).await, Some(111));
    })
    .await;
}

#[cached(key = "ring:0:<id>", ttl = "1h", skip(runs, both))]
async fn ring_left(id: u64, runs: Arc<Runs>, both: Arc<Barrier>) -> usize {
    match runs.next(0) {
        0 => {
            both.wait().await;
            10 + boxed_ring_right(id, runs, both).await
        }
        run => run,
    }
}

#[cached(key = "ring:1:<id>", ttl = "1h", skip(runs, both))]
async fn ring_right(id: u64, runs: Arc<Runs>, both: Arc<Barrier>) -> usize {
    match runs.next(1) {
        0 => {
            both.wait().await;
            10 + ring_left(id, runs, both).await
        }
        run => run,
    }
}

fn boxed_ring_right(id: u64, runs: Arc<Runs>, both: Arc<Barrier>) -> Boxed {
    Box::pin(ring_right(id, runs, both))
}

/// Two tasks load, and each needs what the other loads.
#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_loads_is_reported_instead_of_hanging() {
    for id in 0..50 {
        in_fresh_cache(async |cache| {
            let (runs, both) = (Arc::<Runs>::default(), Arc::new(Barrier::new(2)));
            let left = spawn_in(&cache, ring_left(id, Arc::clone(&runs), Arc::clone(&both)));
            let right = spawn_in(&cache, ring_right(id, runs, both));
            let mut answers = [left.await.expect("no panic"), right.await.expect("no panic")];
            answers.sort_unstable();
            // One of them broke the ring by loading the other's value itself.
            assert_eq!(answers, [11, 21]);
            assert_eq!(cache.stats().await.expect("statistics").total.errors, 1);
        })
        .await;
    }
}

#[cached(key = "page:<id>", ttl = "1h", skip(runs))]
async fn page(id: u64, runs: Arc<Runs>) -> usize {
    runs.next(0);
    let sidebar = sidebar(id, Arc::clone(&runs)).await;
    // Until the refresh has missed this very page: the third miss, after the two first calls'.
    until_missed(&cache_runtime::cache(), 3).await;
    sidebar
}

#[cached(key = "sidebar:<id>", ttl = "1m", stale = "1h", skip(runs))]
async fn sidebar(id: u64, runs: Arc<Runs>) -> usize {
    match runs.next(1) {
        0 => 0,
        run => run + boxed_page(id, runs).await,
    }
}

fn boxed_page(id: u64, runs: Arc<Runs>) -> Boxed {
    Box::pin(page(id, runs))
}

/// The outer load was served the stale value and waits for nobody, so the refresh may wait for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_background_refresh_may_need_the_key_of_the_load_that_started_it() {
    let (clock, hand) = Clock::manual();
    let cache = Cache::builder().in_memory().clock(clock).build().await.expect("a cache in memory");
    let test = async {
        let runs = Arc::<Runs>::default();
        assert_eq!(sidebar(1, Arc::clone(&runs)).await, 0);
        hand.advance(Duration::from_secs(90));
        assert_eq!(page(1, Arc::clone(&runs)).await, 0);
        while sidebar::peek(1).await != Some(1) {
            tokio::task::yield_now().await;
        }
        assert_eq!(cache.stats().await.expect("statistics").total.errors, 0);
    };
    in_time(scope(cache.clone(), test)).await;
}
