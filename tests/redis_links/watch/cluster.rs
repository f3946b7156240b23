//! A cluster: all primaries are heard, whoever they are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::provider::{Mark, Provider, ProviderExt, RedisProvider};
use cache_tests::servers::{ClusterServers, RedisServer, until};

use super::log::{Event, Log, sign_after};
use super::watched;
use crate::{LIMIT, blocking, provider};

const CELL: &[u8] = b"V0123456789abcdef";
const HOUR: Duration = Duration::from_secs(3_600);

async fn tells_from_everywhere(log: &Arc<Log>, other: &RedisProvider) {
    for number in 0..40 {
        let (key, tag) = (format!("key:{number}"), format!("tag:{number}"));
        let marks = [Mark::tag(&tag)];
        log.tells(&format!("k:{key}"), async {
            other.put(&key, CELL, HOUR).await.expect("served");
        })
        .await;
        log.tells(&format!("t:{tag}"), async {
            other.ensure_marks(&key, &marks, HOUR).await.expect("served");
        })
        .await;
        log.tells(&format!("k:{key}"), async {
            assert!(other.remove_key(&key).await.expect("served"));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_primary_is_heard() {
    let cluster = blocking(|| ClusterServers::start(3, 0)).await;
    let (watching, other) = (provider(&cluster.url()), provider(&cluster.url()));
    let log = watched(&watching).await;
    let before = log.now();
    tells_from_everywhere(&log, &other).await;
    // All copies of a scope are the same mark.
    let marks = [Mark::scope("fn:f")];
    for number in 0..20 {
        let key = format!("key:{number}");
        other.ensure_marks(&key, &marks, HOUR).await.expect("served");
    }
    log.tells("s:fn:f", async { other.remove_marks(&marks).await.expect("served") }).await;
    assert_eq!(log.count(before, &Event::Everything), 0);
    for node in cluster.nodes() {
        let before = log.now();
        node.command(&["FLUSHALL"]);
        let sign = log.sign().await;
        let events = &log.since(before)[..sign - before];
        assert!(events.contains(&Event::Everything), "{events:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_primary_of_valkey_is_heard() {
    let cluster = blocking(|| ClusterServers::valkey(3, 0)).await;
    let (watching, other) = (provider(&cluster.url()), provider(&cluster.url()));
    let log = watched(&watching).await;
    tells_from_everywhere(&log, &other).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_died_silences_all_until_another_took_over() {
    let mut cluster = blocking(|| ClusterServers::start(3, 1)).await;
    let (watching, other) = (provider(&cluster.url()), provider(&cluster.url()));
    let log = watched(&watching).await;
    let before = log.now();
    let (cluster, heir) = blocking(move || {
        let (heir, _) = cluster.kill_primary(0);
        (cluster, heir)
    })
    .await;
    log.until(before, &Event::Everything).await;
    log.sign().await;
    let seen_by = cluster.nodes()[heir].text(&["CLIENT", "LIST"]);
    assert!(seen_by.contains(" flags=tB "), "the new primary is listened to: {seen_by}");
    let quiet = log.now();
    tells_from_everywhere(&log, &other).await;
    assert_eq!(log.count(quiet, &Event::Everything), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_hands_over_gives_no_sign_of_life() {
    let cluster = blocking(|| ClusterServers::start(3, 1)).await;
    let (watching, other) = (provider(&cluster.url()), provider(&cluster.url()));
    let log = watched(&watching).await;
    let before = log.now();
    // Both go on: the old primary becomes a copy of the other.
    let heir = &cluster.nodes()[3];
    let mut asked: Option<Instant> = None;
    blocking_until(|| {
        // An attempt that fails, as one may while the nodes still settle, takes 5 s.
        if asked.is_none_or(|asked| asked.elapsed() > Duration::from_secs(6)) {
            heir.command(&["CLUSTER", "FAILOVER"]);
            asked = Some(Instant::now());
        }
        cluster.owner(0) == Some(3)
    })
    .await;
    log.until(before, &Event::Everything).await;
    log.sign().await;
    log.tells("k:key", async { other.put("key", CELL, HOUR).await.expect("served") }).await;
    tells_from_everywhere(&log, &other).await;
}

/// Keys are written and removed while their slots move.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_slots_move() {
    let cluster = blocking(|| ClusterServers::start(3, 0)).await;
    let (watching, other) = (provider(&cluster.url()), provider(&cluster.url()));
    let log = watched(&watching).await;
    let keys: Vec<String> = (0..30).map(|number| format!("key:{number}")).collect();
    for key in &keys {
        other.put(key, CELL, HOUR).await.expect("served");
    }
    let names: Vec<String> = cluster
        .nodes()
        .iter()
        .flat_map(|node| {
            let names = node.text(&["KEYS", "links:k:*"]);
            names.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let moving = tokio::task::spawn_blocking(move || {
        for (target, name) in [0, 1, 2].into_iter().cycle().zip(&names) {
            let slot = cluster.slot_of(name);
            cluster.move_slots(slot..=slot, target);
        }
        cluster
    });
    let (mut turn, mut changes) = (0, Vec::new());
    while !moving.is_finished() || turn < 300 {
        let key = &keys[turn % keys.len()];
        let before = log.now();
        let done = match turn % 2 {
            0 => other.put(key, CELL, HOUR).await.is_ok(),
            _ => other.remove_key(key).await.is_ok_and(|there_was| there_was),
        };
        if done {
            changes.push((key.clone(), before, log.now()));
        }
        turn += 1;
        tokio::task::yield_now().await;
    }
    let cluster = moving.await.expect("the slots move");
    log.sign().await;
    let events = log.since(0);
    for (key, begun, done) in &changes {
        let sign = sign_after(&events, *done).expect("there is a last one");
        let told = &events[*begun..sign];
        let expected = Event::Told(format!("k:{key}"));
        assert!(told.contains(&expected) || told.contains(&Event::Everything), "`{key}`: {told:?}");
    }
    println!("{} changes, {} times everything", changes.len(), log.count(0, &Event::Everything));
    assert!(changes.len() > 100, "{}", changes.len());
    drop(cluster);
}

/// A key whose slot is on its way to a server that had none, and that nobody listened to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_a_redirection_names_is_heard() {
    let cluster = blocking(|| ClusterServers::start(2, 0)).await;
    let joining = blocking(|| {
        let builder = RedisServer::builder().option("cluster-enabled", "yes");
        builder.option("cluster-require-full-coverage", "no").start()
    })
    .await;
    let (watching, other) = (provider(&cluster.url()), provider(&cluster.url()));
    let log = watched(&watching).await;
    other.put("key", CELL, HOUR).await.expect("served");
    let holder = cluster.nodes().iter().find(|node| node.number(&["DBSIZE"]) == 1);
    let holder = holder.expect("somebody has it");
    let (name, id) = (holder.text(&["KEYS", "*"]), joining.text(&["CLUSTER", "MYID"]));
    let slot = cluster.slot_of(&name).to_string();
    joining.command(&["CLUSTER", "MEET", "127.0.0.1", &holder.port().to_string()]);
    let (holder_port, joining_port) = (holder.port().to_string(), joining.port().to_string());
    let source = holder.text(&["CLUSTER", "MYID"]);
    let serves = || {
        let info = joining.text(&["CLUSTER", "INFO"]);
        info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
    };
    blocking_until(serves).await;
    let import = ["CLUSTER", "SETSLOT", &slot, "IMPORTING", &source];
    blocking_until(|| joining.try_command(&import).is_ok()).await;
    let migrate = ["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id];
    blocking_until(|| holder.try_command(&migrate).is_ok()).await;
    log.tells("k:key", async {
        holder.command(&["MIGRATE", "127.0.0.1", &joining_port, &name, "0", "20000"]);
    })
    .await;
    // Whoever reads is sent there, and from then on it is listened to.
    assert!(watching.read_one("key", &[]).await.expect("served").cell.is_some());
    let before = log.now();
    assert!(other.remove_key("key").await.expect("served"));
    let sign = log.sign().await;
    let events = &log.since(before)[..sign - before];
    let is_told = events.contains(&Event::Told("k:key".to_owned()));
    assert!(is_told || events.contains(&Event::Everything), "{events:?}");
    log.sign().await;
    log.tells("k:key", async { other.put("key", CELL, HOUR).await.expect("served") }).await;
    assert_eq!(joining.number(&["DBSIZE"]), 1, "it lies on the new server ({holder_port})");
}

async fn blocking_until(mut holds: impl FnMut() -> bool) {
    tokio::task::block_in_place(|| until(LIMIT, "a change of the cluster", &mut holds));
}
