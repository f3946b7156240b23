//! What several entries can share: their tags with generations, and how long they may be stale.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use super::origin::Origins;
use crate::clock::Tick;

/// A tag's generation: zero at first, and the number of its last invalidation later. No number is
/// ever used twice, and a cell is forgotten only when no entry and no load refers to it, so an entry
/// stored under an old generation can never come back to life.
#[derive(Debug)]
pub(crate) struct TagCell(AtomicU64);

static NEXT_GENERATION: AtomicU64 = AtomicU64::new(1);

/// A number that this process never gave out before.
pub(crate) fn unused_number() -> u64 {
    NEXT_GENERATION.fetch_add(1, Ordering::Relaxed)
}

impl TagCell {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline]
    pub(crate) fn generation(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Invalidates everything that was stored, or began to load, under the tag. Returns the new
    /// generation, which the caller alone has until others ask for it.
    pub(crate) fn invalidate(&self) -> u64 {
        let generation = unused_number();
        self.0.store(generation, Ordering::SeqCst);
        generation
    }
}

/// A tag as a load saw it before it began (rule A2: generations are read before the load).
#[derive(Clone, Debug)]
pub(crate) struct TagSeen {
    pub(crate) cell: Arc<TagCell>,
    pub(crate) generation: u64,
}

impl TagSeen {
    pub(crate) fn now(cell: Arc<TagCell>) -> Self {
        let generation = cell.generation();
        Self { cell, generation }
    }

    /// Of a tag under which nothing may be stored now: it does not hold, and never will.
    pub(crate) fn never(cell: Arc<TagCell>) -> Self {
        // No tag ever has this generation.
        Self { cell, generation: u64::MAX }
    }

    #[inline]
    pub(crate) fn holds(&self) -> bool {
        self.cell.generation() == self.generation
    }
}

/// The part of an entry that entries of one function share while no tag changes.
#[derive(Debug, Default)]
pub(crate) struct EntryMeta {
    pub(crate) tags: Box<[TagSeen]>,
    pub(crate) windows: Windows,
    /// Of a copy: what it is a copy of.
    pub(crate) origin: Origins,
}

/// What happens to an entry past, or shortly before, the end of its TTL.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Windows {
    /// Served past its TTL this long while it is refreshed.
    pub(crate) stale: Tick,
    /// Kept past its TTL this long for when a load fails.
    pub(crate) stale_if_error: Tick,
    /// The factor of the probabilistic early refresh; 0 turns it off.
    pub(crate) early_beta: f32,
}

impl Windows {
    /// How long past its TTL an entry is worth keeping.
    pub(crate) fn kept(&self) -> Tick {
        self.stale.max(self.stale_if_error)
    }
}

impl EntryMeta {
    /// No tags, never stale.
    pub(crate) fn untagged() -> Arc<Self> {
        static UNTAGGED: LazyLock<Arc<EntryMeta>> = LazyLock::new(Arc::default);
        Arc::clone(&UNTAGGED)
    }

    /// Whether an entry with these tags and windows can share this one.
    pub(crate) fn is_same(&self, tags: &[TagSeen], windows: Windows) -> bool {
        let same_tag = |(ours, theirs): (&TagSeen, &TagSeen)| {
            Arc::ptr_eq(&ours.cell, &theirs.cell) && ours.generation == theirs.generation
        };
        self.origin.is_none()
            && self.windows == windows
            && self.tags.len() == tags.len()
            && self.tags.iter().zip(tags).all(same_tag)
    }

    /// Whether no tag was invalidated since they were seen.
    #[inline]
    pub(crate) fn holds(&self) -> bool {
        self.tags.iter().all(TagSeen::holds)
    }
}
