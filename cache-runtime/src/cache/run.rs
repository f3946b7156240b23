//! Running a load for a caller that knows its types, over the engine that does not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::RuntimeFlavor;
use tracing::Instrument as _;

use super::core::{Request, kind};
use super::engine::{Loaded, Step, begin, fallback};
use super::global::{keep_scope, scoped};
use super::handle::Cache;
use super::leader::Leader;
use super::race::{First, first};
use super::requests::full_name;
use super::value::{Cacheable, Cached};
use crate::flight::polled;
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
            value.downcast_ref::<S::Value>().map(|value| S::from_value(value.clone()))
        }
    }
}

/// Gets or loads, with the load inside the caller: it may borrow, and it ends with the caller,
/// whereupon somebody who waits takes over.
pub(crate) async fn run_inline<S, F>(
    cache: Cache,
    request: Arc<Request>,
    hooks: Hooks<S::Value>,
    load: F,
) -> S::Return
where
    S: Shape,
    F: Future<Output = S::Return>,
{
    let leader = match begin(&cache.0, &request).await {
        Step::Done(cached) => match take::<S>(cached) {
            Some(hit) => return hit,
            None => return load.await,
        },
        Step::Uncached => return load.await,
        // Nothing here can outlive the caller, so the caller that XFetch chose pays itself, as in
        // the paper; a stale value is never served this way, since `stale` asks for owned arguments.
        Step::Refresh(_, leader) | Step::Lead(leader) => leader,
    };
    lead_inline::<S, F>(&cache, leader, &hooks, load).await
}

/// Runs the load here, stores its result, and returns it.
pub(crate) async fn lead_inline<S, F>(
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
    let fallback = leader.finish(hooks.loaded::<S>(cache, &returned));
    fallback.and_then(take::<S>).unwrap_or(returned)
}

/// The same for a caller that asked for this very load, and so gets its error too.
pub(crate) async fn refresh_inline<S, F>(
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
    leader.finish(hooks.loaded::<S>(cache, &returned));
    returned
}

/// Gets or loads, with the load in a task of its own: it goes on when the caller is dropped.
pub(crate) async fn run_detached<S, F>(
    cache: Cache,
    request: Arc<Request>,
    hooks: Hooks<S::Value>,
    load: F,
) -> S::Return
where
    S: Shape<Return: Send + 'static>,
    F: Future<Output = S::Return> + Send + 'static,
{
    let (leader, stale) = match begin(&cache.0, &request).await {
        Step::Done(cached) => match take::<S>(cached) {
            Some(hit) => return hit,
            None => return load.await,
        },
        Step::Uncached => return load.await,
        Step::Refresh(cached, leader) => (leader, take::<S>(cached)),
        Step::Lead(leader) => (leader, None),
    };
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        // Without a runtime there is nobody else to run it.
        return match stale {
            Some(stale) => stale,
            None => lead_inline::<S, F>(&cache, leader, &hooks, load).await,
        };
    };
    let result = Arc::new(Mutex::new(None));
    let waiting = stale.is_none().then(|| leader.waiting());
    // Such a runtime runs its tasks only while somebody blocks on it.
    let may_stand_still = runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
    let load = polled(load, may_stand_still.then(|| leader.watch()));
    let entered = leader.run_detached(stale.is_none());
    let task = {
        let (cache, result) = (cache.clone(), Arc::clone(&result));
        entered.run(async move {
            let returned = load.await;
            let loaded = hooks.loaded::<S>(&cache, &returned);
            *lock(&result) = Some(returned);
            leader.finish(loaded)
        })
    };
    let task = runtime.spawn(keep_scope(scoped(), task).instrument(tracing::Span::current()));
    if let Some(stale) = stale {
        return stale;
    }
    let _waiting = waiting;
    match within_soft_timeout::<S>(&cache, &request, task).await {
        Ended::Stale(stale) => stale,
        Ended::Loaded(fallback) => {
            let returned = lock(&result).take();
            match (fallback.and_then(take::<S>), returned) {
                (Some(value), _) | (None, Some(value)) => value,
                (None, None) => unreachable!("a load that ended has returned something"),
            }
        }
    }
}

enum Ended<R> {
    /// The load has ended; an expired value serves in place of its error.
    Loaded(Option<Cached>),
    /// The load takes too long, and there is a valid expired value.
    Stale(R),
}

async fn within_soft_timeout<S: Shape>(
    cache: &Cache,
    request: &Request,
    mut task: tokio::task::JoinHandle<Option<Cached>>,
) -> Ended<S::Return> {
    if let Some(timeout) = request.policy.timeout {
        let mut soft = std::pin::pin!(cache.0.clock.sleep(timeout));
        if let First::One(joined) = first(&mut task, &mut soft).await {
            return Ended::Loaded(joined_or_panic(joined).await);
        }
        if let Some(stale) = fallback(&cache.0, request).and_then(take::<S>) {
            return Ended::Stale(stale);
        }
    }
    Ended::Loaded(joined_or_panic(task.await).await)
}

/// A panic of the load goes on in its caller, as it would without the cache.
async fn joined_or_panic(joined: Result<Option<Cached>, tokio::task::JoinError>) -> Option<Cached> {
    match joined {
        Ok(fallback) => fallback,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops its tasks, this caller's next.
            Err(_) => std::future::pending().await,
        },
    }
}
