//! What an entry costs beside its key and its value.
//!
//! Each contestant is filled in a process of its own, so that the resident memory is its alone.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, cached};
use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use crate::alloc::{count, resident_bytes};
use crate::workload::text_key;

/// How many entries are stored.
pub const ENTRIES: u32 = 1_000_000;

/// The stored value: 100 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob([u32; 25]);

fn blob(id: u32) -> Arc<Blob> {
    Arc::new(Blob([id; 25]))
}

/// One row of the table of memory.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// A short name without blanks, for the command line and for finding the row.
    pub id: &'static str,
    /// What the row says.
    pub label: &'static str,
    /// Whether the key is the text; else it is the number.
    text_key: bool,
    /// Stores all entries for ever; gives how many stayed.
    fill: fn() -> u64,
}

/// The short name of our row.
pub const OURS: &str = "ours";

/// All rows, in the order of the table.
pub const ROWS: &[Row] = &[
    Row { id: "quick-u64", label: "quick_cache, u64 key", text_key: false, fill: quick_by_number },
    Row { id: "quick-text", label: "quick_cache, text key", text_key: true, fill: quick_by_text },
    Row { id: "papaya-text", label: "papaya, text key", text_key: true, fill: papaya },
    Row { id: "moka-text", label: "moka with TTL, text key", text_key: true, fill: moka },
    Row { id: OURS, label: "**ours**, an annotated function", text_key: true, fill: ours },
];

/// Bytes of one entry beyond its key and the 100 bytes of its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overhead {
    /// As requested from the allocator.
    pub requested: f64,
    /// As resident in memory.
    pub resident: f64,
}

/// Fills this process with the entries of one row and measures them.
#[must_use]
pub fn measure(row: &Row) -> Overhead {
    let before = resident_bytes();
    let (stored, counted) = count(row.fill);
    let resident = resident_bytes().saturating_sub(before);
    let keys: usize = if row.text_key {
        (0..ENTRIES).map(|id| text_key(u64::from(id)).len()).sum()
    } else {
        size_of::<u64>() * ENTRIES as usize
    };
    let bare = size_of::<Blob>() as f64 + keys as f64 / f64::from(ENTRIES);
    let stored = stored as f64;
    Overhead {
        requested: counted.live_bytes as f64 / stored - bare,
        resident: resident as f64 / stored - bare,
    }
}

fn quick_by_number() -> u64 {
    let cache = leak(quick_cache::sync::Cache::new(ENTRIES as usize));
    for id in 0..ENTRIES {
        cache.insert(u64::from(id), blob(id));
    }
    cache.len() as u64
}

fn quick_by_text() -> u64 {
    let cache = leak(quick_cache::sync::Cache::new(ENTRIES as usize));
    for id in 0..ENTRIES {
        cache.insert(text_key(u64::from(id)), blob(id));
    }
    cache.len() as u64
}

fn papaya() -> u64 {
    let map = leak(papaya::HashMap::builder().hasher(RandomState::default()).build());
    for id in 0..ENTRIES {
        map.pin().insert(text_key(u64::from(id)), blob(id));
    }
    map.len() as u64
}

fn moka() -> u64 {
    let builder = moka::future::Cache::builder().max_capacity(u64::from(ENTRIES));
    let cache = leak(builder.time_to_live(Duration::from_secs(3600)).build());
    crate::timing::block_on(async {
        for id in 0..ENTRIES {
            cache.insert(text_key(u64::from(id)), blob(id)).await;
        }
        cache.run_pending_tasks().await;
    });
    cache.entry_count()
}

#[cached(key = "user:<id>", ttl = 3600, tags = ["users"])]
async fn stored(id: u32) -> Arc<Blob> {
    blob(id)
}

fn ours() -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let cache = Cache::builder().in_memory().max_entries(u64::from(ENTRIES)).build().await;
        let cache = cache.expect("a cache in memory");
        cache_runtime::install(cache.clone());
        for id in 0..ENTRIES {
            stored(id).await;
        }
        cache.stats().await.ok().and_then(|stats| stats.entries).unwrap_or(0)
    })
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
