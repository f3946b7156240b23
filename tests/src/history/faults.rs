//! What happens to servers and processes during a run, in an order that the seed chooses.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use upstash_standin::{Fault, FaultKind, StandIn};

use crate::proxy::Proxy;
use crate::servers::{ClusterServers, RedisServer, SentinelServers, until};
use crate::worker::Order;

use super::run::{Setup, Start};
use super::store::Store;

/// How long servers have to find each other again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Beyond the bounds of near caches and the time that a lease lives without being renewed.
const BEYOND_A_LEASE: Duration = Duration::from_millis(2_600);

/// The seat of processes that die; those that watch have the seats before it.
const MORTAL: u64 = crate::worker::SEATS - 1;

/// The processes of a run.
pub(super) struct Crew<'a> {
    pub(super) processes: Vec<Pid>,
    pub(super) start: &'a Start,
    pub(super) setup: &'a Setup,
    /// What leads a process to the store.
    pub(super) store: Vec<(&'static str, String)>,
}

/// Lets one thing after the other happen for as long as the flag says so.
pub(super) fn happen(store: &mut Store, crew: &Crew<'_>, goes_on: &AtomicBool) {
    let mut rng = Rng::with_seed(crew.setup.seed);
    while wait(&mut rng, goes_on) {
        // Slots move without faults as well: that is an administrator's daily work.
        if let Store::Cluster(servers) = store {
            move_a_slot(servers, &mut rng);
        }
        if !crew.setup.faults {
            continue;
        }
        if rng.u32(0..10) < 4 {
            crew.suffer(&mut rng);
            continue;
        }
        match store {
            Store::None => crew.stop_one(&mut rng),
            Store::One(server, way) => strike(server, way, &mut rng),
            Store::Log(server) => lose_the_end(server, &mut rng),
            Store::Sentinel(servers) => strike_watched(servers, &mut rng),
            Store::Cluster(servers) => strike_cluster(servers, &mut rng),
            Store::Upstash(store) => strike_upstash(store, &mut rng),
        }
    }
}

/// The pause between two faults: part of what is done to the store.
fn wait(rng: &mut Rng, goes_on: &AtomicBool) -> bool {
    for _ in 0..rng.u32(3..30) {
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

impl Crew<'_> {
    fn suffer(&self, rng: &mut Rng) {
        match rng.u32(0..3) {
            0 => self.stop_one(rng),
            _ if !self.setup.topology.is_shared() => self.stop_one(rng),
            1 => self.kill_a_writer(rng),
            _ => self.kill_one_at_work(rng),
        }
    }

    /// A process stands still, and comes back with what it knew then.
    fn stop_one(&self, rng: &mut Rng) {
        let process = self.processes[rng.usize(0..self.processes.len())];
        let signal = |signal| kill_process(process, signal).expect("a worker takes signals");
        signal(Signal::STOP);
        match rng.bool() {
            true => std::thread::sleep(BEYOND_A_LEASE),
            false => pause(rng, 100..1_200),
        }
        signal(Signal::CONT);
    }

    /// It has announced and committed, and dies.
    fn kill_a_writer(&self, rng: &mut Rng) {
        let mut worker = self.start.worker(MORTAL, &self.store);
        worker.tell(&Order::Die { id: rng.u64(0..8) });
        worker.wait();
    }

    /// It holds leases, writes and installs while it dies.
    fn kill_one_at_work(&self, rng: &mut Rng) {
        let mut worker = self.start.worker(MORTAL, &self.store);
        let mut watch = self.setup.watch(MORTAL);
        watch.seed += rng.u64(1_000_000..2_000_000);
        worker.tell(&Order::Watch(watch));
        pause(rng, 50..800);
        worker.kill();
    }
}

/// A fault of one server that is back afterwards; what it had in memory may be gone.
fn strike(server: &mut RedisServer, way: &Proxy, rng: &mut Rng) {
    match rng.u32(0..8) {
        // One process hears nothing of what the others do.
        2 | 3 => {
            way.stall_replies();
            pause(rng, 100..2_000);
            way.flow();
        }
        0 => stop(server, rng, 100..2_500),
        1 => {
            server.kill();
            pause(rng, 0..500);
            server.restart();
        }
        _ => bother(server, rng),
    }
}

/// What a server goes on after.
fn bother(server: &RedisServer, rng: &mut Rng) {
    match rng.u32(0..4) {
        0 => drop(server.command(&["CLIENT", "KILL", "TYPE", "normal"])),
        1 => drop(server.command(&["CLIENT", "KILL", "TYPE", "pubsub"])),
        2 => drop(server.command(&["FLUSHALL"])),
        _ => {
            let set = |name: &str, value: &str| server.command(&["CONFIG", "SET", name, value]);
            set("maxmemory-policy", "allkeys-random");
            set("maxmemory", "1mb");
            pause(rng, 50..700);
            set("maxmemory", "0");
        }
    }
}

fn stop(server: &RedisServer, rng: &mut Rng, millis: std::ops::Range<u64>) {
    server.stop();
    pause(rng, millis);
    server.resume();
}

/// The server dies, and the end of its log is lost: with it invalidations that it had acknowledged.
fn lose_the_end(server: &mut RedisServer, rng: &mut Rng) {
    if rng.bool() {
        return bother(server, rng);
    }
    server.kill();
    let folder = server.folder().join("appendonlydir");
    let files = std::fs::read_dir(folder).expect("there is a log");
    let log = files
        .map(|file| file.expect("it can be read").path())
        .find(|path| path.extension().is_some_and(|extension| extension == "aof") && is_log(path));
    let log = std::fs::OpenOptions::new().write(true).open(log.expect("there is a log"));
    let log = log.expect("the log can be written");
    let length = log.metadata().expect("it has a length").len();
    let lost = rng.u64(1..200_000).min(length);
    log.set_len(length - lost).expect("it can be cut");
    server.restart();
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

fn strike_watched(servers: &mut SentinelServers, rng: &mut Rng) {
    let Some(old) = servers.primary() else {
        return;
    };
    if rng.u32(0..3) > 0 {
        return bother(&servers.servers()[old], rng);
    }
    let others = servers.servers().iter().enumerate().filter(|(number, _)| *number != old);
    let replicas: Vec<&RedisServer> = others.map(|(_, server)| server).collect();
    part(&servers.servers()[old], &replicas);
    // What is acknowledged now is lost.
    pause(rng, 100..600);
    servers.kill_primary();
    // Everybody has heard of it before a server comes back that takes itself for the primary.
    pause(rng, 1_500..2_000);
    servers.server(old).restart();
    until(PATIENCE, "replicas of the new primary", || {
        let Some(primary) = servers.primary() else {
            return false;
        };
        servers.servers().iter().enumerate().all(|(number, server)| {
            number == primary || server.info("replication", "master_link_status") == "up"
        })
    });
}

fn strike_cluster(servers: &mut ClusterServers, rng: &mut Rng) {
    let Some(owner) = servers.owner(rng.u16(0..16_384)) else {
        return;
    };
    match rng.u32(0..4) {
        0 | 1 => bother(&servers.nodes()[owner], rng),
        2 => stop(&servers.nodes()[owner], rng, 50..300),
        _ => {
            let primary = &servers.nodes()[owner];
            let port = primary.port().to_string();
            let follows = |node: &&RedisServer| node.info("replication", "master_port") == port;
            let replicas: Vec<&RedisServer> = servers.nodes().iter().filter(follows).collect();
            if replicas.is_empty() {
                return;
            }
            part(primary, &replicas);
            pause(rng, 100..600);
            servers.kill_primary(owner);
            servers.restart(owner);
        }
    }
}

/// Moves a slot that has keys to another primary, key by key.
fn move_a_slot(servers: &ClusterServers, rng: &mut Rng) {
    let (Some(source), Some(target)) =
        (servers.owner(rng.u16(0..16_384)), servers.owner(rng.u16(0..16_384)))
    else {
        return;
    };
    let key = servers.nodes()[source].text(&["RANDOMKEY"]);
    if source != target && !key.is_empty() {
        let slot = servers.slot_of(&key);
        servers.move_slots(slot..=slot, target);
    }
}

fn strike_upstash(store: &StandIn, rng: &mut Rng) {
    let fault = match rng.u32(0..7) {
        0 => Fault::throttled(),
        1 => Fault::status(500, "internal error"),
        2 => Fault::status_after(500, "internal error").share(0.5),
        3 => Fault::reply_latency(Duration::from_millis(300)).share(0.3),
        4 => Fault::new(FaultKind::Reset { executed: true }).share(0.3),
        5 => Fault::new(FaultKind::CutBody).share(0.3),
        _ => Fault::new(FaultKind::Malformed).share(0.3),
    };
    store.inject(fault);
    pause(rng, 100..900);
    store.clear_faults();
}
