//! A change that was acknowledged is told before any sign of life that is asked for later.

use std::sync::Arc;

use cache_runtime::provider::ProviderExt;
use cache_tests::servers::{RedisServer, ValkeyServer};

use super::log::{Event, Log, sign_after};
use super::{cell, watched};
use crate::{LIMIT, blocking, provider};

/// So many signs of life are enough to be out of order.
const LEAST_SIGNS: usize = 10;

/// After so many changes no more signs of life will come.
const MOST: usize = 100_000;

/// For each `Note("begun n")` and `Note("done n")`: the change of `k:n` is told behind the first,
/// and before a sign of life that was asked for behind the second. Returns how many there were.
fn in_order(events: &[Event]) -> usize {
    let (mut checked, mut begun) = (0, std::collections::HashMap::new());
    for (place, event) in events.iter().enumerate() {
        let Event::Note(note) = event else { continue };
        if let Some(name) = note.strip_prefix("begun ") {
            begun.insert(name, place);
        } else if let Some(name) = note.strip_prefix("done ") {
            let sign = sign_after(events, place).expect("there is a last sign of life");
            let told = &events[begun[name]..sign];
            let expected = Event::Told(format!("k:{name}"));
            assert!(
                told.contains(&expected) || told.contains(&Event::Everything),
                "`{name}` was not told before the sign of life that was asked for after it: {told:?}"
            );
            checked += 1;
        }
    }
    checked
}

fn signs(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Alive(_))).count()
}

async fn changes_one_by_one(server: RedisServer) {
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    let (mut writer, noted) = (server.connect(), Arc::clone(&log));
    let changes = blocking(move || {
        let mut number = 0;
        // On a busy machine signs of life are rarer, and the changes quicker than they are.
        while number < MOST && signs(&noted.since(0)) <= LEAST_SIGNS {
            for _ in 0..1_000 {
                noted.note(format!("begun {number}"));
                let name = cell(&number.to_string());
                redis::cmd("SET").arg(name).arg("1").exec(&mut writer).expect("served");
                noted.note(format!("done {number}"));
                number += 1;
            }
        }
        number
    })
    .await;
    log.sign().await;
    let events = log.since(0);
    assert_eq!(in_order(&events), changes);
    let signs = signs(&events);
    println!("{changes} changes, {signs} signs of life");
    assert!(signs > LEAST_SIGNS, "too few signs of life to violate any order: {signs}");
    assert_eq!(log.count(0, &Event::Everything), 1, "no connection was lost");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_are_told_in_order() {
    changes_one_by_one(blocking(RedisServer::start).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_changes_are_told_in_order_by_valkey() {
    changes_one_by_one(blocking(ValkeyServer::start).await).await;
}

/// Writes keys in pipelines, each acknowledged as a whole.
fn write(server: &RedisServer, writer: usize, noted: &Log) {
    let mut connection = server.connect();
    for batch in 0..50 {
        let keys: Vec<String> = (0..50).map(|at| format!("{writer}:{batch}:{at}")).collect();
        let mut pipeline = redis::pipe();
        for key in &keys {
            noted.note(format!("begun {key}"));
            pipeline.cmd("SET").arg(cell(key)).arg("1");
        }
        pipeline.exec(&mut connection).expect("served");
        for key in &keys {
            noted.note(format!("done {key}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_changes_of_pipelining_writers_are_all_told() {
    let server = Arc::new(blocking(RedisServer::start).await);
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (server, noted) = (Arc::clone(&server), Arc::clone(&log));
            tokio::task::spawn_blocking(move || write(&server, writer, &noted))
        })
        .collect();
    for writer in writers {
        writer.await.expect("no panic");
    }
    log.sign().await;
    let events = log.since(0);
    assert_eq!(in_order(&events), 10_000);
    let mut told: Vec<&String> = events
        .iter()
        .filter_map(|event| match event {
            Event::Told(name) => Some(name),
            _ => None,
        })
        .collect();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 10_000);
    assert_eq!(log.count(0, &Event::Everything), 1, "no connection was lost");
}

/// The provider's own changes as well, while signs of life come and go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_changes_itself_is_told_in_order() {
    let server = blocking(RedisServer::start).await;
    let provider = provider(&server.url());
    let log = watched(&provider).await;
    for number in 0..500 {
        let key = number.to_string();
        log.note(format!("begun {key}"));
        provider.put(&key, b"V0123456789abcdef", LIMIT).await.expect("served");
        log.note(format!("done {key}"));
    }
    log.sign().await;
    assert_eq!(in_order(&log.since(0)), 500);
}
