//! Hashes that an entry is recognised by. They are the same in every process and on every machine.

use std::fmt;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// The hash of a full logical key: a reply that belongs to another key is a miss.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash(pub(super) u128);

impl KeyHash {
    /// The hash of this key, namespace included.
    pub fn of(key: &str) -> Self {
        Self(xxh3_128(key.as_bytes()))
    }

    /// The hash of this key in this namespace, whose texts are joined by a colon.
    pub(crate) fn within(namespace: &str, key: &str) -> Self {
        let mut text = Joined::new();
        [namespace, ":", key].iter().for_each(|part| text.push(part.as_bytes()));
        Self(xxh3_128(text.as_bytes()))
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
        let mut list = Joined::new();
        for tag in tags {
            // The length goes first, so that no two lists give one sequence of bytes.
            list.push(&(tag.len() as u64).to_le_bytes());
            list.push(tag.as_bytes());
        }
        Self(xxh3_64(list.as_bytes()))
    }
}

/// Parts put together to be hashed at once, on the stack if they are short. The hash that takes its
/// input in parts has a state of half a kilobyte, which costs more than hashing a usual key.
struct Joined {
    short: [u8; 256],
    length: usize,
    /// All of it, once it is no longer short.
    long: Vec<u8>,
}

impl Joined {
    fn new() -> Self {
        Self { short: [0; 256], length: 0, long: Vec::new() }
    }

    fn push(&mut self, part: &[u8]) {
        let end = self.length + part.len();
        match self.short.get_mut(self.length..end) {
            Some(room) if self.long.is_empty() => room.copy_from_slice(part),
            _ => {
                if self.long.is_empty() {
                    self.long.extend_from_slice(&self.short[..self.length]);
                }
                self.long.extend_from_slice(part);
            }
        }
        self.length = end;
    }

    fn as_bytes(&self) -> &[u8] {
        self.short.get(..self.length).unwrap_or(&self.long)
    }
}

impl fmt::Debug for TagsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TagsHash({:016x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyHash, TagsHash};
    use xxhash_rust::xxh3::Xxh3;

    #[test]
    fn parts_give_the_hash_of_the_whole_however_long_they_are() {
        for length in [0, 1, 100, 250, 251, 252, 253, 254, 255, 256, 257, 300, 1_000] {
            let key = "k".repeat(length);
            assert_eq!(KeyHash::within("app", &key), KeyHash::of(&format!("app:{key}")));
            let mut hash = Xxh3::new();
            for tag in [&*key, "", "tag", &*key] {
                hash.update(&(tag.len() as u64).to_le_bytes());
                hash.update(tag.as_bytes());
            }
            assert_eq!(TagsHash::of([&*key, "", "tag", &*key]), TagsHash(hash.digest()));
        }
    }
}
