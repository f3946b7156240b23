//! Real servers for tests: each on free loopback ports with a folder of its own, and none outlives
//! the test that started it.
//!
//! Everything here blocks, and is quick enough for that, or waits for the server on purpose. A test
//! whose tasks must go on meanwhile runs on several threads.

mod binary;
mod cache;
mod cluster;
mod ports;
mod process;
mod sentinel;
mod single;
mod stats;
mod tls;
mod wait;
mod watchdog;

#[cfg(test)]
mod tests;

pub use binary::Kind;
pub use cache::cache_on;
pub use cluster::ClusterServers;
pub(crate) use ports::Port;
pub use sentinel::SentinelServers;
pub(crate) use single::text_of;
pub use single::{RedisServer, RedisServerBuilder, ValkeyServer};
pub(crate) use stats::is_housekeeping;
pub use stats::{CommandStats, Monitor};
pub use wait::{until, until_some};
