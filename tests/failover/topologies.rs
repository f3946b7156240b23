//! Servers that lose their last writes.

use std::time::Duration;

use cache_tests::proxy::Proxy;
use cache_tests::servers::{ClusterServers, RedisServer, SentinelServers, until};

/// How long a test waits for servers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Servers of which one takes another's place, with less data than that had.
pub(crate) trait Topology {
    /// Where a user finds the servers.
    fn url(&self, user: &str) -> String;

    /// Waits until the replicas have all that the primaries have.
    fn level(&self);

    /// From now on nothing reaches the replicas.
    fn part(&self);

    /// The primary is gone for good, and a replica in its place.
    fn fail_over(&mut self);
}

/// The users, beside that of the servers themselves: `app` with all rights, and `blind` for whom
/// one life of a server looks like another.
fn add_users<'a>(servers: impl IntoIterator<Item = &'a RedisServer>) {
    for server in servers {
        for (user, rights) in [("app", "+@all"), ("blind", "-info")] {
            let words = ["on", ">secret", "~*", "&*", "+@all", rights];
            server.command(&[&["ACL", "SETUSER", user], &words[..]].concat());
        }
    }
}

fn with_user(url: &str, user: &str) -> String {
    url.replacen("://", &format!("://{user}:secret@"), 1)
}

fn wait_until_level(primary: &RedisServer, replica: &RedisServer) {
    until(PATIENCE, "a replica that has it all", || {
        let offset = primary.info("replication", "master_repl_offset");
        offset == replica.info("replication", "slave_repl_offset")
    });
}

/// Ends replication, and keeps the replicas from coming back; whoever watches the servers sees
/// replicas that run, and a primary that runs.
fn part_from_replicas(primary: &RedisServer, replicas: &[&RedisServer]) {
    primary.command(&["ACL", "SETUSER", "default", "-psync", "-sync", "-replconf"]);
    primary.command(&["CLIENT", "KILL", "TYPE", "replica"]);
    until(PATIENCE, "replicas without a primary", || {
        let status = |replica: &&RedisServer| replica.info("replication", "master_link_status");
        replicas.iter().all(|replica| status(replica) == "down")
    });
}

/// A primary and a replica behind an address that leads to either.
pub(crate) struct Pair {
    primary: RedisServer,
    replica: RedisServer,
    address: Proxy,
}

impl Pair {
    pub(crate) fn start() -> Self {
        let (primary, replica) = (RedisServer::start(), RedisServer::start());
        add_users([&primary, &replica]);
        replica.command(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
        let address = Proxy::start(&primary.address());
        Self { primary, replica, address }
    }
}

impl Topology for Pair {
    fn url(&self, user: &str) -> String {
        with_user(&self.address.url(), user)
    }

    fn level(&self) {
        wait_until_level(&self.primary, &self.replica);
    }

    fn part(&self) {
        self.replica.command(&["REPLICAOF", "NO", "ONE"]);
    }

    fn fail_over(&mut self) {
        self.address.set_target(&self.replica.address());
        self.primary.kill();
    }
}

/// A primary and two replicas, watched by Sentinels.
pub(crate) struct Watched(SentinelServers);

impl Watched {
    pub(crate) fn start() -> Self {
        let servers = SentinelServers::start();
        add_users(servers.servers());
        Self(servers)
    }
}

impl Topology for Watched {
    fn url(&self, user: &str) -> String {
        with_user(&self.0.url(), user)
    }

    fn level(&self) {
        let (primary, replicas) = self.0.servers().split_first().expect("there are servers");
        replicas.iter().for_each(|replica| wait_until_level(primary, replica));
    }

    fn part(&self) {
        let (primary, replicas) = self.0.servers().split_first().expect("there are servers");
        part_from_replicas(primary, &replicas.iter().collect::<Vec<_>>());
    }

    fn fail_over(&mut self) {
        let (heir, took) = self.0.kill_primary();
        println!("Sentinels: server {heir} promoted after {took:.1?}");
    }
}

/// A cluster of three primaries with a replica each, of which the first primary fails.
pub(crate) struct Clustered(ClusterServers);

impl Clustered {
    /// The replica of the first primary.
    const REPLICA: usize = 3;

    pub(crate) fn start() -> Self {
        let servers = ClusterServers::start(3, 1);
        add_users(servers.nodes());
        Self(servers)
    }
}

impl Topology for Clustered {
    fn url(&self, user: &str) -> String {
        with_user(&self.0.url(), user)
    }

    fn level(&self) {
        wait_until_level(&self.0.nodes()[0], &self.0.nodes()[Self::REPLICA]);
    }

    fn part(&self) {
        part_from_replicas(&self.0.nodes()[0], &[&self.0.nodes()[Self::REPLICA]]);
    }

    fn fail_over(&mut self) {
        let (heir, took) = self.0.kill_primary(0);
        println!("cluster: node {heir} promoted after {took:.1?}");
        assert_eq!(heir, Self::REPLICA);
    }
}
