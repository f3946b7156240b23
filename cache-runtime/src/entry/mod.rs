//! What is stored: prefixes and stamps, which every store compares, and the entry around a value.

mod prefix;
mod stamp;
mod unique;

#[cfg(feature = "entry")]
mod bounded;
#[cfg(feature = "entry")]
mod codec;
#[cfg(feature = "entry")]
mod codecs;
#[cfg(feature = "entry")]
mod compress;
#[cfg(feature = "entry")]
mod draft;
#[cfg(feature = "entry")]
mod faithful;
#[cfg(feature = "entry")]
mod format;
#[cfg(all(test, feature = "entry"))]
mod format_tests;
#[cfg(feature = "entry")]
mod hash;
#[cfg(feature = "entry")]
mod layout;
#[cfg(feature = "entry")]
mod limits;
#[cfg(feature = "entry")]
mod schema;
#[cfg(feature = "entry")]
mod stored;
#[cfg(all(test, feature = "entry"))]
mod tests;

#[cfg(feature = "entry")]
pub use codec::{Codec, Compression};
#[cfg(feature = "entry")]
pub use draft::{Draft, Encoding};
#[cfg(feature = "entry")]
pub use format::{Format, Payload, Undecodable, decode_payload};
#[cfg(feature = "entry")]
pub use hash::{KeyHash, Schema, TagsHash};
#[cfg(feature = "entry")]
pub use layout::{FORMAT_VERSION, HeaderField, header_fields};
#[cfg(feature = "entry")]
pub use limits::Limits;
pub use prefix::{CellKind, Prefix};
#[cfg(feature = "entry")]
pub use schema::schema_of;
pub use stamp::{Incarnation, Stamp};
#[cfg(feature = "entry")]
pub use stored::{Flaw, Mismatch, Stored, Wanted};
pub(crate) use unique::unique_bytes;
