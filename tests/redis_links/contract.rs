//! The conformance suite over each link.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::conformance::Suite;
use cache_runtime::provider::{Provider, RedisProvider};
use cache_tests::servers::{ClusterServers, RedisServer, SentinelServers, ValkeyServer};

use super::blocking;

/// Most cases wait, so that many can at once. Their TTLs are longer than they would be one after the
/// other: what has to be alive still is, also where many cases and other programs want the machine.
const AT_ONCE: usize = 16;
const UNIT: Duration = Duration::from_millis(800);

async fn keeps_the_contract(url: String) {
    let suite = Suite::on_server(move |namespace| {
        let provider = RedisProvider::new(&url, &namespace);
        std::future::ready(provider.map(|provider| Arc::new(provider) as Arc<dyn Provider>))
    });
    let report = suite.unit(UNIT).at_once(AT_ONCE).run().await;
    println!("{report}");
    report.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_keeps_the_contract() {
    let server = blocking(RedisServer::start).await;
    keeps_the_contract(server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_valkey_server_keeps_the_contract() {
    let server = blocking(ValkeyServer::start).await;
    keeps_the_contract(server.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primary_that_sentinel_names_keeps_the_contract() {
    let servers = blocking(SentinelServers::start).await;
    keeps_the_contract(servers.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_keeps_the_contract() {
    let cluster = blocking(|| ClusterServers::start(3, 0)).await;
    keeps_the_contract(cluster.url()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_valkey_cluster_keeps_the_contract() {
    let cluster = blocking(|| ClusterServers::valkey(3, 0)).await;
    keeps_the_contract(cluster.url()).await;
}
