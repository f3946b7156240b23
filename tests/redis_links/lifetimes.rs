//! When connections begin and end: lazily, once, on whatever runtime there is, and for good.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Provider, ProviderExt, RedisProvider};
use cache_tests::proxy::Proxy;
use cache_tests::servers::{RedisServer, until};
use tokio::runtime::{Builder, Runtime};

use super::{BUDGET, LIMIT, blocking, life, provider, try_read, until_served};

/// How many connections of ours the server has.
fn connections(server: &RedisServer) -> usize {
    let clients = server.text(&["CLIENT", "LIST", "TYPE", "normal"]);
    clients.lines().filter(|line| line.contains("lib-name=cache-runtime") || ours(line)).count()
}

/// Redis 7.0 does not know the name of the library, so whoever is not the one who asks is ours.
fn ours(line: &str) -> bool {
    !line.contains("cmd=client|list") && !line.contains("lib-name=")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_opened_before_it_is_used_and_then_once() {
    let server = blocking(RedisServer::start).await;
    let provider = Arc::new(provider(&server.url()));
    assert_eq!(connections(&server), 0);
    let before =
        server.info("stats", "total_connections_received").parse::<u64>().expect("a number");
    let readers: Vec<_> = (0..1_000)
        .map(|number| {
            let provider = Arc::clone(&provider);
            tokio::spawn(async move { provider.read_one(&format!("key:{number}"), &[]).await })
        })
        .collect();
    for reader in readers {
        reader.await.expect("no panic").expect("served");
    }
    assert_eq!(connections(&server), 1);
    let after =
        server.info("stats", "total_connections_received").parse::<u64>().expect("a number");
    // One of ours, and the two that asked: `CLIENT LIST` and this one.
    assert_eq!(after - before, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_connections_are_used_in_turn() {
    let server = blocking(RedisServer::start).await;
    let builder = RedisProvider::builder(&server.url()).namespace("links").connections(3);
    let provider = builder.build().expect("the URL is right");
    for number in 0..30 {
        provider.read_one(&format!("key:{number}"), &[]).await.expect("served");
    }
    assert_eq!(connections(&server), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_who_give_up_do_not_stop_the_connecting() {
    let server = blocking(RedisServer::start).await;
    let proxy = Proxy::start(&server.address());
    proxy.set_latency(Duration::from_millis(100));
    let provider = provider(&proxy.url());
    // Each of them waits for less time than connecting takes.
    let began = Instant::now();
    while provider_is_unconnected(&provider).await {
        assert!(began.elapsed() < LIMIT, "never connected");
    }
    assert_eq!(proxy.counts().connections, 1, "one connection, however many gave up");
}

async fn provider_is_unconnected(provider: &RedisProvider) -> bool {
    let limit = Duration::from_millis(150);
    tokio::time::timeout(limit, provider.read_one("key", &[])).await.is_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_dropped_leaves_no_connection() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    life(&provider).await;
    assert_eq!(connections(&server), 1);
    drop(provider);
    blocking(move || until(LIMIT, "the end of the connection", || connections(&server) == 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_shutdown_nothing_is_sent_any_more() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    life(&provider).await;
    provider.shutdown().await.expect("it ends");
    let error = provider.read_one("key", &[]).await.expect_err("it is shut down");
    assert_eq!(error.kind(), ErrorKind::Shutdown);
    provider.shutdown().await.expect("twice does no harm");
    let server = blocking(move || {
        until(LIMIT, "the end of the connection", || connections(&server) == 0);
        server
    })
    .await;
    let error = provider.ping().await.expect_err("it is shut down");
    assert_eq!(error.kind(), ErrorKind::Shutdown);
    assert_eq!(connections(&server), 0);
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

#[test]
fn a_connection_of_a_runtime_that_is_gone_is_opened_anew() {
    let server = RedisServer::start();
    let provider = provider(&server.url());
    for _ in 0..5 {
        let runtime = runtime();
        let (took, tries) = runtime.block_on(until_served(&provider, "key"));
        assert!(tries == 1 && took < BUDGET, "{tries} tries, {took:?}");
        drop(runtime);
    }
}

#[test]
fn a_connection_of_a_runtime_that_stands_still_is_opened_anew() {
    let server = RedisServer::start();
    let provider = provider(&server.url());
    let still = runtime();
    still.block_on(until_served(&provider, "key"));
    // From here on nobody drives the runtime that holds the socket.
    let other = runtime();
    let (took, tries) = other.block_on(until_served(&provider, "key"));
    println!("served after {took:?}, {tries} tries");
    assert!(took < Duration::from_secs(1), "{took:?}");
    // And back again.
    drop(other);
    still.block_on(until_served(&provider, "key"));
}

#[test]
fn a_first_attempt_on_a_runtime_that_stands_still_is_replaced() {
    let server = RedisServer::start();
    let provider = provider(&server.url());
    let still = runtime();
    still.block_on(async {
        // Polled once: the attempt is begun, and nobody ends it.
        let mut read = pin!(provider.read_one("key", &[]));
        let polled = read.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    });
    let other = runtime();
    let (took, tries) = other.block_on(until_served(&provider, "key"));
    println!("served after {took:?}, {tries} tries");
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_that_are_given_up_disturb_no_other() {
    let server = blocking(RedisServer::start).await;
    let provider = Arc::new(provider(&server.url()));
    provider
        .put("key", b"V0123456789abcdef and more", Duration::from_secs(60))
        .await
        .expect("served");
    let busy: Vec<_> = (0..8)
        .map(|_| {
            let provider = Arc::clone(&provider);
            tokio::spawn(async move {
                for _ in 0..500 {
                    let seen = provider.read_one("key", &[]).await.expect("served");
                    assert_eq!(seen.cell.as_deref(), Some(&b"V0123456789abcdef and more"[..]));
                }
            })
        })
        .collect();
    for _ in 0..2_000 {
        // Dropped after the first poll: sent or not, nobody takes its answer for theirs.
        let _given_up = tokio::time::timeout(Duration::ZERO, try_read(&provider, "other")).await;
    }
    for task in busy {
        task.await.expect("no panic");
    }
    assert_eq!(connections(&server), 1, "and the connection stays");
}
