//! What happens to servers and processes during a run, in an order that the seed chooses.
//!
//! Each fault says how often it was seen to happen, which may be not at all: a connection that is
//! not there cannot be ended, and a store that is empty forgets nothing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use upstash_standin::{Fault, FaultKind, StandIn};

use crate::proxy::Proxy;
use crate::servers::{ClusterServers, RedisServer, SentinelServers, until};
use crate::worker::Order;

use super::kinds::Kind;
use super::run::{Setup, Start};
use super::schedule::{Happened, Schedule};
use super::store::Store;

/// How long servers have to find each other again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Beyond the bounds of near caches, and within the time that a lease lives.
const BEYOND_A_BOUND: std::ops::Range<u64> = 600..1_200;

/// Beyond the time that a lease lives without being renewed.
const BEYOND_A_LEASE: std::ops::Range<u64> = 2_000..2_600;

/// The seat of processes that die; those that watch have the seats before it.
const MORTAL: u64 = crate::worker::SEATS - 1;

/// The processes of a run.
pub(super) struct Crew<'a> {
    pub(super) processes: Vec<Pid>,
    pub(super) start: &'a Start,
    pub(super) setup: &'a Setup,
    /// What leads a process to the store.
    pub(super) store: Vec<(&'static str, String)>,
    /// What has happened so far.
    pub(super) happened: &'a Mutex<Happened>,
}

/// Lets one thing after the other happen for as long as the flag says so.
pub(super) fn happen(store: &mut Store, crew: &Crew<'_>, goes_on: &AtomicBool) {
    let mut rng = Rng::with_seed(crew.setup.seed);
    let mut kinds = crew.setup.planned();
    // What is in the process is evicted all the time, and the process counts it.
    kinds.retain(|kind| !(matches!(store, Store::None) && *kind == Kind::Evict));
    let mut schedule = Schedule::new(&kinds, &mut rng);
    let moves = kinds.contains(&Kind::MoveSlot);
    let mut primaries = store.primaries();
    while let Some(kind) = schedule.next(&mut rng) {
        // Soon until each had its turn, and at leisure from then on.
        let most = if schedule.is_first_round() { 6 } else { 30 };
        if !wait(rng.u32(1..most), goes_on) {
            return;
        }
        // Slots move beside everything else: that is an administrator's daily work.
        if moves && kind != Kind::MoveSlot {
            crew.note(Kind::MoveSlot, strike(store, crew, Kind::MoveSlot, &mut rng));
        }
        let times = strike(store, crew, kind, &mut rng);
        crew.note(kind, times);
        let now = store.primaries();
        if kind != Kind::Promote && now != primaries {
            crew.note(Kind::Unasked, 1);
        }
        primaries = now;
        if times == 0 {
            schedule.put_off(kind);
        }
    }
}

/// The pause between two faults: part of what is done to the store.
fn wait(turns: u32, goes_on: &AtomicBool) -> bool {
    for _ in 0..turns {
        std::thread::sleep(Duration::from_millis(50));
        if !goes_on.load(Ordering::SeqCst) {
            return false;
        }
    }
    true
}

fn pause(rng: &mut Rng, millis: std::ops::Range<u64>) {
    std::thread::sleep(Duration::from_millis(rng.u64(millis)));
}

/// Lets one fault happen; how often it did.
fn strike(store: &mut Store, crew: &Crew<'_>, kind: Kind, rng: &mut Rng) -> u64 {
    let of_processes = crew.suffer(kind, rng);
    of_processes.unwrap_or_else(|| match store {
        Store::None => panic!("{} does not happen in memory", kind.name()),
        Store::One(_, way) if kind == Kind::Deafen => deafen(way, rng),
        Store::Log(server) if kind == Kind::Truncate => lose_the_end(server, rng),
        Store::One(server, _) | Store::Log(server) => bother(server, kind, 100..2_000, rng),
        Store::Sentinel(servers) => strike_watched(servers, kind, rng),
        Store::Cluster(servers) => strike_cluster(servers, kind, rng),
        Store::Upstash(store) => strike_upstash(store, kind, rng),
    })
}

impl Crew<'_> {
    fn note(&self, kind: Kind, times: u64) {
        self.happened.lock().expect("no panic").note(kind, times);
    }

    /// What happens to a process; `None` if it happens to the store.
    fn suffer(&self, kind: Kind, rng: &mut Rng) -> Option<u64> {
        match kind {
            Kind::Pause => Some(self.stop_one(BEYOND_A_BOUND, rng)),
            Kind::LongPause => Some(self.stop_one(BEYOND_A_LEASE, rng)),
            Kind::KillWriter => Some(self.kill_a_writer(rng)),
            Kind::KillWorker => Some(self.kill_one_at_work(rng)),
            _ => None,
        }
    }

    /// A process stands still, and comes back with what it knew then.
    fn stop_one(&self, millis: std::ops::Range<u64>, rng: &mut Rng) -> u64 {
        let process = self.processes[rng.usize(0..self.processes.len())];
        let signal = |signal| kill_process(process, signal).expect("a worker takes signals");
        signal(Signal::STOP);
        pause(rng, millis);
        signal(Signal::CONT);
        1
    }

    /// It has announced and committed, and dies.
    fn kill_a_writer(&self, rng: &mut Rng) -> u64 {
        let mut worker = self.start.worker(MORTAL, &self.store);
        worker.tell(&Order::Die { id: rng.u64(0..8) });
        u64::from(worker.was_killed())
    }

    /// It holds leases, writes and installs while it dies.
    fn kill_one_at_work(&self, rng: &mut Rng) -> u64 {
        let mut worker = self.start.worker(MORTAL, &self.store);
        let mut watch = self.setup.watch(MORTAL);
        watch.seed += rng.u64(1_000_000..2_000_000);
        worker.tell(&Order::Watch(watch));
        pause(rng, 50..800);
        worker.kill();
        1
    }
}

/// One process hears nothing of what the others do; what it says arrives.
fn deafen(way: &Proxy, rng: &mut Rng) -> u64 {
    let before = way.counts();
    way.stall_replies();
    pause(rng, 700..2_000);
    let during = way.counts();
    way.flow();
    u64::from(during != before)
}

/// What a server is back after; what it had in memory may be gone.
fn bother(
    server: &mut RedisServer,
    kind: Kind,
    stopped: std::ops::Range<u64>,
    rng: &mut Rng,
) -> u64 {
    match kind {
        Kind::Stop => {
            server.stop();
            pause(rng, stopped);
            server.resume();
            1
        }
        Kind::Kill => {
            let life = server.info("server", "run_id");
            server.restart();
            u64::from(server.info("server", "run_id") != life)
        }
        Kind::DropClients => {
            server.number(&["CLIENT", "KILL", "TYPE", "normal"]).unsigned_abs().min(1)
        }
        Kind::DropListeners => drop_listeners(server),
        Kind::Flush => {
            let keys = server.number(&["DBSIZE"]);
            server.command(&["FLUSHALL"]);
            u64::from(keys > 0)
        }
        Kind::Evict => evict(&server.url(), rng),
        other => panic!("{} does not happen to one server", other.name()),
    }
}

fn drop_listeners(server: &RedisServer) -> u64 {
    let clients = server.text(&["CLIENT", "LIST"]);
    let field = |line: &str, name: &str| {
        line.split(' ').find_map(|word| Some(word.strip_prefix(name)?.to_owned()))
    };
    let tracks = |line: &&str| field(line, "flags=").is_some_and(|flags| flags.contains('t'));
    let ids = clients.lines().filter(tracks).filter_map(|line| field(line, "id="));
    // One that has gone by itself meanwhile is none.
    let killed = ids.map(|id| server.number(&["CLIENT", "KILL", "ID", &id]));
    killed.sum::<i64>().unsigned_abs().min(1)
}

/// A server has less room than it needs, for a while.
fn evict(url: &str, rng: &mut Rng) -> u64 {
    let ask = |words: &[&str]| crate::servers::text_of(url, words);
    let evicted = || {
        ask(&["INFO", "stats"])
            .lines()
            .find(|line| line.starts_with("evicted_keys"))
            .map(str::to_owned)
    };
    let before = evicted();
    ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-random"]);
    ask(&["CONFIG", "SET", "maxmemory", "1mb"]);
    pause(rng, 100..700);
    let after = evicted();
    ask(&["CONFIG", "SET", "maxmemory", "0"]);
    u64::from(after != before)
}

/// The server dies, and the end of its log is lost: with it invalidations that it had acknowledged.
fn lose_the_end(server: &mut RedisServer, rng: &mut Rng) -> u64 {
    server.kill();
    let folder = server.folder().join("appendonlydir");
    let files = std::fs::read_dir(folder).expect("there is a log");
    let log = files
        .map(|file| file.expect("it can be read").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "aof") && is_log(path));
    let log = std::fs::OpenOptions::new().write(true).open(log.expect("there is a log"));
    let log = log.expect("the log can be written");
    let length = log.metadata().expect("it has a length").len();
    // Now and then a good part of all that was written, and else what a crash costs.
    let most = if rng.bool() { 200_000 } else { 1_000 + length / 3 };
    let lost = rng.u64(1_000..most.max(2_000)).min(length);
    log.set_len(length - lost).expect("it can be cut");
    server.restart();
    u64::from(lost > 0)
}

fn is_log(path: &std::path::Path) -> bool {
    path.to_string_lossy().contains(".incr.")
}

/// Ends replication, and keeps the replicas from coming back.
fn part(primary: &RedisServer, replicas: &[&RedisServer]) {
    primary.command(&["ACL", "SETUSER", "default", "-psync", "-sync", "-replconf"]);
    primary.command(&["CLIENT", "KILL", "TYPE", "replica"]);
    until(PATIENCE, "replicas without a primary", || {
        let status = |replica: &&RedisServer| replica.info("replication", "master_link_status");
        replicas.iter().all(|replica| status(replica) == "down")
    });
}

fn strike_watched(servers: &mut SentinelServers, kind: Kind, rng: &mut Rng) -> u64 {
    let Some(old) = servers.primary() else {
        return 0;
    };
    if kind != Kind::Promote {
        // Shorter than the Sentinels take to replace it: a primary that comes back beside another
        // one is not what is promised about.
        let times = bother(servers.server(old), kind, 100..700, rng);
        // One that began as a replica comes back as one.
        servers.servers()[old].command(&["REPLICAOF", "NO", "ONE"]);
        rejoin(servers);
        return times;
    }
    let others = servers.servers().iter().enumerate().filter(|(number, _)| *number != old);
    let replicas: Vec<&RedisServer> = others.map(|(_, server)| server).collect();
    part(&servers.servers()[old], &replicas);
    // What is acknowledged now is lost.
    pause(rng, 100..600);
    let (heir, _) = servers.kill_primary();
    // Everybody has heard of it before a server comes back that takes itself for the primary.
    pause(rng, 1_500..2_000);
    servers.server(old).restart();
    let port = servers.servers()[heir].port().to_string();
    servers.servers()[old].command(&["REPLICAOF", "127.0.0.1", &port]);
    rejoin(servers);
    u64::from(heir != old)
}

fn rejoin(servers: &SentinelServers) {
    until(PATIENCE, "replicas of the primary", || {
        let Some(primary) = servers.primary() else {
            return false;
        };
        servers.servers().iter().enumerate().all(|(number, server)| {
            let link = || server.try_info("replication", "master_link_status");
            number == primary || link().is_ok_and(|link| link == "up")
        })
    });
}

fn strike_cluster(servers: &mut ClusterServers, kind: Kind, rng: &mut Rng) -> u64 {
    let Some(owner) = servers.owner(rng.u16(0..16_384)) else {
        return 0;
    };
    match kind {
        Kind::MoveSlot => move_a_slot(servers, owner, rng),
        Kind::Promote => replace(servers, owner, rng),
        Kind::Kill => {
            let life = servers.nodes()[owner].info("server", "run_id");
            servers.node(owner).kill();
            servers.restart(owner);
            u64::from(servers.nodes()[owner].info("server", "run_id") != life)
        }
        // Shorter than the others take to replace it.
        _ => bother(servers.node(owner), kind, 50..300, rng),
    }
}

/// A replica takes a primary's place, without what was written last.
fn replace(servers: &mut ClusterServers, owner: usize, rng: &mut Rng) -> u64 {
    let primary = &servers.nodes()[owner];
    let port = primary.port().to_string();
    let follows = |node: &&RedisServer| node.info("replication", "master_port") == port;
    let replicas: Vec<&RedisServer> = servers.nodes().iter().filter(follows).collect();
    if replicas.is_empty() {
        return 0;
    }
    part(primary, &replicas);
    pause(rng, 100..600);
    let (heir, _) = servers.kill_primary(owner);
    servers.restart(owner);
    u64::from(heir != owner)
}

/// Moves a slot that has keys to another primary, key by key.
fn move_a_slot(servers: &ClusterServers, source: usize, rng: &mut Rng) -> u64 {
    let Some(target) = servers.owner(rng.u16(0..16_384)) else {
        return 0;
    };
    let key = servers.nodes()[source].text(&["RANDOMKEY"]);
    if source == target || key.is_empty() {
        return 0;
    }
    let slot = servers.slot_of(&key);
    servers.move_slots(slot..=slot, target);
    u64::from(servers.owner(slot) == Some(target))
}

fn strike_upstash(store: &StandIn, kind: Kind, rng: &mut Rng) -> u64 {
    let url = store.redis_url();
    let fault = match kind {
        Kind::Flush => {
            let keys = crate::servers::text_of(url, &["DBSIZE"]);
            crate::servers::text_of(url, &["FLUSHALL"]);
            return u64::from(keys != "0");
        }
        Kind::Evict => return evict(url, rng),
        Kind::Throttle => Fault::throttled(),
        Kind::Fail => Fault::status(500, "internal error"),
        Kind::FailAfter => Fault::status_after(500, "internal error").share(0.5),
        Kind::Delay => Fault::reply_latency(Duration::from_millis(300)).share(0.3),
        Kind::Reset => Fault::new(FaultKind::Reset { executed: true }).share(0.3),
        Kind::CutBody => Fault::new(FaultKind::CutBody).share(0.3),
        Kind::Malform => Fault::new(FaultKind::Malformed).share(0.3),
        other => panic!("{} does not happen to Upstash", other.name()),
    };
    let before = store.counts().requests;
    store.inject(fault);
    pause(rng, 100..900);
    store.clear_faults();
    // Of ten requests each of these faults meets one at least: they are spread evenly.
    u64::from(store.counts().requests >= before + 10)
}
