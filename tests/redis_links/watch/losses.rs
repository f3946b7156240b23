//! What is told when servers die, hang, cut us off, or change their roles.

use std::time::Duration;

use cache_runtime::provider::{Mark, Provider, ProviderExt};
use cache_tests::proxy::Proxy;
use cache_tests::servers::{RedisServer, SentinelServers, ValkeyServer};

use super::log::Event;
use super::watched;
use crate::{LIMIT, blocking, provider};

const CELL: &[u8] = b"V0123456789abcdef";

/// No sign of life came that was asked for among these events.
fn assert_silent(events: &[Event]) {
    let asked: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Asking(moment) => Some(*moment),
            _ => None,
        })
        .collect();
    let came = |event: &Event| matches!(event, Event::Alive(moment) if asked.contains(moment));
    assert!(!events.iter().any(came), "a sign of life though nothing could be heard: {events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_died_is_everything_and_heard_again_when_it_is_back() {
    for mut server in blocking(|| [RedisServer::start(), ValkeyServer::start()]).await {
        let provider = provider(&server.url());
        let log = watched(&provider).await;
        server.kill();
        let dead = log.now();
        log.until(dead, &Event::Everything).await;
        let told = log.now();
        let server = blocking(move || {
            // All the while there is no sign of life.
            server.restart();
            server
        })
        .await;
        let sign = log.sign_since(told).await;
        let events = &log.since(dead)[..sign - dead];
        let last = events.iter().rposition(|event| *event == Event::Everything);
        let asked = events.iter().rposition(|event| matches!(event, Event::Asking(_)));
        assert!(last < asked, "everything, and then the question: {events:?}");
        log.tells("k:key", async { provider.put("key", CELL, LIMIT).await.expect("served") }).await;
        drop(server);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_gives_no_sign_of_life() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    server.stop();
    let stopped = log.now();
    log.until(stopped, &Event::Everything).await;
    // Some attempts to be heard again.
    let given_up = log.now();
    log.wait_for(given_up, 3, &Event::Everything).await;
    assert_silent(&log.since(given_up));
    server.resume();
    log.sign().await;
    log.tells("k:key", async { provider.put("key", CELL, LIMIT).await.expect("served") }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_killed_is_told_everything_each_time() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    for _ in 0..20 {
        let before = log.now();
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let sign = log.sign().await;
        let events = &log.since(before)[..sign - before];
        assert!(events.contains(&Event::Everything), "{events:?}");
        log.tells("k:key", async { server.command(&["SET", "links:k:key", "1"]) }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_noticed() {
    let server = blocking(RedisServer::start).await;
    let proxy = Proxy::start(&server.address());
    let provider = provider(&proxy.url());
    let log = watched(&provider).await;
    for swallow in [Proxy::swallow_commands, Proxy::stall_replies, Proxy::cut] {
        swallow(&proxy);
        let before = log.now();
        log.until(before, &Event::Everything).await;
        proxy.flow();
        log.sign().await;
        log.tells("t:t", async { change_tag(&server) }).await;
    }
}

fn change_tag(server: &RedisServer) {
    server.command(&["SET", "links:t:t", "12345678"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_is_heard_late_and_not_given_up() {
    let server = blocking(RedisServer::start).await;
    let proxy = Proxy::start(&server.address());
    let provider = provider(&proxy.url());
    let log = watched(&provider).await;
    proxy.set_latency(Duration::from_millis(60));
    let before = log.now();
    for _ in 0..3 {
        log.sign().await;
    }
    assert_eq!(log.count(before, &Event::Everything), 0);
}

/// A copy still answers, and is told what changes elsewhere: too late.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_gives_no_sign_of_life() {
    let (server, other) = blocking(|| (RedisServer::start(), RedisServer::start())).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    let port = other.port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &port]);
    let demoted = log.now();
    log.until(demoted, &Event::Everything).await;
    let given_up = log.now();
    log.wait_for(given_up, 3, &Event::Everything).await;
    assert_silent(&log.since(demoted));
    server.command(&["REPLICAOF", "NO", "ONE"]);
    log.sign().await;
    log.tells("k:key", async { provider.put("key", CELL, LIMIT).await.expect("served") }).await;
}

/// A demotion and a promotion between two signs of life, on a connection that stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_roles_is_everything() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    let before = log.now();
    let mut pipeline = redis::pipe();
    pipeline.cmd("REPLICAOF").arg(&["127.0.0.1", "1"]).cmd("REPLICAOF").arg(&["NO", "ONE"]);
    pipeline.exec(&mut server.connect()).expect("served");
    let sign = log.sign().await;
    let events = &log.since(before)[..sign - before];
    assert!(events.contains(&Event::Everything), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_died_is_replaced() {
    let mut servers = blocking(SentinelServers::start).await;
    let provider = provider(&servers.url());
    let log = watched(&provider).await;
    let before = log.now();
    let (servers, heir) = blocking(move || {
        let (heir, _) = servers.kill_primary();
        (servers, heir)
    })
    .await;
    log.until(before, &Event::Everything).await;
    log.sign().await;
    log.tells("k:key", async {
        drop(servers.servers()[heir].command(&["SET", "links:k:key", "1"]))
    })
    .await;
    let marks = [Mark::tag("t")];
    log.tells("t:t", async {
        provider.ensure_marks("key", &marks, LIMIT).await.expect("served");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_moved_is_followed() {
    let servers = blocking(SentinelServers::start).await;
    let provider = provider(&servers.url());
    let log = watched(&provider).await;
    let before = log.now();
    let (servers, heir) = blocking(move || {
        let (heir, _) = servers.fail_over();
        (servers, heir)
    })
    .await;
    log.until(before, &Event::Everything).await;
    let heir = &servers.servers()[heir];
    // It may take a look at Sentinel until the other one is listened to.
    tokio::task::block_in_place(|| {
        cache_tests::servers::until(LIMIT, "somebody who listens to the other", || {
            heir.text(&["CLIENT", "LIST"]).contains(" flags=tB ")
        });
    });
    log.sign().await;
    log.tells("k:key", async { heir.command(&["SET", "links:k:key", "1"]) }).await;
}
