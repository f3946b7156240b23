//! Scans of servers that are replaced meanwhile.

use std::time::Duration;

use super::plain::PlainLink;
use super::server::Server;
use crate::provider::commands::Steps;
use crate::provider::{CellKind, Prefix, Provider, ProviderExt};
use crate::{ErrorKind, Pattern, Result};

const KEYS: u64 = 3_000;

/// Stores 3,000 keys, which fill several pages, and removes what the pattern fits over this link.
///
/// Returns what that told, how many keys are left, and the cursors of all pages.
async fn removed(
    pattern: &str,
    prepare: impl Fn(PlainLink<false>) -> PlainLink<false>,
) -> (Result<u64>, u64, Vec<String>) {
    let server = Server::start();
    let steps = server.steps(1).await;
    for number in 0..KEYS {
        let (key, value) = (format!("k:{number}"), Prefix::unique(CellKind::Value));
        steps.put(&key, value.as_bytes(), Duration::from_secs(3_600)).await.unwrap();
    }
    let link = prepare(server.link(1).await);
    let removed = Steps::new(link.clone(), "app").remove_matching(&Pattern::from(pattern)).await;
    (removed, server.number(&["DBSIZE"]).await.unsigned_abs(), link.cursors())
}

#[tokio::test]
async fn a_scan_begins_anew_on_a_server_that_was_replaced() {
    let (removed, left, cursors) = removed("k:*", |link| link.scanned_in(1, [1, 2])).await;
    assert_eq!((removed.unwrap(), left), (KEYS, 0));
    // The second page comes from another server, and its cursor is not used there.
    let begins: Vec<bool> = cursors.iter().map(|cursor| cursor == "0").collect();
    assert_eq!(begins[..4], [true, false, true, false], "{cursors:?}");
    assert!(begins[4..].iter().all(|begins| !begins), "{cursors:?}");
}

#[tokio::test]
async fn a_scan_of_servers_that_are_always_replaced_does_not_claim_to_be_whole() {
    let (removed, left, cursors) = removed("other:*", |link| link.scanned_in(1, 1..100)).await;
    assert_eq!(removed.unwrap_err().kind(), ErrorKind::Unknown);
    assert_eq!(left, KEYS);
    assert!(cursors.iter().filter(|cursor| *cursor == "0").count() > 1, "{cursors:?}");
}

#[tokio::test]
async fn a_server_that_was_scanned_twice_may_hide_one_that_was_not() {
    let (removed, ..) = removed("k:*", |link| link.scanned_in(2, [])).await;
    assert_eq!(removed.unwrap_err().kind(), ErrorKind::Unknown);
}

#[tokio::test]
async fn several_servers_are_scanned_at_once() {
    let prepare = |link: PlainLink<false>| link.with_many_lives().scanned_in(2, []);
    let (removed, left, cursors) = removed("k:*", prepare).await;
    assert_eq!((removed.unwrap(), left), (KEYS, 0));
    let begins: Vec<bool> = cursors.iter().map(|cursor| cursor == "0").collect();
    assert_eq!(begins[..2], [true, true], "{cursors:?}");
    assert!(begins[2..].iter().all(|begins| !begins), "{cursors:?}");
}
