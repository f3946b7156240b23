//! Running a load for a caller that knows its types, over an engine that does not. All of this is
//! compiled for each return type, so it is small.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::core::{Request, kind};
use super::drive::{self, Job, Ran};
use super::engine::{Glance, Loaded, Step, glance};
use super::handle::Cache;
use super::leader::Leader;
use super::requests::full_name;
use super::value::{Cacheable, Cached};
use crate::near::lock;
use crate::tag::Tag;

/// How a function's return type carries the value that is cached.
pub trait Shape {
    /// What the function returns.
    type Return;
    /// What is stored.
    type Value: Cacheable;

    /// A hit, as the function would have returned it.
    fn from_value(value: Self::Value) -> Self::Return;

    /// A cached absence, for shapes that have one.
    fn from_nothing() -> Option<Self::Return>;

    /// What of a returned value can be stored.
    fn inspect(returned: &Self::Return) -> Inspected<'_, Self::Value>;
}

/// What a function returned, as the cache sees it.
pub enum Inspected<'a, V> {
    /// A value to store.
    Value(&'a V),
    /// `None`, or `Ok(None)`.
    Nothing,
    /// `Err`.
    Failed,
}

type TtlOf<V> = Box<dyn Fn(&V) -> Duration + Send + Sync>;
type Condition<V> = Box<dyn Fn(&V) -> bool + Send + Sync>;
type TagsOf<V> = Box<dyn Fn(&V) -> Vec<Tag> + Send + Sync>;

/// What depends on the loaded value.
pub(crate) struct Hooks<V> {
    pub(crate) ttl: Option<TtlOf<V>>,
    pub(crate) cache_if: Option<Condition<V>>,
    pub(crate) tags: Option<TagsOf<V>>,
}

impl<V> Default for Hooks<V> {
    fn default() -> Self {
        Self { ttl: None, cache_if: None, tags: None }
    }
}

impl<V: Cacheable> Hooks<V> {
    /// The whole names of the tags that the value brings along.
    pub(crate) fn tags_of(&self, cache: &Cache, value: &V) -> Vec<String> {
        let tags = self.tags.as_ref().map_or_else(Vec::new, |tags| tags(value));
        tags.iter().map(|tag| full_name(&cache.0, kind::TAG, tag.as_str())).collect()
    }

    fn loaded<S: Shape<Value = V>>(&self, cache: &Cache, returned: &S::Return) -> Loaded {
        match S::inspect(returned) {
            Inspected::Failed => Loaded::Failed,
            Inspected::Nothing => Loaded::Nothing,
            Inspected::Value(value) => Loaded::Value {
                tags: self.tags_of(cache, value),
                ttl: self.ttl.as_ref().map(|ttl| ttl(value)),
                cacheable: self.cache_if.as_ref().is_none_or(|condition| condition(value)),
                value: Arc::new(value.clone()),
            },
        }
    }
}

/// What was cached, as the function returns it; `None` where the function has no such result.
fn take<S: Shape>(cached: Cached) -> Option<S::Return> {
    match cached {
        Cached::Nothing => S::from_nothing(),
        Cached::Value(value) => {
            let value = value.downcast::<S::Value>().ok()?;
            // What was decoded for this caller alone is not copied.
            Some(S::from_value(Arc::try_unwrap(value).unwrap_or_else(|value| (*value).clone())))
        }
    }
}

/// Whether the function can return what is cached.
fn accepts<S: Shape>(cached: &Cached) -> bool {
    match cached {
        Cached::Nothing => S::from_nothing().is_some(),
        Cached::Value(value) => value.is::<S::Value>(),
    }
}

/// A call that did not hit, as its types know it.
pub(crate) struct Miss<V> {
    pub(crate) cache: Cache,
    pub(crate) request: Arc<Request>,
    pub(crate) hooks: Hooks<V>,
}

/// Where a load leaves what it returned: the value that is stored is a copy.
type Left<R> = Arc<Mutex<Option<R>>>;

impl<V: Cacheable> Miss<V> {
    fn job<S: Shape<Value = V>>(&self) -> Job {
        Job { cache: self.cache.clone(), request: Arc::clone(&self.request), accepts: accepts::<S> }
    }

    /// Looks. A hit is returned at once: whatever a load needs is made for those who load.
    async fn look<S: Shape<Value = V>>(&self) -> ControlFlow<S::Return, Glance> {
        match glance(&self.cache.0, &self.request).await {
            Glance::Step(Step::Done(cached)) if accepts::<S>(&cached) => {
                ControlFlow::Break(returned(take::<S>(cached)))
            }
            glance => ControlFlow::Continue(glance),
        }
    }

    /// Runs the load, leaves what it returned, and says what of it can be stored.
    async fn load<S, F>(self, load: F, left: Left<S::Return>) -> Loaded
    where
        S: Shape<Value = V>,
        F: Future<Output = S::Return>,
    {
        let returned = load.await;
        let loaded = self.hooks.loaded::<S>(&self.cache, &returned);
        *lock(&left) = Some(returned);
        loaded
    }
}

fn settle<S: Shape>(ran: Ran, left: &Left<S::Return>) -> S::Return {
    let returned = match ran {
        Ran::Cached(cached) => take::<S>(cached),
        Ran::Loaded => lock(left).take(),
    };
    self::returned(returned)
}

/// What is there, since `accepts` has said so or the load has ended.
fn returned<R>(returned: Option<R>) -> R {
    returned.unwrap_or_else(|| unreachable!("a load that ended has returned something"))
}

/// Loads in a task of its own.
pub(crate) async fn run_detached<S>(
    miss: Miss<S::Value>,
    load: Pin<Box<dyn Future<Output = S::Return> + Send>>,
) -> S::Return
where
    S: Shape<Return: Send + 'static> + 'static,
{
    let glance = match miss.look::<S>().await {
        ControlFlow::Break(returned) => return returned,
        ControlFlow::Continue(glance) => glance,
    };
    let (job, left) = (miss.job::<S>(), Left::default());
    let load = Box::pin(miss.load::<S, _>(load, Arc::clone(&left)));
    settle::<S>(drive::detached(job, glance, load).await, &left)
}

/// Loads in the caller.
pub(crate) async fn run_lent<'a, S>(
    miss: Miss<S::Value>,
    load: Pin<Box<dyn Future<Output = S::Return> + Send + 'a>>,
) -> S::Return
where
    S: Shape<Return: Send + 'a> + 'a,
{
    let glance = match miss.look::<S>().await {
        ControlFlow::Break(returned) => return returned,
        ControlFlow::Continue(glance) => glance,
    };
    let (job, left) = (miss.job::<S>(), Left::default());
    let load = Box::pin(miss.load::<S, _>(load, Arc::clone(&left)));
    settle::<S>(drive::inline(job, glance, load).await, &left)
}

/// The same for a load that is bound to its thread.
pub(crate) async fn run_local<'a, S>(
    miss: Miss<S::Value>,
    load: Pin<Box<dyn Future<Output = S::Return> + 'a>>,
) -> S::Return
where
    S: Shape<Return: 'a> + 'a,
{
    let glance = match miss.look::<S>().await {
        ControlFlow::Break(returned) => return returned,
        ControlFlow::Continue(glance) => glance,
    };
    let (job, left) = (miss.job::<S>(), Left::default());
    let load = Box::pin(miss.load::<S, _>(load, Arc::clone(&left)));
    settle::<S>(drive::inline_local(job, glance, load).await, &left)
}

/// Loads in the caller, with the load's own type.
pub(crate) async fn run_typed<S, F>(miss: Miss<S::Value>, load: F) -> S::Return
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    let glance = match miss.look::<S>().await {
        ControlFlow::Break(returned) => return returned,
        ControlFlow::Continue(glance) => glance,
    };
    let (job, left) = (miss.job::<S>(), Left::default());
    // In a box, so that the frames of loads within loads stay small.
    let load = Box::pin(miss.load::<S, _>(load, Arc::clone(&left)));
    settle::<S>(drive::here(job, glance, load).await, &left)
}

/// Loads in the caller, which asked for this very load, and so gets its error too.
pub(crate) async fn refresh<S, F>(
    cache: &Cache,
    leader: Leader,
    hooks: &Hooks<S::Value>,
    load: F,
) -> S::Return
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    let returned = leader.run_here(load).await;
    leader.finish(hooks.loaded::<S>(cache, &returned)).await;
    returned
}
