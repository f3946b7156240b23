//! An entry as it was read: decoded without trust, verified before anything of it is used.

use std::fmt;

use super::layout::{self, HEADER, STAMP};
use super::{CellKind, Encoding, Incarnation, KeyHash, Prefix, Schema, Stamp, TagsHash};

/// An entry whose bytes are intact; whether it is valid is for [`verify`](Self::verify) to say.
///
/// A view: nothing is copied out of the bytes.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    bytes: &'a [u8],
    stamps: &'a [u8],
    names: &'a [u8],
    named: usize,
    payload: &'a [u8],
}

/// Why bytes are no intact entry. Each is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flaw {
    /// Somebody is loading, or writing.
    Leased,
    /// The bytes are not of this library's making.
    Foreign,
    /// The entry has another format version than this build reads.
    Version(u8),
    /// Bytes are missing at the end, or too many.
    Length,
    /// The bytes were changed.
    Checksum,
    /// The parts contradict each other, though the checksum is right.
    Malformed,
}

/// Why an intact entry is not valid. Each is a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mismatch {
    /// It belongs to another key.
    Key,
    /// Its value is of another type.
    Schema,
    /// It was stored under other tags.
    Tags,
    /// It was stored in another life of the server.
    Incarnation,
    /// This mark, counted from 0, was invalidated, expired or evicted since the load.
    Stamp(usize),
}

/// What a reader expects of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The full logical key.
    pub key: KeyHash,
    /// The value's type.
    pub schema: Schema,
    /// The tags that the reader knows from the arguments; `None` for a reader that knows only the
    /// key, and goes by the tags that the entry names.
    pub tags: Option<TagsHash>,
    /// The incarnation of the server that answered.
    pub incarnation: Incarnation,
}

impl<'a> Stored<'a> {
    /// Looks at bytes from a store.
    ///
    /// # Errors
    ///
    /// The first flaw found. No bytes make it panic.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Flaw> {
        match Prefix::of(bytes).kind() {
            Some(CellKind::Value) => {}
            // With bytes behind it, it is no claim of anybody's.
            Some(CellKind::Lease | CellKind::Write) if bytes.len() == Prefix::LENGTH => {
                return Err(Flaw::Leased);
            }
            Some(CellKind::Lease | CellKind::Write) | None => return Err(Flaw::Foreign),
        }
        // Before all else: another version may have another layout.
        match bytes.get(layout::VERSION) {
            Some(&layout::FORMAT_VERSION) => {}
            Some(&version) => return Err(Flaw::Version(version)),
            None => return Err(Flaw::Length),
        }
        let body = bytes.get(HEADER..).ok_or(Flaw::Length)?;
        let stamps = usize::from(u16::from_le_bytes(array(bytes, layout::STAMPS.start)));
        let named = usize::from(u16::from_le_bytes(array(bytes, layout::NAMED.start)));
        let names = u32::from_le_bytes(array(bytes, layout::NAMES_LENGTH.start)) as usize;
        let payload = u32::from_le_bytes(array(bytes, layout::PAYLOAD_LENGTH.start)) as usize;
        let (stamps, rest) = body.split_at_checked(stamps * STAMP).ok_or(Flaw::Length)?;
        let (names, rest) = rest.split_at_checked(names).ok_or(Flaw::Length)?;
        if rest.len() != payload {
            return Err(Flaw::Length);
        }
        if u64::from_le_bytes(array(bytes, layout::CHECKSUM.start)) != layout::checksum(bytes) {
            return Err(Flaw::Checksum);
        }
        let stored = Self { bytes, stamps, names, named, payload: rest };
        if !stored.is_coherent() {
            return Err(Flaw::Malformed);
        }
        Ok(stored)
    }

    /// Whether this is what the reader wants, and is still valid.
    ///
    /// `current` are the stamps that the marks have now, those known from the arguments first and
    /// then the [named](Self::named_tags) ones, `None` for a mark that is not live. A mark that is
    /// missing in it counts as not live.
    ///
    /// # Errors
    ///
    /// The first mismatch found.
    pub fn verify(
        &self,
        wanted: &Wanted,
        current: impl IntoIterator<Item = Option<Stamp>>,
    ) -> Result<(), Mismatch> {
        if self.key() != wanted.key {
            return Err(Mismatch::Key);
        }
        if self.schema() != wanted.schema {
            return Err(Mismatch::Schema);
        }
        if wanted.tags.is_some_and(|tags| tags != self.tags()) {
            return Err(Mismatch::Tags);
        }
        if self.incarnation() != wanted.incarnation {
            return Err(Mismatch::Incarnation);
        }
        let mut current = current.into_iter();
        for (at, stamp) in self.stamps().enumerate() {
            if current.next().flatten() != Some(stamp) {
                return Err(Mismatch::Stamp(at));
            }
        }
        // More marks than the entry has stamps: it was stored under other tags.
        if current.next().is_some() { Err(Mismatch::Tags) } else { Ok(()) }
    }

    /// The prefix, by which a refresh names the entry that it started from.
    pub fn prefix(&self) -> Prefix {
        Prefix::of(self.bytes)
    }

    /// How the payload is written.
    pub fn encoding(&self) -> Encoding {
        Encoding { codec: self.bytes[layout::CODEC], compression: self.bytes[layout::COMPRESSION] }
    }

    /// Whether the function returned nothing.
    pub fn is_nothing(&self) -> bool {
        self.bytes[layout::FLAGS] & layout::NOTHING != 0
    }

    /// The value's type.
    pub fn schema(&self) -> Schema {
        Schema(u64::from_le_bytes(array(self.bytes, layout::SCHEMA.start)))
    }

    /// The key that the entry belongs to.
    pub fn key(&self) -> KeyHash {
        KeyHash(u128::from_le_bytes(array(self.bytes, layout::KEY.start)))
    }

    /// The life of the server that the load began in.
    pub fn incarnation(&self) -> Incarnation {
        Incarnation::new(u64::from_le_bytes(array(self.bytes, layout::INCARNATION.start)))
    }

    /// The tags from the arguments.
    pub fn tags(&self) -> TagsHash {
        TagsHash(u64::from_le_bytes(array(self.bytes, layout::TAGS.start)))
    }

    /// When the value stops being fresh, in milliseconds since 1970.
    pub fn soft_deadline(&self) -> u64 {
        u64::from_le_bytes(array(self.bytes, layout::SOFT_DEADLINE.start))
    }

    /// Whether the value is fresh for as long as the store keeps it, whatever the deadline says.
    pub fn is_fresh_while_kept(&self) -> bool {
        self.bytes[layout::FLAGS] & layout::FRESH_WHILE_KEPT != 0
    }

    /// How long the load took, in milliseconds.
    pub fn load_millis(&self) -> u32 {
        u32::from_le_bytes(array(self.bytes, layout::LOAD_MILLIS.start))
    }

    /// All stamps: those of the tags from the arguments, then those of the named tags.
    pub fn stamps(&self) -> impl ExactSizeIterator<Item = Stamp> + use<'a> {
        self.stamps.chunks_exact(STAMP).map(|bytes| Stamp::from_bytes(array(bytes, 0)))
    }

    /// How many [named](Self::named_tags) tags there are.
    pub(crate) fn named(&self) -> usize {
        self.named
    }

    /// The tags that only the loaded value named.
    pub fn named_tags(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut rest = self.names;
        // `decode` has looked at every name.
        (0..self.named).map_while(move |_| {
            let (name, after) = first_name(rest)?;
            rest = after;
            Some(name)
        })
    }

    /// The value's bytes.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    fn is_coherent(&self) -> bool {
        let mut rest = self.names;
        for _ in 0..self.named {
            let Some((_, after)) = first_name(rest) else { return false };
            rest = after;
        }
        rest.is_empty()
            && self.named * STAMP <= self.stamps.len()
            && self.bytes[layout::FLAGS] & !(layout::NOTHING | layout::FRESH_WHILE_KEPT) == 0
    }
}

/// Tells no payload: what is cached may be nobody else's business.
impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("prefix", &self.prefix())
            .field("key", &self.key())
            .field("schema", &self.schema())
            .field("stamps", &self.stamps().len())
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

fn first_name(names: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = names.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((std::str::from_utf8(name).ok()?, rest))
}

/// The bytes at a place of the header, which `decode` has found to be there.
fn array<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut found = [0; N];
    if let Some(there) = bytes.get(start..start + N) {
        found.copy_from_slice(there);
    }
    found
}
