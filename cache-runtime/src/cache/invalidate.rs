//! What one invalidation asks for, until it is awaited.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, kind};
use super::handle::Cache;
use super::invalidation::Invalidation;
use super::requests::{Boxed, IntoKeyText, full_text};
use crate::error::{Error, ErrorKind, Result};
use crate::stats::count;
use crate::tag::Tag;

/// An invalidation, made by [`Cache::invalidate`] and [`Cache::invalidate_tag`].
///
/// Awaited, it returns when its effect has taken place: no read that starts later, in any process,
/// returns a value computed from data read before, except from near caches that may be stale within
/// their bound; [`settled`](Self::settled) waits for those as well.
///
/// # Errors
///
/// Where the store did not acknowledge it in time. Of kind [`Unknown`](ErrorKind::Unknown) it may
/// have happened; either way it is repeated in the background until it is acknowledged.
///
/// # Cancel safety
///
/// Dropped after its first poll, it goes on in the background.
///
/// # Examples
///
/// ```
/// use cache_runtime::Cache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// # let cache = Cache::builder().build().await?;
/// cache.invalidate("user:42").and_tag("users").settled().await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "an invalidation does nothing until it is awaited"]
pub struct Invalidate {
    cache: Cache,
    what: Invalidation,
    is_settled: bool,
    replicas: u32,
    hold_off: Option<Duration>,
}

impl Invalidate {
    pub(super) fn new(cache: Cache) -> Self {
        let what = Invalidation::default();
        Self { cache, what, is_settled: false, replicas: 0, hold_off: None }
    }

    /// Another key, with the same command.
    pub fn and(mut self, key: impl IntoKeyText) -> Self {
        let (text, core) = (key.into_key_text(), &self.cache.0);
        count(&core.prefix_counters(&text).invalidations);
        self.what.keys.push(full_text(core, None, &text));
        self
    }

    /// All that carries a tag, with the same command.
    pub fn and_tag(self, tag: impl Into<Tag>) -> Self {
        self.and_tags([tag])
    }

    /// All that carries any of the tags, with the same command.
    pub fn and_tags(mut self, tags: impl IntoIterator<Item: Into<Tag>>) -> Self {
        self.what.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Waits until the near caches of all processes have seen it, too: as long as the longest bound
    /// among them. Without near caches that takes one more round trip.
    pub fn settled(mut self) -> Self {
        self.is_settled = true;
        self
    }

    /// Waits, once the store has acknowledged it, until at least so many replicas of each primary
    /// involved have taken it over: then no failover to one of them brings back what was removed,
    /// not even where the lives of servers cannot be told apart (`INFO` is forbidden). Elsewhere the
    /// fence already sees to it that nothing stale is served after a failover. (Without `INFO`, a
    /// failover in the milliseconds between the acknowledgement and the wait goes unnoticed: it is
    /// then the new primary that answers.)
    ///
    /// Redis and Valkey are asked with `WAIT`, on a connection that is opened for it to each primary
    /// involved, so nothing else is held up. All of it takes the operation's time budget at most. In
    /// memory, where there is one copy, there is nothing to wait for.
    ///
    /// # Errors
    ///
    /// The removal holds in all of these, and is not repeated; the replicas may still catch up.
    /// - [`TooFewReplicas`](ErrorKind::TooFewReplicas) says how many replicas acknowledged in time, of
    ///   the primary with the fewest, or why that is not known.
    /// - [`Unsupported`](ErrorKind::Unsupported) where a store does not tell: Upstash over REST.
    ///
    /// # Cancel safety
    ///
    /// Dropped during the wait, the removal holds, and nobody waits for replicas.
    ///
    /// # Examples
    ///
    /// ```
    /// use cache_runtime::{Cache, ErrorKind};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cache_runtime::Result<()> {
    /// # let cache = Cache::builder().build().await?;
    /// match cache.invalidate_tag("prices").replicated(1).await {
    ///     Err(error) if error.kind() == ErrorKind::TooFewReplicas => {
    ///         eprintln!("a failover now may lose it: {error}");
    ///     }
    ///     invalidated => invalidated?,
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn replicated(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// For `time` from now, nothing of what is named is served or stored, and functions load each
    /// time: until a database replica, which loads read from, has caught up with the writer.
    pub fn hold_off(mut self, time: Duration) -> Self {
        self.hold_off = Some(time);
        self
    }

    /// Holds what is named from now on, for a writer that is about to commit. Call it before the
    /// commit, and [`finish`](WriteGuard::finish) after it.
    ///
    /// Until then nothing of it is served or stored, and functions load each time. A writer that
    /// dies in between leaves nothing stale: the hold ends by itself after `time`, and what was
    /// stored before it stays invalid. The commit has to come within `time`.
    ///
    /// # Errors
    ///
    /// Where the store did not acknowledge the hold. Nothing is protected then: do not commit, or
    /// commit and live with what a crash may leave.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::Cache;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> cache_runtime::Result<()> {
    /// # let cache = Cache::builder().build().await?;
    /// let guard = cache.invalidate_tag("users").guard(Duration::from_secs(10)).await?;
    /// // the transaction commits here
    /// guard.finish().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn guard(self, time: Duration) -> Result<WriteGuard> {
        let guard = WriteGuard { rest: Some(self) };
        if let Some(rest) = &guard.rest {
            rest.cache.0.hold(&rest.what, time).await?;
        }
        Ok(guard)
    }

    async fn run(self) -> Result<()> {
        let core = &self.cache.0;
        self.what.run(core).await?;
        if let Some(time) = self.hold_off {
            core.hold(&self.what, time).await?;
        }
        self.what.replicate(core, self.replicas).await?;
        if self.is_settled {
            core.settle().await?;
        }
        Ok(())
    }
}

impl IntoFuture for Invalidate {
    type Output = Result<()>;
    type IntoFuture = Boxed<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Invalidate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Invalidate").field("what", &self.what).finish_non_exhaustive()
    }
}

/// A hold on what a writer is about to change, made by [`Invalidate::guard`].
///
/// Dropped without [`finish`](Self::finish), since the writer failed or was cancelled, it
/// invalidates in the background: the transaction may have been committed.
#[derive(Debug)]
#[must_use = "dropping the guard invalidates at once"]
pub struct WriteGuard {
    rest: Option<Invalidate>,
}

impl WriteGuard {
    /// Invalidates what was held, and ends the hold. Call it after the commit, and after a rollback
    /// as well.
    ///
    /// # Errors
    ///
    /// As [`Invalidate`].
    pub async fn finish(mut self) -> Result<()> {
        let Some(rest) = self.rest.take() else { return Ok(()) };
        // From here on dropping this future invalidates in the background.
        let mut dropped = Self { rest: Some(rest) };
        if let Some(Invalidate { cache, what, .. }) = &dropped.rest {
            cache.0.end_holds(what).await;
        }
        match dropped.rest.take() {
            Some(rest) => rest.await,
            None => Ok(()),
        }
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        if let Some(Invalidate { cache, what, .. }) = self.rest.take() {
            what.release_without_waiting(&cache);
        }
    }
}

impl Core {
    /// Holds what is named for a time.
    async fn hold(self: &Arc<Self>, what: &Invalidation, time: Duration) -> Result<()> {
        if time.is_zero() {
            let message = "the time is zero: nothing would be held";
            return Err(Error::new(ErrorKind::Config, "hold", message));
        }
        self.check_sound()?;
        match &self.tier {
            #[cfg(feature = "entry")]
            super::core::Tier::Remote(remote) => remote.hold(self, what, time).await,
            _ => {
                self.hold_here(what, time);
                Ok(())
            }
        }
    }

    fn hold_here(&self, what: &Invalidation, time: Duration) {
        let namespace = &self.namespace;
        for tag in &what.tags {
            self.hold_name(&format!("{}{namespace}{}", kind::FAMILY, tag.family()), time);
            self.hold_name(&format!("{}{namespace}{tag}", kind::TAG), time);
        }
        what.functions.iter().for_each(|name| self.hold_name(name, time));
        for key in &what.keys {
            self.remove_here(key);
            self.hold_name(&format!("{}{key}", kind::HELD), time);
        }
    }

    /// Ends holds. What cannot be ended ends by itself; either way what was held stays invalid.
    pub(super) async fn end_holds(&self, what: &Invalidation) {
        match &self.tier {
            #[cfg(feature = "entry")]
            super::core::Tier::Remote(remote) => remote.release(what).await,
            _ => self.end_holds_here(what),
        }
    }

    pub(super) fn end_holds_here(&self, what: &Invalidation) {
        let namespace = &self.namespace;
        for tag in &what.tags {
            self.release_name(&format!("{}{namespace}{}", kind::FAMILY, tag.family()));
            self.release_name(&format!("{}{namespace}{tag}", kind::TAG));
        }
        what.functions.iter().for_each(|name| self.release_name(name));
    }

    /// Waits until all near caches have seen what was invalidated before.
    async fn settle(&self) -> Result<()> {
        match &self.tier {
            #[cfg(feature = "entry")]
            super::core::Tier::Remote(remote) => remote.settle(self).await,
            _ => Ok(()),
        }
    }
}
