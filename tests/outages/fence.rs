//! A failover that loses the last writes, invalidations among them.

use std::sync::Arc;
use std::time::Duration;

use cache_tests::proxy::Proxy;
use cache_tests::servers::{RedisServer, cache_on, until};

use crate::alone;
use crate::load::within;
use crate::rows::{BUSY, Rows, read, row};

/// All commands; or all but `INFO`, so that the lives of servers cannot be told apart.
const FENCED: &str = "+@all";
const UNFENCED: &str = "-info";

/// Warms rows on a primary, lets a replica fall behind, invalidates, and puts the replica in the
/// primary's place; returns how many rows are then served as they were before.
async fn stale_after_losing_writes(rights: &str) -> u64 {
    let _alone = alone().await;
    let mut primary = RedisServer::start();
    let replica = RedisServer::start();
    for server in [&primary, &replica] {
        server.command(&["ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all", rights]);
    }
    replica.command(&["REPLICAOF", "127.0.0.1", &primary.port().to_string()]);
    let proxy = Proxy::start(&primary.address());
    let url = format!("redis://app:secret@{}/", proxy.address());
    let cache = cache_on(&url, &[("CACHE_TIMEOUT", "2s")]).await;
    let rows = Rows::new();
    cache_runtime::scope(cache.clone(), async {
        for id in 0..BUSY {
            within(Duration::from_secs(10), "a first hit", async || hits(id, &rows).await).await;
        }
        until(Duration::from_secs(10), "a replica that has it all", || {
            let offset = primary.info("replication", "master_repl_offset");
            offset == replica.info("replication", "slave_repl_offset")
        });

        // From here on nothing reaches the replica.
        replica.command(&["REPLICAOF", "NO", "ONE"]);
        for id in 0..BUSY {
            let version = rows.commit(id);
            let done = match id % 2 {
                0 => row::invalidate(id).await,
                _ => cache.invalidate_tag(format!("row:{id}")).await,
            };
            done.expect("the primary acknowledges");
            rows.acknowledge(id, version);
        }
        proxy.set_target(&replica.address());
        primary.kill();

        let mut stale = 0;
        within(Duration::from_secs(20), "hits on the new primary", async || {
            let mut hit = 0;
            for id in 0..BUSY {
                let (version, ran) = read(id, &rows).await.expect("no call fails");
                stale += u64::from(version < rows.acknowledged(id));
                hit += u64::from(!ran);
            }
            hit == BUSY
        })
        .await;
        stale
    })
    .await
}

async fn hits(id: u64, rows: &Arc<Rows>) -> bool {
    let (_, ran) = read(id, rows).await.expect("no call fails");
    !ran
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_failover_that_loses_invalidations_brings_nothing_stale_back() {
    assert_eq!(stale_after_losing_writes(FENCED).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn without_the_fence_the_same_failover_serves_stale_rows() {
    let stale = stale_after_losing_writes(UNFENCED).await;
    println!("{stale} stale reads without the fence");
    assert!(stale > 0, "the test has lost its teeth");
}
