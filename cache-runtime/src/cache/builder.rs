//! Making a cache in code.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Tier};
use super::handle::Cache;
use crate::clock::Clock;
use crate::config::{Config, ProviderChoice, Secret};
use crate::error::{Error, ErrorKind, Result};
use crate::near::sites::Sites;
use crate::near::store::Store;

/// Makes a [`Cache`] in code; what is left out has the defaults of the environment's variables.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::Cache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let cache = Cache::builder()
///     .in_memory()
///     .max_entries(10_000)
///     .default_ttl(Duration::from_secs(60))
///     .namespace("shop")
///     .build()
///     .await?;
/// # drop(cache);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder makes nothing until `build`"]
pub struct CacheBuilder {
    config: Config,
    clock: Clock,
    entries_are_set: bool,
    #[cfg(feature = "entry")]
    remote: super::connect::RemoteParts,
}

impl CacheBuilder {
    /// Keeps values in this process (the default).
    pub fn in_memory(mut self) -> Self {
        self.config.provider = ProviderChoice::InMemory;
        self
    }

    /// Keeps nothing: every read is a miss and every function runs.
    pub fn off(mut self) -> Self {
        self.config.provider = ProviderChoice::None;
        self
    }

    /// The most entries kept in memory.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.config.max_entries = Some(entries);
        self.entries_are_set = true;
        self
    }

    /// About the most bytes kept in memory: keys, values (by the length of their JSON) and what
    /// the cache adds. Without [`max_entries`](Self::max_entries) it is the only bound.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.config.max_bytes = Some(bytes);
        if !self.entries_are_set {
            self.config.max_entries = None;
        }
        self
    }

    /// How long values live where neither the call nor the policy says.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.config.default_ttl = ttl;
        self
    }

    /// What every key and tag begins with, so that several programs can share a store.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.config.namespace = namespace.into();
        self
    }

    /// Keeps values in Redis or Valkey: `redis://` or `rediss://` for one server,
    /// `redis+sentinel://host:port,host:port/service` for Sentinel, `redis+cluster://` for Cluster.
    ///
    /// Nothing is connected before it is needed, and a server that cannot be reached is no error:
    /// functions then run as if they were not annotated.
    pub fn redis(mut self, url: impl Into<String>) -> Self {
        self.config.provider = ProviderChoice::Redis;
        self.config.redis_url = Some(Secret::new(url));
        self
    }

    /// Keeps values in Upstash, over its REST interface.
    pub fn upstash(mut self, url: impl Into<String>, token: impl Into<String>) -> Self {
        self.config.provider = ProviderChoice::Upstash;
        self.config.rest_url = Some(Secret::new(url));
        self.config.rest_token = Some(Secret::new(token));
        self
    }

    /// Keeps values in a store of your own. Its namespace is its own affair:
    /// [`namespace`](Self::namespace) does not reach it.
    #[cfg(feature = "entry")]
    pub fn provider(mut self, provider: impl crate::provider::Provider) -> Self {
        self.remote.provider = Some(Arc::new(provider));
        self
    }

    /// Keeps copies of a store's entries in this process as well (`CACHE_NEAR`), as many as
    /// [`max_entries`](Self::max_entries) and [`max_bytes`](Self::max_bytes) allow.
    ///
    /// With [`Near::Validated`](crate::Near::Validated) each hit asks the store whether the copy is
    /// still current, and no value is moved or decoded. With a [bound](crate::Near::Bound) a hit
    /// asks nobody, and a read may be stale for at most that long after an invalidation by another
    /// process; reads of this process's own invalidations, and reads inside loads, are exact.
    pub fn near(mut self, near: crate::Near) -> Self {
        self.config.near = near;
        self
    }

    /// The budget of one operation of a store outside the process (`CACHE_TIMEOUT`).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.config.timeout = Some(timeout);
        self
    }

    /// How values are encoded in a store outside the process: codec, compression, size guards.
    #[cfg(feature = "entry")]
    pub fn format(mut self, format: crate::entry::Format) -> Self {
        self.remote.format = format;
        self
    }

    /// How long a load's lease in a store outside the process lives unless it is renewed, which
    /// happens at a third of it: after the death of a process that loads, others wait this long at
    /// most. 1.5 s where it is not set.
    #[cfg(feature = "entry")]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.remote.lease = Some(lease);
        self
    }

    /// How much a store outside the process may cost when it is slow or gone. The budget of one
    /// operation is [`timeout`](Self::timeout)'s where that is set.
    #[cfg(feature = "entry")]
    pub fn resilience(mut self, options: crate::resilience::ResilienceOptions) -> Self {
        self.remote.resilience = Some(options);
        self
    }

    /// The certificates, in PEM, that a `rediss://` server's certificate has to lead to, in place
    /// of those that browsers trust.
    #[cfg(feature = "redis")]
    pub fn redis_roots(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.remote.redis_roots = Some(pem.into());
        self
    }

    /// Switches a rule of the protocol off, to see what it is for. A test then finds a violation.
    #[cfg(feature = "testing")]
    #[doc(hidden)]
    pub fn without_rule(mut self, rule: super::rules::Rule) -> Self {
        self.remote.rules = self.remote.rules.without(rule);
        self
    }

    /// The clock that decides what has expired.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes everything from a configuration that was read before.
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self.entries_are_set = true;
        self
    }

    /// Makes the cache.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where the parts do not go together: a bound or a TTL of zero, or a
    /// provider that this build does not have.
    pub async fn build(self) -> Result<Cache> {
        self.build_now()
    }

    pub(crate) fn build_now(self) -> Result<Cache> {
        let Config { provider, default_ttl, max_entries, max_bytes, .. } = &self.config;
        let refuse = |message: &str| Err(Error::new(ErrorKind::Config, "build", message));
        if default_ttl.is_zero() {
            return refuse("`default_ttl` is zero: nothing would ever be served from the cache");
        }
        if *max_entries == Some(0) || *max_bytes == Some(0) {
            return refuse("a bound of zero keeps nothing: use `off()`, or leave the bound out");
        }
        let most_indexed = max_entries.unwrap_or(1 << 22).min(1 << 26);
        let sites = Arc::new(Sites::new(usize::try_from(most_indexed).unwrap_or(usize::MAX)));
        #[cfg(feature = "entry")]
        if self.remote.provider.is_some()
            || matches!(provider, ProviderChoice::Redis | ProviderChoice::Upstash)
        {
            let tier = Tier::Remote(self.remote.connect(&self.config, &self.clock, &sites)?);
            // Keys and tags lie below the provider's own namespace.
            return Ok(Cache(Arc::new(Core::new(tier, "", *default_ttl, self.clock, sites))));
        }
        let tier = match provider {
            ProviderChoice::InMemory => Tier::Memory(Store::new(
                *max_entries,
                *max_bytes,
                self.clock.clone(),
                Arc::clone(&sites),
            )),
            ProviderChoice::None => Tier::Off(None),
            ProviderChoice::Redis | ProviderChoice::Upstash => {
                return refuse(&format!(
                    "`CACHE_PROVIDER={provider}` needs the cargo feature `{provider}` of `cache-runtime`"
                ));
            }
        };
        let namespace = &self.config.namespace;
        Ok(Cache(Arc::new(Core::new(tier, namespace, *default_ttl, self.clock.clone(), sites))))
    }
}
