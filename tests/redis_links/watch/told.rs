//! What is told: whatever changes in the namespace, whoever changes it and however.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Fill, Mark, MarkState, Prefix, Provider, ProviderExt, RedisProvider, Removal,
};
use cache_tests::servers::{RedisServer, ValkeyServer, until};

use super::log::Event;
use super::{cell, watched};
use crate::{LIMIT, blocking, provider};

const CELL: &[u8] = b"V0123456789abcdef";
const HOUR: Duration = Duration::from_secs(3_600);

fn told(name: &str) -> Event {
    Event::Told(name.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_tells_what_others_change() {
    tells_what_others_change(blocking(RedisServer::start).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn valkey_tells_what_others_change() {
    tells_what_others_change(blocking(ValkeyServer::start).await).await;
}

async fn tells_what_others_change(server: RedisServer) {
    let (watching, other) = (provider(&server.url()), provider(&server.url()));
    let log = watched(&watching).await;
    log.tells("k:key", async { other.put("key", CELL, HOUR).await.expect("served") }).await;
    log.tells("k:key", async { assert!(other.remove_key("key").await.expect("served")) }).await;
    log.tells("k:key", async {
        let acquired = other.acquire(Acquire::new("key", Prefix::of(CELL), HOUR)).await;
        assert!(matches!(acquired.expect("served"), Acquired::Granted(_)));
    })
    .await;
    log.tells("k:key", async {
        assert!(other.renew("key", Prefix::of(CELL), HOUR * 2).await.expect("served"));
    })
    .await;
    for (mark, name) in
        [(Mark::tag("t"), "t:t"), (Mark::epoch("t"), "e:t"), (Mark::scope("fn:f"), "s:fn:f")]
    {
        let marks = [mark];
        log.tells(name, async {
            other.ensure_marks("key", &marks, HOUR).await.expect("served");
        })
        .await;
        log.tells(name, async {
            other.remove_marks(&marks).await.expect("served");
        })
        .await;
        log.tells(name, async { other.hold_marks(&marks, HOUR).await.expect("served") }).await;
    }
    // Other clients, other databases, and commands that no cache sends.
    let name = cell("key");
    for words in [["SET", &name, "1"].as_slice(), &["APPEND", &name, "1"], &["DEL", &name]] {
        log.tells("k:key", async { server.command(words) }).await;
    }
    // What lies elsewhere is nobody's business.
    let before = log.now();
    for foreign in ["other:k:key", "link:k:key", "linkss:k:key", "links", "links:x:key"] {
        server.command(&["SET", foreign, "1"]);
    }
    let sign = log.sign().await;
    let events = log.since(before);
    let is_told = |event: &Event| matches!(event, Event::Told(_) | Event::Everything);
    assert!(!events[..sign - before].iter().any(is_told), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_is_told() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    // Nothing expires before somebody looks.
    server.command(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]);
    provider.put("looked at", CELL, Duration::from_millis(30)).await.expect("served");
    log.sign().await;
    let name = cell("looked at");
    log.tells("k:looked at", async {
        tokio::task::block_in_place(|| {
            until(LIMIT, "the end", || server.number(&["EXISTS", &name]) == 0);
        });
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expires_unseen_is_told() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    provider.put("unseen", CELL, Duration::from_millis(30)).await.expect("served");
    let stored = log.sign().await;
    log.until(stored, &told("k:unseen")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_evicted_is_told() {
    let server = blocking(|| RedisServer::builder().max_memory("4mb").start()).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    let marks = [Mark::tag("t")];
    provider.ensure_marks("key", &marks, HOUR).await.expect("served");
    provider.put("key", CELL, HOUR).await.expect("served");
    let stored = log.sign().await;
    let server = blocking(move || {
        let filler = "x".repeat(50_000);
        let mut number = 0;
        until(LIMIT, "the eviction", || {
            number += 1;
            server.command(&["SET", &format!("filler:{number}"), &filler]);
            server.number(&["EXISTS", &cell("key"), "links:t:t"]) == 0
        });
        server
    })
    .await;
    let sign = log.sign().await;
    let events = &log.since(stored)[..sign - stored];
    assert!(events.contains(&told("k:key")) && events.contains(&told("t:t")), "{events:?}");
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_emptied_is_told_as_everything() {
    for server in blocking(|| [RedisServer::start(), ValkeyServer::start()]).await {
        let provider = provider(&server.url());
        let log = watched(&provider).await;
        for words in [["FLUSHALL"].as_slice(), &["FLUSHDB"], &["FLUSHALL", "ASYNC"]] {
            let before = log.now();
            server.command(words);
            let sign = log.sign().await;
            let events = &log.since(before)[..sign - before];
            assert!(events.contains(&Event::Everything), "{words:?}: {events:?}");
        }
    }
}

/// Every fill sees to it that its marks live long enough. What is told of that would take the
/// copies of all that carries them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fills_tell_of_their_marks_seldom() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    let marks = [Mark::tag("t"), Mark::scope("s")];
    let before = log.now();
    provider.ensure_marks("key", &marks, HOUR).await.expect("served");
    for number in 0..100 {
        let key = format!("key:{number}");
        let fill = Fill::new(&key, CELL, HOUR).marks(&marks, HOUR);
        assert!(provider.fill(fill).await.expect("served").is_stored());
        // Time goes by between the fills, so that each asks for a later end than the last one.
        until_later(&server).await;
    }
    log.sign().await;
    // When they were made, and when the first fill let them live longer.
    for mark in ["t:t", "s:s"] {
        assert_eq!(log.count(before, &told(mark)), 2, "{mark}");
    }
    let left = server.number(&["PTTL", "links:t:t"]);
    assert!(left > 3_600_000 && left <= 5_400_000, "{left}");
    let seen = provider.read_one("key:7", &marks).await.expect("served");
    assert!(seen.marks.iter().all(|state| matches!(state, MarkState::Live(_))), "{seen:?}");
    log.tells("t:t", async {
        let removal = Removal::of_marks(&marks[..1]);
        assert_eq!(provider.remove(removal).await.expect("served"), 1);
    })
    .await;
}

/// Waits until the server's clock shows another millisecond.
async fn until_later(server: &RedisServer) {
    let time = || server.text(&["TIME"]).lines().map(str::to_owned).collect::<Vec<_>>();
    let millis = |time: Vec<String>| {
        let number = |at: usize| time[at].parse::<u64>().expect("a number");
        number(0) * 1_000 + number(1) / 1_000
    };
    let now = millis(time());
    while millis(time()) == now {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_told_with_any_namespace_password_and_database() {
    let server = blocking(|| RedisServer::builder().password("pw").start()).await;
    for namespace in ["", "app", "a:b", "{x}", "é*"] {
        let url = format!("redis://:pw@{}/3", server.address());
        let build = || RedisProvider::new(&url, namespace).expect("the URL is right");
        let (provider, other) = (build(), build());
        let log = watched(&provider).await;
        log.tells("k:key", async { other.put("key", CELL, HOUR).await.expect("served") }).await;
        log.tells("t:é", async {
            other.ensure_marks("key", &[Mark::tag("é")], HOUR).await.expect("served");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_are_told_over_tls() {
    let server = blocking(|| RedisServer::builder().password("pw").tls().start()).await;
    let builder = RedisProvider::builder(&server.tls_url()).roots_pem(server.roots_pem());
    let provider = builder.namespace("links").build().expect("the URL is right");
    let log = watched(&provider).await;
    let other = crate::provider(&server.url());
    log.tells("k:key", async { other.put("key", CELL, HOUR).await.expect("served") }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_watchers_are_told_the_same() {
    let server = blocking(RedisServer::start).await;
    let provider = Arc::new(provider(&server.url()));
    let (one, two) = (watched(&provider).await, watched(&provider).await);
    let before = two.now();
    one.tells("k:key", async { provider.put("key", CELL, HOUR).await.expect("served") }).await;
    let sign = two.sign().await;
    assert!(two.since(before)[..sign - before].contains(&told("k:key")));
}
