//! Upstash over its REST API.
//!
//! From the bottom up, each file imports earlier ones only:
//!
//! - `address`: what the URL and the token may be. - `tls`: whom to trust.
//! - `batch`, `reply`: commands and answers in JSON. - `failure`: requests without an answer.
//! - `sync`: the token that makes reads see own writes. - `life`: which life the server is in.
//! - `budget`: how often to repeat. - `post`: one request. - `lane`: many commands in one.
//! - `link`: what carries the protocol's steps. - `builder`: the options.

mod address;
mod batch;
mod budget;
mod builder;
mod failure;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod lane;
mod life;
mod link;
mod post;
mod reply;
mod sync;
mod tls;

use super::commands::Steps;
use crate::Result;

pub use builder::UpstashProviderBuilder;
use link::Rest;

/// A store in Upstash, reached over HTTPS, shared by all processes that use the same namespace.
///
/// It connects when it is used first and keeps its connection, one for all requests where the server
/// speaks HTTP/2. Commands of calls that come at the same moment travel in one request, reads and
/// writes apart; a call that comes alone is sent at once.
///
/// # What is billed
///
/// Upstash bills commands, not requests:
///
/// - A hit is one command, `GET` or one `MGET`, however many tags the entry has.
/// - A script is billed as itself and every command inside. A load takes two, one before it and one
///   after; removing keys is one `UNLINK`, without a script, and removing tags is one script with two
///   commands inside.
/// - Each command of a pipeline is billed, so pipelining saves time and not money.
/// - Every five seconds, and after failures, one request carries an `INFO` in front of its commands.
///
/// # Read your writes
///
/// Each request carries the `upstash-sync-token` of the latest answer, so that what this provider
/// has written is in what it reads, also from a replica. Other processes' writes may reach a replica
/// later: with read replicas, invalidations by others are seen after the replication's lag.
///
/// # The fence
///
/// The [`Incarnation`](crate::provider::Incarnation) of the server is a hash of the ids that `INFO` tells, asked as said above.
/// HTTP hides when a connection leads to another server, so a failover that no request notices is
/// recognised within five seconds. Where `INFO` is refused or tells no ids, lives cannot be told
/// apart ([`Incarnation::UNKNOWN`](crate::provider::Incarnation::UNKNOWN)).
///
/// # Failures
///
/// A request is repeated once, within a budget, if it only reads, or if no connection could be
/// opened; scripts and other writes that may have arrived never are. Too many requests (429), a
/// refused token (401, 403) and a missing database (404) are
/// [`Unavailable`](crate::ErrorKind::Unavailable) with what to do about it. A server error is
/// [`Unavailable`](crate::ErrorKind::Unavailable) for reads and
/// [`Unknown`](crate::ErrorKind::Unknown) for writes; an answer that is cut or garbled is
/// [`Unknown`](crate::ErrorKind::Unknown).
///
/// # Examples
///
/// ```no_run
/// use cache_runtime::provider::{Provider, UpstashProvider};
///
/// # async fn example(token: &str) -> cache_runtime::Result<()> {
/// let provider = UpstashProvider::new("https://name.upstash.io", token, "app")?;
/// provider.ping().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct UpstashProvider(Steps<Rest>);

impl UpstashProvider {
    /// A provider for a REST URL, its token and a namespace, with all other options as they are by
    /// default.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the URL or the token cannot work. The message says
    /// what to set, and holds neither.
    pub fn new(url: &str, token: &str, namespace: &str) -> Result<Self> {
        Self::builder(url, token).namespace(namespace).build()
    }

    /// Options for a provider.
    pub fn builder(url: &str, token: &str) -> UpstashProviderBuilder {
        UpstashProviderBuilder::new(url, token)
    }

    fn over(steps: Steps<Rest>) -> Self {
        Self(steps)
    }

    /// What does the steps.
    pub(super) fn steps(&self) -> &Steps<Rest> {
        &self.0
    }
}
