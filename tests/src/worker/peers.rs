//! Patterns in wide use, written with the bare client: the check is seen to find what they leave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};

use super::checker::Subject;
use super::oracle::{Oracle, Row, patient_connection};
use super::orders::SubjectKind;
use super::table::now;

const TTL: u64 = 3_600;

/// A cache-aside with one of these ways to invalidate.
#[derive(Debug)]
pub struct Peer {
    connection: MultiplexedConnection,
    kind: SubjectKind,
    loads: AtomicU64,
}

/// What a peer stores: the row, and the stamp or the nonce of its tag.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    row: Row,
    mark: u64,
}

impl Peer {
    /// Connects to the cache's server.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn connect(url: &str, kind: SubjectKind) -> Self {
        Self { connection: patient_connection(url).await, kind, loads: AtomicU64::new(0) }
    }

    /// What the entry's mark is compared with, as it is now; the nonce is made if there is none.
    async fn mark(&self, connection: &mut MultiplexedConnection, tag: &str) -> u64 {
        match self.kind {
            SubjectKind::TimestampTags => now().as_micros() as u64,
            SubjectKind::NoncesAfterLoad => {
                let nonce = fastrand::u64(1..1 << 52);
                let _: bool = connection.set_nx(tag, nonce).await.expect("the server answers");
                connection.get(tag).await.ok().unwrap_or(nonce)
            }
            _ => 0,
        }
    }

    fn is_valid(&self, stored: &Stored, tag: Option<u64>) -> bool {
        match self.kind {
            SubjectKind::TimestampTags => tag.is_none_or(|changed| stored.mark > changed),
            SubjectKind::NoncesAfterLoad => tag == Some(stored.mark),
            _ => true,
        }
    }
}

impl Subject for Peer {
    async fn read(&self, oracle: &Arc<Oracle>, id: u64, _rng: &mut Rng) -> Row {
        let mut connection = self.connection.clone();
        let (key, tag) = (format!("row:{id}"), format!("tag:{id}"));
        let found: (Option<String>, Option<u64>) =
            connection.mget(&[&key, &tag]).await.expect("the server answers");
        if let Some(json) = found.0 {
            let stored: Stored = serde_json::from_str(&json).expect("a row");
            if self.is_valid(&stored, found.1) {
                return stored.row;
            }
        }
        self.loads.fetch_add(1, Ordering::Relaxed);
        let row = oracle.load(id).await;
        let mark = self.mark(&mut connection, &tag).await;
        let stored = Stored { row, mark };
        let json = serde_json::to_string(&stored).expect("rows are JSON");
        let () = connection.set_ex(&key, json, TTL).await.expect("the server answers");
        stored.row
    }

    async fn write(&self, oracle: &Arc<Oracle>, id: u64, _rng: &mut Rng) -> Option<Row> {
        let mut connection = self.connection.clone();
        let row = oracle.commit(id).await;
        let (key, tag) = (format!("row:{id}"), format!("tag:{id}"));
        let done: redis::RedisResult<()> = match self.kind {
            SubjectKind::TimestampTags => connection.set(tag, now().as_micros() as u64).await,
            SubjectKind::NoncesAfterLoad => connection.del(tag).await,
            _ => connection.del(key).await,
        };
        done.expect("the server answers");
        Some(row)
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
