//! What functions that change data do to the cache once they succeeded.

use std::sync::Arc;
use std::time::Duration;

use super::plan::Plan;
use crate::cache::steps::Life;
use crate::cache::value::{Cacheable, Cached};
use crate::cache::{Cache, cache, full_text};
use crate::error::Result;
use crate::key::{Args, Key, Piece, render};
use crate::near::meta::{TagSeen, unused_number};
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

    fn invalidate_now(&mut self) {
        for Target(target) in self.targets.drain(..) {
            match target {
                What::Key(text) => {
                    count(&self.cache.0.prefix_counters(&text).invalidations);
                    self.cache.0.remove(&full_text(&self.cache.0, None, &text));
                }
                What::Site(site) => super::call::invalidate_site_in(&self.cache, site),
            }
        }
        for tag in self.tags.drain(..) {
            self.cache.invalidate_tag_now(&tag);
        }
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
        self.invalidate_now();
    }
}

/// Invalidates what a successful write named.
pub async fn after_write(mut effects: Effects, _on_error: OnError) -> Result<()> {
    effects.invalidate_now();
    Ok(())
}

/// A write through the cache that was announced.
///
/// Dropped without [`finish_write`] or [`abandon`](Self::abandon), the write may have been
/// committed: the key is invalidated then.
pub struct Write<V: Cacheable>(Option<Announced<V>>);

struct Announced<V> {
    plan: Plan<V>,
    claim: TagSeen,
    began: u64,
    tags: Vec<TagSeen>,
    families: Vec<TagSeen>,
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
            plan.cache.0.remove(&plan.request.text);
        }
    }
}

/// Announces that a key is about to be written through, before the write's body runs: the value is
/// stored only if nobody else wrote or invalidated the key meanwhile.
pub async fn begin_write<V: Cacheable>(plan: Plan<V>) -> Write<V> {
    let (core, began) = (&plan.cache.0, unused_number());
    let Some(claim) = core.claim_write(&plan.request.text) else { return Write(None) };
    let (tags, families) =
        (core.see_tags(&plan.request.tags), core.see_tags(&plan.request.families));
    Write(Some(Announced { plan, claim, began, tags, families }))
}

/// Stores what was written, or invalidates the key where the order of writes is not known.
pub async fn finish_write<V: Cacheable>(write: Write<V>, value: &V) {
    store_written(write, value);
}

/// The same, and says how the store answered.
pub(super) fn store_written<V: Cacheable>(mut write: Write<V>, value: &V) -> Filled {
    // What is the user's code comes first: should it panic, dropping the write invalidates the key.
    let Some(Announced { plan, families, .. }) = &write.0 else { return Filled::Refused };
    let (core, hooks) = (&plan.cache.0, &plan.hooks);
    let result_tags = core.see_tags(&hooks.tags_of(&plan.cache, value));
    let cacheable = hooks.cache_if.as_ref().is_none_or(|condition| condition(value));
    let ttl = hooks.ttl.as_ref().map(|ttl| ttl(value)).or(plan.request.policy.ttl);
    let ttl = ttl.unwrap_or(core.default_ttl);
    let value = Cached::Value(Arc::new(value.clone()));
    if !cacheable || ttl.is_zero() || !families.iter().all(TagSeen::holds) {
        return Filled::Refused;
    }
    let Some(Announced { plan, claim, began, mut tags, .. }) = write.0.take() else {
        return Filled::Refused;
    };
    tags.extend(result_tags);
    let (core, request) = (&plan.cache.0, &plan.request);
    let life = Life::new(core, &request.policy, ttl, tags, Duration::ZERO, began);
    core.put_claimed(request, &value, &life, &claim)
}

/// Invalidates a written key whose new value is not known (`None`).
pub async fn forget_write<V: Cacheable>(write: Write<V>) {
    drop(write);
}
