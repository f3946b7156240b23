//! What is stored: prefixes and stamps, which every store compares, and the entry around a value.

mod prefix;
mod stamp;
mod unique;

pub use prefix::{CellKind, Prefix};
pub use stamp::{Incarnation, Stamp};
pub(crate) use unique::unique_bytes;
