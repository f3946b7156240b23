//! What the loaders read and the writers change: rows of versions, and what was acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// How many rows there are.
pub(crate) const ROWS: usize = 64;

/// How many shelves the rows are on; the shelf is known only from the row.
pub(crate) const SHELVES: u64 = 8;

/// A row as a loader read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub id: u64,
    pub version: u64,
    pub shelf: u64,
}

/// Rows whose versions only grow. Every access is sequentially consistent, so that a stale read
/// can only be the cache's.
pub(crate) struct Database {
    committed: [Cell; ROWS],
    acknowledged: [Cell; ROWS],
}

#[derive(Default)]
#[repr(align(64))]
struct Cell(AtomicU64);

impl Default for Database {
    fn default() -> Self {
        let cells = || std::array::from_fn(|_| Cell::default());
        Self { committed: cells(), acknowledged: cells() }
    }
}

impl Database {
    /// The shelf of a row.
    pub(crate) fn shelf(id: u64) -> u64 {
        id % SHELVES
    }

    /// Reads a row as a loader does: it takes a random while before and after the read itself.
    pub(crate) async fn load(&self, id: u64) -> Row {
        pause().await;
        let version = self.committed[id as usize].0.load(Ordering::SeqCst);
        pause().await;
        Row { id, version, shelf: Self::shelf(id) }
    }

    /// Changes a row; returns what it is now.
    pub(crate) fn commit(&self, id: u64) -> Row {
        let version = self.committed[id as usize].0.fetch_add(1, Ordering::SeqCst) + 1;
        Row { id, version, shelf: Self::shelf(id) }
    }

    /// The writer of this version has invalidated: no read from now on may return an older one.
    pub(crate) fn acknowledge(&self, row: &Row) {
        self.acknowledged[row.id as usize].0.fetch_max(row.version, Ordering::SeqCst);
    }

    /// The newest version whose invalidation has returned.
    pub(crate) fn acknowledged(&self, id: u64) -> u64 {
        self.acknowledged[id as usize].0.load(Ordering::SeqCst)
    }
}

/// Gives way a random number of times, and now and then keeps its thread busy.
async fn pause() {
    for _ in 0..fastrand::u32(0..6) {
        tokio::task::yield_now().await;
    }
    if fastrand::u32(0..8) == 0 {
        for _ in 0..fastrand::u32(0..4_000) {
            std::hint::spin_loop();
        }
    }
}
