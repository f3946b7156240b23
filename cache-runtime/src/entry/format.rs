//! From a value to the bytes of a payload and back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::unavailable;
use super::{Codec, Compression, Encoding, Limits, codecs, compress};
use crate::Result;

/// How this process writes values. It reads whatever its build can read.
///
/// # Examples
/// ```
/// use cache_runtime::entry::{Compression, Format, Limits, decode_payload};
///
/// let format = Format::default();
/// format.check()?;
/// let payload = format.encode(&vec![1, 2, 3])?;
/// assert_eq!(payload.bytes, b"[1,2,3]");
/// let limits = Limits::default();
/// assert_eq!(decode_payload::<Vec<u8>>(payload.encoding, &payload.bytes, &limits), Ok(vec![1, 2, 3]));
/// # Ok::<_, cache_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Format {
    /// How values are written.
    pub codec: Codec,
    /// How large ones are made smaller.
    pub compression: Compression,
    /// From how many bytes on values are compressed: 1,024.
    pub compress_above: usize,
    /// The largest values, on writing and on reading.
    pub limits: Limits,
}

/// A value's bytes, and how they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What to store beside them.
    pub encoding: Encoding,
}

/// Why a payload gave no value. Each is a miss.
///
/// Says nothing of the payload's content, which may be nobody else's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Undecodable {
    /// This version has no codec with this number.
    UnknownCodec(u8),
    /// This version has no compression with this number.
    UnknownCompression(u8),
    /// The codec's feature is off in this build.
    CodecUnavailable(Codec),
    /// The compression's feature is off in this build.
    CompressionUnavailable(Compression),
    /// The value is, or claims to become, larger than [`Limits::max_value_bytes`].
    TooLarge,
    /// The compressed bytes are damaged, or do not become as many as they claim.
    Compression,
    /// The codec found no value of this type, or more than one value.
    Value,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            codec: Codec::Json,
            compression: Compression::None,
            compress_above: 1_024,
            limits: Limits::default(),
        }
    }
}

impl Format {
    /// This codec, and for the rest what it is by default.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self { codec, ..Self::default() }
    }

    /// The same with this compression.
    #[must_use]
    pub const fn compression(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// The same with compression from so many bytes on.
    #[must_use]
    pub const fn compress_above(self, bytes: usize) -> Self {
        Self { compress_above: bytes, ..self }
    }

    /// The same with these limits.
    #[must_use]
    pub const fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Whether this build can write so.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) that names the feature that is missing.
    pub fn check(&self) -> Result<()> {
        if !self.codec.is_available() {
            return Err(unavailable("codec", self.codec.name()));
        }
        if !self.compression.is_available() {
            return Err(unavailable("compression", self.compression.name()));
        }
        Ok(())
    }

    /// A value's payload, compressed only if that makes it smaller.
    ///
    /// # Errors
    ///
    /// [`Codec`](crate::ErrorKind::Codec) if the value's own `Serialize` fails, or the codec would not
    /// give the value back as it is: a number that is not finite or `Some` of nothing in JSON,
    /// `Some` of nothing in MessagePack, a field left out in postcard. Storing these would break
    /// the promise that no wrong value is served. [`TooLarge`](crate::ErrorKind::TooLarge) if there are
    /// more bytes than the limit. [`Config`](crate::ErrorKind::Config) if a feature is missing.
    pub fn encode<T: Serialize + ?Sized>(&self, value: &T) -> Result<Payload> {
        self.check()?;
        let bytes = codecs::write(self.codec, value)?;
        self.limits.check_value(bytes.len())?;
        let mut encoding = Encoding { codec: self.codec.number(), compression: 0 };
        if bytes.len() >= self.compress_above
            && let Some(smaller) = compress::compress(self.compression, &bytes)
        {
            encoding.compression = self.compression.number();
            return Ok(Payload { bytes: smaller, encoding });
        }
        Ok(Payload { bytes, encoding })
    }
}

/// The value in a payload, whoever wrote it and however.
///
/// # Errors
///
/// Why there is none. No bytes make it panic, recurse without bound, or allocate much more than
/// [`Limits::max_value_bytes`].
pub fn decode_payload<T: DeserializeOwned>(
    encoding: Encoding,
    bytes: &[u8],
    limits: &Limits,
) -> Result<T, Undecodable> {
    let unknown = Undecodable::UnknownCodec(encoding.codec);
    let codec = Codec::from_number(encoding.codec).ok_or(unknown)?;
    if !codec.is_available() {
        return Err(Undecodable::CodecUnavailable(codec));
    }
    let unknown = Undecodable::UnknownCompression(encoding.compression);
    match Compression::from_number(encoding.compression).ok_or(unknown)? {
        Compression::None if bytes.len() > limits.max_value_bytes => Err(Undecodable::TooLarge),
        Compression::None => codecs::read(codec, bytes, limits),
        compression => {
            let whole = compress::decompress(compression, bytes, limits.max_value_bytes)?;
            codecs::read(codec, &whole, limits)
        }
    }
}
