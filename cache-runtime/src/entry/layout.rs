//! Where what lies in an entry. All numbers are little-endian.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 17 | the prefix: kind `V`, random id |
//! | 17 | 1 | format version |
//! | 18 | 1 | codec of the payload |
//! | 19 | 1 | compression of the payload |
//! | 20 | 1 | flags: bit 0, the function returned nothing; bit 1, the value is fresh while it is kept |
//! | 21 | 8 | schema fingerprint of the value's type |
//! | 29 | 16 | hash of the full logical key |
//! | 45 | 8 | incarnation |
//! | 53 | 8 | hash of the tag list |
//! | 61 | 8 | soft deadline, milliseconds since 1970 |
//! | 69 | 4 | load time in milliseconds |
//! | 73 | 2 | number of stamps |
//! | 75 | 2 | how many of them are of tags that are named in the entry: the last ones |
//! | 77 | 4 | length of the names |
//! | 81 | 4 | length of the payload |
//! | 85 | 8 | checksum |
//! | 93 | 8 each | stamps |
//! | | | names, each two bytes of length and the text |
//! | | | payload |
//!
//! The checksum is the xxh3-64 of what follows it, seeded with the xxh3-64 of what precedes it.

use std::ops::Range;

/// The version of the format that this build writes, and the only one that it reads.
pub const FORMAT_VERSION: u8 = 1;
pub(super) const NOTHING: u8 = 1;
pub(super) const FRESH_WHILE_KEPT: u8 = 2;

pub(super) const VERSION: usize = 17;
pub(super) const CODEC: usize = 18;
pub(super) const COMPRESSION: usize = 19;
pub(super) const FLAGS: usize = 20;
pub(super) const SCHEMA: Range<usize> = 21..29;
pub(super) const KEY: Range<usize> = 29..45;
pub(super) const INCARNATION: Range<usize> = 45..53;
pub(super) const TAGS: Range<usize> = 53..61;
pub(super) const SOFT_DEADLINE: Range<usize> = 61..69;
pub(super) const LOAD_MILLIS: Range<usize> = 69..73;
pub(super) const STAMPS: Range<usize> = 73..75;
pub(super) const NAMED: Range<usize> = 75..77;
pub(super) const NAMES_LENGTH: Range<usize> = 77..81;
pub(super) const PAYLOAD_LENGTH: Range<usize> = 81..85;
pub(super) const CHECKSUM: Range<usize> = 85..93;
pub(super) const HEADER: usize = 93;
pub(super) const STAMP: usize = 8;

/// A part of the header: where it lies in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderField {
    /// What it is called in `docs/wire-format.md`.
    pub name: &'static str,
    /// The number of its first byte.
    pub at: usize,
    /// How many bytes it has.
    pub bytes: usize,
}

/// The parts of the header in their order, for tools and for the test that keeps the document
/// true. They leave no gap.
#[must_use]
pub const fn header_fields() -> &'static [HeaderField] {
    const FIELDS: &[HeaderField] = &[
        field("kind", 0..1),
        field("id", 1..VERSION),
        byte("version", VERSION),
        byte("codec", CODEC),
        byte("compression", COMPRESSION),
        byte("flags", FLAGS),
        field("schema", SCHEMA),
        field("key", KEY),
        field("incarnation", INCARNATION),
        field("tags", TAGS),
        field("soft deadline", SOFT_DEADLINE),
        field("load time", LOAD_MILLIS),
        field("stamps", STAMPS),
        field("named", NAMED),
        field("names length", NAMES_LENGTH),
        field("payload length", PAYLOAD_LENGTH),
        field("checksum", CHECKSUM),
    ];
    FIELDS
}

const fn field(name: &'static str, range: Range<usize>) -> HeaderField {
    HeaderField { name, at: range.start, bytes: range.end - range.start }
}

const fn byte(name: &'static str, at: usize) -> HeaderField {
    HeaderField { name, at, bytes: 1 }
}

/// The checksum that belongs to these bytes, which are at least a header long.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    let seed = xxhash_rust::xxh3::xxh3_64(&bytes[..CHECKSUM.start]);
    xxhash_rust::xxh3::xxh3_64_with_seed(&bytes[HEADER..], seed)
}
