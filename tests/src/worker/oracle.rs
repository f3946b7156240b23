//! The database behind the cache, shared by all processes, and what is known about it for sure.
//!
//! It lies in a Redis server of its own, which runs one command at a time and so puts all that the
//! processes do in one order; or, where millions of reads are checked, in files (`table`).

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};

use super::table::{Floor, Table};

/// How many shelves the rows are on; the shelf is known only from the row.
const SHELVES: u64 = 8;

/// A row as a loader read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which row.
    pub id: u64,
    /// Grows with every change.
    pub version: u64,
    /// Where it stands.
    pub shelf: u64,
    /// Follows from the rest: a row that was put together of two does not add up.
    pub check: u64,
}

impl Row {
    /// This version of a row.
    #[must_use]
    pub const fn new(id: u64, version: u64) -> Self {
        let shelf = Oracle::shelf(id);
        Self { id, version, shelf, check: check(id, version, shelf) }
    }

    /// Whether this is some version of that row, whole and unchanged.
    #[must_use]
    pub const fn is_sound(&self, id: u64) -> bool {
        let Self { version, shelf, check: sum, .. } = *self;
        self.id == id && shelf == Oracle::shelf(id) && sum == check(id, version, shelf)
    }
}

/// Each part is multiplied by an odd number of its own, so that no two parts stand in for each other.
const fn check(id: u64, version: u64, shelf: u64) -> u64 {
    let id = id.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let version = version.wrapping_add(1).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let sum = id ^ version.rotate_left(21) ^ shelf.wrapping_mul(0x1656_67b1_9e37_79f9);
    // JSON of other languages, and floats, are exact up to here.
    sum >> 12
}

/// Rows whose versions only grow, items that count their loads, and what was acknowledged.
///
/// A method panics if the server does not answer: then no check is worth anything.
#[derive(Debug)]
pub struct Oracle {
    place: Place,
    /// What this process acknowledged: known here at once, elsewhere a round trip later.
    acknowledged: Mutex<HashMap<u64, u64>>,
}

#[derive(Debug)]
enum Place {
    Server(MultiplexedConnection),
    Files(Table),
}

impl Oracle {
    /// Connects to the server at a `redis://` URL, or opens the files at `files:<seat>:<folder>`.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn connect(url: &str) -> Self {
        let files = url.strip_prefix("files:").and_then(|files| files.split_once(':'));
        let place = match files {
            Some((seat, folder)) => {
                let seat = seat.parse().expect("the seat is a number");
                Place::Files(Table::open(Path::new(folder), seat))
            }
            None => Place::Server(patient_connection(url).await),
        };
        Self { place, acknowledged: Mutex::default() }
    }

    /// The shelf of a row.
    #[must_use]
    pub const fn shelf(id: u64) -> u64 {
        id % SHELVES
    }

    /// Loads an item: returns how often it was loaded by now, this time included. It is counted
    /// when the load begins.
    pub async fn load_item(&self, key: &str, delay: Duration) -> u64 {
        let loads = self.ask(redis::cmd("INCR").arg(format!("loads:{key}"))).await;
        tokio::time::sleep(delay).await;
        loads
    }

    /// Reads a row as a loader does: it takes a random while before and after the read itself.
    pub async fn load(&self, id: u64) -> Row {
        pause().await;
        let version = match &self.place {
            Place::Server(_) => self.ask(redis::cmd("GET").arg(format!("row:{id}"))).await,
            Place::Files(table) => table.version(id),
        };
        pause().await;
        Row::new(id, version)
    }

    /// Changes a row; returns what it is now.
    pub async fn commit(&self, id: u64) -> Row {
        let version = match &self.place {
            Place::Server(_) => self.ask(redis::cmd("INCR").arg(format!("row:{id}"))).await,
            Place::Files(table) => table.commit(id),
        };
        Row::new(id, version)
    }

    /// The writer of this version has invalidated: no read from now on may return an older one.
    pub async fn acknowledge(&self, row: &Row) {
        if let Place::Files(table) = &self.place {
            table.acknowledge(row.id, row.version, false);
            return;
        }
        self.note(row.id, row.version);
        let mut command = redis::cmd("ZADD");
        self.ask(command.arg("acknowledged").arg("GT").arg(row.version).arg(row.id)).await;
    }

    /// The newest version whose invalidation has returned, in any process.
    pub async fn acknowledged(&self, id: u64) -> u64 {
        if let Place::Files(table) = &self.place {
            return table.floor(id).acknowledged;
        }
        let version = self.ask(redis::cmd("ZSCORE").arg("acknowledged").arg(id)).await;
        self.note(id, version)
    }

    /// The writer of this version has invalidated, and waited for the near caches.
    pub(super) fn acknowledge_settled(&self, row: &Row) {
        self.table().acknowledge(row.id, row.version, true);
    }

    pub(super) fn floor(&self, id: u64) -> Floor {
        self.table().floor(id)
    }

    /// When the first version after the one seen was acknowledged, up to this floor.
    pub(super) fn first_acknowledged(&self, row: &Row, floor: u64) -> Option<Duration> {
        self.table().first_acknowledged(row.id, row.version, floor)
    }

    fn table(&self) -> &Table {
        match &self.place {
            Place::Files(table) => table,
            Place::Server(_) => panic!("a server knows neither seats nor times"),
        }
    }

    /// Raises what is known here; returns the newest.
    fn note(&self, id: u64, version: u64) -> u64 {
        let mut known = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = known.entry(id).or_default();
        *newest = version.max(*newest);
        *newest
    }

    async fn ask(&self, command: &redis::Cmd) -> u64 {
        let Place::Server(connection) = &self.place else {
            panic!("files hold rows alone");
        };
        let mut connection = connection.clone();
        let answer = command.query_async::<Option<f64>>(&mut connection).await;
        // Versions stay far below what a float holds exactly.
        answer.expect("the oracle's server answers").unwrap_or_default() as u64
    }
}

/// A bare connection that waits for its answers however long a loaded machine takes.
///
/// # Panics
///
/// If the server does not listen.
pub(super) async fn patient_connection(url: &str) -> MultiplexedConnection {
    let client = redis::Client::open(url).expect("a sound URL");
    let patient =
        AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let connection = client.get_multiplexed_async_connection_with_config(&patient).await;
    connection.expect("the server listens")
}

/// Gives way a random number of times, and now and then takes a while, as databases do.
async fn pause() {
    for _ in 0..fastrand::u32(0..6) {
        tokio::task::yield_now().await;
    }
    if fastrand::u32(0..8) == 0 {
        tokio::time::sleep(Duration::from_micros(fastrand::u64(0..3_000))).await;
    }
}
