//! Where a copy of a remote store's entry came from: enough to ask whether it is still current.

use std::sync::Arc;
#[cfg(feature = "entry")]
use std::sync::Mutex;

#[cfg(feature = "entry")]
use super::lock;
#[cfg(feature = "entry")]
use super::store::hash_text;
#[cfg(feature = "entry")]
use crate::entry::{Incarnation, Prefix, Stamp, Stored};

/// The entry in the store that a copy was made of; there is none for values of this process alone.
#[derive(Debug)]
#[cfg(feature = "entry")]
pub(crate) struct Origin {
    pub(crate) prefix: Prefix,
    pub(crate) incarnation: Incarnation,
    /// How many tags its reader asked for it under: they are the first of its marks. `None` where
    /// they are not, so that nobody can ask by this copy.
    pub(crate) asked: Option<usize>,
    /// All its marks.
    pub(crate) marks: Arc<Marks>,
    /// When it stops being fresh, in milliseconds since 1970.
    pub(crate) deadline: u64,
    pub(crate) fresh_while_kept: bool,
    pub(crate) load_millis: u32,
    /// How many bytes it has in the store.
    pub(crate) bytes: usize,
    /// Until when it may be served unasked, in milliseconds since 1970, on a clock that goes on
    /// while the machine sleeps.
    pub(crate) served_until: u64,
}

/// The marks of an entry by their whole names, with the stamps that made it valid.
#[derive(Debug)]
#[cfg(feature = "entry")]
pub(crate) struct Marks {
    pub(crate) names: Box<[String]>,
    pub(crate) stamps: Box<[Stamp]>,
}

#[cfg(feature = "entry")]
impl Marks {
    fn new(stored: &Stored<'_>) -> Self {
        let names = stored.named_tags().map(str::to_owned).collect();
        Self { names, stamps: stored.stamps().collect() }
    }

    fn are_of(&self, stored: &Stored<'_>) -> bool {
        stored.stamps().eq(self.stamps.iter().copied())
            && stored.named_tags().eq(self.names.iter().map(String::as_str))
    }
}

/// Marks that copies were made with lately. Most entries of a function carry the same ones, and a
/// hit that finds them in the processor's cache is spared a few waits for memory.
#[derive(Debug)]
#[cfg(feature = "entry")]
pub(crate) struct SharedMarks(Box<[Mutex<Option<Arc<Marks>>>]>);

#[cfg(feature = "entry")]
impl Default for SharedMarks {
    fn default() -> Self {
        Self((0..64).map(|_| Mutex::default()).collect())
    }
}

#[cfg(feature = "entry")]
impl SharedMarks {
    /// The marks of an entry, shared with the last one that had the same.
    pub(crate) fn of(&self, stored: &Stored<'_>) -> Arc<Marks> {
        let first = stored.named_tags().next().map_or(0, hash_text);
        let mut last = lock(&self.0[first as usize % self.0.len()]);
        match &*last {
            Some(marks) if marks.are_of(stored) => Arc::clone(marks),
            _ => Arc::clone(last.insert(Arc::new(Marks::new(stored)))),
        }
    }
}

/// Without a store outside the process there is no such thing.
#[derive(Debug)]
#[cfg(not(feature = "entry"))]
pub(crate) enum Origin {}

/// An entry's origin, where it has one that has to be known.
pub(crate) type Origins = Option<Arc<Origin>>;
