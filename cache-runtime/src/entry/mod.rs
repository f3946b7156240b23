//! What is stored: prefixes and stamps, which every store compares, and the entry around a value.

mod prefix;
mod stamp;
mod unique;

#[cfg(feature = "entry")]
mod draft;
#[cfg(feature = "entry")]
mod hash;
#[cfg(feature = "entry")]
mod layout;
#[cfg(feature = "entry")]
mod stored;
#[cfg(all(test, feature = "entry"))]
mod tests;

#[cfg(feature = "entry")]
pub use draft::{Draft, Encoding};
#[cfg(feature = "entry")]
pub use hash::{KeyHash, Schema, TagsHash};
pub use prefix::{CellKind, Prefix};
pub use stamp::{Incarnation, Stamp};
#[cfg(feature = "entry")]
pub use stored::{Flaw, Mismatch, Stored, Wanted};
pub(crate) use unique::unique_bytes;
