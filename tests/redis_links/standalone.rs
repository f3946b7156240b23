//! One server that dies, hangs, changes its role, or cuts its clients off.

use std::time::{Duration, Instant};

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Fill, Filled, Prefix, Provider, ProviderExt, Refusal};
use cache_tests::proxy::Proxy;
use cache_tests::servers::RedisServer;
use cache_tests::stalls::Stalls;

use super::{BUDGET, RECOVERY, blocking, life, provider, try_read, until_refused, until_served};

const MINUTE: Duration = Duration::from_secs(60);

/// How often a case is tried on a machine that stands still for a while.
const ATTEMPTS: u32 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_died_is_used_again_when_it_is_back() {
    let mut server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let before = life(&provider).await;
    for round in 0..3 {
        server.kill();
        let error = until_refused(&provider, "key").await;
        assert!(error.is_retryable(), "{error}");
        // While nothing can be reached, a call fails at once instead of waiting.
        let began = Instant::now();
        let error = provider.read_one("key", &[]).await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.to_string().contains(&server.address()), "{error}");
        assert!(began.elapsed() < BUDGET, "{:?}", began.elapsed());
        server = blocking(move || {
            server.restart();
            server
        })
        .await;
        let (took, tries) = until_served(&provider, "key").await;
        println!("round {round}: served {took:?} after the restart, {tries} tries");
        assert!(took < RECOVERY, "{took:?}");
    }
    assert_ne!(life(&provider).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fill_of_a_former_life_is_refused() {
    let mut server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let before = life(&provider).await;
    let mut value = Prefix::unique(cache_runtime::provider::CellKind::Value).as_bytes().to_vec();
    value.extend_from_slice(b"of before");
    let fill = Fill::new("key", &value, MINUTE).incarnation(before);
    assert!(provider.fill(fill).await.expect("served").is_stored());

    server = blocking(move || {
        server.restart();
        server
    })
    .await;
    until_served(&provider, "key").await;
    let refused = provider.fill(fill).await.expect("served");
    assert_eq!(refused, Filled::Refused(Refusal::Incarnation));
    assert_eq!(server.number(&["DBSIZE"]), 0, "nothing was sent");
    let fill = Fill::new("key", &value, MINUTE).incarnation(life(&provider).await);
    assert!(provider.fill(fill).await.expect("served").is_stored());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stood_still_is_used_again_when_it_goes_on() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let before = life(&provider).await;
    server.stop();
    // Long enough for the watchdog to end the connection and for attempts to fail.
    let (stopped, stalls) = (Instant::now(), Stalls::watch());
    let mut refused = 0;
    while stopped.elapsed() < Duration::from_millis(2_500) {
        let began = Instant::now();
        let read = try_read(&provider, "key").await;
        assert!(!matches!(read, Some(Ok(_))), "nobody answers");
        refused += u32::from(read.is_some());
        let (took, stalled) = (began.elapsed(), stalls.take());
        assert!(took < BUDGET * 3 + stalled, "{took:?}, {stalled:?} of it not the provider's");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(refused > 0, "calls wait for their budgets for ever");
    server.resume();
    let (took, tries) = until_served(&provider, "key").await;
    println!("served {took:?} after it went on, {tries} tries; {refused} were refused at once");
    assert!(took < RECOVERY, "{took:?}");
    assert_eq!(life(&provider).await, before, "it is the same life");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_was_killed_is_back_at_once() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    life(&provider).await;
    let (mut longest, stalls) = (Duration::ZERO, Stalls::watch());
    for _ in 0..20 {
        server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        let (took, _) = until_served(&provider, "key").await;
        longest = longest.max(took.saturating_sub(stalls.take()));
    }
    println!("served at the latest {longest:?} after the client was killed");
    assert!(longest < Duration::from_millis(500), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_becomes_a_replica_is_left_and_comes_back_in_another_life() {
    let (server, other) = blocking(|| (RedisServer::start(), RedisServer::start())).await;
    let provider = provider(&server.url());
    let before = life(&provider).await;
    let port = other.port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &port]);
    let began = Instant::now();
    let error = until_refused(&provider, "key").await;
    println!("a copy is refused after {:?}: {error}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    // A read that was under way when the connection was ended is in doubt.
    assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unknown), "{error}");
    server.command(&["REPLICAOF", "NO", "ONE"]);
    let (took, _) = until_served(&provider, "key").await;
    assert!(took < RECOVERY, "{took:?}");
    assert_ne!(life(&provider).await, before, "its history is another one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_to_a_replica_ends_the_connection() {
    let (server, other) = blocking(|| (RedisServer::start(), RedisServer::start())).await;
    let provider = provider(&server.url());
    life(&provider).await;
    let port = other.port().to_string();
    server.command(&["REPLICAOF", "127.0.0.1", &port]);
    let error = provider.remove_key("key").await.expect_err("it is read-only");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    // From now on it does not read from the copy either.
    let error = until_refused(&provider, "key").await;
    assert!(error.to_string().contains("replica"), "{error}");
}

/// A demotion and a promotion between two commands of a connection that stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_roles_is_noticed_on_an_idle_connection() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let before = life(&provider).await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    server.command(&["REPLICAOF", "NO", "ONE"]);
    let began = Instant::now();
    while life(&provider).await == before {
        assert!(began.elapsed() < Duration::from_secs(2), "the new life goes unnoticed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("the new life was noticed after {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_replaced() {
    let server = blocking(RedisServer::start).await;
    let proxy = Proxy::start(&server.address());
    let provider = provider(&proxy.url());
    life(&provider).await;
    proxy.swallow_commands();
    let began = Instant::now();
    let connections = proxy.counts().connections;
    while proxy.counts().connections == connections {
        let read = try_read(&provider, "key").await;
        assert!(!matches!(read, Some(Ok(_))), "commands are swallowed");
        assert!(began.elapsed() < super::LIMIT, "no new connection");
    }
    println!("a new connection is tried after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_millis(600), "{:?}", began.elapsed());
    proxy.flow();
    let (took, tries) = until_served(&provider, "key").await;
    println!("served {took:?} after the network was whole again, {tries} tries");
    assert!(took < RECOVERY + Duration::from_millis(300), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_server_keeps_its_connection() {
    let server = blocking(RedisServer::start).await;
    let proxy = Proxy::start(&server.address());
    let provider = provider(&proxy.url());
    life(&provider).await;
    // Slower than the budget, but alive: each answer comes when nobody waits for it any more.
    proxy.set_latency(BUDGET * 2);
    // Where the machine itself stood still for a while, the server was as silent as a dead one.
    for _ in 0..ATTEMPTS {
        let (connections, stalls) = (proxy.counts().connections, Stalls::watch());
        for _ in 0..30 {
            assert!(try_read(&provider, "key").await.is_none(), "later than the budget");
        }
        let replaced = proxy.counts().connections - connections;
        if replaced == 0 {
            return;
        }
        let stalled = stalls.take();
        assert!(stalled > BUDGET / 2, "the connection was replaced {replaced} times: {stalled:?}");
    }
    panic!("the machine stood still each time");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_answer_ends_the_connection_alone() {
    let server = blocking(RedisServer::start).await;
    let proxy = Proxy::start(&server.address());
    let provider = provider(&proxy.url());
    life(&provider).await;
    proxy.corrupt_next_framing();
    let error = provider.read_one("key", &[]).await.expect_err("nobody understands it");
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    let (took, _) = until_served(&provider, "key").await;
    assert!(took < RECOVERY, "{took:?}");
}
