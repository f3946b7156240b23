//! What functions that change data do to the cache once they succeeded.

use std::sync::Arc;
use std::time::Duration;

use super::call::announce_site;
use super::plan::Plan;
use crate::cache::claim::Outcome;
use crate::cache::invalidation::Invalidation;
use crate::cache::value::{Cacheable, Cached};
use crate::cache::writing::WriteClaim;
use crate::cache::{Cache, cache, full_text};
use crate::error::Result;
use crate::key::{Args, Key, Piece, render};
use crate::near::store::Filled;
use crate::site::Site;
use crate::stats::count;
use crate::tag::Tag;

/// One thing to invalidate.
pub struct Target(What);

enum What {
    Key(String),
    Site(&'static Site),
}

impl Target {
    /// One key.
    #[must_use]
    pub fn key<V>(key: Key<V>) -> Self {
        Self(What::Key(key.into_string()))
    }

    /// All that a function cached.
    #[must_use]
    pub fn site(site: &'static Site) -> Self {
        Self(What::Site(site))
    }
}

/// What a write invalidates.
///
/// Dropped without [`after_write`] or [`abandon`](Self::abandon) (the writer was cancelled, or
/// panicked), the write may have been committed: everything that is known is invalidated then.
#[must_use]
pub struct Effects {
    cache: Cache,
    targets: Vec<Target>,
    tags: Vec<Tag>,
}

/// What becomes of an invalidation that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// It is retried in the background.
    Retry,
    /// It is the caller's error.
    Return,
}

impl Effects {
    /// Nothing yet.
    #[allow(clippy::new_without_default, reason = "it takes the current cache")]
    pub fn new() -> Self {
        Self { cache: cache(), targets: Vec::new(), tags: Vec::new() }
    }

    /// Forgets everything: the write failed.
    pub fn abandon(mut self) {
        self.targets.clear();
        self.tags.clear();
    }

    /// Takes out what is to be invalidated, with whole names.
    fn take(&mut self) -> Invalidation {
        let core = &self.cache.0;
        let mut all =
            Invalidation { tags: std::mem::take(&mut self.tags), ..Invalidation::default() };
        for Target(target) in self.targets.drain(..) {
            match target {
                What::Key(text) => {
                    count(&core.prefix_counters(&text).invalidations);
                    all.keys.push(full_text(core, None, &text));
                }
                What::Site(site) => all.functions.push(announce_site(&self.cache, site)),
            }
        }
        all
    }

    /// Adds a target.
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Adds a tag made from a template.
    pub fn tag<A: Args>(mut self, pieces: &'static [Piece], args: &A) -> Self {
        let mut text = String::new();
        render(pieces, args, &mut text);
        self.tags.push(Tag::new(text));
        self
    }

    /// Adds tags.
    pub fn tags(mut self, tags: impl IntoIterator<Item: Into<Tag>>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

impl Drop for Effects {
    fn drop(&mut self) {
        let all = self.take();
        if !all.is_empty() {
            all.run_without_waiting(&self.cache);
        }
    }
}

/// Invalidates what a successful write named.
///
/// # Errors
///
/// Only with [`OnError::Return`], where the store did not acknowledge it. It is retried either way.
///
/// # Cancel safety
///
/// Dropped before the store has answered, the invalidation goes on in the background.
pub async fn after_write(mut effects: Effects, on_error: OnError) -> Result<()> {
    let all = effects.take();
    if all.is_empty() {
        return Ok(());
    }
    match all.run(&effects.cache.0).await {
        Err(error) if on_error == OnError::Retry => {
            tracing::warn!(target: "cache", %error, "invalidation after a write");
            Ok(())
        }
        result => result,
    }
}

/// A write through the cache that was announced.
///
/// Dropped without [`finish_write`] or [`abandon`](Self::abandon), the write may have been
/// committed: the key is invalidated then.
pub struct Write<V: Cacheable>(Option<Announced<V>>);

struct Announced<V> {
    plan: Plan<V>,
    claim: WriteClaim,
}

impl<V: Cacheable> Write<V> {
    /// Leaves the cache as it is: the write failed.
    pub fn abandon(mut self) {
        self.0 = None;
    }
}

impl<V: Cacheable> Drop for Write<V> {
    fn drop(&mut self) {
        if let Some(Announced { plan, .. }) = self.0.take() {
            let keys = vec![plan.request.text];
            Invalidation { keys, ..Invalidation::default() }.run_without_waiting(&plan.cache);
        }
    }
}

/// Announces that a key is about to be written through, before the write's body runs: the value is
/// stored only if nobody else wrote or invalidated the key meanwhile.
pub async fn begin_write<V: Cacheable>(plan: Plan<V>) -> Write<V> {
    let claim = WriteClaim::take(&plan.cache.0, &plan.request).await;
    Write(claim.map(|claim| Announced { plan, claim }))
}

/// Stores what was written, or invalidates the key where the order of writes is not known.
pub async fn finish_write<V: Cacheable>(write: Write<V>, value: &V) {
    if let Err(error) = store_written(write, value).await {
        tracing::warn!(target: "cache", %error, "invalidation after a write");
    }
}

/// The same, and says how the store answered.
pub(super) async fn store_written<V: Cacheable>(mut write: Write<V>, value: &V) -> Result<Filled> {
    // What is the user's code comes first: should it panic, dropping the write invalidates the key.
    let Some(Announced { plan, .. }) = &write.0 else { return Ok(Filled::Refused) };
    let (core, hooks) = (&plan.cache.0, &plan.hooks);
    let tags = hooks.tags_of(&plan.cache, value);
    let cacheable = hooks.cache_if.as_ref().is_none_or(|condition| condition(value));
    let ttl = hooks.ttl.as_ref().map(|ttl| ttl(value)).or(plan.request.policy.ttl);
    let ttl = Some(ttl.unwrap_or(core.default_ttl)).filter(|ttl| cacheable && !ttl.is_zero());
    let value = Cached::Value(Arc::new(value.clone()));
    let Some(Announced { plan, claim }) = write.0.take() else { return Ok(Filled::Refused) };
    let (core, request) = (&plan.cache.0, Arc::new(plan.request));
    let outcome = Outcome { tags: &tags, ttl, took: Duration::ZERO, began: 0 };
    claim.finish(core, &request, &value, &outcome).await
}

/// Invalidates a written key whose new value is not known (`None`).
pub async fn forget_write<V: Cacheable>(mut write: Write<V>) {
    let Some(Announced { plan, .. }) = write.0.take() else { return };
    let keys = vec![plan.request.text];
    if let Err(error) = (Invalidation { keys, ..Invalidation::default() }).run(&plan.cache.0).await
    {
        tracing::warn!(target: "cache", %error, "invalidation after a write");
    }
}
