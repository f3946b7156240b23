//! The handle that users hold, its builder, its requests, and the engine behind them.

mod builder;
pub(crate) mod core;
mod drive;
pub(crate) mod engine;
pub(crate) mod global;
mod handle;
pub(crate) mod leader;
mod race;
mod report;
mod requests;
pub(crate) mod run;
pub(crate) mod shapes;
pub(crate) mod steps;
pub(crate) mod value;

pub use builder::CacheBuilder;
pub use global::{cache, init, install, scope};
pub use handle::Cache;
pub use requests::{Get, GetMany, GetOrSet, IntoKeyText, Set, SetMany};
pub(crate) use requests::{full_name, full_text};
pub use value::Cacheable;
