//! The current cache: the one of this task's scope, else the global one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_epoch::{Atomic, Guard, Owned};

use super::Cache;
use super::core::Core;
use crate::config::Config;
use crate::error::Result;
use crate::near::lock;

/// Freed through the epoch when it is replaced, so that a hit needs no reference count.
static GLOBAL: Atomic<Cache> = Atomic::null();

/// Held while the global cache is made or replaced.
static MAKING: Mutex<()> = Mutex::new(());

/// How many scopes there are in the whole process; where there is none, nobody looks for one.
static SCOPES: AtomicUsize = AtomicUsize::new(0);

tokio::task_local! {
    static SCOPED: Cache;
}

/// Makes the global cache from the environment.
///
/// From now on [`cache`] and every annotated function use it. Called again, it makes a new one
/// from the present environment and puts it in the other's place.
///
/// # Errors
///
/// [`ErrorKind::Config`](crate::ErrorKind::Config) where a variable holds something that it may
/// not hold; the message names each such variable, what it held and what it may hold.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let cache = cache_runtime::init().await?;
/// cache.set("greeting", &"hello".to_owned()).await?;
/// assert_eq!(cache_runtime::cache().get("greeting").await?, Some("hello".to_owned()));
/// # Ok(())
/// # }
/// ```
pub async fn init() -> Result<Cache> {
    let cache = Cache::from_config(&Config::from_env()?)?;
    install(cache.clone());
    Ok(cache)
}

/// Makes a cache the global one, in place of the one that there is.
pub fn install(cache: Cache) {
    let _making = lock(&MAKING);
    replace(cache);
}

/// The current cache: the one of the [`scope`] that this task runs in, else the global one, else
/// one that is made now from the environment.
///
/// A broken environment is logged once as an error, and the cache then keeps nothing: functions
/// run as if they were not annotated. Invalidations and `set` fail with that error, since nobody knows
/// which store they should have reached. Call [`init`] at startup to get the error there.
#[must_use]
pub fn cache() -> Cache {
    scoped().unwrap_or_else(|| {
        let guard = crossbeam_epoch::pin();
        global(&guard).clone()
    })
}

/// Runs a future with another cache as the current one, for tests that run side by side.
///
/// Loads that the future's functions start in the background keep the scope; tasks that the future
/// spawns itself do not.
///
/// # Cancel safety
///
/// As cancel safe as the future.
///
/// # Examples
///
/// ```
/// use cache_runtime::Cache;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let mine = Cache::builder().in_memory().build().await?;
/// cache_runtime::scope(mine.clone(), async {
///     cache_runtime::cache().set("k", &1_u32).await
/// })
/// .await?;
/// assert_eq!(mine.get::<u32>("k").await?, Some(1));
/// # Ok(())
/// # }
/// ```
pub async fn scope<F: Future>(cache: Cache, future: F) -> F::Output {
    let _counted = Counted::new();
    SCOPED.scope(cache, future).await
}

/// Runs a future in the scope that the caller is in, wherever it will be polled.
pub(crate) async fn keep_scope<F: Future>(scoped: Option<Cache>, future: F) -> F::Output {
    match scoped {
        Some(cache) => scope(cache, future).await,
        None => future.await,
    }
}

/// The cache of the scope that this task is in.
#[inline]
pub(crate) fn scoped() -> Option<Cache> {
    if SCOPES.load(Ordering::Relaxed) == 0 {
        return None;
    }
    SCOPED.try_with(Cache::clone).ok()
}

/// Looks at the current cache without taking a reference to it.
///
/// Inlined always, so that a value which is found is moved once.
#[inline(always)]
pub(crate) fn with_current<R>(look: impl FnOnce(&Core, &Guard) -> R) -> R {
    let guard = crossbeam_epoch::pin();
    match scoped() {
        Some(cache) => look(&cache.0, &guard),
        None => look(&global(&guard).0, &guard),
    }
}

#[inline]
fn global(guard: &Guard) -> &Cache {
    // SAFETY: a replaced cache is freed through the epoch, so it outlives the guard.
    match unsafe { GLOBAL.load(Ordering::Acquire, guard).as_ref() } {
        Some(cache) => cache,
        None => make_global(guard),
    }
}

#[cold]
fn make_global(guard: &Guard) -> &Cache {
    let _making = lock(&MAKING);
    // SAFETY: as in `global`.
    if let Some(cache) = unsafe { GLOBAL.load(Ordering::Acquire, guard).as_ref() } {
        return cache;
    }
    let cache = Config::from_env().and_then(|config| Cache::from_config(&config)).unwrap_or_else(|error| {
        tracing::error!(target: "cache", %error, "the environment is broken: nothing is cached");
        Cache::broken(error)
    });
    replace(cache);
    // SAFETY: as in `global`; it was put there just now, and `MAKING` is held.
    unsafe { GLOBAL.load(Ordering::Acquire, guard).deref() }
}

fn replace(cache: Cache) {
    let guard = crossbeam_epoch::pin();
    let old = GLOBAL.swap(Owned::new(cache), Ordering::AcqRel, &guard);
    if !old.is_null() {
        // SAFETY: no new reader finds it, and those who have it hold guards.
        unsafe { guard.defer_destroy(old) };
    }
}

struct Counted;

impl Counted {
    fn new() -> Self {
        SCOPES.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        SCOPES.fetch_sub(1, Ordering::Relaxed);
    }
}
