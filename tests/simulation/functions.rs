//! What the tasks call: one function for each way in which a load runs and is invalidated.

use std::convert::Infallible;
use std::sync::Arc;

use cache_runtime::{Cache, cached, invalidates, write_through};

use crate::ledger::Row;
use crate::world::World;

/// The database as one process sees it.
#[derive(Clone)]
pub(crate) struct Database {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
    /// How long loaders do not see what was committed, in milliseconds.
    pub(crate) lag: u64,
}

impl Database {
    /// Reads a row as a loader does: anything may happen before it and after it.
    pub(crate) async fn load(&self, id: usize) -> Row {
        self.world.ledger.note_load(id);
        self.world.gate(self.process).await;
        let row = self.world.ledger.read(id, self.world.now());
        self.world.gate(self.process).await;
        row
    }

    pub(crate) async fn commit(&self, id: usize) -> Row {
        self.world.gate(self.process).await;
        let row = self.world.ledger.commit(id, self.world.now() + self.lag);
        self.world.gate(self.process).await;
        row
    }
}

/// Arguments that are owned: the load runs in a task of its own.
#[cached(key = "owned:<id>", ttl = "1h", tags = ["rows", "row:<id>"], skip(db))]
pub(crate) async fn owned(id: usize, db: Database) -> Row {
    db.load(id).await
}

/// Arguments that are borrowed: the load runs in its caller.
#[cached(key = "borrowed:<name>", ttl = "1h", tags = ["row:<name>"], skip(db))]
pub(crate) async fn borrowed(name: &str, db: &Database) -> Result<Row, Infallible> {
    Ok(db.load(name.parse().unwrap_or(0)).await)
}

/// With a tag that only the result tells, and that each version changes.
#[cached(key = "grouped:<id>", ttl = "1h", tags = ["group:<result.group>"], skip(db))]
pub(crate) async fn grouped(id: usize, db: Database) -> Row {
    db.load(id).await
}

/// What [`outer`] is made of.
#[cached(key = "inner:<id>", ttl = "1h", tags = ["pair:<id>"], skip(db))]
pub(crate) async fn inner(id: usize, db: Database) -> Row {
    db.load(id).await
}

/// Made of another cached value.
#[cached(key = "outer:<id>", ttl = "1h", tags = ["pair:<id>"], skip(db))]
pub(crate) async fn outer(id: usize, db: Database) -> Row {
    let row = inner(id, db.clone()).await;
    db.world.gate(db.process).await;
    row
}

/// Served stale and refreshed in the background most of the time.
#[cached(key = "stale:<id>", ttl = "20ms", stale = "1h", tags = ["row:<id>"], skip(db))]
pub(crate) async fn stale(id: usize, db: Database) -> Row {
    db.load(id).await
}

/// Written through.
#[cached(key = "through:<id>", ttl = "1h", tags = ["row:<id>"], skip(db))]
pub(crate) async fn through(id: usize, db: Database) -> Row {
    db.load(id).await
}

#[write_through(through(id))]
pub(crate) async fn write(id: usize, db: Database) -> Row {
    db.commit(id).await
}

#[invalidates(owned(id), tags = ["row:<result.id>"])]
pub(crate) async fn change(id: usize, db: Database) -> Result<Row, String> {
    Ok(db.commit(id).await)
}

/// Which function a seed reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Owned,
    Borrowed,
    Grouped,
    Nested,
    Stale,
    Through,
    /// `Cache::get_or_set` without a tag.
    Plain,
}

/// All of them.
pub(crate) const FUNCTIONS: [Function; 7] = [
    Function::Owned,
    Function::Borrowed,
    Function::Grouped,
    Function::Nested,
    Function::Stale,
    Function::Through,
    Function::Plain,
];

impl Function {
    /// Reads a row through the cache, which is in scope.
    pub(crate) async fn read(self, cache: &Cache, id: usize, db: Database, how: u32) -> Row {
        match self {
            Function::Owned if how == 0 => owned::refresh(id, db).await,
            Function::Owned => owned(id, db).await,
            Function::Borrowed => {
                let Ok(row) = borrowed(&id.to_string(), &db).await;
                row
            }
            Function::Grouped => grouped(id, db).await,
            Function::Nested if how.is_multiple_of(3) => inner(id, db).await,
            Function::Nested => outer(id, db).await,
            Function::Stale => stale(id, db).await,
            Function::Through => through(id, db).await,
            Function::Plain => {
                let load = || async { Ok::<_, Infallible>(db.load(id).await) };
                let Ok(row) = cache.get_or_set(format!("plain:{id}"), load).await;
                row
            }
        }
    }

    /// Whether there is a tag to hold.
    pub(crate) fn has_tags(self) -> bool {
        self != Function::Plain
    }

    /// Whether its loads are counted as promise P2 counts them.
    pub(crate) fn loads_once(self) -> bool {
        // A load for two keys, and loads that somebody asked for.
        !matches!(self, Function::Nested | Function::Stale | Function::Owned | Function::Through)
    }
}
