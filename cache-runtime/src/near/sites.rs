//! What one cache keeps for each annotated function: its index and its counters.

use std::sync::{Arc, Mutex, OnceLock};

use super::index::Index;
use super::lock;
use super::meta::{EntryMeta, TagSeen, Windows};
use crate::site::registered;
use crate::stats::Counters;

/// The functions by their number. Reading takes no lock.
pub(crate) struct Sites {
    states: Box<[OnceLock<SiteState>]>,
    max_entries: usize,
}

/// One annotated function in one cache.
pub(crate) struct SiteState {
    pub(crate) index: Index,
    pub(crate) counters: Arc<Counters>,
    /// The prefix of the function's first key, where its key is an expression.
    pub(crate) prefix: OnceLock<Box<str>>,
    /// The function's name among the tags, kept for good once it was invalidated: an entry that
    /// does not carry it is judged by when that was.
    pub(crate) name: OnceLock<TagSeen>,
    /// The whole name of all that the function ever stored.
    pub(crate) function: OnceLock<Box<str>>,
    /// What the function's last entry was stored with; most entries of a function share it.
    last_meta: Mutex<Arc<EntryMeta>>,
}

impl SiteState {
    /// A meta of these parts, shared with the function's last entry where they are the same.
    pub(crate) fn meta(&self, tags: Vec<TagSeen>, windows: Windows) -> Arc<EntryMeta> {
        let mut last = lock(&self.last_meta);
        if !last.is_same(&tags, windows) {
            *last = Arc::new(EntryMeta { tags: tags.into(), windows, origin: None });
        }
        Arc::clone(&last)
    }
}

impl Sites {
    /// A place for each function of the program, and an index of each that keeps to the bound.
    pub(crate) fn new(max_entries: usize) -> Self {
        Self::with_places(registered().count(), max_entries)
    }

    /// The same for so many functions.
    pub(crate) fn with_places(functions: usize, max_entries: usize) -> Self {
        Self { states: (0..functions).map(|_| OnceLock::new()).collect(), max_entries }
    }

    /// The function's state, if it was called before.
    #[inline]
    pub(crate) fn get(&self, site: u32) -> Option<&SiteState> {
        self.states.get(site as usize)?.get()
    }

    /// The function's state. Every function is in the linker's list, so there is a place for each;
    /// one loaded later with a library has no index and no statistics of its own.
    pub(crate) fn get_or_make(&self, site: u32) -> Option<&SiteState> {
        let state = self.states.get(site as usize)?;
        Some(state.get_or_init(|| SiteState {
            index: Index::new(self.max_entries),
            counters: Arc::default(),
            prefix: OnceLock::new(),
            name: OnceLock::new(),
            function: OnceLock::new(),
            last_meta: Mutex::new(EntryMeta::untagged()),
        }))
    }
}
