//! Providers that only tests need.

pub mod broken;
mod fault;
mod glob;
pub mod reference;
