//! Faults on purpose, so that a service's tests see what its users would.
//!
//! [`FaultyProvider`] stands between a cache and its store, and does to it what networks and servers
//! do. What the cache promises holds with it as well: annotated functions return what they would
//! return without a cache, and after an invalidation that was acknowledged nothing older is served.

mod fault;
mod faulty;
mod steps;
mod takeover;
mod watching;

#[doc(hidden)]
pub use crate::cache::Rule;
pub use fault::{Fault, Operation};
pub use faulty::FaultyProvider;

#[cfg(test)]
mod tests;
