//! Outages that another server answers.

use std::time::Duration;

use cache_tests::servers::{ClusterServers, SentinelServers, until};

use crate::alone;
use crate::load::{Expected, run};
use crate::single::last;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_of_a_cluster_is_killed_and_a_replica_promoted() {
    let _alone = alone().await;
    let mut servers = ClusterServers::start(3, 1);
    let url = servers.url();
    run("Cluster: primary killed", &url, &url, Expected::default(), || {
        let (_, took) = servers.kill_primary(0);
        println!("promoted after {took:.0?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_primary_of_a_cluster_hangs() {
    let _alone = alone().await;
    let servers = ClusterServers::start(3, 0);
    let url = servers.url();
    run("Cluster: SIGSTOP of a primary for 5 s", &url, &url, Expected::default(), || {
        servers.nodes()[0].stop();
        last(Duration::from_secs(5));
        servers.nodes()[0].resume();
        until(Duration::from_secs(20), "the cluster is whole", || servers.is_whole());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn slots_of_a_cluster_move() {
    let _alone = alone().await;
    let servers = ClusterServers::start(3, 0);
    let url = servers.url();
    run("Cluster: slots moved", &url, &url, Expected::default(), || {
        servers.move_slots(0..=40, 1);
        servers.move_slots(6_000..=6_040, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sentinels_promote_a_replica_after_a_crash() {
    let _alone = alone().await;
    let mut servers = SentinelServers::start();
    let url = servers.url();
    run("Sentinel: primary killed", &url, &url, Expected::default(), || {
        let (_, took) = servers.kill_primary();
        println!("promoted after {took:.0?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sentinels_fail_over_while_all_run() {
    let _alone = alone().await;
    let servers = SentinelServers::start();
    let url = servers.url();
    run("Sentinel: ordered failover", &url, &url, Expected::default(), || {
        let (_, took) = servers.fail_over();
        println!("promoted after {took:.0?}");
    })
    .await;
}
