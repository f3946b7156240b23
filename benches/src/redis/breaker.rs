//! What an annotated function pays while the store is down and its breaker open.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use cache_runtime::resilience::BreakerState;
use cache_runtime::{Cache, cached};

use super::server::Server;
use super::spin::{processor_time, quantile};
use crate::timing::Samples;

/// Calls of one sample.
const CALLS: u32 = 20_000;

/// How long the breaker may take to open.
const PATIENCE: Duration = Duration::from_secs(20);

/// Microseconds of one way to call.
#[derive(Clone, Debug, Default)]
pub struct Cost {
    /// Processor time of this process, probes of the background included.
    pub processor: Samples,
    /// The time that half of the calls took at most.
    pub p50: Samples,
    /// The time that 99 % of the calls took at most.
    pub p99: Samples,
}

/// All ways to call.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// The function without the attribute.
    pub plain: Cost,
    /// With it, without tags.
    pub untagged: Cost,
    /// With it, with three tags.
    pub tagged: Cost,
}

/// What is measured around: the body itself costs next to nothing.
async fn plain(id: u64) -> Result<u64, Infallible> {
    Ok(black_box(id))
}

#[cached(key = "open:<id>", ttl = 86400)]
async fn untagged(id: u64) -> Result<u64, Infallible> {
    Ok(black_box(id))
}

#[cached(key = "open-tagged:<id>", ttl = 86400, tags = ["open", "open:<id>", "open-team:<id>"])]
async fn tagged(id: u64) -> Result<u64, Infallible> {
    Ok(black_box(id))
}

/// Kills a server under a cache with default settings, and measures calls from then on.
///
/// # Errors
///
/// Where the breaker does not open, or does not stay open, or a function returns another value.
pub async fn measure(rounds: usize) -> Result<Costs, String> {
    let mut server = Server::start().await?;
    let built = Cache::builder().redis(server.url()).namespace("breaker").build().await;
    let cache = built.map_err(|error| error.to_string())?;
    cache_runtime::install(cache.clone());
    let Ok(_) = untagged(0).await;
    server.kill()?;
    let began = Instant::now();
    while !is_open(&cache) {
        let Ok(_) = untagged(0).await;
        if began.elapsed() > PATIENCE {
            return Err("the breaker did not open".to_owned());
        }
    }
    // In a task, as a service's calls are.
    let task = tokio::spawn(async move {
        let mut costs = Costs::default();
        for round in 0..=rounds {
            eprintln!("open breaker: round {round} of {rounds}");
            let mut discarded = Costs::default();
            let costs = if round == 0 { &mut discarded } else { &mut costs };
            sample(&mut costs.plain, plain).await?;
            let before = rejected(&cache);
            sample(&mut costs.untagged, untagged).await?;
            sample(&mut costs.tagged, tagged).await?;
            if !is_open(&cache) || rejected(&cache) - before < u64::from(2 * CALLS) {
                return Err("some calls went past the breaker".to_owned());
            }
        }
        Ok(costs)
    });
    task.await.map_err(|error| error.to_string())?
}

fn is_open(cache: &Cache) -> bool {
    cache.health().is_some_and(|health| health.breaker == BreakerState::Open)
}

fn rejected(cache: &Cache) -> u64 {
    cache.health().map_or(0, |health| health.rejected)
}

async fn sample<F>(cost: &mut Cost, call: impl Fn(u64) -> F) -> Result<(), String>
where
    F: Future<Output = Result<u64, Infallible>>,
{
    let mut took = Vec::with_capacity(CALLS as usize);
    let processor = processor_time();
    let mut last = Instant::now();
    for id in 0..u64::from(CALLS) {
        let Ok(found) = call(black_box(id)).await;
        if found != id {
            return Err(format!("asked for {id}, got {found}"));
        }
        let now = Instant::now();
        took.push((now - last).as_nanos() as u32);
        last = now;
    }
    let processor = processor_time() - processor;
    took.sort_unstable();
    cost.processor.push(processor.as_secs_f64() * 1e6 / f64::from(CALLS));
    cost.p50.push(quantile(&took, 0.5));
    cost.p99.push(quantile(&took, 0.99));
    Ok(())
}
