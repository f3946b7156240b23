//! Annotated functions over the database, one for each way in which a load runs.

use std::sync::Arc;

use cache_runtime::{Cache, cached, invalidates, write_through};
use fastrand::Rng;

use crate::checker::Subject;
use crate::database::{Database, Row};

/// Arguments that are owned: the load runs in a task of its own.
#[cached(key = "owned:<id>", ttl = "1h", tags = ["rows", "row:<id>"], skip(db))]
pub(crate) async fn owned(id: u64, db: Arc<Database>) -> Row {
    db.load(id).await
}

/// Arguments that are borrowed: the load runs in its caller.
#[cached(key = "borrowed:<name>", ttl = "1h", tags = ["rows", "row:<name>"], skip(db))]
pub(crate) async fn borrowed(name: &str, db: &Database) -> Result<Row, std::num::ParseIntError> {
    Ok(db.load(name.parse()?).await)
}

/// With a tag that only the result tells.
#[cached(key = "shelved:<id>", ttl = "1h", tags = ["row:<id>", "shelf:<result.shelf>"], skip(db))]
pub(crate) async fn shelved(id: u64, db: Arc<Database>) -> Option<Row> {
    Some(db.load(id).await)
}

/// Refreshed in the background most of the time, since it is stale after a millisecond.
#[cached(key = "stale:<id>", ttl = "1ms", stale = "1h", tags = ["row:<id>"], skip(db))]
pub(crate) async fn stale(id: u64, db: Arc<Database>) -> Row {
    db.load(id).await
}

/// Refreshed early most of the time, in the caller that was chosen to.
#[cached(key = "early:<name>", ttl = "20ms", early = 5.0, skip(db))]
pub(crate) async fn early(name: &str, db: &Database) -> Row {
    db.load(name.parse().unwrap_or(0)).await
}

/// Written through.
#[cached(key = "through:<id>", ttl = "1h", tags = ["row:<id>"], skip(db))]
pub(crate) async fn through(id: u64, db: Arc<Database>) -> Row {
    db.load(id).await
}

#[write_through(through(id))]
async fn write(id: u64, db: Arc<Database>) -> Row {
    // The commit comes at any time between the announcement and the end.
    db.load(id).await;
    let row = db.commit(id);
    db.load(id).await;
    row
}

#[invalidates(owned(id), tags = ["row:<result.id>"])]
async fn change_owned(id: u64, db: Arc<Database>) -> Result<Row, String> {
    Ok(db.commit(id))
}

/// Which function a run reads.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Function {
    Owned,
    Borrowed,
    Shelved,
    Stale,
    Early,
    Through,
    /// `Cache::get_or_set` and `owned` on the same keys.
    GetOrSet,
}

/// All of them.
pub(crate) const FUNCTIONS: [Function; 7] = [
    Function::Owned,
    Function::Borrowed,
    Function::Shelved,
    Function::Stale,
    Function::Early,
    Function::Through,
    Function::GetOrSet,
];

/// One function with a cache of its own.
pub(crate) struct Annotated {
    pub function: Function,
    pub cache: Cache,
}

impl Subject for Annotated {
    async fn read(&self, database: &Arc<Database>, id: u64, rng: &mut Rng) -> Row {
        let refresh = rng.u32(0..50) == 0;
        let by_function = rng.bool();
        cache_runtime::scope(self.cache.clone(), async {
            let db = Arc::clone(database);
            let name = id.to_string();
            match (self.function, refresh) {
                (Function::Owned, false) => owned(id, db).await,
                (Function::Owned, true) => owned::refresh(id, db).await,
                (Function::Borrowed, false) => borrowed(&name, &db).await.expect("a number"),
                (Function::Borrowed, true) => {
                    borrowed::refresh(&name, &db).await.expect("a number")
                }
                (Function::Shelved, false) => shelved(id, db).await.expect("a row"),
                (Function::Shelved, true) => shelved::refresh(id, db).await.expect("a row"),
                (Function::Stale, false) => stale(id, db).await,
                (Function::Stale, true) => stale::refresh(id, db).await,
                (Function::Early, false) => early(&name, &db).await,
                (Function::Early, true) => early::refresh(&name, &db).await,
                (Function::Through, false) => through(id, db).await,
                (Function::Through, true) => through::refresh(id, db).await,
                (Function::GetOrSet, _) if by_function => owned(id, db).await,
                (Function::GetOrSet, _) => {
                    let load = || async { Ok::<_, std::convert::Infallible>(db.load(id).await) };
                    let request = self.cache.get_or_set(format!("owned:{id}"), load);
                    let Ok(row) = request.tags(["rows".to_owned(), format!("row:{id}")]).await;
                    row
                }
            }
        })
        .await
    }

    async fn write(&self, database: &Arc<Database>, id: u64, rng: &mut Rng) -> Row {
        let how = rng.u32(0..100);
        cache_runtime::scope(self.cache.clone(), self.change(database, id, how)).await
    }
}

impl Annotated {
    async fn change(&self, database: &Arc<Database>, id: u64, how: u32) -> Row {
        let db = Arc::clone(database);
        match self.function {
            Function::Through if how < 50 => return write(id, db).await,
            Function::Owned if how < 20 => {
                return change_owned(id, db).await.expect("the write succeeds");
            }
            _ => {}
        }
        let row = db.commit(id);
        let prefix = self.prefix();
        match (how, self.function) {
            // Result tags are the point of this function.
            (0..50, Function::Shelved) => {
                self.cache.invalidate_tag(format!("shelf:{}", row.shelf)).await
            }
            (0..30, _) => self.by_key(id).await,
            (30..70, Function::Early) => self.by_key(id).await,
            (30..70, _) => self.cache.invalidate_tag(format!("row:{id}")).await,
            (70..80, Function::Owned | Function::Borrowed) => {
                self.cache.invalidate_tag("rows").await
            }
            (70..80, _) => self.cache.invalidate(format!("{prefix}:{id}")).await,
            (80..85, _) => self.whole_function().await,
            (85..90, _) => self.cache.invalidate_pattern(format!("{prefix}:*")).await.map(|_| ()),
            _ => self.cache.invalidate_pattern(format!("{prefix}:{id}")).await.map(|_| ()),
        }
        .expect("an invalidation in memory succeeds");
        row
    }

    fn prefix(&self) -> &'static str {
        match self.function {
            Function::Owned | Function::GetOrSet => "owned",
            Function::Borrowed => "borrowed",
            Function::Shelved => "shelved",
            Function::Stale => "stale",
            Function::Early => "early",
            Function::Through => "through",
        }
    }

    async fn by_key(&self, id: u64) -> cache_runtime::Result<()> {
        match self.function {
            Function::Owned | Function::GetOrSet => owned::invalidate(id).await,
            Function::Borrowed => borrowed::invalidate(&id.to_string()).await,
            Function::Shelved => shelved::invalidate(id).await,
            Function::Stale => stale::invalidate(id).await,
            Function::Early => early::invalidate(&id.to_string()).await,
            Function::Through => through::invalidate(id).await,
        }
    }

    async fn whole_function(&self) -> cache_runtime::Result<()> {
        match self.function {
            Function::Owned => owned::invalidate_all().await,
            Function::Borrowed => borrowed::invalidate_all().await,
            Function::Shelved => shelved::invalidate_all().await,
            Function::Stale => stale::invalidate_all().await,
            Function::Early => early::invalidate_all().await,
            Function::Through => through::invalidate_all().await,
            // What `get_or_set` stored does not belong to the function.
            Function::GetOrSet => self.cache.clear().await,
        }
    }
}
