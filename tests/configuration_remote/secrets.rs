//! What is told when a store refuses who asks: by errors, by what is logged, by `Debug`.

use std::fmt::Debug;
use std::time::Duration;

use cache_runtime::provider::{RedisProvider, UpstashProvider};
use cache_runtime::resilience::ResilienceOptions;
use cache_runtime::{Cache, CacheBuilder, Config, cached};
use cache_tests::events::Events;
use cache_tests::servers::RedisServer;
use upstash_standin::StandIn;

use super::{SECRET, holds_no_secret};

#[cached(key = "number:<id>", tags = ["numbers"])]
async fn number(id: u64) -> u64 {
    id
}

fn shows_no_secret(value: &impl Debug) {
    holds_no_secret(&format!("{value:?} {value:#?}"));
}

/// Uses a cache whose store refuses it, and looks at all that is told; returns it.
async fn told(builder: CacheBuilder) -> String {
    shows_no_secret(&builder);
    let events = Events::default();
    let _listening = events.listen();
    // Nothing is waited for that a store which refuses will never do.
    let options =
        ResilienceOptions::new(Duration::from_secs(2)).drain_limit(Duration::from_millis(50));
    let cache = builder.resilience(options).build().await.expect("nothing is connected");
    shows_no_secret(&cache);
    let read = cache_runtime::scope(cache.clone(), number(1)).await;
    assert_eq!(read, 1, "the function runs");
    let error = cache.set("number:2", &2_u64).await.expect_err("the store refuses");
    let invalidated = cache.invalidate_tag("numbers").await.expect_err("the store refuses");
    shows_no_secret(&(&error, &invalidated));
    shows_no_secret(&cache.health());
    shows_no_secret(&cache.guarantees());
    shows_no_secret(&cache.stats().await.expect("counts"));
    // What cannot be sent any more is an error too.
    let drained = cache.shutdown().await;
    let sources =
        std::iter::successors(std::error::Error::source(&error), |source| source.source());
    let sources: Vec<String> = sources.map(ToString::to_string).collect();
    let told = format!("{error} {invalidated} {drained:?} {sources:?} {:?}", events.take());
    holds_no_secret(&told);
    told
}

#[tokio::test]
async fn a_password_that_redis_refuses_is_not_told() {
    let server = RedisServer::builder().password("another").start();
    for login in ["", ":hunter2@", "hunter2:hunter2@", ":hunter%32@", "hunter2:@"] {
        let url = format!("redis://{login}{}/", server.address());
        let told = told(Cache::builder().redis(url)).await;
        assert!(told.contains("`REDIS_URL`"), "{told}");
    }
}

#[tokio::test]
async fn a_password_is_not_told_where_nobody_answers() {
    let server = RedisServer::start();
    let address = server.address();
    drop(server);
    for url in [
        format!("redis://:hunter2@{address}/"),
        format!("redis+sentinel://:hunter2@{address}/main?sentinel_password=hunter2"),
        format!("redis+cluster://:hunter2@{address}/"),
    ] {
        told(Cache::builder().redis(url)).await;
    }
    told(Cache::builder().upstash(format!("http://{address}"), SECRET)).await;
}

#[tokio::test]
async fn a_token_that_upstash_refuses_is_not_told() {
    let server = RedisServer::start();
    let store = StandIn::builder().redis_url(server.url()).start().await.expect("a stand-in");
    let told = told(Cache::builder().upstash(store.url(), SECRET)).await;
    assert!(told.contains("`REDIS_REST_TOKEN`"), "{told}");
}

#[tokio::test]
async fn what_is_built_shows_no_secret() {
    for url in
        ["redis://hunter2:hunter2@h", "redis+sentinel://:hunter2@h/m", "redis+cluster://:hunter2@h"]
    {
        let builder = RedisProvider::builder(url).client_pem("hunter2", "hunter2");
        shows_no_secret(&builder);
        shows_no_secret(&RedisProvider::builder(url).build().expect("a provider"));
    }
    let builder = UpstashProvider::builder("https://hunter2.upstash.io", SECRET);
    shows_no_secret(&builder);
    shows_no_secret(&builder.build().expect("a provider"));
    let config = Config::from_vars(|_| Some("redis://:hunter2@host".to_owned()));
    shows_no_secret(&config);
    holds_no_secret(&config.expect_err("no number is a URL").to_string());
}
