//! Two and more processes share what is cached, and who loads it.

use std::time::{Duration, Instant};

use cache_tests::proxy::Proxy;
use cache_tests::servers::{ClusterServers, RedisServer, ValkeyServer, until};
use cache_tests::worker::{Answer, Order, What, Worker};

use crate::{alone, worker};

/// A lease lives so long at most without being renewed.
const LEASE: Duration = Duration::from_secs(2);

fn invalidate(worker: &mut Worker, what: What) {
    let answer = worker.ask(&Order::Invalidate(what));
    assert!(matches!(answer, Answer::Invalidated), "{answer:?}");
}

fn loads(oracle: &RedisServer, key: &str) -> i64 {
    oracle.number(&["GET", &format!("loads:{key}")])
}

/// One process loads, the other hits; one invalidates, the other misses at once.
fn check_that_two_share(url: &str) {
    let oracle = RedisServer::start();
    let (mut one, mut other) = (worker(url, &oracle), worker(url, &oracle));
    let whats = [
        What::Key("a".to_owned()),
        What::Tag("a".to_owned()),
        What::Function,
        What::Pattern,
        What::Clear,
    ];
    for (round, what) in whats.into_iter().enumerate() {
        let value = round as u64 + 1;
        assert_eq!(one.load("a", 0, 1).0, [value], "before {what:?}");
        assert_eq!(other.load("a", 0, 1).0, [value], "the other hits before {what:?}");
        invalidate(&mut one, what.clone());
        assert_eq!(other.load("a", 0, 1).0, [value + 1], "the other misses after {what:?}");
        assert_eq!(one.load("a", 0, 1).0, [value + 1], "what the other loaded is shared");
        invalidate(&mut other, What::Key("a".to_owned()));
        // Each round begins with a load of its own.
        oracle.command(&["SET", "loads:a", &value.to_string()]);
    }
}

#[test]
fn what_one_process_invalidates_another_misses_at_once() {
    let server = RedisServer::start();
    check_that_two_share(&server.url());
}

#[test]
fn the_same_on_valkey() {
    let server = ValkeyServer::start();
    check_that_two_share(&server.url());
}

#[test]
fn the_same_on_a_cluster() {
    let servers = ClusterServers::start(3, 0);
    check_that_two_share(&servers.url());
}

#[test]
fn ten_thousand_tasks_in_four_processes_load_a_cold_key_once() {
    let _alone = alone();
    let (server, oracle) = (RedisServer::start(), RedisServer::start());
    let mut workers: Vec<_> = (0..4).map(|_| worker(&server.url(), &oracle)).collect();
    // The slow one first: from then on the others know how long a load takes, and would not wait
    // for one that takes far longer.
    // It takes longer than a lease lives without being renewed.
    share_one_load(&mut workers, &oracle, "slow", 5_000);
    share_one_load(&mut workers, &oracle, "quick", 20);
}

/// A process that is not run for this long cannot renew its lease in time, and loses it: what the
/// machine does then is not what is checked here.
const STALLED_MS: u64 = 400;

/// How often the machine may be too busy.
const ATTEMPTS: u32 = 6;

fn share_one_load(workers: &mut [Worker], oracle: &RedisServer, name: &str, delay_ms: u64) {
    for attempt in 0..ATTEMPTS {
        let (key, began) = (format!("{name}-{attempt}"), Instant::now());
        for worker in &mut *workers {
            worker.tell(&Order::Load { key: key.clone(), delay_ms, tasks: 2_500 });
        }
        let (mut all, mut stalled) = (Vec::new(), 0);
        for worker in &mut *workers {
            let answer = worker.answer();
            let Answer::Loaded { values, slowest_ms, stalled_ms } = answer else {
                panic!("{answer:?}")
            };
            println!("{key}: the slowest of 2,500 tasks took {slowest_ms} ms");
            all.push(values);
            stalled = stalled.max(stalled_ms);
        }
        println!("{key}: all 10,000 took {:?}, stalled {stalled} ms", began.elapsed());
        if all.iter().all(|values| *values == [1]) && loads(oracle, &key) == 1 {
            return;
        }
        assert!(stalled >= STALLED_MS, "{key}: {} loads, {all:?}", loads(oracle, &key));
    }
    panic!("the machine was too busy {ATTEMPTS} times");
}

#[test]
fn another_process_takes_over_from_a_holder_that_is_killed() {
    let (server, oracle) = (RedisServer::start(), RedisServer::start());
    let proxy = Proxy::start(&server.address());
    let (mut holder, mut heir) = (worker(&server.url(), &oracle), worker(&proxy.url(), &oracle));

    // Both know the function already: no time is lost with first connections.
    assert_eq!(heir.load("warm", 0, 1).0, [1]);
    holder.tell(&Order::Load { key: "a".to_owned(), delay_ms: 600_000, tasks: 10 });
    until(Duration::from_secs(10), "the holder's load", || oracle.text(&["GET", "loads:a"]) == "1");
    let before = proxy.counts();
    heir.tell(&Order::Load { key: "a".to_owned(), delay_ms: 0, tasks: 100 });
    until(Duration::from_secs(10), "the heir's question", || {
        proxy.counts().since(&before).commands > 0
    });

    let killed = Instant::now();
    holder.kill();
    let answer = heir.answer();
    let took = killed.elapsed();
    let Answer::Loaded { values, .. } = answer else { panic!("{answer:?}") };
    println!("taken over {took:?} after the kill");
    assert_eq!((values.as_slice(), loads(&oracle, "a")), ([2].as_slice(), 2));
    assert!(took < LEASE + Duration::from_secs(1), "taken over only after {took:?}");
}
