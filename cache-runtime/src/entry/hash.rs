//! Hashes that an entry is recognised by. They are the same in every process and on every machine.

use std::fmt;

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_128};

/// The hash of a full logical key: a reply that belongs to another key is a miss.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub(super) u128);

impl KeyHash {
    /// The hash of this key, namespace included.
    pub fn of(key: &str) -> Self {
        Self(xxh3_128(key.as_bytes()))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({:032x})", self.0)
    }
}

/// The fingerprint of a value's type: an entry of another type, or of the type as it was before a
/// deploy, is a miss.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Schema(pub(super) u64);

impl Schema {
    /// The fingerprint of a type that is described by this text.
    pub fn of(description: &str) -> Self {
        Self(xxh3_64(description.as_bytes()))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({:016x})", self.0)
    }
}

/// The hash of a tag list: an entry that was stored under other tags than the program has now is a
/// miss, since an invalidation by a new tag would not reach it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TagsHash(pub(super) u64);

impl TagsHash {
    /// The hash of these tags in this order.
    pub fn of<'a>(tags: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Xxh3::new();
        for tag in tags {
            // The length goes first, so that no two lists give one sequence of bytes.
            hash.update(&(tag.len() as u64).to_le_bytes());
            hash.update(tag.as_bytes());
        }
        Self(hash.digest())
    }
}

impl fmt::Debug for TagsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TagsHash({:016x})", self.0)
    }
}
