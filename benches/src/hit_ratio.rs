//! How many requests a bounded cache answers: Zipf 0.9 with room for 1 % of what is asked for.

use std::sync::atomic::{AtomicBool, Ordering};

use cache_runtime::{Cache, cached};
use moka::future::Cache as Moka;
use quick_cache::sync::Cache as Quick;

use crate::lru::Lru;
use crate::timing::block_on;
use crate::workload::{Random, Zipf, shuffled};

/// How many different keys are asked for, scans aside.
pub const UNIVERSE: u32 = 1_000_000;

/// How many entries each contestant may hold.
pub const CAPACITY: u32 = UNIVERSE / 100;

const WARM_UP: usize = 1_000_000;
const COUNTED: usize = 2_000_000;

/// One way in which requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Zipf 0.9, for ever the same keys.
    Plain,
    /// After every 50,000 requests somebody walks once over 10,000 keys that nobody else wants;
    /// only the requests of the others count.
    Scan,
    /// After every 80 requests each key moves up by one rank, and the most wanted becomes the least.
    Shifting,
}

impl Trace {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Scan, Self::Shifting];

    /// The keys in the order in which they are asked for.
    #[must_use]
    pub fn requests(self) -> Vec<u32> {
        let mut random = Random::new(3);
        let keys = shuffled(UNIVERSE, &mut random);
        let zipf = Zipf::new(UNIVERSE, 0.9);
        let mut requests = Vec::with_capacity(WARM_UP + COUNTED);
        let mut next_scanned = UNIVERSE;
        for count in 1..=WARM_UP + COUNTED {
            let shifts = if self == Self::Shifting { count / 80 } else { 0 };
            let rank = zipf.draw(&mut random) as usize;
            requests.push(keys[(rank + shifts) % keys.len()]);
            if self == Self::Scan && count % 50_000 == 0 {
                requests.extend(next_scanned..next_scanned + CAPACITY);
                next_scanned += CAPACITY;
            }
        }
        requests
    }
}

/// Counts hits once the cache is warm.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    seen: usize,
    counted: usize,
    hits: usize,
}

impl Tally {
    /// Notes whether the next request was a hit.
    pub fn note(&mut self, key: u32, hit: bool) {
        if key >= UNIVERSE {
            return;
        }
        self.seen += 1;
        if self.seen > WARM_UP {
            self.counted += 1;
            self.hits += usize::from(hit);
        }
    }

    /// The hits in per cent of the requests that counted.
    #[must_use]
    pub fn percent(&self) -> f64 {
        self.hits as f64 * 100.0 / self.counted as f64
    }
}

/// One row of the table of hit ratios.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What the row says.
    pub label: &'static str,
    /// Answers the requests in order; gives the hit ratio in per cent.
    pub replay: fn(&[u32]) -> f64,
}

/// The label of our row.
pub const OURS: &str = "**ours**, an annotated function";

/// All rows, in the order of the table.
pub const ROWS: &[Row] = &[
    Row { label: "LRU", replay: lru },
    Row { label: "quick_cache", replay: quick },
    Row { label: "moka", replay: moka },
    Row { label: OURS, replay: ours },
];

fn lru(requests: &[u32]) -> f64 {
    let mut lru = Lru::new(CAPACITY as usize);
    replay(requests, |key| lru.hit(key))
}

fn quick(requests: &[u32]) -> f64 {
    let cache = Quick::new(CAPACITY as usize);
    replay(requests, |key| {
        let found = cache.get(&key).is_some();
        if !found {
            cache.insert(key, ());
        }
        found
    })
}

fn moka(requests: &[u32]) -> f64 {
    let cache = Moka::new(u64::from(CAPACITY));
    block_on(async {
        let mut tally = Tally::default();
        for &key in requests {
            let found = cache.get(&key).await.is_some();
            if !found {
                cache.insert(key, ()).await;
            }
            tally.note(key, found);
        }
        tally.percent()
    })
}

static LOADED: AtomicBool = AtomicBool::new(false);

#[cached(key = "ratio:<key>", ttl = 3600)]
async fn ask(key: u32) -> u32 {
    LOADED.store(true, Ordering::Relaxed);
    key
}

fn ours(requests: &[u32]) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let cache = Cache::builder().in_memory().max_entries(u64::from(CAPACITY)).build().await;
        cache_runtime::scope(cache.expect("a cache in memory"), async {
            let mut tally = Tally::default();
            for &key in requests {
                ask(key).await;
                tally.note(key, !LOADED.swap(false, Ordering::Relaxed));
            }
            tally.percent()
        })
        .await
    })
}

fn replay(requests: &[u32], mut hit: impl FnMut(u32) -> bool) -> f64 {
    let mut tally = Tally::default();
    for &key in requests {
        tally.note(key, hit(key));
    }
    tally.percent()
}
