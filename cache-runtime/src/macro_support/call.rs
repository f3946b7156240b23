//! The calls that generated code makes: the probe of a hit, and the ways of loading.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::plan::{Plan, index_bytes};
use super::writes::store_written;
use crate::cache::core::{Tier, kind};
use crate::cache::engine::lead;
use crate::cache::global::with_current;
use crate::cache::run::{self, Shape};
use crate::cache::steps::check_key;
use crate::cache::value::NothingMarker;
use crate::cache::{Cache, Cacheable, cache, full_name, full_text};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{ArgBytes, Args, Key, Piece, render};
use crate::near::store::{Filled, Verdict};
use crate::site::Site;
use crate::stats::count;

/// A fresh value under these arguments, found without rendering the key.
#[inline]
pub fn probe<S: Shape, A: Args>(site: &'static Site, args: &A) -> Option<S::Return> {
    let number = site.number()?;
    with_current(|core, guard| {
        let Tier::Memory(store) = &core.tier else { return None };
        let state = core.sites.get(number)?;
        if !state.index.holds(A::SHAPE) {
            return None;
        }
        let mut bytes = ArgBytes::new();
        args.encode(&mut bytes);
        let slot = state.index.get(index_bytes(&bytes), guard)?;
        if store.judge(slot) != Verdict::Fresh {
            return None;
        }
        let hit = match slot.value::<S::Value>() {
            Some(value) => S::from_value(value.clone()),
            None => slot.value::<NothingMarker>().and_then(|_| S::from_nothing())?,
        };
        slot.touch();
        state.counters.hit();
        tracing::debug!(target: "cache", key = %slot.text(), "hit");
        Some(hit)
    })
}

/// The same where the key is an expression: there is no index, [`Plan`] looks by the text.
#[inline]
pub fn probe_key<S: Shape>(_site: &'static Site, _key: &Key<S::Value>) -> Option<S::Return> {
    None
}

/// Makes the future of a miss, away from the path of a hit: it is large, and so would be the stack
/// frame, and the future, of every caller that hits.
#[cold]
#[inline(never)]
pub fn on_miss<F: Future>(make: impl FnOnce() -> F) -> Miss<F> {
    Miss(Box::pin(make()))
}

/// What a miss does, polled away from the path of a hit.
pub struct Miss<F>(Pin<Box<F>>);

impl<F: Future> Future for Miss<F> {
    type Output = F::Output;

    #[cold]
    #[inline(never)]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.0.as_mut().poll(context)
    }
}

/// Loads in the caller.
pub async fn run_inline<S, F>(plan: Plan<S::Value>, load: F) -> S::Return
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    run::run_inline::<S, F>(plan.cache, Arc::new(plan.request), plan.hooks, load).await
}

/// Loads in a task of its own.
pub async fn run_detached<S, F>(plan: Plan<S::Value>, load: F) -> S::Return
where
    S: Shape<Return: Send + 'static>,
    F: Future<Output = S::Return> + Send + 'static,
{
    run::run_detached::<S, F>(plan.cache, Arc::new(plan.request), plan.hooks, load).await
}

/// Loads in a task of its own; for bodies that call their own function.
pub async fn run_boxed<S>(
    plan: Plan<S::Value>,
    load: Pin<Box<dyn Future<Output = S::Return> + Send>>,
) -> S::Return
where
    S: Shape<Return: Send + 'static>,
{
    run_detached::<S, _>(plan, load).await
}

/// Asks, by the order in which methods are found, whether a load is `Send`.
pub struct Runner<F>(PhantomData<fn(F)>);

impl<F> Runner<F> {
    /// The question about a load.
    pub fn of(_load: &F) -> Self {
        Self(PhantomData)
    }
}

/// The answer for loads that are `Send`.
pub struct Detached;

/// The answer for all other loads.
pub struct Inline;

/// Found first, for loads that are `Send`.
pub trait DetachedRun {
    /// Runs in a task of its own.
    fn mode(&self) -> Detached {
        Detached
    }
}

impl<F: Future<Output: Send> + Send> DetachedRun for &Runner<F> {}

/// Found for all loads.
pub trait InlineRun {
    /// Runs in the caller.
    fn mode(&self) -> Inline {
        Inline
    }
}

impl<F> InlineRun for Runner<F> {}

impl Detached {
    /// As [`run_detached`].
    pub async fn run<S, F>(self, plan: Plan<S::Value>, load: F) -> S::Return
    where
        S: Shape<Return: Send + 'static>,
        F: Future<Output = S::Return> + Send + 'static,
    {
        run_detached::<S, F>(plan, load).await
    }
}

impl Inline {
    /// As [`run_inline`].
    pub async fn run<S: Shape, F: Future<Output = S::Return>>(
        self,
        plan: Plan<S::Value>,
        load: F,
    ) -> S::Return {
        run_inline::<S, F>(plan, load).await
    }
}

/// Loads now, whatever is cached, and stores.
pub async fn refresh<S, F>(plan: Plan<S::Value>, load: F) -> S::Return
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    let Plan { cache, request, hooks } = plan;
    let request = Arc::new(request);
    match lead(&cache.0, &request) {
        Some(leader) => run::refresh_inline::<S, F>(&cache, leader, &hooks, load).await,
        None => load.await,
    }
}

/// What is cached.
pub async fn peek<V: Cacheable>(plan: Plan<V>) -> Option<V> {
    plan.cache.0.peek(&plan.request)
}

/// Stores a value as the function would.
pub async fn put<V: Cacheable>(plan: Plan<V>, value: &V) -> Result<()> {
    let text = plan.request.text.clone();
    check_key("put", &text)?;
    let write = super::begin_write(plan).await;
    match store_written(write, value) {
        Filled::TooLarge => {
            let message = format!("the value of `{text}` is larger than the cache");
            Err(Error::new(ErrorKind::TooLarge, "put", message))
        }
        Filled::Stored | Filled::Refused => Ok(()),
    }
}

/// Invalidates one key.
pub async fn invalidate<A: Args>(site: &'static Site, args: &A) -> Result<()> {
    let mut text = String::new();
    render(site.spec.pieces, args, &mut text);
    invalidate_text(site, &text)
}

/// Invalidates one key.
pub async fn invalidate_key<V>(site: &'static Site, key: Key<V>) -> Result<()> {
    invalidate_text(site, key.as_str())
}

fn invalidate_text(site: &'static Site, text: &str) -> Result<()> {
    let cache = cache();
    if let Some(state) = cache.0.sites.get_or_make(site.numbered()) {
        count(&state.counters.invalidations);
    }
    cache.0.remove(&full_text(&cache.0, None, text));
    Ok(())
}

/// Invalidates all that the function cached.
pub async fn invalidate_site(site: &'static Site) -> Result<()> {
    invalidate_site_in(&cache(), site);
    Ok(())
}

pub(super) fn invalidate_site_in(cache: &Cache, site: &'static Site) {
    let name = full_name(&cache.0, kind::FUNCTION, &site.function_tag());
    if let Some(state) = cache.0.sites.get_or_make(site.numbered()) {
        count(&state.counters.invalidations);
        if let Tier::Memory(store) = &cache.0.tier {
            state.name.get_or_init(|| store.tags.see(&name));
        }
    }
    cache.0.invalidate_name(&name);
    tracing::debug!(target: "cache", function = %site.path(), "invalidate");
}

/// A function's key as a value.
pub fn key<V, A: Args>(site: &'static Site, args: &A) -> Key<V> {
    typed_key(site.spec.pieces, args)
}

/// A key made from a template.
pub fn typed_key<V, A: Args>(pieces: &'static [Piece], args: &A) -> Key<V> {
    let mut text = String::new();
    render(pieces, args, &mut text);
    Key::new(text)
}
