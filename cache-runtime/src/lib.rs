//! Caching for async Rust services: keys that the compiler checks, invalidation that is exact, and
//! hits that cost about what a map lookup costs.
//!
//! [`cached`] turns an async function into a get-or-set on the current [`Cache`], whose provider is
//! chosen from the environment when the program starts ([`init`]). Functions that change data
//! invalidate through generated helpers, or say what they change with [`invalidates`].
//!
//! ```
//! use cache_runtime::cached;
//! # #[derive(Clone, serde::Serialize, serde::Deserialize)]
//! # pub struct User { name: String }
//! # pub struct DbError;
//!
//! #[cached(key = "user:<id>", ttl = 1800, tags = ["users"])]
//! pub async fn get_user(id: u64) -> Result<User, DbError> {
//!     // asks the database
//! #   Ok(User { name: format!("user {id}") })
//! }
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let user = get_user(42).await; // loads, and stores under `user:42`
//! let again = get_user(42).await; // served from the cache
//! get_user::invalidate(42).await?; // exact: the next call loads again
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - After an invalidation returned `Ok`, no read that starts later serves a value computed from
//!   data read before it.
//! - An annotated function never returns an error, and never waits without a bound, because of the
//!   cache.
//! - A stored value that does not verify, or is of another type, is a miss.
//!
//! # Features
//!
//! - `logging`: a `tracing` subscriber for programs that have none.
//! - `uuid`, `chrono`, `time`: their types as parts of keys.
//! - `redis`: Redis and Valkey as the store: one server, Sentinel, Cluster; TLS.
//! - `upstash`: Upstash as the store, over its REST interface.
//! - `msgpack`, `postcard`: other codecs than JSON for values in a store.
//! - `zstd`, `lz4`: compression of large values in a store.
//! - `entry`: the bytes of stored entries and the resilience wrapper, for those who write a
//!   provider.
//! - `conformance`: the suite that checks a provider.
//! - `testing`: faults on purpose, for tests of services.

mod cache;
mod clock;
mod config;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "entry")]
pub mod entry;
#[cfg(not(feature = "entry"))]
mod entry;
mod error;
mod flight;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod key;
#[cfg(feature = "logging")]
pub mod logging;
#[doc(hidden)]
pub mod macro_support;
mod near;
mod pattern;
pub mod policy;
pub mod provider;
pub mod registry;
#[cfg(feature = "entry")]
pub mod resilience;
mod site;
mod stats;
mod sync;
mod tag;
#[cfg(feature = "testing")]
pub mod testing;

pub use cache_macros::{KeyPart, cache_keys, cached, invalidates, write_through};

pub use cache::{
    Cache, CacheBuilder, Cacheable, Get, GetMany, GetOrSet, Guarantee, Guarantees, IntoKeyText,
    Invalidate, Promise, Set, SetMany, Strength, WriteGuard, cache, init, install, scope,
};
pub use clock::{Clock, ManualClock};
pub use config::{Config, Near, ProviderChoice, Secret};
pub use error::{Error, ErrorKind, Result};
#[doc(hidden)]
pub use key::{ArgBytes, Args, Piece, render};
pub use key::{IntoKey, Key, KeyPart, PartWriter};
pub use pattern::Pattern;
pub use policy::Policy;
pub use stats::{Counts, Misses, Named, Stats};
pub use tag::Tag;
