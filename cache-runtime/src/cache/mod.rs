//! The handle that users hold, its builder, its requests, and the engine behind them.

pub(crate) mod boarding;
mod builder;
pub(crate) mod claim;
#[cfg(feature = "entry")]
mod connect;
pub(crate) mod core;
mod drive;
pub(crate) mod engine;
pub(crate) mod global;
mod guarantees;
mod handle;
mod invalidate;
pub(crate) mod invalidation;
pub(crate) mod leader;
mod memory;
mod race;
#[cfg(feature = "entry")]
mod remote;
mod report;
mod requests;
#[cfg(feature = "entry")]
mod rules;
pub(crate) mod run;
pub(crate) mod shapes;
pub(crate) mod steps;
mod tier;
pub(crate) mod value;
pub(crate) mod writing;

pub use builder::CacheBuilder;
pub use global::{cache, init, install, scope};
pub use guarantees::{Guarantee, Guarantees, Promise, Strength};
pub use handle::Cache;
pub use invalidate::{Invalidate, WriteGuard};
pub use requests::{Get, GetMany, GetOrSet, IntoKeyText, Set, SetMany};
pub(crate) use requests::{begun_name, full_name, full_text};
#[cfg(feature = "testing")]
pub use rules::Rule;
pub use value::Cacheable;
