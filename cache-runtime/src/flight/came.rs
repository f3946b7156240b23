//! In which order calls came and loads began.

use crate::sync::{AtomicU64, Ordering};

/// How many loads of one table have begun.
#[derive(Debug)]
pub(super) struct Order(AtomicU64);

/// The moment at which a call came, among the beginnings of loads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came(u64);

/// The moment at which a load began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Began(u64);

impl Order {
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// A call comes now.
    ///
    /// It writes what it reads, so that what the call knows of is known to every load that begins
    /// later: without that the load could read something older.
    pub(super) fn comes(&self) -> Came {
        Came(self.0.fetch_add(0, Ordering::AcqRel))
    }

    /// A load begins now: it has not read anything yet.
    pub(super) fn begins(&self) -> Began {
        Began(self.0.fetch_add(1, Ordering::AcqRel))
    }
}

impl Came {
    /// Whether the call came before the load began, so that the load has read nothing that is too
    /// old for it.
    pub(super) fn is_before(self, load: Began) -> bool {
        self.0 <= load.0
    }
}
