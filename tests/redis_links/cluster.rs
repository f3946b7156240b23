//! A cluster whose slots move and whose primaries die or hang.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::provider::{Provider, ProviderExt, RedisProvider};
use cache_runtime::{ErrorKind, Pattern};
use cache_tests::servers::{ClusterServers, RedisServer};

use super::{BUDGET, LIMIT, RECOVERY, blocking, provider, try_read};

const CELL: &[u8] = b"V0123456789abcdef";

/// Stores keys in every part of the cluster.
async fn keys_everywhere(provider: &RedisProvider) -> Vec<String> {
    let keys: Vec<String> = (0..300).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        provider.put(key, CELL, LIMIT * 10).await.expect("served");
    }
    keys
}

/// The slot that a key lies in, from the name that the server shows.
fn slot_of(cluster: &ClusterServers, key: &str) -> u16 {
    let end = format!("}}:{key}");
    let names = cluster.nodes().iter().filter(|node| node.is_running());
    let names = names.map(|node| node.text(&["KEYS", &format!("links:k:*{end}")]));
    let name = names.into_iter().find(|name| name.ends_with(&end)).expect("it is stored");
    cluster.slot_of(&name)
}

/// How long until each key is served again, within the budget each.
async fn until_all_served(provider: &RedisProvider, keys: &[String]) -> Duration {
    let began = Instant::now();
    for key in keys {
        loop {
            if let Some(Ok(_)) = try_read(provider, key).await {
                break;
            }
            assert!(began.elapsed() < LIMIT, "`{key}` is not served any more");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_primary_serves_its_part() {
    let cluster = blocking(|| ClusterServers::start(3, 0)).await;
    // One server is enough to find the others, and one that is down does no harm.
    let first = cluster.nodes()[1].address();
    let provider = provider(&format!("redis+cluster://127.0.0.1:1,{first}"));
    let keys = keys_everywhere(&provider).await;
    for node in cluster.nodes() {
        assert!(node.number(&["DBSIZE"]) > 50, "{}", node.number(&["DBSIZE"]));
    }
    for key in &keys {
        assert!(provider.read_one(key, &[]).await.expect("served").cell.is_some());
    }
    let pattern = Pattern::starting_with("key:");
    assert_eq!(provider.remove_matching(&pattern).await.expect("served"), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_a_cluster_is_not_taken_for_one_server() {
    let cluster = blocking(|| ClusterServers::start(3, 0)).await;
    let provider = provider(&cluster.nodes()[0].url());
    let mut moved = None;
    for number in 0..20 {
        if let Err(error) = provider.read_one(&format!("key:{number}"), &[]).await {
            moved = Some(error);
        }
    }
    let error = moved.expect("most keys lie elsewhere");
    assert!(error.to_string().contains("redis+cluster://"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_server_is_not_taken_for_a_cluster() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url().replace("redis://", "redis+cluster://"));
    let error = provider.read_one("key", &[]).await.expect_err("it is no cluster");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("cluster"), "{error}");
}

/// Slots move while tasks read, write and remove: every step succeeds, or says that it did not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_are_followed() {
    let cluster = blocking(|| ClusterServers::start(3, 0)).await;
    let provider = Arc::new(provider(&cluster.url()));
    let keys = Arc::new(keys_everywhere(&provider).await);
    let (ended, failed, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
        Arc::new(AtomicU64::new(0)),
    );
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (provider, keys) = (Arc::clone(&provider), Arc::clone(&keys));
            let (ended, failed, done) =
                (Arc::clone(&ended), Arc::clone(&failed), Arc::clone(&done));
            tokio::spawn(async move {
                while !ended.load(Ordering::Relaxed) {
                    let key = &keys[fastrand::usize(..keys.len())];
                    let step = match fastrand::u8(..4) {
                        0 => provider.put(key, CELL, LIMIT * 10).await.map(drop),
                        _ => provider.read_one(key, &[]).await.map(|seen| {
                            assert_eq!(seen.cell.as_deref(), Some(CELL), "`{key}` is lost");
                        }),
                    };
                    done.fetch_add(1, Ordering::Relaxed);
                    if let Err(error) = step {
                        assert!(error.is_retryable(), "{error}");
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    let slots: Vec<u16> = keys.iter().take(40).map(|key| slot_of(&cluster, key)).collect();
    let cluster = blocking(move || {
        for (target, slot) in [0, 1, 2].into_iter().cycle().zip(slots) {
            cluster.move_slots(slot..=slot, target);
        }
        cluster
    })
    .await;
    ended.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.expect("no panic");
    }
    let (done, failed) = (done.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
    println!("{failed} of {done} steps failed while slots moved");
    assert!(failed * 100 <= done, "{failed} of {done}");
    let pattern = Pattern::starting_with("key:");
    assert_eq!(provider.remove_matching(&pattern).await.expect("served"), 300);
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_on_its_way_is_asked_for() {
    let cluster = blocking(|| ClusterServers::start(2, 0)).await;
    let provider = provider(&cluster.url());
    let keys = keys_everywhere(&provider).await;
    let key = &keys[0];
    let slot = slot_of(&cluster, key);
    let source = cluster.owner(slot).expect("somebody has it");
    let target = 1 - source;
    cluster.open_slot(slot, source, target);
    // Still on the old side.
    assert!(provider.read_one(key, &[]).await.expect("served").cell.is_some());
    cluster.move_keys(slot, source, target);
    let there = cluster.nodes()[target].number(&["DBSIZE"]);
    // On the new side, which serves only who asks.
    assert!(provider.read_one(key, &[]).await.expect("served").cell.is_some());
    assert!(provider.remove_key(key).await.expect("served"));
    provider.put(key, CELL, LIMIT).await.expect("served");
    assert_eq!(cluster.nodes()[target].number(&["DBSIZE"]), there);
    cluster.close_slot(slot, source, target);
    assert!(provider.read_one(key, &[]).await.expect("served").cell.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_died_is_replaced_and_the_others_go_on() {
    let mut cluster = blocking(|| ClusterServers::start(3, 1)).await;
    let provider = provider(&cluster.url());
    let keys = keys_everywhere(&provider).await;
    let dead = 0;
    let (of_dead, of_others): (Vec<String>, Vec<String>) = keys
        .into_iter()
        .take(60)
        .partition(|key| cluster.owner(slot_of(&cluster, key)) == Some(dead));
    assert!(!of_dead.is_empty() && !of_others.is_empty());
    let before = provider.read_one(&of_dead[0], &[]).await.expect("served").incarnation;
    let began = Instant::now();
    let takeover = tokio::task::spawn_blocking(move || {
        let (heir, took) = cluster.kill_primary(dead);
        (cluster, heir, took)
    });
    let mut slowest = Duration::ZERO;
    let (mut lost, mut tries) = (0, 0);
    while !takeover.is_finished() {
        let key = &of_others[tries % of_others.len()];
        let asked = Instant::now();
        let read = try_read(&provider, key).await;
        assert!(matches!(read, Some(Ok(true))), "another shard is not served: {read:?}");
        slowest = slowest.max(asked.elapsed());
        lost += u32::from(!matches!(try_read(&provider, &of_dead[0]).await, Some(Ok(_))));
        tries += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let (cluster, heir, took) = takeover.await.expect("another takes over");
    let late = until_all_served(&provider, &of_dead).await;
    println!(
        "taken over after {took:?}, all served {:?} after the death, {late:?} after the takeover; \
         the others at the slowest {slowest:?}; {lost} of {tries} lost",
        began.elapsed()
    );
    assert!(lost > 0, "the death went unnoticed");
    assert!(late < RECOVERY, "{late:?}");
    let after = provider.read_one(&of_dead[0], &[]).await.expect("served").incarnation;
    assert_ne!(after, before, "another server, another life");
    assert!(cluster.nodes()[heir].is_running());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_stands_still_is_replaced() {
    let cluster = blocking(|| ClusterServers::start(3, 1)).await;
    let provider = provider(&cluster.url());
    let keys = keys_everywhere(&provider).await;
    let slot = slot_of(&cluster, &keys[0]);
    let still = cluster.owner(slot).expect("somebody has it");
    cluster.nodes()[still].stop();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let read = try_read(&provider, &keys[0]).await;
        longest = longest.max(asked.elapsed());
        if matches!(read, Some(Ok(_))) {
            break;
        }
        assert!(began.elapsed() < LIMIT, "not served any more");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let served = began.elapsed();
    println!("served {served:?} after it stood still, calls took {longest:?} at most");
    assert!(longest < BUDGET * 3, "{longest:?}");
    // The others notice after 1.5 s, and vote.
    assert!(served < Duration::from_millis(4_500), "{served:?}");
    cluster.nodes()[still].resume();
    until_all_served(&provider, &keys).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_died_as_a_whole_is_used_again() {
    let mut cluster = blocking(|| ClusterServers::start(3, 0)).await;
    let provider = provider(&cluster.url());
    let keys = keys_everywhere(&provider).await;
    let cluster = blocking(move || {
        for number in 0..3 {
            cluster.node(number).kill();
        }
        cluster
    })
    .await;
    let error = super::until_refused(&provider, &keys[0]).await;
    assert!(error.is_retryable(), "{error}");
    let mut cluster = cluster;
    let cluster = blocking(move || {
        for number in 0..3 {
            cluster.node(number).restart();
        }
        cache_tests::servers::until(LIMIT, "a whole cluster", || cluster.is_whole());
        cluster
    })
    .await;
    let took = until_all_served(&provider, &keys).await;
    println!("served {took:?} after the restart");
    assert!(took < RECOVERY, "{took:?}");
    drop(cluster);
}
