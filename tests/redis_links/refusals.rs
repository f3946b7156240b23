//! Servers that do not let us in, or do not serve.

use std::time::Duration;

use cache_runtime::ErrorKind;
use cache_runtime::provider::{
    CellKind, Fill, Incarnation, Prefix, Provider, ProviderExt, RedisProvider,
};
use cache_tests::servers::RedisServer;

use super::{RECOVERY, blocking, life, provider, until_refused, until_served};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_named_and_not_shown() {
    let server = blocking(|| RedisServer::builder().password("hunter2").start()).await;
    for (user_part, said) in
        [("", "NOAUTH"), (":hunter3@", "password"), ("somebody:hunter2@", "password")]
    {
        let provider = provider(&format!("redis://{user_part}{}/", server.address()));
        let error = provider.read_one("key", &[]).await.expect_err("not let in");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        let text = format!("{error} {error:?} {provider:?}");
        assert!(text.contains("REDIS_URL") && text.contains(said), "{text}");
        assert!(!text.contains("hunter") && !text.contains("somebody"), "{text}");
    }
    let right = provider(&server.url());
    right.ping().await.expect("let in");
    assert!(!format!("{right:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_mended_lets_in_without_a_new_provider() {
    let server = blocking(RedisServer::start).await;
    let admin = server.connect();
    let provider = provider(&format!("redis://:later@{}/", server.address()));
    until_refused(&provider, "key").await;
    let mut admin = blocking(move || {
        let mut admin = admin;
        redis::cmd("CONFIG").arg(&["SET", "requirepass", "later"]).exec(&mut admin).expect("set");
        admin
    })
    .await;
    let (took, _) = until_served(&provider, "key").await;
    assert!(took < RECOVERY, "{took:?}");
    blocking(move || {
        redis::cmd("CONFIG").arg(&["SET", "requirepass", ""]).exec(&mut admin).expect("set");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_rights_on_the_namespace_alone_is_enough() {
    let server = blocking(RedisServer::start).await;
    let rules = ["on", ">pw", "~links:*", "+@all", "-@dangerous", "+info"];
    server.command(&[&["ACL", "SETUSER", "app"], rules.as_slice()].concat());
    let provider = provider(&format!("redis://app:pw@{}/", server.address()));
    assert_ne!(life(&provider).await, Incarnation::UNKNOWN);
    assert!(provider.describe().fenced);
    provider.read_one("key", &[]).await.expect("its own namespace");

    let rules = ["on", ">pw", "~links:*", "+@all", "-@dangerous", "-info"];
    server.command(&[&["ACL", "SETUSER", "blind"], rules.as_slice()].concat());
    let provider = super::provider(&format!("redis://blind:pw@{}/", server.address()));
    assert_eq!(life(&provider).await, Incarnation::UNKNOWN, "INFO is forbidden");
    assert!(!provider.describe().fenced, "and it says so");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_loads_its_data_is_waited_for() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    life(&provider).await;
    server.command(&["DEBUG", "POPULATE", "20000"]);
    server.command(&["CONFIG", "SET", "key-load-delay", "100"]);
    server.command(&["CONFIG", "SET", "loading-process-events-interval-bytes", "1024"]);
    let mut admin = server.connect();
    let reload = tokio::task::spawn_blocking(move || {
        redis::cmd("DEBUG").arg("RELOAD").exec(&mut admin).expect("it reloads");
    });
    let error = until_refused(&provider, "key").await;
    assert!(error.to_string().contains("LOADING"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    server.command(&["CONFIG", "SET", "key-load-delay", "0"]);
    reload.await.expect("it reloads");
    let (took, _) = until_served(&provider, "key").await;
    println!("served {took:?} after the data was loaded");
    assert!(took < RECOVERY, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_reads_and_removes_but_stores_nothing() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    life(&provider).await;
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    let value = Prefix::unique(CellKind::Value);
    let fill = Fill::new("key", value.as_bytes(), Duration::from_secs(60));
    let error = provider.fill(fill).await.expect_err("there is no memory");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains("OOM"), "{error}");
    assert!(provider.read_one("key", &[]).await.expect("it reads").cell.is_none());
    assert!(!provider.remove_key("key").await.expect("it removes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_no_room_for_clients_is_tried_again() {
    let server = blocking(RedisServer::start).await;
    let mut admin = server.connect();
    redis::cmd("CONFIG").arg(&["SET", "maxclients", "1"]).exec(&mut admin).expect("set");
    let provider = provider(&server.url());
    let error = until_refused(&provider, "key").await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    redis::cmd("CONFIG").arg(&["SET", "maxclients", "100"]).exec(&mut admin).expect("set");
    let (took, _) = until_served(&provider, "key").await;
    assert!(took < RECOVERY, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_script_makes_calls_wait_and_nothing_worse() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    life(&provider).await;
    server.command(&["CONFIG", "SET", "busy-reply-threshold", "50"]);
    let mut admin = server.connect();
    let script = tokio::task::spawn_blocking(move || {
        redis::cmd("EVAL").arg(&["while true do end", "0"]).exec(&mut admin).expect_err("killed")
    });
    let error = until_refused(&provider, "key").await;
    assert!(error.to_string().contains("BUSY"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    server.command(&["SCRIPT", "KILL"]);
    script.await.expect("the script ends");
    let (took, _) = until_served(&provider, "key").await;
    assert!(took < RECOVERY, "{took:?}");
}

#[test]
fn a_url_or_option_that_cannot_work_is_refused_at_once() {
    for url in ["", "http://host", "redis://host:x", "redis://:hunter2@"] {
        let error = RedisProvider::new(url, "app").expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(!format!("{error:?}").contains("hunter2"));
    }
    let builder = RedisProvider::builder("redis://:hunter2@host");
    assert!(!format!("{builder:?}").contains("hunter2"));
    assert_eq!(builder.connections(0).build().expect_err("none").kind(), ErrorKind::Config);
    let builder = RedisProvider::builder("rediss://host").roots_pem("no certificate");
    assert_eq!(builder.build().expect_err("no roots").kind(), ErrorKind::Config);
}
