//! A primary that dies, hangs, or is moved, with Sentinel to name another.

use std::time::{Duration, Instant};

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Provider, ProviderExt};
use cache_tests::servers::SentinelServers;

use super::{LIMIT, RECOVERY, blocking, life, provider, until_refused, until_served};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_died_is_left_for_the_one_that_took_over() {
    let mut servers = blocking(SentinelServers::start).await;
    let provider = provider(&servers.url());
    let before = life(&provider).await;
    let began = Instant::now();
    let takeover = tokio::task::spawn_blocking(move || {
        let (heir, took) = servers.kill_primary();
        (servers, heir, took)
    });
    until_refused(&provider, "key").await;
    until_served(&provider, "key").await;
    let served = began.elapsed();
    let (servers, heir, took) = takeover.await.expect("another takes over");
    println!("taken over after {took:?}, served after {served:?}");
    assert!(served < took + RECOVERY, "{served:?}");
    assert_ne!(life(&provider).await, before);
    provider.put("moved", b"V0123456789abcdef", LIMIT).await.expect("it is written to");
    assert_eq!(servers.servers()[heir].number(&["DBSIZE"]), 1, "to the one that took over");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_is_moved_is_followed() {
    let servers = blocking(SentinelServers::start).await;
    let provider = provider(&servers.url());
    let before = life(&provider).await;
    let began = Instant::now();
    let (servers, heir, took) = blocking(move || {
        let (heir, took) = servers.fail_over();
        (servers, heir, took)
    })
    .await;
    while life_if_served(&provider).await.is_none_or(|life| life == before) {
        assert!(began.elapsed() < LIMIT, "the other primary goes unnoticed");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    println!("moved after {took:?}, followed after {:?}", began.elapsed());
    assert!(began.elapsed() < took + RECOVERY * 2, "{:?}", began.elapsed());
    provider.put("moved", b"V0123456789abcdef", LIMIT).await.expect("it is written to");
    assert_eq!(servers.servers()[heir].number(&["DBSIZE"]), 1);
}

async fn life_if_served(
    provider: &cache_runtime::provider::RedisProvider,
) -> Option<cache_runtime::provider::Incarnation> {
    tokio::time::timeout(super::BUDGET, provider.ping()).await.ok()?.ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_stands_still_is_left() {
    let servers = blocking(SentinelServers::start).await;
    let provider = provider(&servers.url());
    life(&provider).await;
    let old = servers.primary().expect("there is one");
    servers.servers()[old].stop();
    let began = Instant::now();
    until_refused(&provider, "key").await;
    let (took, tries) = until_served(&provider, "key").await;
    println!("served {:?} after it stood still ({tries} tries, {took:?})", began.elapsed());
    servers.servers()[old].resume();
    // The old one comes back, believes to be the primary for a moment, and is not listened to.
    provider.put("moved", b"V0123456789abcdef", LIMIT).await.expect("it is written to");
    let heir = blocking(move || {
        let heir = cache_tests::servers::until_some(LIMIT, "agreement", || {
            servers.primary().filter(|heir| *heir != old)
        });
        servers.servers()[heir].number(&["DBSIZE"])
    })
    .await;
    assert_eq!(heir, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentinel_that_does_not_answer_is_passed_over() {
    let servers = blocking(SentinelServers::start).await;
    servers.sentinels()[0].stop();
    let provider = provider(&servers.url());
    let began = Instant::now();
    provider.read_one("key", &[]).await.expect("another Sentinel is asked");
    println!("served after {:?}", began.elapsed());
    assert!(began.elapsed() < RECOVERY, "{:?}", began.elapsed());
    servers.sentinels()[0].resume();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_sentinel_does_not_know_is_named() {
    let servers = blocking(SentinelServers::start).await;
    let provider = provider(&servers.url().replace("/main/", "/mian/"));
    let error = provider.read_one("key", &[]).await.expect_err("there is no such service");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("`mian`"), "{error}");
}
