//! The rows behind the cache, and the annotated function that reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use cache_runtime::cached;

/// Rows that the load reads and writes.
pub(crate) const BUSY: u64 = 64;
/// Rows that nobody reads while there is a fault; each is changed once in that time.
pub(crate) const QUIET: u64 = 64;
/// Rows that nobody changes: whether they hit tells whether the store is back.
pub(crate) const CANARIES: u64 = 16;

/// What a load returns where it fails; it never does.
#[derive(Debug)]
pub(crate) struct Failed;

/// Rows whose versions only grow.
pub(crate) struct Rows {
    committed: Vec<AtomicU64>,
    acknowledged: Vec<AtomicU64>,
}

impl Rows {
    pub(crate) fn new() -> Arc<Self> {
        let cells = || (0..BUSY + QUIET + CANARIES).map(|_| AtomicU64::new(1)).collect();
        Arc::new(Self { committed: cells(), acknowledged: cells() })
    }

    /// The ids of the rows that are quiet.
    pub(crate) const fn quiet() -> std::ops::Range<u64> {
        BUSY..BUSY + QUIET
    }

    /// The ids of the canaries.
    pub(crate) const fn canaries() -> std::ops::Range<u64> {
        BUSY + QUIET..BUSY + QUIET + CANARIES
    }

    pub(crate) fn commit(&self, id: u64) -> u64 {
        self.committed[id as usize].fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn committed(&self, id: u64) -> u64 {
        self.committed[id as usize].load(Ordering::SeqCst)
    }

    /// The invalidation of this version was acknowledged.
    pub(crate) fn acknowledge(&self, id: u64, version: u64) {
        self.acknowledged[id as usize].fetch_max(version, Ordering::SeqCst);
    }

    /// No read that begins now may return an older version.
    pub(crate) fn acknowledged(&self, id: u64) -> u64 {
        self.acknowledged[id as usize].load(Ordering::SeqCst)
    }
}

/// Whether one call ran the body.
pub(crate) type Ran = Arc<AtomicBool>;

/// The function under test. Its body takes no time, so that what a call takes is what the cache
/// adds.
#[cached(key = "row:<id>", ttl = "1h", tags = ["rows", "row:<id>"], skip(rows, ran))]
pub(crate) async fn row(id: u64, rows: Arc<Rows>, ran: Ran) -> Result<u64, Failed> {
    ran.store(true, Ordering::SeqCst);
    Ok(rows.committed(id))
}

/// Calls the function; returns the version and whether the body ran.
pub(crate) async fn read(id: u64, rows: &Arc<Rows>) -> Result<(u64, bool), Failed> {
    let ran = Ran::default();
    let version = row(id, Arc::clone(rows), Arc::clone(&ran)).await?;
    Ok((version, ran.load(Ordering::SeqCst)))
}
