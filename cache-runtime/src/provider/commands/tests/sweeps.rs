//! The mark that is held while a scan removes.

use std::time::Duration;

use super::plain::PlainLink;
use super::server::Server;
use crate::provider::commands::Steps;
use crate::provider::commands::holds::BLOCK;
use crate::provider::commands::sweep::Sweep;
use crate::provider::{CellKind, MarkState, Prefix, Provider, ProviderExt, SWEEP};
use crate::{ErrorKind, Pattern};

const HOUR: Duration = Duration::from_secs(3_600);

/// Keys that lie in many buckets.
fn keys() -> Vec<String> {
    (0..200).map(|number| format!("k:{number}")).collect()
}

/// Asserts the state of every copy of the mark.
async fn all_are(steps: &Steps<PlainLink<false>>, held: bool) {
    for key in keys() {
        let states = steps.read_marks(&key, &[SWEEP]).await.unwrap();
        assert_eq!(states, [if held { MarkState::Held } else { MarkState::Absent }], "{key}");
    }
}

#[tokio::test]
async fn every_copy_of_the_mark_is_held_until_the_end() {
    let server = Server::start();
    for buckets in [1, 64] {
        let steps = server.steps(buckets).await;
        let mut first = Sweep::begin(&steps, "test").await.unwrap();
        let second = Sweep::begin(&steps, "test").await.unwrap();
        all_are(&steps, true).await;
        assert!(first.goes_on().await.unwrap());
        second.end().await.unwrap();
        all_are(&steps, true).await;
        // Neither what is removed by name nor what is removed by another scan lifts it.
        steps.remove_marks(&[SWEEP]).await.unwrap();
        steps.clear().await.unwrap();
        all_are(&steps, true).await;
        first.end().await.unwrap();
        all_are(&steps, false).await;
        assert_eq!(server.number(&["DBSIZE"]).await, 0);
    }
}

#[tokio::test]
async fn a_long_scan_holds_the_mark_for_longer_and_still_once() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let mut sweep = Sweep::begin(&steps, "test").await.unwrap();
    let name = "app:s:\u{1}sweep";
    server.command(&["PEXPIRE", name, "5000"]).await;
    assert!(sweep.goes_on().await.unwrap(), "it is not due yet");
    assert!(server.number(&["PTTL", name]).await <= 5_000);
    sweep.age(BLOCK / 3);
    assert!(sweep.goes_on().await.unwrap());
    assert!(server.number(&["PTTL", name]).await > 5_000, "it was not prolonged");
    let held = server.text(&["GET", name]).await;
    assert_eq!((held.len(), &held[..4]), (4 + 13, "held"), "{held}");
    sweep.end().await.unwrap();
    all_are(&steps, false).await;
}

/// Whoever dies in the middle of a scan leaves a hold behind.
#[tokio::test]
async fn a_hold_that_was_left_behind_ends_whatever_others_do_meanwhile() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let name = "app:s:\u{1}sweep";
    drop(Sweep::begin(&steps, "test").await.unwrap());
    let left_behind = server.text(&["GET", name]).await;
    server.command(&["PEXPIRE", name, "5000"]).await;
    for _ in 0..3 {
        let mut sweep = Sweep::begin(&steps, "test").await.unwrap();
        sweep.age(BLOCK / 3);
        assert!(sweep.goes_on().await.unwrap());
        sweep.end().await.unwrap();
        assert_eq!(server.text(&["GET", name]).await, left_behind);
    }
    // It has ended, although the name is still there because somebody else held it for longer.
    server.command(&["SET", name, "held1000000000000", "PX", "600000"]).await;
    Sweep::begin(&steps, "test").await.unwrap().end().await.unwrap();
    all_are(&steps, false).await;
}

#[tokio::test]
async fn a_mark_that_was_lost_is_noticed() {
    let server = Server::start();
    let steps = server.steps(1).await;
    let name = "app:s:\u{1}sweep";
    // While the scan goes on: it has to begin anew, and is safe again.
    let mut sweep = Sweep::begin(&steps, "test").await.unwrap();
    server.command(&["DEL", name]).await;
    sweep.age(BLOCK / 3);
    assert!(!sweep.goes_on().await.unwrap());
    all_are(&steps, true).await;
    sweep.end().await.unwrap();
    // At its end.
    let sweep = Sweep::begin(&steps, "test").await.unwrap();
    server.command(&["DEL", name]).await;
    assert_eq!(sweep.end().await.unwrap_err().kind(), ErrorKind::Unknown);
    // By its age: the server's clock may have run ahead.
    let mut sweep = Sweep::begin(&steps, "test").await.unwrap();
    sweep.age(BLOCK);
    assert!(!sweep.goes_on().await.unwrap());
    sweep.age(BLOCK);
    assert_eq!(sweep.end().await.unwrap_err().kind(), ErrorKind::Unknown);
}

#[tokio::test]
async fn pages_are_asked_for_between_the_hold_and_its_release() {
    let server = Server::start();
    let steps = server.steps(1).await;
    for number in 0..3_000 {
        let value = Prefix::unique(CellKind::Value);
        steps.put(&format!("k:{number}"), value.as_bytes(), HOUR).await.unwrap();
    }
    for (pattern, removed) in [("k:1*", 1_111), ("*", 1_889)] {
        steps.link.take_names();
        assert_eq!(steps.remove_matching(&Pattern::from(pattern)).await.unwrap(), removed);
        let names = steps.link.take_names();
        let [first, pages @ .., last] = names.as_slice() else { panic!("{names:?}") };
        assert!(first.starts_with("EVAL") && last.starts_with("EVAL"), "{names:?}");
        assert!(pages.iter().all(|name| name == "SCAN" || name == "UNLINK"), "{names:?}");
        assert!(pages.iter().filter(|name| *name == "SCAN").count() > 1, "{names:?}");
    }
    all_are(&steps, false).await;
}

#[tokio::test]
async fn what_cannot_be_held_everywhere_is_not_scanned() {
    let server = Server::start();
    let steps = server.steps(64).await;
    let value = Prefix::unique(CellKind::Value);
    steps.put("k", value.as_bytes(), HOUR).await.unwrap();
    let down = steps.names.bucket_of("somewhere else");
    let limping = Steps::new(server.link::<false>(64).await.failing_once(down), "app");
    let error = limping.remove_matching(&Pattern::from("k*")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    assert!(!limping.link.take_names().contains(&"SCAN".to_owned()));
    all_are(&steps, false).await;
    assert_eq!(limping.remove_matching(&Pattern::from("k*")).await.unwrap(), 1);
}
