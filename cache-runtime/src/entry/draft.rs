//! An entry before it is stored.

use super::layout::{self, HEADER};
use super::{CellKind, Incarnation, KeyHash, Prefix, Schema, Stamp, TagsHash};
use crate::{Error, ErrorKind, Result};

/// How a payload is written. The numbers are given out by who encodes values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoding {
    /// The codec.
    pub codec: u8,
    /// The compression; 0 for none.
    pub compression: u8,
}

/// What is to be stored under a key.
#[derive(Clone, Debug)]
pub struct Draft<'a> {
    /// An id that nobody has had before; [`Prefix::unique`] draws one.
    pub prefix: Prefix,
    /// How the payload is written.
    pub encoding: Encoding,
    /// Whether the function returned nothing (`None`), and the payload is empty for it.
    pub nothing: bool,
    /// The value's type.
    pub schema: Schema,
    /// The full logical key.
    pub key: KeyHash,
    /// The life of the server that the load began in.
    pub incarnation: Incarnation,
    /// The tags that the reader knows from the arguments.
    pub tags: TagsHash,
    /// Their stamps from before the load, in the same order.
    pub stamps: &'a [Stamp],
    /// The tags that only the loaded value names, with their stamps.
    pub named: &'a [(&'a str, Stamp)],
    /// When the value stops being fresh, in milliseconds since 1970.
    pub soft_deadline: u64,
    /// Whether the value is fresh for as long as the store keeps it, so that the clocks of two
    /// machines need not agree. The deadline then is for copies that are held elsewhere.
    pub fresh_while_kept: bool,
    /// How long the load took, in milliseconds.
    pub load_millis: u32,
    /// The value's bytes.
    pub payload: &'a [u8],
}

impl Draft<'_> {
    /// The bytes to store.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](ErrorKind::TooLarge) if there are more tags, longer names or a larger payload
    /// than the format can tell; [`Codec`](ErrorKind::Codec) if the prefix is not that of a value.
    pub fn encode(&self) -> Result<Vec<u8>> {
        if self.prefix.kind() != Some(CellKind::Value) {
            return Err(Error::new(
                ErrorKind::Codec,
                "encode",
                "the prefix is not that of a value",
            ));
        }
        let names: usize = self.named.iter().map(|(name, _)| 2 + name.len()).sum();
        let stamps = self.stamps.len() + self.named.len();
        let mut bytes =
            Vec::with_capacity(HEADER + stamps * layout::STAMP + names + self.payload.len());
        bytes.resize(HEADER, 0);
        bytes[..Prefix::LENGTH].copy_from_slice(self.prefix.as_bytes());
        bytes[layout::VERSION] = layout::FORMAT_VERSION;
        bytes[layout::CODEC] = self.encoding.codec;
        bytes[layout::COMPRESSION] = self.encoding.compression;
        bytes[layout::FLAGS] = (if self.nothing { layout::NOTHING } else { 0 })
            | (if self.fresh_while_kept { layout::FRESH_WHILE_KEPT } else { 0 });
        bytes[layout::SCHEMA].copy_from_slice(&self.schema.0.to_le_bytes());
        bytes[layout::KEY].copy_from_slice(&self.key.0.to_le_bytes());
        bytes[layout::INCARNATION].copy_from_slice(&self.incarnation.get().to_le_bytes());
        bytes[layout::TAGS].copy_from_slice(&self.tags.0.to_le_bytes());
        bytes[layout::SOFT_DEADLINE].copy_from_slice(&self.soft_deadline.to_le_bytes());
        bytes[layout::LOAD_MILLIS].copy_from_slice(&self.load_millis.to_le_bytes());
        bytes[layout::STAMPS].copy_from_slice(&short(stamps, "tags")?.to_le_bytes());
        bytes[layout::NAMED].copy_from_slice(&short(self.named.len(), "tags")?.to_le_bytes());
        bytes[layout::NAMES_LENGTH].copy_from_slice(&long(names, "tag names")?.to_le_bytes());
        let payload = long(self.payload.len(), "payload")?;
        bytes[layout::PAYLOAD_LENGTH].copy_from_slice(&payload.to_le_bytes());
        let named_stamps = self.named.iter().map(|(_, stamp)| stamp);
        for stamp in self.stamps.iter().chain(named_stamps) {
            bytes.extend_from_slice(&stamp.to_bytes());
        }
        for (name, _) in self.named {
            bytes.extend_from_slice(&short(name.len(), "bytes of a tag's name")?.to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
        }
        bytes.extend_from_slice(self.payload);
        let checksum = layout::checksum(&bytes);
        bytes[layout::CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }
}

fn short(length: usize, what: &str) -> Result<u16> {
    u16::try_from(length).map_err(|_| too_large(length, what, u64::from(u16::MAX)))
}

fn long(length: usize, what: &str) -> Result<u32> {
    u32::try_from(length).map_err(|_| too_large(length, what, u64::from(u32::MAX)))
}

fn too_large(length: usize, what: &str, most: u64) -> Error {
    let message = format!("{what}: {length}, and an entry holds {most} at most");
    Error::new(ErrorKind::TooLarge, "encode", message)
}
