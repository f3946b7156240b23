//! How many commands and round trips each step takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::cached;
use cache_tests::proxy::{Counts, Proxy};
use cache_tests::servers::{ClusterServers, RedisServer, cache_on, until};

/// Generous, so that a loaded machine adds no retries to what is counted.
const BUDGET: [(&str, &str); 1] = [("CACHE_TIMEOUT", "5s")];

/// What a load sees of the proxy when it begins: commands and round trips so far.
type Seen = (u64, u64);

macro_rules! tagged {
    ($($name:ident $key:literal $tags:tt)*) => {$(
        #[cached(key = $key, ttl = "1h", tags = $tags, skip(proxy))]
        async fn $name(id: u64, proxy: Arc<Proxy>) -> Seen {
            let counts = proxy.counts();
            assert!(id < 2);
            (counts.commands, counts.round_trips)
        }
    )*};
}

tagged! {
    with_0_tags "with-0:<id>" []
    with_1_tag "with-1:<id>" ["a:<id>"]
    with_2_tags "with-2:<id>" ["a:<id>", "b:<id>"]
    with_3_tags "with-3:<id>" ["a:<id>", "b:<id>", "c:<id>"]
    with_4_tags "with-4:<id>" ["a:<id>", "b:<id>", "c:<id>", "d:<id>"]
    with_5_tags "with-5:<id>" ["a:<id>", "b:<id>", "c:<id>", "d:<id>", "e:<id>"]
}

async fn call(tags: usize, id: u64, proxy: &Arc<Proxy>) -> Seen {
    let proxy = Arc::clone(proxy);
    match tags {
        0 => with_0_tags(id, proxy).await,
        1 => with_1_tag(id, proxy).await,
        2 => with_2_tags(id, proxy).await,
        3 => with_3_tags(id, proxy).await,
        4 => with_4_tags(id, proxy).await,
        _ => with_5_tags(id, proxy).await,
    }
}

/// What has passed once nothing is under way any more: a fill may follow the answer.
fn settled(proxy: &Proxy, before: &Counts, commands: u64) -> Counts {
    until(Duration::from_secs(10), "the commands of a load", || {
        proxy.counts().since(before).commands >= commands
    });
    proxy.counts().since(before)
}

#[tokio::test]
async fn a_hit_is_one_command_and_a_miss_two_round_trips_before_the_load() {
    let server = RedisServer::start();
    let proxy = Arc::new(Proxy::start(&server.address()));
    let cache = cache_on(&proxy.url(), &BUDGET).await;
    cache_runtime::scope(cache, async {
        // The first script of all has to be sent whole once.
        call(0, 0, &proxy).await;
        for tags in 0..=5 {
            let before = proxy.counts();
            let (commands, round_trips) = call(tags, 1, &proxy).await;
            let seen = (commands - before.commands, round_trips - before.round_trips);
            assert!(seen.1 <= 2, "{tags} tags: {seen:?} before the load");
            let miss = settled(&proxy, &before, 3);
            println!("{tags} tags, miss: {seen:?} before the load, {miss:?} in all");

            for _ in 0..3 {
                let before = proxy.counts();
                assert_eq!(call(tags, 1, &proxy).await, (commands, round_trips), "a hit");
                let hit = proxy.counts().since(&before);
                assert_eq!((hit.commands, hit.round_trips), (1, 1), "{tags} tags: {hit:?}");
            }
        }
        let before = proxy.counts();
        with_0_tags::invalidate(1).await.expect("acknowledged");
        let by_key = proxy.counts().since(&before);
        assert_eq!((by_key.commands, by_key.round_trips), (1, 1), "{by_key:?}");
    })
    .await;
}

#[cached(key = "crowd:<id>", ttl = "1h", tags = ["crowd"])]
async fn member(id: u64) -> String {
    format!("what was loaded for member {id}")
}

/// Copies a stored entry under so many other names, in scripts that do not stop the server for
/// long.
fn multiply(server: &RedisServer, physical: &str, copies: u64) {
    const STEP: usize = 100_000;
    const SCRIPT: &str =
        "local value, name, set = redis.call('GET', KEYS[1]), KEYS[1] .. ':', redis.call
        for i = ARGV[1], ARGV[2] do set('SET', name .. i, value) end";
    for first in (0..copies).step_by(STEP) {
        let (first, last) = (first.to_string(), (first + STEP as u64).min(copies) - 1);
        server.command(&["EVAL", SCRIPT, "1", physical, &first, &last.to_string()]);
    }
}

#[tokio::test]
async fn invalidating_a_tag_is_one_command_with_ten_and_with_a_million_entries() {
    const MEMBERS: u64 = 10;
    const MILLION: u64 = 1_000_000;
    let server = RedisServer::start();
    let proxy = Proxy::start(&server.address());
    let cache = cache_on(&proxy.url(), &BUDGET).await;
    cache_runtime::scope(cache.clone(), async {
        let mut took = Vec::new();
        for copies in [0, MILLION] {
            for id in 0..MEMBERS {
                member(id).await;
            }
            until(Duration::from_secs(10), "the entries", || {
                server.text(&["KEYS", "shop:k:crowd:*"]).lines().count() as u64 == MEMBERS
            });
            if copies > 0 {
                let began = Instant::now();
                multiply(&server, "shop:k:crowd:0", copies);
                println!("{copies} copies in {:?}", began.elapsed());
                assert!(server.number(&["DBSIZE"]) > 1_000_000);
            }
            let (before, monitor) = (proxy.counts(), server.command_stats());
            let began = Instant::now();
            cache.invalidate_tag("crowd").await.expect("acknowledged");
            took.push(began.elapsed());
            let sent = proxy.counts().since(&before);
            assert_eq!((sent.commands, sent.round_trips), (1, 1), "{sent:?}");
            // A script, since a mark that is held has to stay: itself, the look at the marks, and
            // the removal of all that are not held, at one instant.
            assert_eq!(server.command_stats().since(&monitor).total(), 3);
            for id in 0..MEMBERS {
                assert_eq!(member::peek(id).await, None, "member {id}");
            }
        }
        println!("invalidated in {took:?}");
    })
    .await;
}

#[tokio::test]
async fn on_a_cluster_a_hit_is_one_command_for_each_slot_involved() {
    let servers = ClusterServers::start(3, 0);
    let proxy = Arc::new(Proxy::start(&servers.nodes()[0].address()));
    let cache = cache_on(&servers.url(), &BUDGET).await;
    cache_runtime::scope(cache, async {
        for tags in 0..=5 {
            call(tags, 1, &proxy).await;
            let cells =
                || -> i64 { servers.nodes().iter().map(|node| node.number(&["DBSIZE"])).sum() };
            until(Duration::from_secs(10), "the entry", || cells() > 0);
            let mut monitors: Vec<_> = servers.nodes().iter().map(|node| node.monitor()).collect();
            assert_eq!(call(tags, 1, &proxy).await, call(tags, 1, &proxy).await, "hits");
            let heard: Vec<String> = monitors.iter_mut().flat_map(|each| each.take()).collect();
            let mut slots: Vec<&str> = heard
                .iter()
                .filter_map(|line| Some(line.split_once('{')?.1.split_once('}')?.0))
                .collect();
            slots.sort_unstable();
            println!("{tags} tags: {heard:?}");
            assert_eq!(slots.len(), heard.len(), "every command has a bucket: {heard:?}");
            // Two hits: each slot was asked twice, and never more often.
            for slot in &slots {
                assert_eq!(slots.iter().filter(|other| *other == slot).count(), 2, "{heard:?}");
            }
            assert!(slots.len() <= 2 * (1 + tags), "{heard:?}");
        }
    })
    .await;
}

#[cached(key = "part:<id>", ttl = "1h", tags = ["part:<id>"])]
async fn part(id: u64) -> String {
    format!("what was loaded for part {id}")
}

/// The family's epoch and the tag lie apart, and cannot go at one instant: both are held first, and
/// then released. One command less for each would be unsafe; one more would be a waste.
#[tokio::test]
async fn on_a_cluster_invalidating_a_tag_is_two_commands_for_each_slot_involved() {
    let servers = ClusterServers::start(3, 0);
    let cache = cache_on(&servers.url(), &BUDGET).await;
    cache_runtime::scope(cache.clone(), async {
        // Twice, since scripts are sent whole the first time.
        for round in 0..2 {
            let loaded = part(1).await;
            let cells =
                || -> i64 { servers.nodes().iter().map(|node| node.number(&["DBSIZE"])).sum() };
            until(Duration::from_secs(10), "the entry", || cells() > 0);
            let mut monitors: Vec<_> = servers.nodes().iter().map(|node| node.monitor()).collect();
            cache.invalidate_tag("part:1").await.expect("acknowledged");
            let heard: Vec<String> = monitors.iter_mut().flat_map(|each| each.take()).collect();
            // What a script does is heard as well.
            let sent: Vec<&String> = heard.iter().filter(|line| !line.contains(" lua]")).collect();
            let slot = |line: &String| Some(line.split_once(":{")?.1.split_once('}')?.0.to_owned());
            let slots: Vec<String> = sent.iter().filter_map(|line| slot(line)).collect();
            println!("round {round}: {sent:?}");
            assert_eq!(slots.len(), sent.len(), "every command has a bucket: {sent:?}");
            assert_eq!(slots.len(), 4, "two slots, twice each: {sent:?}");
            for slot in &slots {
                assert_eq!(slots.iter().filter(|other| *other == slot).count(), 2, "{sent:?}");
            }
            assert_eq!(part::peek(1).await, None, "{loaded}");
        }
    })
    .await;
}
