//! The calls that generated code makes: the probe of a hit, and the ways of loading.

use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::plan::Plan;
use super::writes::store_written;
use crate::cache::boarding::lead;
use crate::cache::core::Tier;
use crate::cache::global::with_current;
use crate::cache::run::{self, Miss, Shape};
use crate::cache::steps::check_key;
use crate::cache::value::NothingMarker;
use crate::cache::{Cache, Cacheable, cache, full_text};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{Args, Key, Piece, render};
use crate::near::store::Filled;
use crate::site::Site;
use crate::stats::count;

/// A fresh value under these arguments, found without rendering the key.
#[inline]
pub fn probe<S: Shape, A: Args>(site: &'static Site, args: &A) -> Option<S::Return> {
    let number = site.number()?;
    with_current(|core, guard| {
        // Of copies the lease is judged first, and by the same reading of the clock.
        let (store, read_at) = match &core.tier {
            Tier::Memory(store) => (store, None),
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => {
                let now = core.clock.now();
                (remote.copies(now)?, Some(now))
            }
            Tier::Off(_) => return None,
        };
        let state = core.sites.get(number)?;
        if !state.index.holds(A::SHAPE) {
            return None;
        }
        let slot = args.with_bytes(|bytes| state.index.get(bytes, guard))?;
        if !store.is_plainly_fresh(slot, read_at.unwrap_or_else(|| store.clock.now())) {
            return None;
        }
        let hit = match slot.value::<S::Value>() {
            Some(value) => S::from_value(value.clone()),
            None => slot.value::<NothingMarker>().and_then(|_| S::from_nothing())?,
        };
        slot.touch();
        state.counters.hit(read_at.is_some());
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
pub fn on_miss<F: Future + Unpin>(make: impl FnOnce() -> F) -> F {
    make()
}

/// A load, or what becomes of one, whose type is told to nobody: what follows is then compiled for
/// each return type and not for each function.
pub type Sendable<'a, R> = Pin<Box<dyn Future<Output = R> + Send + 'a>>;

/// The same where it is bound to its thread.
pub type Local<'a, R> = Pin<Box<dyn Future<Output = R> + 'a>>;

impl<V> Plan<V> {
    fn miss(self) -> Miss<V> {
        Miss { cache: self.cache, request: Arc::new(self.request), hooks: self.hooks }
    }
}

/// Loads in a task of its own.
pub fn run_detached<S, F>(plan: Plan<S::Value>, load: F) -> Sendable<'static, S::Return>
where
    S: Shape<Return: Send + 'static> + 'static,
    F: Future<Output = S::Return> + Send + 'static,
{
    run_boxed::<S>(plan, Box::pin(load))
}

/// The same for a load in a box.
pub fn run_boxed<S>(
    plan: Plan<S::Value>,
    load: Sendable<'static, S::Return>,
) -> Sendable<'static, S::Return>
where
    S: Shape<Return: Send + 'static> + 'static,
{
    Box::pin(run::run_detached::<S>(plan.miss(), load))
}

/// Loads in the caller, with the load's own type: for bodies that call their own function, whose
/// future nobody may ask whether it is `Send`.
pub fn run_inline<S, F>(plan: Plan<S::Value>, load: F) -> Pin<Box<impl Future<Output = S::Return>>>
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    Box::pin(run::run_typed::<S, F>(plan.miss(), load))
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
pub struct Roaming;

/// The answer for all other loads.
pub struct Bound;

/// Found first, for loads that are `Send`.
pub trait RoamingRun {
    /// They may run in a task of their own.
    fn mode(&self) -> Roaming {
        Roaming
    }
}

impl<F: Future<Output: Send> + Send> RoamingRun for &Runner<F> {}

/// Found for all loads.
pub trait BoundRun {
    /// They run in the caller.
    fn mode(&self) -> Bound {
        Bound
    }
}

impl<F> BoundRun for Runner<F> {}

impl Roaming {
    /// Loads in a task of its own.
    pub fn owned<S, F>(self, plan: Plan<S::Value>, load: F) -> Sendable<'static, S::Return>
    where
        S: Shape<Return: Send + 'static> + 'static,
        F: Future<Output = S::Return> + Send + 'static,
    {
        run_detached::<S, F>(plan, load)
    }

    /// Loads in the caller.
    pub fn lent<'a, S, F>(self, plan: Plan<S::Value>, load: F) -> Sendable<'a, S::Return>
    where
        S: Shape<Return: Send + 'a> + 'a,
        F: Future<Output = S::Return> + Send + 'a,
    {
        lent::<S>(plan, Box::pin(load))
    }
}

impl Bound {
    /// Loads in the caller.
    pub fn owned<'a, S, F>(self, plan: Plan<S::Value>, load: F) -> Local<'a, S::Return>
    where
        S: Shape<Return: 'a> + 'a,
        F: Future<Output = S::Return> + 'a,
    {
        self.lent::<S, F>(plan, load)
    }

    /// Loads in the caller.
    pub fn lent<'a, S, F>(self, plan: Plan<S::Value>, load: F) -> Local<'a, S::Return>
    where
        S: Shape<Return: 'a> + 'a,
        F: Future<Output = S::Return> + 'a,
    {
        local::<S>(plan, Box::pin(load))
    }
}

fn lent<'a, S>(plan: Plan<S::Value>, load: Sendable<'a, S::Return>) -> Sendable<'a, S::Return>
where
    S: Shape<Return: Send + 'a> + 'a,
{
    Box::pin(run::run_lent::<S>(plan.miss(), load))
}

fn local<'a, S>(plan: Plan<S::Value>, load: Local<'a, S::Return>) -> Local<'a, S::Return>
where
    S: Shape<Return: 'a> + 'a,
{
    Box::pin(run::run_local::<S>(plan.miss(), load))
}

/// Loads now, whatever is cached, and stores.
pub async fn refresh<S, F>(plan: Plan<S::Value>, load: F) -> S::Return
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    let Plan { cache, request, hooks } = plan;
    let request = Arc::new(request);
    match lead(&cache.0, &request).await {
        Some(leader) => run::refresh::<S, F>(&cache, leader, &hooks, load).await,
        None => load.await,
    }
}

/// What is cached.
pub async fn peek<V: Cacheable>(plan: Plan<V>) -> Option<V> {
    plan.cache.0.peek(&plan.request).await
}

/// Stores a value as the function would.
pub async fn put<V: Cacheable>(plan: Plan<V>, value: &V) -> Result<()> {
    let text = plan.request.text.clone();
    check_key("put", &text)?;
    plan.cache.0.check_sound()?;
    let write = super::begin_write(plan).await;
    match store_written(write, value).await? {
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
    invalidate_text(site, &text).await
}

/// Invalidates one key.
pub async fn invalidate_key<V>(site: &'static Site, key: Key<V>) -> Result<()> {
    invalidate_text(site, key.as_str()).await
}

async fn invalidate_text(site: &'static Site, text: &str) -> Result<()> {
    let cache = cache();
    if let Some(state) = cache.0.sites.get_or_make(site.numbered()) {
        count(&state.counters.invalidations);
    }
    cache.0.remove(&full_text(&cache.0, None, text)).await.map(|_| ())
}

/// Invalidates all that the function cached.
pub async fn invalidate_site(site: &'static Site) -> Result<()> {
    let cache = cache();
    let name = announce_site(&cache, site);
    cache.0.remove_function(&name).await
}

/// Counts that a function is invalidated, and returns its whole name.
pub(super) fn announce_site(cache: &Cache, site: &'static Site) -> String {
    let name = cache.0.function_name(site);
    if let Some(state) = cache.0.sites.get_or_make(site.numbered()) {
        count(&state.counters.invalidations);
        if let Tier::Memory(store) = &cache.0.tier {
            state.name.get_or_init(|| store.tags.see(&name));
        }
    }
    tracing::debug!(target: "cache", function = %site.path(), "invalidate");
    name
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
