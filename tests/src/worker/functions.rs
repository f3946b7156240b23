//! Annotated functions over the shared database, one for each way in which a load runs. Each row
//! belongs to one of them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{cache, cached, write_through};
use fastrand::Rng;

use super::checker::{ROWS, Subject};
use super::oracle::{Oracle, Row};
use super::orders::What;
use super::table::now;
use super::warnings::warnings;

static LOADS: Loads = Loads {
    begun: AtomicU64::new(0),
    counted: AtomicU64::new(0),
    ended: AtomicU64::new(0),
    took: [const { AtomicU64::new(0) }; ROWS as usize],
};

/// The loads in this process.
struct Loads {
    begun: AtomicU64,
    /// Those of them that only an invalidation can be the reason of.
    counted: AtomicU64,
    /// How many entries invalidations ended, of those whose loads are counted.
    ended: AtomicU64,
    /// How long those of each row that have ended took together, in nanoseconds.
    took: [AtomicU64; ROWS as usize],
}

impl Loads {
    fn begin(&self, id: u64) -> Instant {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.counted.fetch_add(u64::from(is_counted(id)), Ordering::Relaxed);
        Instant::now()
    }

    fn invalidated(&self, ids: impl Iterator<Item = u64>) {
        let ended = ids.filter(|id| is_counted(*id)).count();
        self.ended.fetch_add(ended as u64, Ordering::Relaxed);
    }

    fn end(&self, id: u64, began: Instant) {
        self.took[id as usize].fetch_add(began.elapsed().as_nanos() as u64, Ordering::SeqCst);
    }
}

/// Whether the row is neither refreshed by hand nor because of its age.
fn is_counted(id: u64) -> bool {
    id.is_multiple_of(2) && !matches!(Function::of(id), Function::Stale)
}

/// An item; its value tells how often it was loaded.
#[cached(key = "item:<key>", ttl = "1h", tags = ["items", "item:<key>"], skip(delay, oracle))]
pub async fn item(key: String, delay: Duration, oracle: Arc<Oracle>) -> u64 {
    oracle.load_item(&key, delay).await
}

/// Invalidates items.
///
/// # Errors
///
/// What the cache says.
pub async fn invalidate_items(what: &What) -> cache_runtime::Result<()> {
    match what {
        What::Key(key) => item::invalidate(key.clone()).await,
        What::Tag(key) => cache().invalidate_tag(format!("item:{key}")).await,
        What::Function => item::invalidate_all().await,
        What::Pattern => cache().invalidate_pattern("item:*").await.map(|_| ()),
        What::Clear => cache().clear().await,
    }
}

/// Arguments that are owned: the load runs in a task of its own.
#[cached(key = "owned:<id>", ttl = "1h", tags = ["rows", "row:<id>"], skip(oracle))]
async fn owned(id: u64, oracle: Arc<Oracle>) -> Row {
    load(id, &oracle).await
}

/// Arguments that are borrowed: the load runs in its caller.
#[cached(key = "borrowed:<id>", ttl = "1h", tags = ["row:<id>"], skip(oracle))]
async fn borrowed(id: &u64, oracle: &Oracle) -> Result<Row, String> {
    Ok(load(*id, oracle).await)
}

/// With a tag that only the result tells.
#[cached(key = "shelved:<id>", ttl = "1h", tags = ["row:<id>", "shelf:<result.shelf>"], skip(oracle))]
async fn shelved(id: u64, oracle: Arc<Oracle>) -> Option<Row> {
    Some(load(id, &oracle).await)
}

/// Refreshed in the background most of the time, since it is stale after a few milliseconds.
#[cached(key = "stale:<id>", ttl = "5ms", stale = "1h", tags = ["row:<id>"], skip(oracle))]
async fn stale(id: u64, oracle: Arc<Oracle>) -> Row {
    load(id, &oracle).await
}

/// Written through.
#[cached(key = "through:<id>", ttl = "1h", tags = ["row:<id>"], skip(oracle))]
async fn through(id: u64, oracle: Arc<Oracle>) -> Row {
    load(id, &oracle).await
}

/// Calls another cached function: both carry the tag, and one invalidation covers both.
#[cached(key = "outer:<id>", ttl = "1h", tags = ["row:<id>"], skip(oracle))]
async fn outer(id: u64, oracle: Arc<Oracle>) -> Row {
    nested(id, oracle).await
}

#[cached(key = "nested:<id>", ttl = "1h", tags = ["row:<id>", "shelf:<result.shelf>"], skip(oracle))]
async fn nested(id: u64, oracle: Arc<Oracle>) -> Row {
    load(id, &oracle).await
}

#[write_through(through(id))]
async fn write(id: u64, oracle: Arc<Oracle>) -> Row {
    // The commit comes at any time between the announcement and the end.
    oracle.load(id).await;
    let row = oracle.commit(id).await;
    oracle.load(id).await;
    row
}

async fn load(id: u64, oracle: &Oracle) -> Row {
    let began = LOADS.begin(id);
    let row = oracle.load(id).await;
    LOADS.end(id, began);
    row
}

/// The function that a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Owned,
    Borrowed,
    Shelved,
    Stale,
    Through,
    /// `Cache::get_or_set`.
    Direct,
    /// The same without a tag: nothing but its key leads to the entry.
    Bare,
    Outer,
}

impl Function {
    fn of(id: u64) -> Self {
        let all = [
            Self::Owned,
            Self::Borrowed,
            Self::Shelved,
            Self::Stale,
            Self::Through,
            Self::Direct,
            Self::Outer,
        ];
        match all[id as usize % all.len()] {
            Self::Direct if !id.is_multiple_of(2) => Self::Bare,
            function => function,
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Borrowed => "borrowed",
            Self::Shelved => "shelved",
            Self::Stale => "stale",
            Self::Through => "through",
            Self::Direct => "direct",
            Self::Bare => "bare",
            Self::Outer => "outer",
        }
    }
}

/// Annotated functions on this process's cache.
#[derive(Clone, Copy, Debug)]
pub struct Annotated;

impl Subject for Annotated {
    async fn read(&self, oracle: &Arc<Oracle>, id: u64, rng: &mut Rng) -> Row {
        let refresh = id % 2 == 1 && rng.u32(0..25) == 0;
        let db = Arc::clone(oracle);
        match (Function::of(id), refresh) {
            (Function::Owned, false) => owned(id, db).await,
            (Function::Owned, true) => owned::refresh(id, db).await,
            (Function::Borrowed, false) => borrowed(&id, &db).await.expect("the load succeeds"),
            (Function::Borrowed, true) => {
                borrowed::refresh(&id, &db).await.expect("the load succeeds")
            }
            (Function::Shelved, false) => shelved(id, db).await.expect("a row"),
            (Function::Shelved, true) => shelved::refresh(id, db).await.expect("a row"),
            (Function::Stale, false) => stale(id, db).await,
            (Function::Stale, true) => stale::refresh(id, db).await,
            (Function::Through, false) => through(id, db).await,
            (Function::Through, true) => through::refresh(id, db).await,
            (Function::Outer, false) => outer(id, db).await,
            (Function::Outer, true) => {
                // A refresh of the outer function alone may well call the inner one's entry.
                nested::refresh(id, db).await
            }
            (Function::Direct, _) => {
                let cache = cache();
                let load = || async { Ok::<_, Infallible>(load(id, &db).await) };
                let request = cache.get_or_set(format!("direct:{id}"), load);
                let Ok(row) = request.tags([format!("row:{id}")]).await;
                row
            }
            (Function::Bare, _) => {
                let cache = cache();
                let load = || async { Ok::<_, Infallible>(load(id, &db).await) };
                let Ok(row) = cache.get_or_set(format!("bare:{id}"), load).await;
                row
            }
        }
    }

    async fn write(&self, oracle: &Arc<Oracle>, id: u64, rng: &mut Rng) -> Option<Row> {
        let (how, function) = (rng.u32(0..100), Function::of(id));
        if matches!(function, Function::Through) && how < 50 {
            let before = warnings();
            LOADS.invalidated(std::iter::once(id));
            let row = write(id, Arc::clone(oracle)).await;
            return Some(row).filter(|_| warnings() == before);
        }
        let row = oracle.commit(id).await;
        let (cache, prefix) = (cache(), function.prefix());
        LOADS.invalidated(ended_with(id, how).into_iter());
        let done = match how {
            // Result tags are the point of this function.
            0..50 if matches!(function, Function::Shelved) => {
                cache.invalidate_tag(format!("shelf:{}", row.shelf)).await
            }
            // Nothing less than both entries: the inner one is what the outer one is made of.
            0..20 if matches!(function, Function::Outer) => {
                cache.invalidate(outer::key(id)).and(nested::key(id)).await
            }
            0..75 if matches!(function, Function::Outer) => {
                cache.invalidate_tag(format!("row:{id}")).await
            }
            85..92 if matches!(function, Function::Outer) => {
                let inner = cache.invalidate_tag(format!("row:{id}")).await;
                inner.and(cache.invalidate_pattern("outer:*").await.map(|_| ()))
            }
            92.. if matches!(function, Function::Outer) => {
                cache.invalidate_pattern(format!("*e*:{id}")).await.map(|_| ())
            }
            0..85 if matches!(function, Function::Bare) => by_key(function, id).await,
            0..40 => by_key(function, id).await,
            40..75 => cache.invalidate_tag(format!("row:{id}")).await,
            75..85 => whole_function(function, id).await,
            85..92 => cache.invalidate_pattern(format!("{prefix}:*")).await.map(|_| ()),
            _ => cache.invalidate_pattern(format!("{prefix}:{id}")).await.map(|_| ()),
        };
        known(done, row)
    }

    fn loads(&self) -> u64 {
        LOADS.begun.load(Ordering::Relaxed)
    }

    fn load_time(&self, id: u64) -> Duration {
        Duration::from_nanos(LOADS.took[id as usize].load(Ordering::SeqCst))
    }

    fn is_quiet(&self, id: u64) -> bool {
        is_counted(id)
    }

    async fn evicted(&self) -> u64 {
        cache().stats().await.map_or(0, |stats| stats.total.misses.evicted)
    }

    fn generations(&self) -> (u64, u64) {
        (LOADS.counted.load(Ordering::Relaxed), LOADS.ended.load(Ordering::Relaxed))
    }

    async fn write_settled(&self, oracle: &Arc<Oracle>, id: u64, tag: bool) -> Option<Row> {
        LOADS.invalidated(std::iter::once(id));
        let row = oracle.commit(id).await;
        let (cache, function) = (cache(), Function::of(id));
        let invalidate = match function {
            Function::Bare => cache.invalidate(format!("bare:{id}")),
            _ if tag => cache.invalidate_tag(format!("row:{id}")),
            Function::Outer => cache.invalidate(outer::key(id)).and(nested::key(id)),
            _ => cache.invalidate(format!("{}:{id}", function.prefix())),
        };
        known(invalidate.settled().await, row)
    }

    async fn write_guarded(&self, oracle: &Arc<Oracle>, id: u64) -> Option<Row> {
        LOADS.invalidated(std::iter::once(id));
        if Function::of(id) == Function::Bare {
            // The hold on a key ends with another's invalidation of it: it guards one writer alone.
            let row = oracle.commit(id).await;
            return known(by_key(Function::Bare, id).await, row);
        }
        let (guard, began) = (cache().invalidate_tag(format!("row:{id}")).guard(HOLD), now());
        let guard = guard.await;
        let row = oracle.commit(id).await;
        // The commit counts only if the hold lasted until after it, by the store's clock as well.
        if guard.is_ok() && now() - began < HOLD / 2 {
            oracle.acknowledge(&row).await;
        }
        match guard {
            Ok(guard) => known(guard.finish().await, row),
            Err(error) => known(Err(error), row),
        }
    }
}

/// How long a writer may take from the announcement to the end.
const HOLD: Duration = Duration::from_secs(4);

/// Announces a change, commits it, and dies before it says that it is done.
///
/// Returns if the store did not take the announcement in time: then nothing was promised.
pub(super) async fn die_after_commit(oracle: &Arc<Oracle>, id: u64) {
    // One that has a tag, on which holds are counted.
    let id = if Function::of(id) == Function::Bare { id + 1 } else { id };
    let began = now();
    let Ok(_guard) = cache().invalidate_tag(format!("row:{id}")).guard(HOLD).await else { return };
    let row = oracle.commit(id).await;
    if now() - began >= HOLD / 2 {
        return;
    }
    oracle.acknowledge(&row).await;
    let this = rustix::process::getpid();
    rustix::process::kill_process(this, rustix::process::Signal::KILL).expect("one may die");
    std::future::pending().await
}

/// The row if its invalidation was acknowledged.
fn known(done: cache_runtime::Result<()>, row: Row) -> Option<Row> {
    match done {
        Ok(()) => Some(row),
        Err(error) if error.is_retryable() => None,
        Err(error) => panic!("{error}"),
    }
}

/// The rows whose entries the write of this one ends, as `Annotated::write` chooses.
fn ended_with(id: u64, how: u32) -> Vec<u64> {
    let function = Function::of(id);
    let alike = (0..ROWS).filter(|row| Function::of(*row) == function);
    match (function, how) {
        (Function::Shelved, 0..50) => {
            alike.filter(|row| Oracle::shelf(*row) == Oracle::shelf(id)).collect()
        }
        (Function::Direct, 75..85) | (Function::Bare | Function::Outer, 0..85) => vec![id],
        (_, 75..92) => alike.collect(),
        _ => vec![id],
    }
}

async fn by_key(function: Function, id: u64) -> cache_runtime::Result<()> {
    match function {
        Function::Owned => owned::invalidate(id).await,
        Function::Borrowed => borrowed::invalidate(&id).await,
        Function::Shelved => shelved::invalidate(id).await,
        Function::Stale => stale::invalidate(id).await,
        Function::Through => through::invalidate(id).await,
        Function::Direct => cache().invalidate(format!("direct:{id}")).await,
        Function::Bare => cache().invalidate(format!("bare:{id}")).await,
        Function::Outer => cache().invalidate(outer::key(id)).and(nested::key(id)).await,
    }
}

async fn whole_function(function: Function, id: u64) -> cache_runtime::Result<()> {
    match function {
        Function::Owned => owned::invalidate_all().await,
        Function::Borrowed => borrowed::invalidate_all().await,
        Function::Shelved => shelved::invalidate_all().await,
        Function::Stale => stale::invalidate_all().await,
        Function::Through => through::invalidate_all().await,
        // What `get_or_set` stored belongs to no function.
        Function::Direct | Function::Bare | Function::Outer => {
            cache().invalidate_tags([format!("row:{id}")]).await
        }
    }
}
