//! Providers that only tests need.

pub mod broken;
mod glob;
pub mod reference;
