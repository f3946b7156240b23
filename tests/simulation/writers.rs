//! What the tasks change: a commit, and one of the ways to invalidate what is cached of it.

use cache_runtime::{Cache, Invalidate, Result};
use fastrand::Rng;

use crate::functions::{
    Database, Function, borrowed, change, grouped, inner, outer, owned, stale, through, write,
};
use crate::ledger::{Reach, Row};
use crate::slot::lock;
use std::sync::Mutex;
use std::time::Duration;

/// How long a guard holds: longer than any run.
const HOLD: Duration = Duration::from_secs(3_600);

/// One task's pen.
pub(crate) struct Writer<'a> {
    pub(crate) cache: &'a Cache,
    pub(crate) db: Database,
    pub(crate) function: Function,
    pub(crate) random: &'a Mutex<Rng>,
    /// Of a hundred writers with a guard so many die after their commit.
    pub(crate) deaths: u32,
    /// Whether what macros invalidate is surely acknowledged: they have no way to say that it is not.
    pub(crate) is_quiet: bool,
    pub(crate) holds: bool,
    pub(crate) sweeps: bool,
    /// Whether this process surely knows the longest bound of all near caches.
    pub(crate) is_settling: bool,
    /// How long nothing is to be stored after an invalidation.
    pub(crate) hold_off: Option<Duration>,
}

impl Writer<'_> {
    fn draw(&self, of: u32) -> u32 {
        lock(self.random).u32(..of)
    }

    /// Changes a row, and notes what is acknowledged.
    pub(crate) async fn write(&self, id: usize) {
        let ledger = &self.db.world.ledger;
        ledger.note_invalidation(id);
        if let Some(time) = self.hold_off {
            return self.write_held_off(id, time).await;
        }
        let by_macro = match self.function {
            Function::Through if self.draw(2) == 0 => Some(write(id, self.db.clone()).await),
            Function::Owned if self.draw(4) == 0 => change(id, self.db.clone()).await.ok(),
            _ => None,
        };
        if let Some(row) = by_macro {
            if self.is_quiet {
                self.acknowledge(id, &row, Reach::Bounded);
            }
            return;
        }
        if self.holds && self.draw(5) == 0 {
            return self.write_guarded(id).await;
        }
        let row = self.db.commit(id).await;
        let how = self.draw(12);
        let done = match how {
            0 | 1 => self.names(id).settled().await,
            2..7 => self.names(id).await,
            7 => self.whole_functions().await,
            8 | 9 if self.sweeps => self.by_pattern(id).await,
            10 => self.cache.clear().await,
            _ => self.by_key(id).await,
        };
        match done {
            Ok(()) if how < 2 && self.is_settling => {
                self.acknowledge(id, &row, Reach::Settled);
            }
            Ok(()) => self.acknowledge(id, &row, Reach::Bounded),
            // Of two calls the second was not made.
            Err(_) if how == 7 => {}
            Err(_) => self.acknowledge(id, &row, Reach::Own),
        }
    }

    fn acknowledge(&self, id: usize, row: &Row, reach: Reach) {
        let world = &self.db.world;
        world.ledger.acknowledge(id, row.version, world.now(), self.db.process, reach);
    }

    /// Loaders read from a replica: what they find while it lags is not to be stored.
    async fn write_held_off(&self, id: usize, time: Duration) {
        let world = &self.db.world;
        let row = self.db.commit(id).await;
        if self.tags(id).hold_off(time).await.is_ok() {
            let at = world.now() + self.db.lag;
            world.ledger.acknowledge(id, row.version, at, self.db.process, Reach::Bounded);
        }
    }

    /// Holds first, and dies between the commit and the invalidation now and then.
    async fn write_guarded(&self, id: usize) {
        let Ok(guard) = self.tags(id).guard(HOLD).await else { return };
        let row = self.db.commit(id).await;
        if self.draw(100) < self.deaths {
            // Nobody is to find anything older from here on, whatever becomes of the writer.
            self.acknowledge(id, &row, Reach::Bounded);
            self.db.world.kill(self.db.process);
        }
        if guard.finish().await.is_ok() {
            self.acknowledge(id, &row, Reach::Bounded);
        }
    }

    /// Everything that is made of the row, by one call.
    fn names(&self, id: usize) -> Invalidate {
        let by_key = self.draw(2) == 0;
        self.names_by(by_key, id)
    }

    /// The same by tags: a hold of a key ends with anybody's invalidation of that key.
    fn tags(&self, id: usize) -> Invalidate {
        self.names_by(false, id)
    }

    fn names_by(&self, by_key: bool, id: usize) -> Invalidate {
        let row = format!("row:{id}");
        match self.function {
            Function::Owned if by_key => self.cache.invalidate(owned::key(id)),
            Function::Borrowed if by_key => self.cache.invalidate(borrowed::key(&id.to_string())),
            Function::Stale if by_key => self.cache.invalidate(stale::key(id)),
            Function::Through if by_key => self.cache.invalidate(through::key(id)),
            Function::Owned | Function::Borrowed | Function::Stale | Function::Through => {
                self.cache.invalidate_tag(row)
            }
            Function::Grouped if by_key => self.cache.invalidate(grouped::key(id)),
            Function::Grouped => self.cache.invalidate_tags(["group:0", "group:1"]),
            Function::Nested if by_key => self.cache.invalidate(inner::key(id)).and(outer::key(id)),
            Function::Nested => self.cache.invalidate_tag(format!("pair:{id}")),
            Function::Plain => self.cache.invalidate(format!("plain:{id}")),
        }
    }

    async fn by_key(&self, id: usize) -> Result<()> {
        match self.function {
            Function::Owned => owned::invalidate(id).await,
            Function::Borrowed => borrowed::invalidate(&id.to_string()).await,
            Function::Grouped => grouped::invalidate(id).await,
            Function::Stale => stale::invalidate(id).await,
            Function::Through => through::invalidate(id).await,
            Function::Nested | Function::Plain => self.names(id).await,
        }
    }

    async fn whole_functions(&self) -> Result<()> {
        match self.function {
            Function::Owned => owned::invalidate_all().await,
            Function::Borrowed => borrowed::invalidate_all().await,
            Function::Grouped => grouped::invalidate_all().await,
            Function::Stale => stale::invalidate_all().await,
            Function::Through => through::invalidate_all().await,
            Function::Nested => {
                // What is made of another comes after it.
                inner::invalidate_all().await?;
                outer::invalidate_all().await
            }
            Function::Plain => self.cache.clear().await,
        }
    }

    async fn by_pattern(&self, id: usize) -> Result<()> {
        let all = self.draw(2) == 0;
        let pattern = match self.function {
            Function::Nested => "*".to_owned(),
            _ if all => "*".to_owned(),
            _ => format!("*:{id}"),
        };
        self.cache.invalidate_pattern(pattern).await.map(|_| ())
    }
}
