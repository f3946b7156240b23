//! The database behind the cache, shared by all processes, and what is known about it for sure.
//!
//! It lies in a Redis server of its own: one server that runs one command at a time puts all that
//! the processes do in one order.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};

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
}

/// Rows whose versions only grow, items that count their loads, and what was acknowledged.
///
/// A method panics if the server does not answer: then no check is worth anything.
#[derive(Debug)]
pub struct Oracle {
    connection: MultiplexedConnection,
    /// What this process acknowledged: known here at once, elsewhere a round trip later.
    acknowledged: Mutex<HashMap<u64, u64>>,
}

impl Oracle {
    /// Connects to the server.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn connect(url: &str) -> Self {
        Self { connection: patient_connection(url).await, acknowledged: Mutex::default() }
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
        let version = self.ask(redis::cmd("GET").arg(format!("row:{id}"))).await;
        pause().await;
        Row { id, version, shelf: Self::shelf(id) }
    }

    /// Changes a row; returns what it is now.
    pub async fn commit(&self, id: u64) -> Row {
        let version = self.ask(redis::cmd("INCR").arg(format!("row:{id}"))).await;
        Row { id, version, shelf: Self::shelf(id) }
    }

    /// The writer of this version has invalidated: no read from now on may return an older one.
    pub async fn acknowledge(&self, row: &Row) {
        self.note(row.id, row.version);
        let mut command = redis::cmd("ZADD");
        self.ask(command.arg("acknowledged").arg("GT").arg(row.version).arg(row.id)).await;
    }

    /// The newest version whose invalidation has returned, in any process.
    pub async fn acknowledged(&self, id: u64) -> u64 {
        let version = self.ask(redis::cmd("ZSCORE").arg("acknowledged").arg(id)).await;
        self.note(id, version)
    }

    /// Raises what is known here; returns the newest.
    fn note(&self, id: u64, version: u64) -> u64 {
        let mut known = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = known.entry(id).or_default();
        *newest = version.max(*newest);
        *newest
    }

    async fn ask(&self, command: &redis::Cmd) -> u64 {
        let mut connection = self.connection.clone();
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
