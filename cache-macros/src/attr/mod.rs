//! The macros, each read, checked and expanded by one call.

mod cache_keys;
mod cached;
mod key_part;
mod pieces;
#[cfg(test)]
mod tests;
mod writes;

pub(crate) use cache_keys::cache_keys;
pub(crate) use cached::cached;
pub(crate) use key_part::key_part;
pub(crate) use writes::{invalidates, write_through};
