//! What one cache keeps for each annotated function: its index and its counters.

use std::sync::{Arc, Mutex, OnceLock};

use super::index::Index;
use super::lock;
use super::meta::{EntryMeta, TagSeen, Windows};
use crate::stats::Counters;

const CHUNK: usize = 64;
const CHUNKS: usize = 256;

/// The functions by their number. Reading takes no lock.
pub(crate) struct Sites {
    chunks: Box<[OnceLock<Box<[OnceLock<SiteState>]>>]>,
    max_entries: usize,
}

/// One annotated function in one cache.
pub(crate) struct SiteState {
    pub(crate) index: Index,
    pub(crate) counters: Arc<Counters>,
    /// What the function's last entry was stored with; most entries of a function share it.
    last_meta: Mutex<Arc<EntryMeta>>,
}

impl SiteState {
    /// A meta of these parts, shared with the function's last entry where they are the same.
    pub(crate) fn meta(&self, tags: Vec<TagSeen>, windows: Windows) -> Arc<EntryMeta> {
        let mut last = lock(&self.last_meta);
        if !last.is_same(&tags, windows) {
            *last = Arc::new(EntryMeta { tags: tags.into(), windows });
        }
        Arc::clone(&last)
    }
}

impl Sites {
    pub(crate) fn new(max_entries: usize) -> Self {
        Self { chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(), max_entries }
    }

    /// The function's state, if it was called before.
    #[inline]
    pub(crate) fn get(&self, site: u32) -> Option<&SiteState> {
        let chunk = self.chunks.get(site as usize / CHUNK)?.get()?;
        chunk[site as usize % CHUNK].get()
    }

    /// The function's state; none beyond the 16,384th function, which then has no index and no
    /// statistics of its own.
    pub(crate) fn get_or_make(&self, site: u32) -> Option<&SiteState> {
        let chunk = self.chunks.get(site as usize / CHUNK)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| OnceLock::new()).collect());
        Some(chunk[site as usize % CHUNK].get_or_init(|| SiteState {
            index: Index::new(self.max_entries),
            counters: Arc::default(),
            last_meta: Mutex::new(EntryMeta::untagged()),
        }))
    }
}
