//! Running a load whose type is not known any more. Only this is compiled with the runtime and once
//! for all functions; what knows a function's types is kept small (`run.rs`).

use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument as _;

use super::core::Request;
use super::engine::{Glance, Loaded, Step, begin, fallback, report_miss, report_served};
use super::global::{keep_scope, scoped};
use super::handle::Cache;
use super::leader::Leader;
use super::race::{First, first};
use super::value::Cached;
use crate::flight::polled;
use crate::stats::MissReason;

/// A load that leaves what it returned where its caller finds it.
pub(crate) type Load<'a> = Pin<Box<dyn Future<Output = Loaded> + Send + 'a>>;

/// The same for a load that is bound to its thread.
pub(crate) type LocalLoad<'a> = Pin<Box<dyn Future<Output = Loaded> + 'a>>;

/// Where the caller's result is.
pub(crate) enum Ran {
    Cached(Cached),
    /// Where the load left it.
    Loaded,
}

/// One call that did not hit.
pub(crate) struct Job {
    pub(crate) cache: Cache,
    pub(crate) request: Arc<Request>,
    /// Whether the function can return what is cached.
    pub(crate) accepts: fn(&Cached) -> bool,
}

/// Gets or loads, with the load inside the caller: it may borrow, and it ends with the caller,
/// whereupon somebody who waits takes over.
pub(crate) fn inline<'a>(
    job: Job,
    glance: Glance,
    load: Load<'a>,
) -> Pin<Box<dyn Future<Output = Ran> + Send + 'a>> {
    Box::pin(here(job, glance, load))
}

/// The same for a load that is bound to its thread.
pub(crate) fn inline_local<'a>(
    job: Job,
    glance: Glance,
    load: LocalLoad<'a>,
) -> Pin<Box<dyn Future<Output = Ran> + 'a>> {
    Box::pin(here(job, glance, load))
}

/// Gets or loads, with the load in a task of its own: it goes on when the caller is dropped.
pub(crate) fn detached(
    job: Job,
    glance: Glance,
    load: Load<'static>,
) -> Pin<Box<dyn Future<Output = Ran> + Send>> {
    Box::pin(elsewhere(job, glance, load))
}

/// As [`inline`], for a load whose type must stay (a function that calls itself).
pub(crate) async fn here<L>(job: Job, glance: Glance, load: L) -> Ran
where
    L: Future<Output = Loaded>,
{
    let leader = match begin(&job.cache.0, &job.request, glance).await {
        Step::Done(cached) if (job.accepts)(&cached) => return Ran::Cached(cached),
        Step::Done(_) | Step::Uncached => {
            load.await;
            return Ran::Loaded;
        }
        // Nothing here can outlive the caller, so the caller that XFetch chose pays itself, as in
        // the paper; a stale value is never served this way, since `stale` asks for owned arguments.
        Step::Refresh { leader, .. } => {
            report_miss(&job.request, true, MissReason::Expired);
            leader
        }
        Step::Lead(leader) => leader,
    };
    lead_here(&job, leader, load).await
}

/// Runs the load here and stores its result.
async fn lead_here<L: Future<Output = Loaded>>(job: &Job, leader: Leader, load: L) -> Ran {
    let loaded = leader.run_here(load).await;
    match leader.finish(loaded).await.filter(job.accepts) {
        Some(fallback) => Ran::Cached(fallback),
        None => Ran::Loaded,
    }
}

async fn elsewhere(job: Job, glance: Glance, load: Load<'static>) -> Ran {
    let (leader, stale) = match begin(&job.cache.0, &job.request, glance).await {
        Step::Done(cached) if (job.accepts)(&cached) => return Ran::Cached(cached),
        Step::Done(_) | Step::Uncached => {
            load.await;
            return Ran::Loaded;
        }
        Step::Refresh { value, stale, leader } => match (job.accepts)(&value) {
            true => {
                report_served(&job.request, stale);
                (leader, Some(value))
            }
            false => {
                report_miss(&job.request, true, MissReason::Undecodable);
                (leader, None)
            }
        },
        Step::Lead(leader) => (leader, None),
    };
    let Ok(runtime) = Handle::try_current() else {
        // Without a runtime there is nobody else to run it.
        return match stale {
            Some(stale) => Ran::Cached(stale),
            None => lead_here(&job, leader, load).await,
        };
    };
    let waiting = stale.is_none().then(|| leader.waiting());
    // Such a runtime runs its tasks only while somebody blocks on it.
    let may_stand_still = runtime.runtime_flavor() == RuntimeFlavor::CurrentThread;
    let load = polled(load, may_stand_still.then(|| leader.watch()));
    let entered = leader.run_detached(stale.is_none());
    // In a box, since each of the wrappers around it would hold, and move, all of it.
    let task = entered.run(Box::pin(async move { leader.finish(load.await).await }));
    let task = runtime.spawn(keep_scope(scoped(), task).instrument(tracing::Span::current()));
    if let Some(stale) = stale {
        return Ran::Cached(stale);
    }
    let _waiting = waiting;
    within_soft_timeout(&job, task).await
}

async fn within_soft_timeout(job: &Job, mut task: JoinHandle<Option<Cached>>) -> Ran {
    if let Some(timeout) = job.request.policy.timeout {
        let mut soft = std::pin::pin!(job.cache.0.clock.sleep(timeout));
        if let First::One(joined) = first(&mut task, &mut soft).await {
            return ran(job, joined).await;
        }
        if let Some(stale) = fallback(&job.cache.0, &job.request).await.filter(job.accepts) {
            return Ran::Cached(stale);
        }
    }
    ran(job, task.await).await
}

/// A panic of the load goes on in its caller, as it would without the cache.
async fn ran(job: &Job, joined: Result<Option<Cached>, JoinError>) -> Ran {
    match joined {
        Ok(fallback) => fallback.filter(job.accepts).map_or(Ran::Loaded, Ran::Cached),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops its tasks, this caller's next.
            Err(_) => std::future::pending().await,
        },
    }
}
