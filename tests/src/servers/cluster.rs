//! A cluster of servers.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::binary::Kind;
use super::process::START;
use super::single::{RedisServer, RedisServerBuilder};
use super::stats::CommandStats;
use super::wait::{until, until_some};

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// After so long without an answer a node counts as failed. A replica takes over soon after.
const NODE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Primaries and replicas that form one cluster; all are killed when this is dropped.
#[derive(Debug)]
pub struct ClusterServers {
    nodes: Vec<RedisServer>,
    ids: Vec<String>,
}

impl ClusterServers {
    /// Starts so many primaries, each with so many replicas, on Redis.
    #[must_use]
    pub fn start(primaries: usize, replicas_each: usize) -> Self {
        Self::start_with(primaries, replicas_each, RedisServer::builder())
    }

    /// The same on Valkey.
    #[must_use]
    pub fn valkey(primaries: usize, replicas_each: usize) -> Self {
        Self::start_with(primaries, replicas_each, RedisServer::builder().kind(Kind::Valkey))
    }

    /// The same with options for every node.
    ///
    /// # Panics
    ///
    /// If the nodes do not form a cluster in time.
    #[must_use]
    pub fn start_with(primaries: usize, replicas_each: usize, node: RedisServerBuilder) -> Self {
        let timeout = NODE_TIMEOUT.as_millis().to_string();
        let node = node
            .option("cluster-enabled", "yes")
            .option("cluster-node-timeout", &timeout)
            // The shards that have a primary go on being served.
            .option("cluster-require-full-coverage", "no")
            .option("cluster-replica-validity-factor", "0");
        let count = primaries * (1 + replicas_each);
        let nodes: Vec<RedisServer> = (0..count).map(|_| node.clone().start()).collect();
        let ids = nodes.iter().map(|node| node.text(&["CLUSTER", "MYID"])).collect();
        let cluster = Self { nodes, ids };
        cluster.give_out_slots(primaries);
        cluster.introduce();
        cluster.attach_replicas(primaries);
        until(START, "a cluster that serves all slots", || cluster.is_whole());
        cluster
    }

    fn give_out_slots(&self, primaries: usize) {
        for (number, node) in self.nodes.iter().enumerate() {
            // Without different epochs the nodes would have to settle who owns what.
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()]);
            if number < primaries {
                let slots = share(number, primaries);
                let (first, last) = (slots.start().to_string(), slots.end().to_string());
                node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            }
        }
    }

    fn introduce(&self) {
        let first = self.nodes[0].port().to_string();
        for node in &self.nodes[1..] {
            node.command(&["CLUSTER", "MEET", "127.0.0.1", &first]);
        }
        let count = self.nodes.len().to_string();
        until(START, "nodes that know each other", || {
            self.nodes.iter().all(|node| {
                let nodes = node.text(&["CLUSTER", "NODES"]);
                nodes.lines().count().to_string() == count && !nodes.contains("handshake")
            })
        });
    }

    fn attach_replicas(&self, primaries: usize) {
        for (number, node) in self.nodes.iter().enumerate().skip(primaries) {
            let primary = &self.ids[number % primaries];
            until(START, "a replica that knows its primary", || {
                node.try_command(&["CLUSTER", "REPLICATE", primary]).is_ok()
            });
        }
    }

    /// Whether all running nodes agree that every slot is served, and every replica is linked.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let running = || self.nodes.iter().filter(|node| node.is_running());
        let primaries = running().filter(|node| self.owns_slots(node)).count().to_string();
        running().all(|node| {
            let state = node.text(&["CLUSTER", "INFO"]);
            let says = |line: &str| state.lines().any(|each| each == line);
            says("cluster_state:ok")
                && says("cluster_slots_ok:16384")
                && says(&format!("cluster_size:{primaries}"))
                && (node.info("replication", "role") == "master"
                    || node.info("replication", "master_link_status") == "up")
        })
    }

    fn owns_slots(&self, node: &RedisServer) -> bool {
        let nodes = node.text(&["CLUSTER", "NODES"]);
        let own = nodes.lines().find(|line| line.contains("myself")).unwrap_or_default();
        own.contains("master") && own.split(' ').count() > 8
    }

    /// `redis+cluster://host:port,host:port,..`, with all nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes.iter().map(RedisServer::address).collect();
        format!("redis+cluster://{}{}/", self.nodes[0].user_part(), hosts.join(","))
    }

    /// All nodes; those that began as primaries stand first.
    #[must_use]
    pub fn nodes(&self) -> &[RedisServer] {
        &self.nodes
    }

    /// One node.
    pub fn node(&mut self, number: usize) -> &mut RedisServer {
        &mut self.nodes[number]
    }

    /// The number of the node that serves a slot, as the running nodes see it; `None` while they
    /// do not agree, or it is down.
    #[must_use]
    pub fn owner(&self, slot: u16) -> Option<usize> {
        let mut owners = self
            .nodes
            .iter()
            .filter(|node| node.is_running())
            .map(|node| owner_as_seen_by(node, slot));
        let first = owners.next()??;
        if owners.any(|other| other.as_ref() != Some(&first)) {
            return None;
        }
        let number = self.ids.iter().position(|id| *id == first)?;
        self.nodes[number].is_running().then_some(number)
    }

    /// The slot of a physical key.
    ///
    /// # Panics
    ///
    /// If no node runs.
    #[must_use]
    pub fn slot_of(&self, key: &str) -> u16 {
        let node = self.nodes.iter().find(|node| node.is_running()).expect("a node runs");
        let slot = node.number(&["CLUSTER", "KEYSLOT", key]);
        u16::try_from(slot).expect("slots are below 16,384")
    }

    /// Kills the node and waits until another serves its slots; returns the number of that one and
    /// how long it took.
    ///
    /// # Panics
    ///
    /// If nobody takes over.
    pub fn kill_primary(&mut self, number: usize) -> (usize, Duration) {
        let slot = (0..SLOTS).step_by(64).find(|slot| self.owner(*slot) == Some(number));
        let slot = slot.expect("the node is a primary");
        self.nodes[number].kill();
        let began = std::time::Instant::now();
        let heir = until_some(START, "a replica in the primary's place", || self.owner(slot));
        (heir, began.elapsed())
    }

    /// Starts a node that was killed and waits until the cluster is whole again.
    pub fn restart(&mut self, number: usize) {
        self.nodes[number].restart();
        until(START, "a whole cluster", || self.is_whole());
    }

    /// Moves slots to another node, key by key, while everybody goes on.
    ///
    /// # Panics
    ///
    /// If a slot has no owner or a key cannot be moved.
    pub fn move_slots(&self, slots: RangeInclusive<u16>, target: usize) {
        for slot in slots {
            let source = until_some(START, "an owner of the slot", || self.owner(slot));
            if source != target {
                self.open_slot(slot, source, target);
                self.move_keys(slot, source, target);
                self.close_slot(slot, source, target);
            }
        }
        until(START, "a whole cluster", || self.is_whole());
    }

    /// Begins to move a slot: the new owner imports, the old one answers `ASK` for what is gone.
    pub fn open_slot(&self, slot: u16, source: usize, target: usize) {
        let slot = slot.to_string();
        self.nodes[target].command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &self.ids[source]]);
        self.nodes[source].command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &self.ids[target]]);
    }

    /// Moves what there is in an open slot.
    pub fn move_keys(&self, slot: u16, source: usize, target: usize) {
        let (slot, port) = (slot.to_string(), self.nodes[target].port().to_string());
        loop {
            let keys = self.nodes[source].text(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]);
            if keys.is_empty() {
                return;
            }
            let begin = ["MIGRATE", "127.0.0.1", &port, "", "0", "20000", "KEYS"];
            let words: Vec<&str> = begin.into_iter().chain(keys.lines()).collect();
            self.nodes[source].command(&words);
        }
    }

    /// Ends moving a slot: everybody hears who owns it.
    pub fn close_slot(&self, slot: u16, source: usize, target: usize) {
        let slot = slot.to_string();
        let others = (0..self.nodes.len()).filter(|number| *number != source && *number != target);
        // The new owner first, so that at no time nobody owns it.
        for number in [target, source].into_iter().chain(others) {
            let words = ["CLUSTER", "SETSLOT", slot.as_str(), "NODE", &self.ids[target]];
            // Replicas refuse it, and hear it from their primary.
            if self.nodes[number].is_running() && self.owns_slots(&self.nodes[number]) {
                self.nodes[number].command(&words);
            }
        }
    }

    /// Each running node's commands so far; the others have none.
    #[must_use]
    pub fn command_stats(&self) -> Vec<CommandStats> {
        let stats = |node: &RedisServer| node.is_running().then(|| node.command_stats());
        self.nodes.iter().map(|node| stats(node).unwrap_or_default()).collect()
    }
}

/// The slots of one of several primaries.
fn share(number: usize, primaries: usize) -> RangeInclusive<u16> {
    let bound = |number: usize| {
        u16::try_from(usize::from(SLOTS) * number / primaries).expect("at most 16,384")
    };
    bound(number)..=bound(number + 1) - 1
}

/// The id of the node that owns a slot, from `id host flags .. slots` lines.
fn owner_as_seen_by(node: &RedisServer, slot: u16) -> Option<String> {
    let nodes = node.text(&["CLUSTER", "NODES"]);
    nodes.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (id, flags) = (words.next()?, words.nth(1)?);
        let covers = words.skip(5).any(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let bounds = (first.parse::<u16>(), last.parse::<u16>());
            matches!(bounds, (Ok(first), Ok(last)) if (first..=last).contains(&slot))
        });
        (covers && !flags.contains("fail")).then(|| id.to_owned())
    })
}
