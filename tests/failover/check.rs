//! The same failover for a cache with the fence and for one without it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Config};
use tokio::task::JoinSet;

use crate::rows::{How, Rows, read};
use crate::topologies::Topology;

/// Rows that were read before the failover: so many that in a cluster of three shards some of each
/// kind lie in the shard that fails with all their marks.
const WARM: u64 = 256;

/// Rows that are being loaded while it happens, under leases that the replica has.
const LOADING: u64 = 128;

/// The same under leases that it has not.
const LATE: u64 = 16;

const ALL: u64 = WARM + LOADING + LATE;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longer than any failover: a lease that ran out would refuse the load as well as the fence does.
const LEASE: Duration = Duration::from_secs(120);

/// One user's caches, in two processes as it were: what one invalidates the other does not see.
struct Side {
    reader: Cache,
    writer: Cache,
    rows: Arc<Rows>,
    loading: JoinSet<u64>,
}

/// Stale reads by what had invalidated the row, of rows that were cached and of rows that were being
/// loaded.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stale {
    cached: BTreeMap<How, u64>,
    loaded: BTreeMap<How, u64>,
    loaded_late: BTreeMap<How, u64>,
}

async fn cache(url: &str, namespace: &str) -> Cache {
    let config = Config::from_vars(|name| match name {
        "CACHE_PROVIDER" => Some("redis".to_owned()),
        "REDIS_URL" => Some(url.to_owned()),
        "CACHE_NAMESPACE" => Some(namespace.to_owned()),
        "CACHE_TIMEOUT" => Some("5s".to_owned()),
        _ => None,
    });
    let config = config.expect("a sound configuration");
    Cache::builder().config(config).lease(LEASE).build().await.expect("a cache")
}

impl Side {
    async fn start(url: &str, namespace: &str) -> Self {
        let rows = Rows::new(ALL, WARM);
        let (reader, writer) = (cache(url, namespace).await, cache(url, namespace).await);
        let side = Self { reader, writer, rows, loading: JoinSet::new() };
        for id in 0..WARM {
            side.stale_before_a_hit(id).await;
        }
        side
    }

    /// Reads a row until it hits; returns how many reads were stale.
    async fn stale_before_a_hit(&self, id: u64) -> u64 {
        let (began, mut stale) = (Instant::now(), 0);
        loop {
            let before = self.rows.loads();
            let version = read(&self.reader, id, &self.rows).await;
            stale += u64::from(self.rows.is_stale(id, version));
            if self.rows.loads() == before {
                return stale;
            }
            assert!(began.elapsed() < PATIENCE, "row {id} does not hit within {PATIENCE:?}");
        }
    }

    /// Begins to load rows; each has read its version when this returns, and does not end.
    async fn begin_loads(&mut self, ids: Range<u64>) {
        let expected = self.rows.loads() + ids.end - ids.start;
        for id in ids {
            let (reader, rows) = (self.reader.clone(), Arc::clone(&self.rows));
            self.loading.spawn(async move { read(&reader, id, &rows).await });
        }
        let began = Instant::now();
        while self.rows.loads() < expected {
            assert!(began.elapsed() < PATIENCE, "not all loads began");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Changes and invalidates every row; the primary acknowledges each.
    async fn change_all(&self) {
        for id in 0..ALL {
            self.rows.change(&self.writer, id).await.expect("the primary acknowledges");
        }
    }

    /// Looks at the cached rows; then, when the new primary has been heard of, lets the loads end,
    /// and looks at theirs.
    async fn stale_reads(mut self) -> Stale {
        let cached = self.stale_among(0..WARM).await;
        self.rows.open();
        while let Some(version) = self.loading.join_next().await {
            assert_eq!(version.expect("no load panics"), 1, "it began before the change");
        }
        let loaded = self.stale_among(WARM..WARM + LOADING).await;
        let loaded_late = self.stale_among(WARM + LOADING..ALL).await;
        Stale { cached, loaded, loaded_late }
    }

    async fn stale_among(&self, ids: Range<u64>) -> BTreeMap<How, u64> {
        let mut stale = BTreeMap::new();
        for id in ids {
            let found = self.stale_before_a_hit(id).await;
            *stale.entry(How::of(id)).or_default() += found;
        }
        stale
    }
}

/// Caches rows and begins to load others, cuts the replicas off, changes and invalidates everything,
/// puts a replica in the primary's place, and lets the loads end.
pub(crate) async fn lose_the_last_writes(mut servers: impl Topology) {
    let mut fenced = Side::start(&servers.url("app"), "fenced").await;
    let mut unfenced = Side::start(&servers.url("blind"), "unfenced").await;
    for side in [&mut fenced, &mut unfenced] {
        side.begin_loads(WARM..WARM + LOADING).await;
    }
    tokio::task::block_in_place(|| {
        servers.level();
        servers.part();
    });
    for side in [&mut fenced, &mut unfenced] {
        side.begin_loads(WARM + LOADING..ALL).await;
    }
    fenced.change_all().await;
    unfenced.change_all().await;
    tokio::task::block_in_place(|| servers.fail_over());

    let (fenced, unfenced) = (fenced.stale_reads().await, unfenced.stale_reads().await);
    println!("stale reads with the fence: {fenced:?}; without it: {unfenced:?}");
    let none: BTreeMap<How, u64> = How::ALL.map(|how| (how, 0)).into();
    let (cached, loaded, loaded_late) = (none.clone(), none.clone(), none.clone());
    assert_eq!(fenced, Stale { cached, loaded, loaded_late }, "the fence holds");
    assert_eq!(unfenced.loaded_late, none, "no lease is no right to store");
    for how in How::ALL {
        assert!(unfenced.cached[&how] > 0, "the test has lost its teeth: {how:?}, cached");
        assert!(unfenced.loaded[&how] > 0, "the test has lost its teeth: {how:?}, loaded");
    }
}
