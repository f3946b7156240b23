//! The rows behind the cache, and the annotated functions that read them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cache_runtime::{Cache, cached};
use tokio::sync::watch;

/// How a row is invalidated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    Key,
    Tag,
    Function,
    Pattern,
}

impl How {
    pub(crate) const ALL: [Self; 4] = [Self::Key, Self::Tag, Self::Function, Self::Pattern];

    pub(crate) fn of(id: u64) -> Self {
        Self::ALL[id as usize % Self::ALL.len()]
    }
}

/// Rows whose versions only grow.
pub(crate) struct Rows {
    committed: Vec<AtomicU64>,
    acknowledged: Vec<AtomicU64>,
    loads: AtomicU64,
    /// Loads of the rows from this one on end when the gate is open.
    gated: u64,
    gate: watch::Sender<bool>,
}

impl Rows {
    /// So many rows, of which those from `gated` on are behind a gate.
    pub(crate) fn new(count: u64, gated: u64) -> Arc<Self> {
        let versions = || (0..count).map(|_| AtomicU64::new(1)).collect();
        let (committed, acknowledged) = (versions(), versions());
        let (loads, gate) = (AtomicU64::new(0), watch::Sender::new(false));
        Arc::new(Self { committed, acknowledged, loads, gated, gate })
    }

    /// How many loads have read their row.
    pub(crate) fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }

    /// Lets the loads behind the gate end, now and from now on.
    pub(crate) fn open(&self) {
        self.gate.send_replace(true);
    }

    async fn load(&self, id: u64) -> u64 {
        let version = self.committed[id as usize].load(Ordering::SeqCst);
        self.loads.fetch_add(1, Ordering::SeqCst);
        if id >= self.gated {
            let opened = self.gate.subscribe().wait_for(|open| *open).await.is_ok();
            assert!(opened, "the gate is a part of the rows");
        }
        version
    }

    /// A new version, which no read may pass over from then on.
    pub(crate) async fn change(&self, cache: &Cache, id: u64) -> cache_runtime::Result<()> {
        let version = self.committed[id as usize].fetch_add(1, Ordering::SeqCst) + 1;
        match How::of(id) {
            How::Key => cache.invalidate(format!("row:{id}:x")).await?,
            How::Tag => cache.invalidate_tag(format!("row:{id}")).await?,
            How::Function => cache_runtime::scope(cache.clone(), page::invalidate_all()).await?,
            How::Pattern => {
                cache.invalidate_pattern(format!("row:{id}:*")).await?;
            }
        }
        self.acknowledged[id as usize].fetch_max(version, Ordering::SeqCst);
        Ok(())
    }

    /// Whether a read that begins now may not return this version any more.
    pub(crate) fn is_stale(&self, id: u64, version: u64) -> bool {
        version < self.acknowledged[id as usize].load(Ordering::SeqCst)
    }
}

/// Reads a row through a cache.
pub(crate) async fn read(cache: &Cache, id: u64, rows: &Arc<Rows>) -> u64 {
    let rows = Arc::clone(rows);
    match How::of(id) {
        How::Function => cache_runtime::scope(cache.clone(), page(id, rows)).await,
        _ => cache_runtime::scope(cache.clone(), row(id, rows)).await,
    }
}

#[cached(key = "row:<id>:x", ttl = "1h", tags = ["row:<id>"], skip(rows))]
async fn row(id: u64, rows: Arc<Rows>) -> u64 {
    rows.load(id).await
}

#[cached(key = "page:<id>:x", ttl = "1h", skip(rows))]
async fn page(id: u64, rows: Arc<Rows>) -> u64 {
    rows.load(id).await
}
