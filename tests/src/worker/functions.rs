//! Annotated functions over the shared database, one for each way in which a load runs. Each row
//! belongs to one of them.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{cache, cached, write_through};
use fastrand::Rng;

use super::checker::Subject;
use super::oracle::{Oracle, Row};
use super::orders::What;
use super::warnings::warnings;

static LOADS: AtomicU64 = AtomicU64::new(0);

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

#[write_through(through(id))]
async fn write(id: u64, oracle: Arc<Oracle>) -> Row {
    // The commit comes at any time between the announcement and the end.
    oracle.load(id).await;
    let row = oracle.commit(id).await;
    oracle.load(id).await;
    row
}

async fn load(id: u64, oracle: &Oracle) -> Row {
    LOADS.fetch_add(1, Ordering::Relaxed);
    oracle.load(id).await
}

/// The function that a row belongs to.
#[derive(Clone, Copy, Debug)]
enum Function {
    Owned,
    Borrowed,
    Shelved,
    Stale,
    Through,
    /// `Cache::get_or_set`.
    Direct,
}

impl Function {
    fn of(id: u64) -> Self {
        let all =
            [Self::Owned, Self::Borrowed, Self::Shelved, Self::Stale, Self::Through, Self::Direct];
        all[id as usize % all.len()]
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Owned => "owned",
            Self::Borrowed => "borrowed",
            Self::Shelved => "shelved",
            Self::Stale => "stale",
            Self::Through => "through",
            Self::Direct => "direct",
        }
    }
}

/// Annotated functions on this process's cache.
#[derive(Clone, Copy, Debug)]
pub struct Annotated;

impl Subject for Annotated {
    async fn read(&self, oracle: &Arc<Oracle>, id: u64, rng: &mut Rng) -> Row {
        let refresh = rng.u32(0..50) == 0;
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
            (Function::Direct, _) => {
                let cache = cache();
                let load = || async { Ok::<_, Infallible>(load(id, &db).await) };
                let request = cache.get_or_set(format!("direct:{id}"), load);
                let Ok(row) = request.tags([format!("row:{id}")]).await;
                row
            }
        }
    }

    async fn write(&self, oracle: &Arc<Oracle>, id: u64, rng: &mut Rng) -> Option<Row> {
        let (how, function) = (rng.u32(0..100), Function::of(id));
        if matches!(function, Function::Through) && how < 50 {
            let before = warnings();
            let row = write(id, Arc::clone(oracle)).await;
            return Some(row).filter(|_| warnings() == before);
        }
        let row = oracle.commit(id).await;
        let (cache, prefix) = (cache(), function.prefix());
        let done = match how {
            // Result tags are the point of this function.
            0..50 if matches!(function, Function::Shelved) => {
                cache.invalidate_tag(format!("shelf:{}", row.shelf)).await
            }
            0..40 => by_key(function, id).await,
            40..75 => cache.invalidate_tag(format!("row:{id}")).await,
            75..85 => whole_function(function, id).await,
            85..92 => cache.invalidate_pattern(format!("{prefix}:*")).await.map(|_| ()),
            _ => cache.invalidate_pattern(format!("{prefix}:{id}")).await.map(|_| ()),
        };
        match done {
            Ok(()) => Some(row),
            Err(error) if error.is_retryable() => None,
            Err(error) => panic!("{error}"),
        }
    }

    fn loads(&self) -> u64 {
        LOADS.load(Ordering::Relaxed)
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
        Function::Direct => cache().invalidate_tags([format!("row:{id}")]).await,
    }
}
