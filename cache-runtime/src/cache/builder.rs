//! Making a cache in code.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Tier};
use super::handle::Cache;
use crate::clock::Clock;
use crate::config::{Config, ProviderChoice};
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
        let Config { provider, default_ttl, namespace, max_entries, max_bytes, .. } = &self.config;
        let refuse = |message: &str| Err(Error::new(ErrorKind::Config, "build", message));
        if default_ttl.is_zero() {
            return refuse("`default_ttl` is zero: nothing would ever be served from the cache");
        }
        if *max_entries == Some(0) || *max_bytes == Some(0) {
            return refuse("a bound of zero keeps nothing: use `off()`, or leave the bound out");
        }
        let most_indexed = max_entries.unwrap_or(1 << 22).min(1 << 26);
        let sites = Arc::new(Sites::new(usize::try_from(most_indexed).unwrap_or(usize::MAX)));
        let tier = match provider {
            ProviderChoice::InMemory => Tier::Memory(Store::new(
                *max_entries,
                *max_bytes,
                self.clock.clone(),
                Arc::clone(&sites),
            )),
            ProviderChoice::None => Tier::Off,
            ProviderChoice::Redis => {
                return refuse(
                    "`CACHE_PROVIDER=redis` needs the cargo feature `redis`, which this version does not have yet",
                );
            }
            ProviderChoice::Upstash => {
                return refuse(
                    "`CACHE_PROVIDER=upstash` needs the cargo feature `upstash`, which this version does not have yet",
                );
            }
        };
        Ok(Cache(Arc::new(Core::new(tier, namespace, *default_ttl, self.clock.clone(), sites))))
    }
}
