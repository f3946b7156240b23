//! Each codec's way from a value to bytes and back.

use std::cell::Cell;

use serde::de::DeserializeOwned;
use serde::{Deserializer, Serialize};

use super::faithful::Faithful;
use super::{Codec, Limits, Undecodable};
use crate::{Error, ErrorKind, Result};

/// The bytes of a value.
pub(super) fn write<T: Serialize + ?Sized>(codec: Codec, value: &T) -> Result<Vec<u8>> {
    let fault = Cell::new(None);
    let written = match codec {
        Codec::Json => write_json(value, &fault),
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => write_message_pack(value, &fault),
        #[cfg(feature = "postcard")]
        Codec::Postcard => write_postcard(value, &fault),
        #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
        _ => return Err(super::codec::unavailable("codec", codec.name())),
    };
    written.map_err(|error| {
        let fault = fault.take();
        let message = fault.unwrap_or_else(|| format!("the value cannot be written as {codec}"));
        Error::new(ErrorKind::Codec, "encode", message).with_source(error)
    })
}

/// The value that these bytes are.
pub(super) fn read<T: DeserializeOwned>(
    codec: Codec,
    bytes: &[u8],
    limits: &Limits,
) -> Result<T, Undecodable> {
    match codec {
        Codec::Json => read_json(bytes, limits),
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => read_message_pack(bytes, limits),
        #[cfg(feature = "postcard")]
        Codec::Postcard => read_postcard(bytes, limits),
        #[cfg(not(all(feature = "msgpack", feature = "postcard")))]
        _ => Err(Undecodable::CodecUnavailable(codec)),
    }
}

fn bounded<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
    bytes: &[u8],
    limits: &Limits,
) -> Result<T, D::Error> {
    super::bounded::deserialize(deserializer, bytes.len(), limits.max_value_bytes)
}

type Written = std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>>;

fn write_json<T: Serialize + ?Sized>(value: &T, fault: &Cell<Option<String>>) -> Written {
    let mut bytes = Vec::with_capacity(128);
    let mut serializer = serde_json::Serializer::new(&mut bytes);
    value.serialize(Faithful::new(&mut serializer, Codec::Json, fault))?;
    Ok(bytes)
}

fn read_json<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, Undecodable> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = bounded(&mut deserializer, bytes, limits).map_err(|_| Undecodable::Value)?;
    // What is left over shows that these are not the bytes of one such value.
    deserializer.end().map_err(|_| Undecodable::Value)?;
    Ok(value)
}

#[cfg(feature = "msgpack")]
fn write_message_pack<T: Serialize + ?Sized>(value: &T, fault: &Cell<Option<String>>) -> Written {
    let mut bytes = Vec::with_capacity(128);
    // With names, since in a list a field that is left out would shift all that follow.
    let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
    value.serialize(Faithful::new(&mut serializer, Codec::MessagePack, fault))?;
    Ok(bytes)
}

#[cfg(feature = "msgpack")]
fn read_message_pack<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, Undecodable> {
    use rmp_serde::decode::Error::InvalidMarkerRead;
    use serde::Deserialize;

    let mut deserializer = rmp_serde::Deserializer::from_read_ref(bytes);
    let value = bounded(&mut deserializer, bytes, limits).map_err(|_| Undecodable::Value)?;
    // What is left over shows that these are not the bytes of one such value. The reader does not
    // tell where it is, only that there is nothing to read any more.
    match bool::deserialize(&mut deserializer) {
        Err(InvalidMarkerRead(_)) => Ok(value),
        _ => Err(Undecodable::Value),
    }
}

#[cfg(feature = "postcard")]
fn write_postcard<T: Serialize + ?Sized>(value: &T, fault: &Cell<Option<String>>) -> Written {
    use postcard::ser_flavors::{AllocVec, Flavor};

    let mut serializer = postcard::Serializer { output: AllocVec::default() };
    value.serialize(Faithful::new(&mut serializer, Codec::Postcard, fault))?;
    Ok(serializer.output.finalize()?)
}

#[cfg(feature = "postcard")]
fn read_postcard<T: DeserializeOwned>(bytes: &[u8], limits: &Limits) -> Result<T, Undecodable> {
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let value = bounded(&mut deserializer, bytes, limits).map_err(|_| Undecodable::Value)?;
    match deserializer.finalize() {
        Ok([]) => Ok(value),
        _ => Err(Undecodable::Value),
    }
}
