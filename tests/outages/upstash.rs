//! Storms of errors from Upstash, by the stand-in.

use std::time::Duration;

use cache_runtime::{Cache, Config};
use cache_tests::servers::RedisServer;
use upstash_standin::{Fault, StandIn};

use crate::alone;
use crate::load::{Expected, run_on};

/// The default budget of one operation on Upstash is 500 ms.
const EXPECTED: Expected =
    Expected { hits_within: Duration::from_secs(1), most_added: Duration::from_secs(5) };

/// How long a storm lasts.
const LASTS: Duration = Duration::from_secs(2);

async fn cache_at(store: &StandIn) -> Cache {
    let config = Config::from_vars(|name| match name {
        "CACHE_PROVIDER" => Some("upstash".to_owned()),
        "REDIS_REST_URL" => Some(store.url()),
        "REDIS_REST_TOKEN" => Some(store.token().to_owned()),
        "CACHE_NAMESPACE" => Some("shop".to_owned()),
        _ => None,
    });
    let config = config.expect("a sound configuration");
    Cache::builder().config(config).build().await.expect("a cache")
}

async fn storm(name: &str, fault: Fault) {
    let _alone = alone().await;
    let server = RedisServer::start();
    let store = StandIn::builder().redis_url(server.url()).start().await.expect("a stand-in");
    let caches = (cache_at(&store).await, cache_at(&store).await);
    run_on(name, caches, EXPECTED, || {
        store.inject(fault);
        std::thread::sleep(LASTS);
        store.clear_faults();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upstash_refuses_all_requests_as_too_many() {
    storm("Upstash: 429", Fault::throttled()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upstash_fails_before_it_does_anything() {
    storm("Upstash: 500", Fault::status(500, "internal error")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upstash_fails_after_it_did_what_was_asked() {
    storm("Upstash: 500 afterwards", Fault::status_after(500, "internal error")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn upstash_fails_now_and_then() {
    storm("Upstash: 503 for a third", Fault::status(503, "unavailable").share(0.33)).await;
}
