//! Tag sets as people write them by hand: the check must see their stale reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use super::checker::Subject;
use super::oracle::{Oracle, Row, patient_connection};

/// `SET` and `SADD` after a load; `SMEMBERS` and `DEL` to invalidate.
#[derive(Debug)]
pub struct Naive {
    connection: MultiplexedConnection,
    loads: AtomicU64,
}

impl Naive {
    /// Connects to the cache's server.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn connect(url: &str) -> Self {
        Self { connection: patient_connection(url).await, loads: AtomicU64::new(0) }
    }
}

impl Subject for Naive {
    async fn read(&self, oracle: &Arc<Oracle>, id: u64, _rng: &mut Rng) -> Row {
        let mut connection = self.connection.clone();
        let key = format!("row:{id}");
        let stored: Option<String> = connection.get(&key).await.expect("the server answers");
        if let Some(json) = stored {
            return serde_json::from_str(&json).expect("a row");
        }
        self.loads.fetch_add(1, Ordering::Relaxed);
        let row = oracle.load(id).await;
        let json = serde_json::to_string(&row).expect("rows are JSON");
        let () = connection.set_ex(&key, json, 3_600).await.expect("the server answers");
        for tag in ["rows".to_owned(), format!("shelf:{}", row.shelf)] {
            let () = connection.sadd(tag, &key).await.expect("the server answers");
        }
        row
    }

    async fn write(&self, oracle: &Arc<Oracle>, id: u64, rng: &mut Rng) -> Option<Row> {
        let mut connection = self.connection.clone();
        let row = oracle.commit(id).await;
        let tag = match rng.u32(0..100) {
            0..40 => None,
            40..85 => Some(format!("shelf:{}", row.shelf)),
            _ => Some("rows".to_owned()),
        };
        let keys: Vec<String> = match &tag {
            Some(tag) => connection.smembers(tag).await.expect("the server answers"),
            None => vec![format!("row:{id}")],
        };
        let all: Vec<String> = keys.into_iter().chain(tag).collect();
        let () = connection.del(all).await.expect("the server answers");
        Some(row)
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }
}
