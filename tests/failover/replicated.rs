//! Invalidations that wait for replicas.

use std::time::Duration;

use cache_runtime::{Cache, Config, ErrorKind};
use cache_tests::servers::{
    ClusterServers, RedisServer, RedisServerBuilder, ValkeyServer, cache_on, until,
};
use upstash_standin::StandIn;

/// How long a test waits for servers.
const PATIENCE: Duration = Duration::from_secs(30);

/// So many replicas are never late.
const GENEROUS: (&str, &str) = ("CACHE_TIMEOUT", "20s");

/// Long enough for whoever answers, and no longer than a test can wait for who does not.
const SHORT: (&str, &str) = ("CACHE_TIMEOUT", "3s");

/// A primary and two replicas that follow it.
fn followed(builder: RedisServerBuilder) -> (RedisServer, [RedisServer; 2]) {
    let primary = builder.clone().option("repl-diskless-sync-delay", "0").start();
    let of = format!("127.0.0.1 {}", primary.port());
    let replica = || builder.clone().option("replicaof", &of).start();
    let replicas = [replica(), replica()];
    let online = |name| primary.info("replication", name).contains("state=online");
    until(PATIENCE, "replicas that follow", || online("slave0") && online("slave1"));
    (primary, replicas)
}

async fn on_replicas(builder: RedisServerBuilder) {
    const NAME: &str = "shop:k:user:1";
    let start = tokio::task::spawn_blocking(|| followed(builder));
    let (primary, replicas) = start.await.expect("no panic");
    let cache = cache_on(&primary.url(), &[GENEROUS]).await;
    for _ in 0..20 {
        cache.set("user:1", &1_u32).await.expect("stored");
        assert_eq!(primary.number(&["EXISTS", NAME]), 1);
        cache.invalidate("user:1").replicated(2).await.expect("two replicas follow");
        let left = replicas.each_ref().map(|replica| replica.number(&["EXISTS", NAME]));
        assert_eq!(left, [0, 0], "it was not waited for");
    }
    // What is absent already is waited for too: somebody else may have removed it just now.
    let before = primary.command_stats();
    cache.invalidate("user:1").and_tag("users").replicated(1).await.expect("there are two");
    cache.invalidate("user:1").replicated(0).await.expect("none is asked for");
    assert_eq!(primary.command_stats().since(&before).calls("wait"), 1);

    replicas[1].stop();
    cache.invalidate("user:1").replicated(1).await.expect("one still follows");
    let hasty = cache_on(&primary.url(), &[SHORT]).await;
    hasty.set("user:1", &1_u32).await.expect("stored");
    let waiting = tokio::spawn(hasty.invalidate("user:1").replicated(2).into_future());
    until(PATIENCE, "a removal that waits", || primary.info("clients", "blocked_clients") == "1");
    // Nobody else is held up by it, and the removal has taken effect.
    assert_eq!(hasty.get::<u32>("user:1").await.expect("served"), None);
    assert!(!waiting.is_finished(), "it did not wait");
    let error = waiting.await.expect("no panic").expect_err("one of two stands still");
    assert_eq!(error.kind(), ErrorKind::TooFewReplicas, "{error}");
    assert!(error.to_string().contains("1 of 2 replicas"), "{error}");
    assert!(error.is_retryable());

    replicas[1].resume();
    cache.invalidate("user:1").replicated(2).await.expect("both follow again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_removal_waits_for_as_many_replicas_as_are_asked_for() {
    on_replicas(RedisServer::builder()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn valkey_is_waited_for_as_redis_is() {
    on_replicas(ValkeyServer::builder()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_wait_given_up_leaves_the_removal() {
    let start = tokio::task::spawn_blocking(|| followed(RedisServer::builder()));
    let (primary, replicas) = start.await.expect("no panic");
    let cache = cache_on(&primary.url(), &[GENEROUS]).await;
    cache.set("user:1", &1_u32).await.expect("stored");
    replicas[0].stop();
    let waiting = tokio::spawn(cache.invalidate("user:1").replicated(2).into_future());
    let blocked = || primary.info("clients", "blocked_clients");
    until(PATIENCE, "a removal that waits", || blocked() == "1");
    waiting.abort();
    until(PATIENCE, "nobody that waits", || blocked() == "0");
    assert_eq!(primary.number(&["EXISTS", "shop:k:user:1"]), 0);
    replicas[0].resume();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn in_a_cluster_each_shard_involved_is_waited_for() {
    let start = tokio::task::spawn_blocking(|| ClusterServers::start(3, 1));
    let cluster = start.await.expect("no panic");
    let primaries = &cluster.nodes()[..3];
    until(PATIENCE, "replicas that follow", || {
        let first = |node: &RedisServer| node.info("replication", "slave0");
        primaries.iter().all(|node| first(node).contains("state=online"))
    });
    let cache = cache_on(&cluster.url(), &[GENEROUS]).await;
    let waits = || primaries.iter().map(|node| node.command_stats().calls("wait"));
    let before: Vec<u64> = waits().collect();
    let many = (0..60).fold(cache.invalidate("first"), |all, at| all.and(format!("key:{at}")));
    many.replicated(1).await.expect("each has a replica");
    let asked: Vec<u64> = waits().zip(before).map(|(now, before)| now - before).collect();
    assert_eq!(asked, [1, 1, 1], "each shard once");

    let replica = &cluster.nodes()[3];
    assert_eq!(replica.info("replication", "role"), "slave");
    replica.stop();
    let hasty = cache_on(&cluster.url(), &[SHORT]).await;
    let (mut confirmed, mut refused) = (0, 0);
    for number in 0..100 {
        match hasty.invalidate(format!("key:{number}")).replicated(1).await {
            Ok(()) => confirmed += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::TooFewReplicas, "{error}");
                assert!(error.to_string().contains("0 of 1 replicas"), "{error}");
                refused += 1;
            }
        }
        if confirmed > 0 && refused > 0 {
            break;
        }
    }
    assert!(confirmed > 0 && refused > 0, "{confirmed} confirmed, {refused} refused");
    replica.resume();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_that_does_not_tell_says_so_and_removes() {
    let server = RedisServer::start();
    let store = StandIn::builder().redis_url(server.url()).start().await.expect("a stand-in");
    let config = Config::from_vars(|name| match name {
        "CACHE_PROVIDER" => Some("upstash".to_owned()),
        "REDIS_REST_URL" => Some(store.url()),
        "REDIS_REST_TOKEN" => Some(store.token().to_owned()),
        _ => None,
    });
    let builder = Cache::builder().config(config.expect("a sound configuration"));
    let cache = builder.build().await.expect("a cache");
    cache.set("user:1", &1_u32).await.expect("stored");
    let error = cache.invalidate("user:1").replicated(1).await.expect_err("REST does not tell");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("the removal took effect"), "{error}");
    assert_eq!(cache.get::<u32>("user:1").await.expect("served"), None);
}

#[tokio::test]
async fn in_memory_there_is_nothing_to_wait_for() {
    let cache = Cache::builder().build().await.expect("a cache");
    cache.set("user:1", &1_u32).await.expect("stored");
    cache.invalidate("user:1").replicated(3).await.expect("there is one copy");
    assert_eq!(cache.get::<u32>("user:1").await.expect("served"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_who_may_not_wait_is_told() {
    let server = RedisServer::start();
    let rights = ["on", ">secret", "~*", "&*", "+@all", "-wait"];
    server.command(&[&["ACL", "SETUSER", "app"], &rights[..]].concat());
    let url = server.url().replacen("://", "://app:secret@", 1);
    let cache = cache_on(&url, &[GENEROUS]).await;
    let error = cache.invalidate("user:1").replicated(1).await.expect_err("not allowed");
    assert_eq!(error.kind(), ErrorKind::TooFewReplicas, "{error}");
    let source = std::error::Error::source(&error).expect("the server's words").to_string();
    assert!(source.contains("permission"), "{source}");
}
