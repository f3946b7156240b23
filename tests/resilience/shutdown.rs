//! The end: what is pending is delivered, or its loss is told.

use std::time::Duration;

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Provider, ProviderExt};
use cache_tests::events::Events;

use crate::scripted::{DEAD, Fault};
use crate::world::{World, kind, millis, options, poll_once};

#[tokio::test]
async fn what_is_pending_is_delivered_before_the_store_is_closed() {
    let world = World::new(options());
    world.put("k").await;
    world.scripted.set(DEAD);
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    let mut shutdown = Box::pin(world.resilient.shutdown());
    assert!(poll_once(shutdown.as_mut()).is_pending());
    assert_eq!(kind(world.resilient.read_one("k", &[]).await), Some(ErrorKind::Shutdown));
    assert_eq!(kind(world.resilient.remove_key("k").await), Some(ErrorKind::Shutdown));
    world.pass(Duration::from_secs(1)).await;
    world.scripted.set(Fault::None);
    world.scripted.take_calls();
    world.run(shutdown).await.expect("a clean end");
    let calls = world.scripted.take_calls();
    assert_eq!(calls.last().map(String::as_str), Some("shutdown"));
    assert!(calls.contains(&"remove k".to_owned()), "{calls:?}");
    assert_eq!(world.resilient.pending(), 0);
}

#[tokio::test]
async fn what_could_not_be_delivered_is_told_with_its_number() {
    let events = Events::default();
    let _listening = events.listen();
    let world = World::new(options().drain_limit(millis(700)));
    world.scripted.set(DEAD);
    world.scripted.set_for("shutdown", Fault::None);
    for key in ["a", "b", "c"] {
        assert!(world.run(world.resilient.remove_key(key)).await.is_err());
    }
    drop(events.take());
    let (answer, took) = world.timed(world.resilient.shutdown()).await;
    let error = answer.expect_err("three are left");
    assert_eq!((error.kind(), took), (ErrorKind::Unknown, millis(700)));
    assert!(error.to_string().contains("3 invalidations"), "{error}");
    let said = events.take();
    assert!(
        said.iter().any(|line| line.starts_with("ERROR") && line.contains("left=3")),
        "{said:?}"
    );
    assert_eq!(world.scripted.take_calls().last().map(String::as_str), Some("shutdown"));
}

#[tokio::test]
async fn a_store_that_hangs_at_its_end_does_not_hold_up_the_programs() {
    let world = World::new(options().scan_limit(Duration::from_secs(2)));
    world.scripted.set(Fault::Hangs);
    let (answer, took) = world.timed(world.resilient.shutdown()).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), Duration::from_secs(2)));
}

#[tokio::test]
async fn a_drain_waits_for_the_store_and_no_longer_than_it_was_told() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    let (answer, took) = world.timed(world.resilient.drain(millis(300))).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Unknown), millis(300)));
    world.scripted.set(Fault::None);
    let (answer, took) = world.timed(world.resilient.drain(Duration::from_secs(60))).await;
    assert_eq!(kind(answer), None);
    assert!(took < millis(300), "{took:?}");
    world.run(world.resilient.drain(Duration::ZERO)).await.expect("nothing is pending");
}
