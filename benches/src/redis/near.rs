//! Near hits beside hits in memory, and validated hits beside plain ones.

use std::convert::Infallible;
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use cache_runtime::{Cache, Near, cached, install};

use super::ours::{NAMESPACE, with_one_tag};
use super::profile::{Profile, load, loads};
use super::server::Server;
use super::spin::{Sample, processor_time, spin};
use crate::alloc;
use crate::timing::Samples;

/// Hits of one sample without a round trip.
const HITS: u32 = 200_000;

/// Hits of one sample with a round trip each.
const ASKED: usize = 8_000;

/// Keys that are hit in turn.
const KEYS: u64 = 1_000;

/// How stale a near hit may be.
const BOUND: Duration = Duration::from_millis(500);

/// How many bytes the large value has: enough for a copy to be validated without it.
const LARGE: usize = 16 << 10;

/// A profile with a picture.
#[cached(key = "large:<id>", ttl = 86400, tags = ["profiles"])]
async fn large(id: u64) -> Result<(Profile, String), Infallible> {
    Ok((load(id), "x".repeat(LARGE)))
}

/// What is hit, and in how many tasks at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// How many tasks.
    pub tasks: usize,
    /// Whether the value is the large one.
    pub is_large: bool,
}

impl fmt::Display for Load {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tasks = if self.tasks == 1 { "task" } else { "tasks" };
        let value = if self.is_large { "16 KB" } else { "200 bytes" };
        write!(formatter, "{} {tasks}, {value}", self.tasks)
    }
}

const LOADS: [Load; 3] = [
    Load { tasks: 1, is_large: false },
    Load { tasks: 16, is_large: false },
    Load { tasks: 1, is_large: true },
];

/// Validated hits in ratio to plain ones, in each round.
#[derive(Clone, Debug, Default)]
pub struct Validated {
    /// Hits a second.
    pub throughput: Samples,
    /// Processor time of this process.
    pub processor: Samples,
    /// Allocations of a hit, of a plain one first.
    pub allocations: [f64; 2],
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// Nanoseconds of processor time of a hit in memory, and of one in the near cache.
    pub memory: Samples,
    /// See above.
    pub near: Samples,
    /// The ratio of the two in each round.
    pub near_ratio: Samples,
    /// A near cache that asks at each hit.
    pub validated: Vec<(Load, Validated)>,
}

/// The caches that are compared, all of them filled.
struct Caches {
    memory: Cache,
    plain: Cache,
    near: Cache,
    validated: Cache,
    /// Ends when this is dropped.
    _server: Server,
}

impl Caches {
    async fn fill() -> Result<Self, String> {
        let server = Server::start().await?;
        let remote = |near| {
            let builder = Cache::builder().redis(server.url()).namespace(NAMESPACE).near(near);
            builder.timeout(Duration::from_secs(10)).build()
        };
        let failed = |error: cache_runtime::Error| error.to_string();
        let memory = Cache::builder().build().await.map_err(failed)?;
        let plain = remote(Near::Off).await.map_err(failed)?;
        let near = remote(Near::Bound(BOUND)).await.map_err(failed)?;
        let validated = remote(Near::Validated).await.map_err(failed)?;
        for cache in [&memory, &plain, &near, &validated] {
            install(cache.clone());
            // The first round loads, the second reads what was stored and keeps copies.
            for id in (0..KEYS).chain(0..KEYS) {
                let Ok(_) = with_one_tag(id).await;
                let Ok(_) = large(id).await;
            }
        }
        Ok(Self { memory, plain, near, validated, _server: server })
    }
}

/// What [`run`] can do.
pub const NAMES: [&str; 6] =
    ["memory", "near", "plain", "validated", "plain-large", "validated-large"];

/// Hits of one kind and nothing else, for a profiler; returns the nanoseconds of processor time of
/// each. `None` if there is no such kind.
///
/// # Errors
///
/// As [`measure`].
pub async fn run(name: &str, tasks: usize, hits: usize) -> Option<Result<f64, String>> {
    NAMES.contains(&name).then_some(())?;
    let (name, hits) = (name.to_owned(), u32::try_from(hits).ok()?);
    let task = tokio::spawn(async move {
        let caches = Caches::fill().await?;
        let load = Load { tasks, is_large: name.ends_with("-large") };
        match name.as_str() {
            "memory" => unasked(&caches.memory, hits).await,
            "near" => unasked(&caches.near, hits).await,
            asking => {
                let is_plain = asking.starts_with("plain");
                let cache = if is_plain { &caches.plain } else { &caches.validated };
                let sample = asked(cache, load, steps(hits as usize)).await?;
                Ok(sample.processor * 1e3)
            }
        }
    });
    Some(task.await.map_err(|error| error.to_string()).and_then(|done| done))
}

/// Measures.
///
/// # Errors
///
/// Where a cache cannot be made, or hits are no hits.
pub async fn measure(rounds: usize) -> Result<Costs, String> {
    let task = tokio::spawn(async move {
        let caches = Caches::fill().await?;
        let mut costs = Costs::default();
        for load in LOADS {
            costs.validated.push((load, Validated::default()));
        }
        let steps = steps(ASKED);
        for round in 0..=rounds {
            eprintln!("near cache: round {round} of {rounds}");
            one_round(&caches, &mut costs, steps, round).await?;
            if round == 0 {
                // The first round warms up.
                costs = Costs { validated: costs.validated, ..Costs::default() };
                for (load, validated) in &mut costs.validated {
                    *validated = Validated::default();
                    validated.allocations = allocations(&caches, *load, steps).await?;
                }
            }
        }
        Ok(costs)
    });
    task.await.map_err(|error| error.to_string())?
}

/// Each contestant once. Those that are compared follow each other, and change places from round to
/// round.
async fn one_round(
    caches: &Caches,
    costs: &mut Costs,
    steps: &'static [u32],
    round: usize,
) -> Result<(), String> {
    let swaps = round % 2 == 1;
    let (first, second) = in_order(swaps, &caches.memory, &caches.near);
    let times = (unasked(first, HITS).await?, unasked(second, HITS).await?);
    let (in_memory, in_near) = in_order(swaps, times.0, times.1);
    costs.memory.push(in_memory);
    costs.near.push(in_near);
    costs.near_ratio.push(in_near / in_memory);
    for (load, ratios) in &mut costs.validated {
        let (first, second) = in_order(swaps, &caches.plain, &caches.validated);
        let samples = (asked(first, *load, steps).await?, asked(second, *load, steps).await?);
        let (plain, validated) = in_order(swaps, samples.0, samples.1);
        ratios.throughput.push(validated.throughput / plain.throughput);
        ratios.processor.push(validated.processor / plain.processor);
    }
    Ok(())
}

fn in_order<T>(swaps: bool, one: T, other: T) -> (T, T) {
    if swaps { (other, one) } else { (one, other) }
}

fn steps(count: usize) -> &'static [u32] {
    (0..count as u32).map(|step| step % KEYS as u32).collect::<Vec<_>>().leak()
}

/// Nanoseconds of each hit that asks nobody.
async fn unasked(cache: &Cache, hits: u32) -> Result<f64, String> {
    install(cache.clone());
    let (loaded, began) = (loads(), processor_time());
    let before = counted(cache).await?;
    for step in 0..hits {
        let Ok(found) = with_one_tag(black_box(u64::from(step) % KEYS)).await;
        black_box(found);
    }
    let took = processor_time() - began;
    if loads() != loaded || counted(cache).await? - before != u64::from(hits) {
        return Err("some hits were none".to_owned());
    }
    Ok(took.as_nanos() as f64 / f64::from(hits))
}

async fn counted(cache: &Cache) -> Result<u64, String> {
    Ok(cache.stats().await.map_err(|error| error.to_string())?.total.hits)
}

/// Hits that ask the store.
async fn asked(cache: &Cache, load: Load, steps: &'static [u32]) -> Result<Sample, String> {
    install(cache.clone());
    let (loaded, is_large) = (loads(), load.is_large);
    let sample = spin(load.tasks, steps, move |step| async move {
        if is_large {
            let Ok(found) = large(u64::from(step)).await;
            black_box(found);
        } else {
            let Ok(found) = with_one_tag(u64::from(step)).await;
            black_box(found);
        }
        Ok(())
    });
    let sample = sample.await?;
    match loads() == loaded {
        true => Ok(sample),
        false => Err("some hits were none".to_owned()),
    }
}

/// How often a plain hit and a validated one allocate.
async fn allocations(
    caches: &Caches,
    load: Load,
    steps: &'static [u32],
) -> Result<[f64; 2], String> {
    let mut found = [0.0; 2];
    for (cache, found) in [&caches.plain, &caches.validated].into_iter().zip(&mut found) {
        let counting = alloc::Counting::begin();
        asked(cache, load, steps).await?;
        *found = counting.end().calls as f64 / steps.len() as f64;
    }
    Ok(found)
}
