//! How long the invalidation of a tag takes, depending on how many entries carry it.

use std::time::Instant;

use cache_runtime::Cache;
use redis::aio::MultiplexedConnection;

use super::ours::in_bulk;
use super::profile::loads;
use super::server::Work;
use super::spin::quantile;

/// How many tasks store the entries.
const WRITERS: u64 = 256;

/// How often the invalidation is repeated after the first one, with the tag in use again each time.
const REPEATED: usize = 101;

/// What one invalidation cost, with so many entries.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// How many entries carried the tag.
    pub entries: u64,
    /// Microseconds of the first invalidation, which made all of them invalid.
    pub first: f64,
    /// Microseconds that half of the later ones took at most, with as many entries in the store.
    pub p50: f64,
    /// Microseconds that 99 % of them took at most.
    pub p99: f64,
    /// Commands that were sent to the server for the first one.
    pub sent: u64,
    /// Commands that the server counted for it, with those that a script ran.
    pub counted: u64,
}

/// Stores entries with one tag, and invalidates it.
///
/// # Errors
///
/// Where an entry is missing before, or still served afterwards.
pub async fn measure(
    cache: &Cache,
    connection: &mut MultiplexedConnection,
    entries: u64,
) -> Result<Cost, String> {
    eprintln!("invalidation: storing {entries} entries");
    store(entries).await?;
    if loads_of_one(entries / 2).await != 0 {
        return Err("an entry that was stored is not there".to_owned());
    }
    let before = Work::of(connection).await?;
    let first = invalidate(cache).await?;
    let work = Work::of(connection).await?.since(before);
    // Nothing is sent beside a script: what else is counted runs inside it.
    let sent = if work.scripts > 0 { work.scripts } else { work.commands };
    for id in [0, entries / 2, entries - 1] {
        if loads_of_one(id).await != 1 {
            return Err(format!("entry {id} was served after its tag was invalidated"));
        }
    }
    let mut later = Vec::with_capacity(REPEATED);
    for _ in 0..REPEATED {
        later.push(invalidate(cache).await?);
        let Ok(_) = in_bulk(0).await;
    }
    later.sort_unstable();
    let (p50, p99) = (quantile(&later, 0.5), quantile(&later, 0.99));
    Ok(Cost { entries, first: f64::from(first) / 1e3, p50, p99, sent, counted: work.commands })
}

async fn store(entries: u64) -> Result<(), String> {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            tokio::spawn(async move {
                for id in (writer..entries).step_by(WRITERS as usize) {
                    let Ok(_) = in_bulk(id).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn loads_of_one(id: u64) -> u64 {
    let before = loads();
    let Ok(_) = in_bulk(id).await;
    loads() - before
}

/// Nanoseconds of one invalidation.
async fn invalidate(cache: &Cache) -> Result<u32, String> {
    let start = Instant::now();
    cache.invalidate_tag("bulk").await.map_err(|error| error.to_string())?;
    Ok(u32::try_from(start.elapsed().as_nanos()).unwrap_or(u32::MAX))
}
