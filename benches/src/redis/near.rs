//! Near hits beside hits in memory, and validated hits beside plain ones.

use std::hint::black_box;
use std::time::Duration;

use cache_runtime::{Cache, Near, install};

use super::ours::{NAMESPACE, with_one_tag};
use super::profile::loads;
use super::server::Server;
use super::spin::{Sample, processor_time, spin};
use crate::timing::Samples;

/// Hits of one sample without a round trip.
const HITS: u32 = 200_000;

/// Hits of one sample with a round trip each.
const ASKED: usize = 4_000;

/// Keys that are hit in turn.
const KEYS: u64 = 1_000;

/// How stale a near hit may be.
const BOUND: Duration = Duration::from_millis(500);

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// Nanoseconds of processor time of a hit in memory, and of one in the near cache.
    pub memory: Samples,
    /// See above.
    pub near: Samples,
    /// The ratio of the two in each round.
    pub near_ratio: Samples,
    /// By the number of tasks: hits a second of a validated near cache, in ratio to plain hits.
    pub validated_ratio: Vec<(usize, Samples)>,
    /// The same for the processor time of this process.
    pub validated_processor: Vec<(usize, Samples)>,
}

/// Measures.
///
/// # Errors
///
/// Where a cache cannot be made, or hits are no hits.
pub async fn measure(rounds: usize) -> Result<Costs, String> {
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
        }
    }
    let task = tokio::spawn(async move {
        let mut costs = Costs::default();
        for tasks in [1, 16] {
            costs.validated_ratio.push((tasks, Samples::default()));
            costs.validated_processor.push((tasks, Samples::default()));
        }
        for round in 0..=rounds {
            eprintln!("near cache: round {round} of {rounds}");
            let (in_memory, in_near) = (unasked(&memory).await?, unasked(&near).await?);
            let mut asked = Vec::new();
            for tasks in [1, 16] {
                asked
                    .push((with_tasks(&plain, tasks).await?, with_tasks(&validated, tasks).await?));
            }
            // The first round warms up.
            if round == 0 {
                continue;
            }
            costs.memory.push(in_memory);
            costs.near.push(in_near);
            costs.near_ratio.push(in_near / in_memory);
            for (place, (plain, validated)) in asked.into_iter().enumerate() {
                let ratio = validated.throughput / plain.throughput;
                costs.validated_ratio[place].1.push(ratio);
                costs.validated_processor[place].1.push(validated.processor / plain.processor);
            }
        }
        Ok(costs)
    });
    task.await.map_err(|error| error.to_string())?
}

/// Nanoseconds of each hit that asks nobody.
async fn unasked(cache: &Cache) -> Result<f64, String> {
    install(cache.clone());
    let (loaded, began) = (loads(), processor_time());
    let hits = counted(cache).await?;
    for step in 0..HITS {
        let Ok(found) = with_one_tag(black_box(u64::from(step) % KEYS)).await;
        black_box(found);
    }
    let took = processor_time() - began;
    if loads() != loaded || counted(cache).await? - hits != u64::from(HITS) {
        return Err("some hits were none".to_owned());
    }
    Ok(took.as_nanos() as f64 / f64::from(HITS))
}

async fn counted(cache: &Cache) -> Result<u64, String> {
    Ok(cache.stats().await.map_err(|error| error.to_string())?.total.hits)
}

/// Hits that ask the store, in so many tasks.
async fn with_tasks(cache: &Cache, tasks: usize) -> Result<Sample, String> {
    install(cache.clone());
    let loaded = loads();
    let steps: Vec<u32> = (0..ASKED as u32).map(|step| step % KEYS as u32).collect();
    let sample = spin(tasks, steps.leak(), |step| async move {
        let Ok(found) = with_one_tag(u64::from(step)).await;
        black_box(found);
        Ok(())
    });
    let sample = sample.await?;
    match loads() == loaded {
        true => Ok(sample),
        false => Err("some hits were none".to_owned()),
    }
}
