//! What the tests share.

/// The code in `README.md` is compiled and run as it stands.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
