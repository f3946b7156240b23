//! A cache on a real store, and a hand that reaches into the store past the cache.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::entry::{Codec, Compression, Format};

use cache_runtime::{Cache, Counts, Misses, cached};
use cache_tests::servers::RedisServer;
use redis::{Connection, ToRedisArgs};
use serde::{Deserialize, Serialize};
use upstash_standin::StandIn;

/// Nothing here depends on how quick the machine is.
const BUDGET: Duration = Duration::from_secs(10);

/// How often a body ran.
pub(crate) type Loads = Arc<AtomicU64>;

/// A value in which hardly any byte can change without changing what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    id: u64,
    name: String,
    price: f64,
    stock: Option<u32>,
    colours: Vec<String>,
}

impl Item {
    /// What the source says of an item, always the same.
    pub(crate) fn of(id: u64) -> Self {
        // So many alike that every compression makes it smaller.
        let colours = vec!["ochre".to_owned(); 12];
        Self { id, name: format!("item {id} 🦀"), price: 0.1, stock: Some(7), colours }
    }
}

#[cached(key = "item:<id>", ttl = "1h", tags = ["items"], skip(loads))]
pub(crate) async fn item(id: u64, loads: Loads) -> Item {
    loads.fetch_add(1, Ordering::SeqCst);
    Item::of(id)
}

/// A cache, and the server in which its entries lie.
pub(crate) struct World {
    pub(crate) cache: Cache,
    pub(crate) loads: Loads,
    server: RedisServer,
    connection: Mutex<Connection>,
    _rest: Option<StandIn>,
}

impl World {
    /// Over the Redis protocol.
    pub(crate) async fn redis(codec: Codec, compression: Compression) -> Self {
        let server = RedisServer::start();
        let cache = Cache::builder().redis(server.url());
        Self::on(server, None, cache, codec, compression).await
    }

    /// Over the Redis protocol, with the usual format.
    pub(crate) async fn plain() -> Self {
        Self::redis(Codec::Json, Compression::None).await
    }

    /// Over REST.
    pub(crate) async fn rest() -> Self {
        let server = RedisServer::start();
        let rest = StandIn::builder().redis_url(server.url()).start().await.expect("a stand-in");
        let cache = Cache::builder().upstash(rest.url(), rest.token());
        Self::on(server, Some(rest), cache, Codec::Json, Compression::None).await
    }

    async fn on(
        server: RedisServer,
        rest: Option<StandIn>,
        cache: cache_runtime::CacheBuilder,
        codec: Codec,
        compression: Compression,
    ) -> Self {
        let mut format = Format::default();
        (format.codec, format.compression, format.compress_above) = (codec, compression, 1);
        let cache = cache.namespace("shop").timeout(BUDGET).format(format);
        let cache = cache.build().await.expect("a cache");
        let connection = Mutex::new(server.connect());
        Self { cache, loads: Loads::default(), server, connection, _rest: rest }
    }

    /// Another cache on the same server.
    pub(crate) async fn neighbour(&self, namespace: &str) -> Cache {
        let cache = Cache::builder().redis(self.server.url());
        cache.namespace(namespace).timeout(BUDGET).build().await.expect("a cache")
    }

    /// Calls the function.
    pub(crate) async fn call(&self, id: u64) -> Item {
        cache_runtime::scope(self.cache.clone(), item(id, Arc::clone(&self.loads))).await
    }

    /// Calls the function, and gives what then lies in its cell.
    pub(crate) async fn stored(&self, id: u64) -> Vec<u8> {
        assert_eq!(self.call(id).await, Item::of(id));
        let bytes = self.bytes(&cell(id));
        assert!(bytes.len() > 93, "an entry lies there");
        bytes
    }

    /// What lies under a name.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.command(redis::cmd("GET").arg(name))
    }

    /// Puts bytes under a name, for as long as what lies there would have lived.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        self.command::<()>(redis::cmd("SET").arg(name).arg(bytes).arg("KEEPTTL"));
    }

    /// Removes what lies under a name, and does this in its place.
    pub(crate) fn replace(&self, name: &str, command: &str, words: &[impl ToRedisArgs]) {
        self.command::<()>(redis::cmd("DEL").arg(name));
        self.command::<redis::Value>(redis::cmd(command).arg(name).arg(words));
    }

    /// The names of all that lies in the store and fits a pattern.
    pub(crate) fn names(&self, pattern: &str) -> Vec<String> {
        self.command(redis::cmd("KEYS").arg(pattern))
    }

    fn command<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> T {
        let mut connection = self.connection.lock().expect("no test has panicked");
        command.query(&mut connection).expect("the server answers")
    }

    /// What was counted so far.
    pub(crate) async fn counts(&self) -> Counts {
        self.cache.stats().await.expect("counts").total
    }

    /// Checks that the next call misses for a reason of its own, loads, and returns the right value;
    /// and that the one after it hits.
    ///
    /// Returns the misses that the first call was counted as: one.
    pub(crate) async fn misses_once(&self, id: u64, what: &str) -> Misses {
        let before = (self.counts().await, self.loads.load(Ordering::SeqCst));
        assert_eq!(self.call(id).await, Item::of(id), "{what}: the value");
        let between = (self.counts().await, self.loads.load(Ordering::SeqCst));
        assert_eq!(between.1, before.1 + 1, "{what}: loads");
        assert_eq!(between.0.hits, before.0.hits, "{what}: hits");
        assert_eq!(between.0.errors, before.0.errors, "{what}: errors");
        let misses = since(&between.0.misses, &before.0.misses);
        assert_eq!(misses.total(), 1, "{what}: {misses:?}");

        assert_eq!(self.call(id).await, Item::of(id), "{what}: the value after it");
        let after = (self.counts().await, self.loads.load(Ordering::SeqCst));
        assert_eq!(after.1, between.1, "{what}: loads after it");
        assert_eq!(after.0.hits, between.0.hits + 1, "{what}: hits after it");
        assert_eq!(after.0.errors, between.0.errors, "{what}: errors after it");
        misses
    }

    /// The same where the reason is that the bytes do not verify.
    pub(crate) async fn undecodable(&self, id: u64, what: &str) {
        let misses = self.misses_once(id, what).await;
        assert_eq!(misses.undecodable, 1, "{what}: {misses:?}");
    }
}

fn since(now: &Misses, before: &Misses) -> Misses {
    let mut misses = now.clone();
    misses.absent -= before.absent;
    misses.expired -= before.expired;
    misses.invalidated -= before.invalidated;
    misses.evicted -= before.evicted;
    misses.too_large -= before.too_large;
    misses.undecodable -= before.undecodable;
    misses.unavailable -= before.unavailable;
    misses
}

/// The name of an item's cell.
pub(crate) fn cell(id: u64) -> String {
    format!("shop:k:item:{id}")
}
