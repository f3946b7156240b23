//! The stores that are checked.

use std::time::Duration;

use upstash_standin::{Lag, StandIn};

use crate::proxy::Proxy;
use crate::servers::{ClusterServers, RedisServer, SentinelServers, ValkeyServer};

/// How far the reads of the lagging stand-in are behind.
const LAG: Duration = Duration::from_millis(100);

/// How many milliseconds a primary may be silent before it is replaced: longer than a busy machine
/// lets it wait.
const PATIENCE: &str = "3000";

/// What a lagging read may be late beyond the lag: the replica's own way, on a busy machine.
const ON_THE_WAY: Duration = Duration::from_millis(400);

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// The values are in the process.
    Memory,
    /// One Redis server.
    Standalone,
    /// One Valkey server.
    Valkey,
    /// One Redis server that comes back from a log whose end is lost.
    Log,
    /// A primary and two replicas, watched by Sentinels.
    Sentinel,
    /// Three primaries with a replica each; slots move all the time.
    Cluster,
    /// Upstash's protocol.
    Upstash,
    /// The same, with reads from a replica that lags.
    UpstashLagging,
}

impl Topology {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Memory,
        Self::Standalone,
        Self::Valkey,
        Self::Log,
        Self::Sentinel,
        Self::Cluster,
        Self::Upstash,
        Self::UpstashLagging,
    ];

    /// What the command line calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Standalone => "standalone",
            Self::Valkey => "valkey",
            Self::Log => "log",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
            Self::Upstash => "upstash",
            Self::UpstashLagging => "upstash-lagging",
        }
    }

    /// How far its reads are behind what other processes have written.
    #[must_use]
    pub const fn lag(self) -> Duration {
        match self {
            Self::UpstashLagging => LAG,
            _ => Duration::ZERO,
        }
    }

    /// How late its reads may be without a near cache.
    #[must_use]
    pub const fn late(self) -> Duration {
        match self {
            Self::UpstashLagging => LAG.saturating_add(ON_THE_WAY),
            _ => Duration::ZERO,
        }
    }

    /// Whether a process sees what another one stores.
    #[must_use]
    pub const fn is_shared(self) -> bool {
        !matches!(self, Self::Memory)
    }

    /// Whether it can tell of changes.
    #[must_use]
    pub const fn tells(self) -> bool {
        !matches!(self, Self::Memory | Self::Upstash | Self::UpstashLagging)
    }
}

/// The servers of a topology.
pub(super) enum Store {
    None,
    /// With the way that one of the processes takes to it.
    One(RedisServer, Proxy),
    Log(RedisServer),
    Sentinel(SentinelServers),
    Cluster(ClusterServers),
    Upstash(Box<StandIn>),
}

impl Store {
    pub(super) async fn start(topology: Topology) -> Self {
        match topology {
            Topology::Memory => Self::None,
            Topology::Standalone => Self::one(RedisServer::start()),
            Topology::Valkey => Self::one(ValkeyServer::start()),
            Topology::Log => {
                let server = RedisServer::builder().append_only();
                Self::Log(server.option("aof-load-truncated", "yes").start())
            }
            Topology::Sentinel => {
                let servers = SentinelServers::start();
                for sentinel in servers.sentinels() {
                    let set = ["SENTINEL", "SET", "main", "down-after-milliseconds", PATIENCE];
                    sentinel.command(&set);
                }
                Self::Sentinel(servers)
            }
            Topology::Cluster => {
                let servers = ClusterServers::start(3, 1);
                for node in servers.nodes() {
                    node.command(&["CONFIG", "SET", "cluster-node-timeout", PATIENCE]);
                }
                Self::Cluster(servers)
            }
            Topology::Upstash | Topology::UpstashLagging => {
                let lags = topology == Topology::UpstashLagging;
                let store = StandIn::builder().replica(lags).start().await.expect("a stand-in");
                if lags {
                    store.set_lag(Lag::By(LAG));
                }
                Self::Upstash(Box::new(store))
            }
        }
    }

    /// The servers that are primaries now, where there are others beside them.
    pub(super) fn primaries(&self) -> Vec<usize> {
        match self {
            Self::Sentinel(servers) => servers.primary().into_iter().collect(),
            Self::Cluster(servers) => {
                let role = |node: &RedisServer| node.try_info("replication", "role");
                let nodes = servers.nodes().iter().enumerate();
                let primaries =
                    nodes.filter(|(_, node)| role(node).is_ok_and(|role| role == "master"));
                primaries.map(|(number, _)| number).collect()
            }
            _ => Vec::new(),
        }
    }

    fn one(server: RedisServer) -> Self {
        let way = Proxy::start(&server.address());
        Self::One(server, way)
    }

    /// The environment that leads the process with this seat to it.
    pub(super) fn environment(&self, seat: u64) -> Vec<(&'static str, String)> {
        let redis = |url: String| vec![("CACHE_PROVIDER", "redis".to_owned()), ("REDIS_URL", url)];
        match self {
            Self::None => vec![("CACHE_PROVIDER", "in-memory".to_owned())],
            Self::One(_, way) if seat == 0 => redis(way.url()),
            Self::One(server, _) | Self::Log(server) => redis(server.url()),
            Self::Sentinel(servers) => redis(servers.url()),
            Self::Cluster(servers) => redis(servers.url()),
            Self::Upstash(store) => vec![
                ("CACHE_PROVIDER", "upstash".to_owned()),
                ("REDIS_REST_URL", store.url()),
                ("REDIS_REST_TOKEN", store.token().to_owned()),
            ],
        }
    }
}
