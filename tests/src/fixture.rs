//! A cache on a manual clock for one test, and counters of the loads that the test's functions ran.
//!
//! Tests run on one thread each (`#[tokio::test]`), and so do the loads that they start in the
//! background: what is counted here belongs to the present test alone.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use cache_runtime::provider::MemoryProvider;
use cache_runtime::{Cache, CacheBuilder, Clock, Counts, ManualClock, Near};

/// So many turns of the scheduler let everything run that can run without the clock.
const TURNS: usize = 200;

thread_local! {
    static LOADS: RefCell<HashMap<&'static str, u64>> = RefCell::default();
}

/// Notes that a function's body runs; returns how often it did by now, this time included.
pub fn load(name: &'static str) -> u64 {
    LOADS.with_borrow_mut(|loads| {
        let count = loads.entry(name).or_default();
        *count += 1;
        *count
    })
}

/// How often a function's body ran in this test.
#[must_use]
pub fn loads(name: &'static str) -> u64 {
    LOADS.with_borrow(|loads| loads.get(name).copied().unwrap_or_default())
}

/// Whole seconds, for the many durations of tests.
#[must_use]
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Runs a test with an in-memory cache of its own as the current one, on a manual clock.
pub async fn in_cache<R>(test: impl AsyncFnOnce(Cache, ManualClock) -> R) -> R {
    in_cache_of(|builder| builder, test).await
}

/// The same with a cache that is built as the test wants it.
///
/// # Panics
///
/// If the cache cannot be built.
pub async fn in_cache_of<R>(
    build: impl FnOnce(CacheBuilder) -> CacheBuilder,
    test: impl AsyncFnOnce(Cache, ManualClock) -> R,
) -> R {
    LOADS.with_borrow_mut(HashMap::clear);
    let (clock, hand) = Clock::manual();
    let builder = build(Cache::builder().in_memory()).clock(clock.clone());
    let builder = match near() {
        // The tests' hands jump over any lease that is shorter than their loads.
        Some(near) => builder
            .provider(MemoryProvider::builder().clock(clock).build())
            .lease(seconds(3_600))
            .near(near),
        None => builder,
    };
    let cache = builder.build().await.expect("the cache is sound");
    cache_runtime::scope(cache.clone(), test(cache, hand)).await
}

/// Whether the caches of this test program keep bytes in a provider instead of values: then the
/// same tests check the tier for stores outside the process.
#[must_use]
pub fn goes_through_bytes() -> bool {
    near().is_some()
}

/// The near cache of this test program in front of a provider; `None` where the caches keep values.
/// The program's name decides.
fn near() -> Option<Near> {
    let program = std::env::args().next().unwrap_or_default();
    let name = Path::new(&program).file_name()?.to_string_lossy().into_owned();
    let programs = [
        ("through_bytes", Near::Off),
        ("through_validated", Near::Validated),
        ("through_near", Near::Bound(seconds(1))),
    ];
    programs.into_iter().find(|(program, _)| name.starts_with(program)).map(|(_, near)| near)
}

/// Lets background loads run until they end or wait for something that the test holds back.
pub async fn settle() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

/// The counts of the function whose path ends in `name`.
///
/// # Panics
///
/// If no such function was called.
pub async fn counts_of(cache: &Cache, name: &str) -> Counts {
    let stats = cache.stats().await.expect("memory can always be asked");
    let suffix = format!("::{name}");
    let found = stats.functions.into_iter().find(|each| each.name.ends_with(&suffix));
    found.unwrap_or_else(|| panic!("`{name}` has no statistics")).counts
}

/// The counts of a key prefix; nothing where the prefix was never used.
///
/// # Panics
///
/// If the statistics cannot be read.
pub async fn counts_below(cache: &Cache, prefix: &str) -> Counts {
    let stats = cache.stats().await.expect("memory can always be asked");
    let found = stats.prefixes.into_iter().find(|each| each.name == prefix);
    found.map(|each| each.counts).unwrap_or_default()
}
