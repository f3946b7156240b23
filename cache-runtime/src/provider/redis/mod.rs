//! Redis and Valkey over their own protocol: one server, Sentinel, Cluster.
//!
//! From the bottom up, each file imports earlier ones only:
//!
//! - `url`: what the URL says. - `tls`, `stream`: the socket and its signs of life.
//! - `resp`: bytes and values. - `batch`, `reply`: commands and answers. - `pushes`: what servers
//!   say by themselves.
//! - `driver`: the task that serves a connection. - `wire`, `greeting`: one connection.
//! - `identity`: the life and role of the server behind it.
//! - `lane`: a connection that comes back; `dial`, `sentinel`: whom it leads to.
//! - `node`: one server. - `slots`, `layout`, `sighted`, `chart`, `cluster`: many.
//! - `ear`, `ears`: connections on which servers tell what changes. - `watching`, `watches`: who
//!   is told.
//! - `link`: what carries the protocol's steps. - `builder`: the options.

mod batch;
mod builder;
mod chart;
mod cluster;
mod dial;
mod driver;
mod ear;
mod ears;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod greeting;
mod hit;
mod identity;
mod lane;
mod layout;
mod link;
mod node;
mod pushes;
mod reply;
mod resp;
mod sentinel;
mod sighted;
mod slots;
mod stream;
mod tls;
mod url;
#[cfg(test)]
mod url_tests;
mod watches;
mod watching;
mod wire;

use super::commands::Steps;
use crate::Result;

pub use builder::RedisProviderBuilder;
use link::RedisLink;

/// A store in Redis or Valkey, shared by all processes that use the same namespace.
///
/// It connects when it is used first, over one connection per server that all tasks share, and
/// connects anew for ever after. A call waits for a first attempt that is under way; while attempts
/// fail, calls fail at once.
///
/// # URLs
///
/// | URL | meaning |
/// |---|---|
/// | `redis://[[user]:password@]host[:port][/database]` | one server |
/// | `rediss://..` | the same over TLS |
/// | `redis+sentinel://[[user]:password@]host[:port],../service[/database]` | the primary that Sentinel names; `?sentinel_username=`, `?sentinel_password=`, `?tls=true` |
/// | `redis+cluster://[[user]:password@]host[:port],..` | a cluster, of which these servers are asked first; `?tls=true` |
///
/// `valkey` may stand for `redis` in all of them. In a user name or a password `/`, `?`, `#`, `%`
/// and `@` have to be percent-encoded.
///
/// # The fence
///
/// Each answer carries the [`Incarnation`](crate::provider::Incarnation) of the server that gave it, read with `INFO` when the
/// connection was opened and once a second from then on, since a primary that is demoted and
/// promoted again keeps its connections. Where an access list forbids `INFO`, lives cannot be told
/// apart ([`Incarnation::UNKNOWN`](crate::provider::Incarnation::UNKNOWN)).
///
/// A server that has become a copy of another serves reads for up to that second, if nobody writes
/// and nobody ends its connections (Sentinel does); in a cluster it redirects at once.
///
/// # Examples
///
/// ```no_run
/// use cache_runtime::provider::{Provider, RedisProvider};
///
/// # async fn example() -> cache_runtime::Result<()> {
/// let provider = RedisProvider::new("redis://127.0.0.1/", "app")?;
/// provider.ping().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RedisProvider(Steps<RedisLink>);

impl RedisProvider {
    /// A provider for a URL and a namespace, with all other options as they are by default.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the URL cannot work. The message holds nothing of it.
    pub fn new(url: &str, namespace: &str) -> Result<Self> {
        Self::builder(url).namespace(namespace).build()
    }

    /// Options for a provider.
    pub fn builder(url: &str) -> RedisProviderBuilder {
        RedisProviderBuilder::new(url)
    }

    fn over(steps: Steps<RedisLink>) -> Self {
        Self(steps)
    }

    /// What does the steps.
    pub(super) fn steps(&self) -> &Steps<RedisLink> {
        &self.0
    }
}
