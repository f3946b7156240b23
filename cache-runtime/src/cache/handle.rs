//! The public service.

use std::fmt;
use std::sync::Arc;

use super::builder::CacheBuilder;
use super::core::{Core, Tier};
use super::guarantees::Guarantees;
use super::invalidate::Invalidate;
use super::requests::{Get, GetMany, GetOrSet, IntoKeyText, Set, SetMany, full_text};
use super::value::Cacheable;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::key::IntoKey;
use crate::pattern::Pattern;
use crate::stats::{Stats, count};
use crate::tag::Tag;

/// A cache. Clones share everything.
///
/// Annotated functions find the current one themselves ([`cache`](crate::cache)); this handle is
/// for direct use and for making others. Direct calls return an error where the store cannot be
/// reached; [`get_or_set`](Self::get_or_set) and annotated functions never fail because of the
/// cache.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::Cache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let cache = Cache::builder().in_memory().build().await?;
/// cache.set("user:42", &"Ada".to_owned()).ttl(Duration::from_secs(60)).tags(["users"]).await?;
/// assert_eq!(cache.get::<String>("user:42").await?.as_deref(), Some("Ada"));
///
/// cache.invalidate_tag("users").await?;
/// assert_eq!(cache.get::<String>("user:42").await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cache(pub(crate) Arc<Core>);

impl Cache {
    /// Makes a cache in code.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::default()
    }

    pub(crate) fn from_config(config: &Config) -> Result<Self> {
        Self::builder().config(config.clone()).build_now()
    }

    /// A cache that keeps nothing, since this is wrong with its configuration.
    pub(crate) fn broken(error: Error) -> Self {
        // There is nothing in such a configuration that could be refused.
        let off = Self::builder().off().build_now();
        let mut cache = off.unwrap_or_else(|_| unreachable!("`off` has no bounds"));
        if let Some(core) = Arc::get_mut(&mut cache.0) {
            core.tier = Tier::Off(Some(error));
        }
        cache
    }

    /// Reads a value. A value of another type under the key is a miss.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub fn get<T: Cacheable>(&self, key: impl IntoKey<T>) -> Get<T> {
        Get::new(self.clone(), key.into_key())
    }

    /// Stores a value in place of what the key holds.
    ///
    /// A function whose key this is serves the value, too, if it was stored with all the tags that
    /// the function's attribute names (and none of them is read from the result): else an
    /// invalidation of such a tag would miss it, and the function loads.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached, the key is empty or too long, or the value is too large.
    pub fn set<T: Cacheable>(&self, key: impl IntoKey<T>, value: &T) -> Set<T> {
        Set::new(self.clone(), key.into_key(), value.clone())
    }

    /// Reads a value or loads and stores it, with one load per key for all concurrent callers.
    ///
    /// The loader's error is the caller's, and nothing is stored then. Nothing fails because of
    /// the cache: where it cannot help, the loader runs.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the loader; somebody who waits for the same key takes over.
    ///
    /// # Examples
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::num::ParseIntError> {
    /// # let cache = Cache::builder().build().await.expect("a plain in-memory cache");
    /// let answer = cache.get_or_set("answer", || async { "42".parse::<u32>() }).await?;
    /// assert_eq!(answer, 42);
    /// # Ok(())
    /// # }
    /// ```
    pub fn get_or_set<'a, T, E, F, L>(&self, key: impl IntoKey<T>, load: L) -> GetOrSet<'a, T, E>
    where
        T: Cacheable,
        E: Send + 'a,
        F: Future<Output = std::result::Result<T, E>> + Send + 'a,
        L: FnOnce() -> F + Send + 'a,
    {
        GetOrSet::new(self.clone(), key.into_key(), load)
    }

    /// Reads several values; the results are in the order of the keys.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub fn get_many<T: Cacheable>(&self, keys: impl IntoIterator<Item: IntoKey<T>>) -> GetMany<T> {
        GetMany::new(self.clone(), keys.into_iter().map(IntoKey::into_key).collect())
    }

    /// Stores several values.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set); values before the one that failed are stored.
    pub fn set_many<T: Cacheable, K: IntoKey<T>>(
        &self,
        entries: impl IntoIterator<Item = (K, T)>,
    ) -> SetMany<T> {
        let entries = entries.into_iter().map(|(key, value)| (key.into_key(), value)).collect();
        SetMany::new(self.clone(), entries)
    }

    /// Whether the key holds a value that a read would be served. Counts as no read.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn has(&self, key: impl IntoKeyText) -> Result<bool> {
        self.0.has(&full_text(&self.0, None, &key.into_key_text())).await
    }

    /// Removes a key, as [`invalidate`](Self::invalidate) does; returns whether it held a value.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn delete(&self, key: impl IntoKeyText) -> Result<bool> {
        let text = key.into_key_text();
        count(&self.0.prefix_counters(&text).invalidations);
        self.0.remove(&full_text(&self.0, None, &text)).await
    }

    /// Invalidates a key: no read that starts after this returned serves a value that was
    /// computed from data read before.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached; see [`Invalidate`].
    pub fn invalidate(&self, key: impl IntoKeyText) -> Invalidate {
        Invalidate::new(self.clone()).and(key)
    }

    /// Invalidates all that carries the tag, in O(1), with the promise of
    /// [`invalidate`](Self::invalidate).
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached; see [`Invalidate`].
    pub fn invalidate_tag(&self, tag: impl Into<Tag>) -> Invalidate {
        self.invalidate_tags([tag])
    }

    /// Invalidates all that carries any of the tags.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached; see [`Invalidate`].
    pub fn invalidate_tags(&self, tags: impl IntoIterator<Item: Into<Tag>>) -> Invalidate {
        Invalidate::new(self.clone()).and_tags(tags)
    }

    /// Invalidates all keys that match a glob pattern (`user:*`); returns how many values that
    /// removed. O(entries).
    ///
    /// `*` stands for any text, `?` for one byte, `[a-z]` and `[^x]` for a class, and `\` takes the
    /// next character as it is.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn invalidate_pattern(&self, pattern: impl Into<Pattern>) -> Result<u64> {
        let pattern = pattern.into();
        count(&self.0.prefix_counters(pattern.as_str()).invalidations);
        let removed = self.0.remove_matching(&pattern).await?;
        tracing::debug!(target: "cache", pattern = %pattern, removed, "invalidate");
        Ok(removed)
    }

    /// Removes everything in this cache's namespace.
    ///
    /// # Errors
    ///
    /// Where the store cannot be reached.
    pub async fn clear(&self) -> Result<()> {
        count(&self.0.prefix_counters("*").invalidations);
        tracing::debug!(target: "cache", "clear");
        self.0.clear().await
    }

    /// What this cache has done since it was made, and what it holds, as far as the store tells.
    ///
    /// # Errors
    ///
    /// None at present: of a store that cannot be reached only what it holds is not told.
    pub async fn stats(&self) -> Result<Stats> {
        Ok(super::report::stats(&self.0).await)
    }

    /// Which promise holds in which situation, as this cache is configured: in words (`Display`)
    /// and as data.
    ///
    /// # Examples
    ///
    /// ```
    /// use cache_runtime::{Cache, Promise, Strength};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cache_runtime::Result<()> {
    /// let cache = Cache::builder().in_memory().build().await?;
    /// let guarantees = cache.guarantees();
    /// assert_eq!(guarantees.provider, "in-memory");
    /// assert_eq!(guarantees.rows[0].promise, Promise::ExactInvalidation);
    /// assert_eq!(guarantees.rows[0].strength, Strength::Exact);
    /// println!("{guarantees}");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn guarantees(&self) -> Guarantees {
        super::guarantees::guarantees(&self.0)
    }

    /// Finishes what is under way before the program ends: invalidations that a store has not
    /// acknowledged yet are sent, and connections are closed. Later calls run as if the store were
    /// gone. With a cache in memory there is nothing to do.
    ///
    /// # Errors
    ///
    /// Where invalidations were left when the time for it ran out; the message says how many.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the cache between running and shut down; call it again.
    pub async fn shutdown(&self) -> Result<()> {
        match &self.0.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => remote.shutdown().await,
            _ => Ok(()),
        }
    }

    /// How the store outside the process fares: the breaker, the deadline in force, invalidations
    /// that wait to be acknowledged. `None` with a cache in memory.
    #[cfg(feature = "entry")]
    #[must_use]
    pub fn health(&self) -> Option<crate::resilience::Health> {
        match &self.0.tier {
            Tier::Remote(remote) => Some(remote.provider().health()),
            _ => None,
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.0.namespace.trim_end_matches(':');
        let (provider, namespace) = match &self.0.tier {
            Tier::Off(_) => ("none", own),
            Tier::Memory(_) => ("in-memory", own),
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => (remote.name(), remote.namespace()),
        };
        formatter
            .debug_struct("Cache")
            .field("provider", &provider)
            .field("namespace", &namespace)
            .finish_non_exhaustive()
    }
}
