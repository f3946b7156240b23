//! Where a copy of a remote store's entry came from: enough to ask whether it is still current.

use std::sync::Arc;

#[cfg(feature = "entry")]
use crate::entry::{Incarnation, Prefix, Stamp, TagsHash};

/// The entry in the store that a copy was made of; there is none for values of this process alone.
#[derive(Debug)]
#[cfg(feature = "entry")]
pub(crate) struct Origin {
    pub(crate) prefix: Prefix,
    pub(crate) incarnation: Incarnation,
    /// Under which tags its reader asked for it.
    pub(crate) asked: TagsHash,
    /// All its marks by their whole names, with the stamps that made it valid.
    pub(crate) names: Box<[String]>,
    pub(crate) stamps: Box<[Stamp]>,
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

/// Without a store outside the process there is no such thing.
#[derive(Debug)]
#[cfg(not(feature = "entry"))]
pub(crate) enum Origin {}

/// An entry's origin, where it has one that has to be known.
pub(crate) type Origins = Option<Arc<Origin>>;
