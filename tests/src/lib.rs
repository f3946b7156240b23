//! What the tests share.

pub mod events;
pub mod fixture;
pub mod history;
pub mod providers;
pub mod proxy;
pub mod servers;
pub mod stalls;
pub mod worker;

/// The code in `README.md` is compiled and run as it stands. What calls `init` is a `standalone_crate`:
/// the others share a process, and would find themselves on another cache between two lines.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

/// So is the code in `docs/consistency.md`.
#[cfg(doctest)]
#[doc = include_str!("../../docs/consistency.md")]
mod consistency {}
