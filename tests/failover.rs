//! Failovers that lose the last writes, invalidations among them: with the fence nothing stale comes
//! back, and the same failover without the fence serves what was invalidated.
//!
//! The fence is the incarnation of the server, which is read from `INFO`. So each test has two users
//! of the same servers, in namespaces of their own: one with all rights, and one without `INFO`.

#[path = "failover/check.rs"]
mod check;
#[path = "failover/replicated.rs"]
mod replicated;
#[path = "failover/rows.rs"]
mod rows;
#[path = "failover/topologies.rs"]
mod topologies;

use check::lose_the_last_writes;
use topologies::{Clustered, Pair, Watched};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_in_its_primarys_place_brings_nothing_stale_back() {
    lose_the_last_writes(Pair::start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_that_sentinels_promote_brings_nothing_stale_back() {
    lose_the_last_writes(Watched::start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_replica_that_a_cluster_promotes_brings_nothing_stale_back() {
    lose_the_last_writes(Clustered::start()).await;
}
