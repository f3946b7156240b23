//! When listening begins and ends: with a runtime, with the watcher, with the provider.

use std::sync::Arc;

use cache_runtime::provider::{Provider, ProviderExt};
use cache_tests::servers::{RedisServer, until};
use tokio::runtime::{Builder, Runtime};

use super::log::{Event, Log};
use super::{EVERY, watched};
use crate::{LIMIT, blocking, provider};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// How many connections listen: those with tracking in broadcasting mode.
fn listening(server: &RedisServer) -> usize {
    let clients = server.text(&["CLIENT", "LIST", "TYPE", "normal"]);
    clients.lines().filter(|line| line.contains(" flags=tB ")).count()
}

#[test]
fn without_a_runtime_listening_begins_with_the_first_send() {
    let server = RedisServer::start();
    let provider = provider(&server.url());
    let log = Log::new();
    assert!(provider.watch(log.watch(EVERY)));
    assert_eq!(log.now(), 0);
    runtime().block_on(async {
        provider.read_one("key", &[]).await.expect("served");
        let sign = log.sign().await;
        assert!(log.since(0)[..sign].contains(&Event::Everything), "what was before is not known");
        log.tells("k:key", async { server.command(&["SET", "links:k:key", "1"]) }).await;
    });
}

#[test]
fn a_runtime_that_is_gone_is_replaced() {
    let server = RedisServer::start();
    let provider = provider(&server.url());
    let log = Log::new();
    for round in 0..5 {
        let runtime = runtime();
        let before = log.now();
        runtime.block_on(async {
            if round == 0 {
                assert!(provider.watch(log.watch(EVERY)));
            }
            let sends = async {
                loop {
                    provider.read_one("key", &[]).await.expect("served");
                    tokio::task::yield_now().await;
                }
            };
            let signs = async {
                let sign = log.sign().await;
                let events = &log.since(before)[..sign - before];
                assert!(events.contains(&Event::Everything), "{events:?}");
            };
            tokio::select! { () = sends => {}, () = signs => {} }
            log.tells("k:key", async { server.command(&["SET", "links:k:key", "1"]) }).await;
        });
        drop(runtime);
    }
}

#[test]
fn a_runtime_that_stands_still_is_replaced() {
    let server = RedisServer::start();
    let provider = provider(&server.url());
    let still = runtime();
    let log = still.block_on(watched(&provider));
    // From here on nobody drives the runtime that listens.
    let before = log.now();
    let other = runtime();
    other.block_on(async {
        let sends = async {
            loop {
                let _served_or_not = tokio::time::timeout(EVERY, provider.read_one("k", &[])).await;
            }
        };
        let signs = log.sign_since(before);
        tokio::select! { () = sends => {}, _ = signs => {} }
        log.tells("k:key", async { server.command(&["SET", "links:k:key", "1"]) }).await;
    });
    let events = log.since(before);
    assert!(events.contains(&Event::Everything), "{events:?}");
    // The first one comes back, and finds that it was replaced.
    drop(other);
    still.block_on(async {
        tokio::time::timeout(LIMIT, provider.ping()).await.expect("in time").expect("served");
        blocking(move || until(LIMIT, "the end of the first", || listening(&server) <= 1)).await;
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_is_gone_is_not_listened_for() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    assert_eq!(listening(&server), 1);
    drop(log);
    let server = blocking(move || {
        until(LIMIT, "the end of the connection", || listening(&server) == 0);
        server
    })
    .await;
    provider.put("key", b"V0123456789abcdef", LIMIT).await.expect("served");
    let log = watched(&provider).await;
    assert_eq!(listening(&server), 1, "for the other one");
    drop(log);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_gone_leaves_no_connection() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = Log::new();
    // So seldom that nothing is noticed by a sign of life.
    assert!(provider.watch(log.watch(LIMIT * 100)));
    log.sign_since(0).await;
    assert_eq!(listening(&server), 1);
    drop(provider);
    blocking(move || until(LIMIT, "the end of the connection", || listening(&server) == 0)).await;
    assert_eq!(Arc::strong_count(&log), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_shutdown_nothing_is_listened_to() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    provider.shutdown().await.expect("it ends");
    let server = blocking(move || {
        until(LIMIT, "the end of the connection", || listening(&server) == 0);
        server
    })
    .await;
    assert!(!provider.watch(log.watch(EVERY)), "it tells nothing any more");
    let ended = log.now();
    server.command(&["SET", "links:k:key", "1"]);
    assert_eq!(log.since(ended), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_may_not_listen_hears_nothing_and_is_served() {
    let server = blocking(RedisServer::start).await;
    let rules = ["on", ">pw", "~links:*", "+@all", "-client|tracking"];
    server.command(&[&["ACL", "SETUSER", "app"], rules.as_slice()].concat());
    let provider = provider(&format!("redis://app:pw@{}/", server.address()));
    let log = Log::new();
    assert!(provider.watch(log.watch(EVERY)));
    log.until(0, &Event::Everything).await;
    provider.put("key", b"V0123456789abcdef", LIMIT).await.expect("served");
    assert!(log.since(0).iter().all(|event| *event == Event::Everything), "no sign of life");
    assert_eq!(listening(&server), 0);
}

/// `INFO` tells roles and lives. Without it signs of life are worth less, but they come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_info_is_told_all_the_same() {
    let server = blocking(RedisServer::start).await;
    let rules = ["on", ">pw", "~links:*", "+@all", "-@dangerous", "-info"];
    server.command(&[&["ACL", "SETUSER", "app"], rules.as_slice()].concat());
    let provider = provider(&format!("redis://app:pw@{}/", server.address()));
    let log = watched(&provider).await;
    log.tells("k:key", async { server.command(&["SET", "links:k:key", "1"]) }).await;
}
