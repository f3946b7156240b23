//! One client is cut off from the store and another one invalidates: how long the first goes on
//! serving what it has.
//!
//! The time is taken on a monotonic clock from the moment at which the invalidation was acknowledged
//! to the moment at which a stale read began. What the test itself can get wrong is how late it
//! learns of the acknowledgement, and how far the coarse clock that the lease is judged by is behind:
//! both are measured ([`Stalls`]) and allowed for, and where they are a large part of the bound the
//! case is repeated, since it would show nothing.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::provider::RedisProvider;
use cache_runtime::testing::Rule;
use cache_runtime::{Cache, Near, cached, scope};
use cache_tests::fixture::counts_of;
use cache_tests::proxy::Proxy;
use cache_tests::servers::RedisServer;
use cache_tests::stalls::Stalls;

/// How stale a near hit may be.
const BOUND: Duration = Duration::from_millis(500);

/// How much of a measured time may be in doubt.
const MOST_DOUBT: Duration = Duration::from_millis(125);

/// How often a case is tried on a machine that stalls.
const ATTEMPTS: u32 = 30;

/// How long anything else may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A connection that takes so long to be given up is given up by nobody here: then only missing signs
/// of life end what is served.
const PATIENT: Duration = Duration::from_secs(60);

/// How many near hits in a row show that the near cache serves.
const SERVED: u64 = 20;

/// The database: what each test's row holds.
static ROWS: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];

/// How often each row was read.
static LOADS: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];

#[cached(key = "row:<id>", ttl = 3600, tags = ["rows:<id>"])]
async fn row(id: usize) -> u64 {
    LOADS[id].fetch_add(1, Ordering::SeqCst);
    ROWS[id].load(Ordering::SeqCst)
}

/// How a client is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Commands arrive, nothing comes back.
    Replies,
    /// Half a reply comes, and nothing more.
    HalfAReply,
    /// Nothing gets through in either direction, and nobody says so.
    Both,
    /// Connections are reset, and new ones refused.
    Reset,
}

impl Cut {
    fn off(self, proxy: &Proxy) {
        match self {
            Cut::Replies => proxy.stall_replies(),
            Cut::HalfAReply => proxy.stall_half_way(),
            Cut::Both => {
                proxy.swallow_commands();
                proxy.stall_replies();
            }
            Cut::Reset => {
                proxy.refuse();
                proxy.cut();
            }
        }
    }

    /// Whether the client's own connections do not tell it.
    fn is_silent(self) -> bool {
        self != Cut::Reset
    }
}

/// One read.
#[derive(Clone, Copy, Debug)]
struct Read {
    began: Instant,
    value: u64,
    /// Whether the body ran for it.
    loaded: bool,
}

/// Two clients of one store, one of which reaches it through a proxy.
struct Clients {
    id: usize,
    far: Cache,
    direct: Cache,
    proxy: Proxy,
    _server: RedisServer,
}

/// What became of a partition.
#[derive(Debug)]
struct Seen {
    /// How long after the acknowledgement the last stale read began; `None` without any.
    worst: Option<Duration>,
    /// How many stale reads there were.
    stale: usize,
    /// What the times may be wrong by.
    doubt: Duration,
}

impl Clients {
    async fn new(id: usize, connect_timeout: Duration, without: Option<Rule>) -> Self {
        let server = tokio::task::spawn_blocking(RedisServer::start).await.expect("it starts");
        let proxy = Proxy::start(&server.address());
        let provider = |url: &str| {
            let builder = RedisProvider::builder(url).namespace("shop");
            builder.connect_timeout(connect_timeout).build().expect("a sound URL")
        };
        let far = Cache::builder().provider(provider(&proxy.url())).near(Near::Bound(BOUND));
        let far = without.into_iter().fold(far, cache_runtime::CacheBuilder::without_rule);
        let far = far.build().await.expect("sound");
        let direct = Cache::builder().provider(provider(&server.url())).build().await;
        Self { id, far, direct: direct.expect("sound"), proxy, _server: server }
    }

    async fn read(&self) -> Read {
        let loads = LOADS[self.id].load(Ordering::SeqCst);
        let began = Instant::now();
        let value = scope(self.far.clone(), row(self.id)).await;
        Read { began, value, loaded: LOADS[self.id].load(Ordering::SeqCst) != loads }
    }

    /// Reads until the near cache has served for a while; returns what it serves.
    async fn until_served(&self) -> u64 {
        let (began, mut last) = (Instant::now(), None);
        self.read().await;
        let before = counts_of(&self.far, "row").await.near_hits;
        while counts_of(&self.far, "row").await.near_hits < before + SERVED {
            assert!(began.elapsed() < LIMIT, "the near cache does not serve");
            last = Some(self.read().await.value);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        last.expect("near hits are reads")
    }

    /// The row changes, and then the client with the direct way invalidates.
    async fn change(&self, by_tag: bool) -> u64 {
        let now = ROWS[self.id].fetch_add(1, Ordering::SeqCst) + 1;
        let invalidated = match by_tag {
            true => self.direct.invalidate_tag(format!("rows:{}", self.id)).await,
            false => self.direct.invalidate(row::key(self.id)).await,
        };
        invalidated.expect("the way is free");
        now
    }

    /// Reads all the time, until it is told when to end.
    fn read_on(
        self: &Arc<Self>,
        ends: Arc<OnceLock<Instant>>,
    ) -> tokio::task::JoinHandle<Vec<Read>> {
        let clients = Arc::clone(self);
        tokio::spawn(async move {
            let mut reads = Vec::new();
            while ends.get().is_none_or(|end| Instant::now() < *end) {
                reads.push(clients.read().await);
                // Near hits let nobody else run.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            reads
        })
    }

    /// Cuts one client off and lets the other one invalidate; `None` where the machine stalled for so
    /// long that nothing can be said.
    async fn partition(self: &Arc<Self>, cut: Cut, by_tag: bool) -> Option<Seen> {
        let old = self.until_served().await;
        let (stalls, ends) = (Stalls::watch(), Arc::default());
        let reader = self.read_on(Arc::clone(&ends));
        let served = counts_of(&self.far, "row").await.near_hits;
        tokio::time::sleep(BOUND / 8).await;
        let goes_on = counts_of(&self.far, "row").await.near_hits > served;
        stalls.take();
        let cut_at = Instant::now();
        cut.off(&self.proxy);
        let new = self.change(by_tag).await;
        let acknowledged = Instant::now();
        let end = acknowledged + BOUND * 2;
        ends.set(end).expect("it is set once");
        let reads = reader.await.expect("the reader does not panic");
        let doubt = stalls.take();

        assert!(reads.iter().all(|read| read.value == old || read.value == new));
        let after = |from: Instant| reads.iter().filter(move |read| read.began >= from);
        let late = |read: &Read| read.began - acknowledged;
        let stale = || after(acknowledged).filter(|read| read.value != new);
        // While the store cannot be reached, what was not loaded was served near.
        let serves_cut_off = after(cut_at).take(10).any(|read| !read.loaded);
        let seen = Seen { worst: stale().map(late).max(), stale: stale().count(), doubt };
        eprintln!("{cut:?}: {seen:?}, {} reads in all", reads.len());
        let tells = doubt <= MOST_DOUBT && goes_on && (serves_cut_off || !cut.is_silent());
        tells.then_some(seen)
    }

    /// The way is free again: what is read is exact, and served near.
    async fn heal(&self) {
        self.proxy.flow();
        let now = ROWS[self.id].load(Ordering::SeqCst);
        assert_eq!(self.until_served().await, now);
        ROWS[self.id].store(now + 1, Ordering::SeqCst);
        let settled = self.direct.invalidate(row::key(self.id)).settled();
        settled.await.expect("the way is free");
        assert_eq!(self.read().await.value, now + 1, "settled is exact");
        assert_eq!(self.until_served().await, now + 1);
    }
}

/// Repeats a partition until the machine lets it say something.
async fn partition(clients: &Arc<Clients>, cut: Cut, by_tag: bool) -> Seen {
    for _ in 0..ATTEMPTS {
        if let Some(seen) = clients.partition(cut, by_tag).await {
            return seen;
        }
        clients.heal().await;
    }
    panic!(
        "{cut:?}: in none of {ATTEMPTS} attempts did the near cache serve on a machine that ran"
    );
}

async fn stops_in_time(id: usize, cut: Cut) {
    let clients = Arc::new(Clients::new(id, Duration::from_millis(500), None).await);
    for by_tag in [false, true] {
        let Seen { worst, doubt, .. } = partition(&clients, cut, by_tag).await;
        assert!(worst.unwrap_or_default() <= BOUND + doubt, "{cut:?}: {worst:?}, {doubt:?}");
        clients.heal().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_replies_are_held_back_stops_in_time() {
    stops_in_time(0, Cut::Replies).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_gets_half_a_reply_stops_in_time() {
    stops_in_time(1, Cut::HalfAReply).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_connections_are_half_open_stops_in_time() {
    stops_in_time(2, Cut::Both).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_reset_and_refused_stops_in_time() {
    stops_in_time(3, Cut::Reset).await;
}

/// Nobody gives a connection up here, so the signs of life alone decide: with them the bound holds,
/// and without them it does not, which the same measurement finds out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_heartbeat_a_client_that_is_cut_off_does_not_stop() {
    for (id, cut) in [(4, Cut::Replies), (6, Cut::Both)] {
        let kept = Arc::new(Clients::new(id, PATIENT, None).await);
        let Seen { worst, doubt, .. } = partition(&kept, cut, false).await;
        assert!(worst.unwrap_or_default() <= BOUND + doubt, "{cut:?}: {worst:?}, {doubt:?}");
        let broken = Arc::new(Clients::new(id + 1, PATIENT, Some(Rule::Heartbeat)).await);
        let Seen { worst, stale, doubt } = partition(&broken, cut, false).await;
        let worst = worst.expect("it went on serving");
        assert!(worst > BOUND + MOST_DOUBT && stale > 1, "{worst:?}, {doubt:?}");
    }
}
