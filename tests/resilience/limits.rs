//! Only so many operations are under way, and only so many wait.

use std::pin::pin;

use cache_runtime::ErrorKind;
use cache_runtime::provider::ProviderExt;

use crate::scripted::Fault;
use crate::world::{BUDGET, World, kind, millis, options, poll_once};

#[tokio::test]
async fn what_finds_no_place_is_refused_quickly() {
    for (concurrency, refused) in [(2, true), (1_024, false)] {
        let world = World::new(options().concurrency(concurrency).waiting(1));
        world.scripted.set(Fault::Hangs);
        let mut first = pin!(world.resilient.read_one("a", &[]));
        let mut second = pin!(world.resilient.read_one("b", &[]));
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        let mut waits = pin!(world.resilient.read_one("c", &[]));
        assert!(poll_once(waits.as_mut()).is_pending());

        // No place to wait either: at once. The one that waits: after half the budget.
        world.scripted.set(Fault::None);
        let (answer, took) = world.timed(world.resilient.read_one("d", &[])).await;
        let expected = refused.then_some(ErrorKind::Unavailable);
        assert_eq!((kind(answer), took), (expected, millis(0)));
        if refused {
            let (answer, took) = world.timed(waits).await;
            assert_eq!(kind(answer), Some(ErrorKind::Unavailable));
            assert!(took <= BUDGET / 2 + millis(1), "{took:?}");
            assert_eq!(world.scripted.take_calls(), ["read a", "read b"]);
            assert_eq!(world.resilient.health().rejected, 2);
            assert_eq!(world.resilient.health().openings, 0);
        }
    }
}

#[tokio::test]
async fn who_waits_gets_the_place_of_who_ends_or_gives_up() {
    let world = World::new(options().concurrency(1));
    world.scripted.then([Fault::Hangs]);
    let mut first = Box::pin(world.resilient.read_one("a", &[]));
    assert!(poll_once(first.as_mut()).is_pending());
    let mut second = pin!(world.resilient.read_one("b", &[]));
    assert!(poll_once(second.as_mut()).is_pending());
    drop(first);
    world.run(second).await.expect("an answer");
    assert_eq!(world.scripted.take_calls(), ["read a", "read b"]);
}

#[tokio::test]
async fn waiting_counts_against_the_budget() {
    let world = World::new(options().concurrency(1));
    world.scripted.set(Fault::Hangs);
    let mut first = Box::pin(world.resilient.read_one("a", &[]));
    assert!(poll_once(first.as_mut()).is_pending());
    let mut second = Box::pin(world.resilient.read_one("b", &[]));
    assert!(poll_once(second.as_mut()).is_pending());
    world.pass(millis(10)).await;
    drop(first);
    let (answer, took) = world.timed(second).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET - millis(10)));
}

#[tokio::test]
async fn an_invalidation_waits_for_its_place_as_long_as_it_can() {
    let world = World::new(options().concurrency(1));
    world.scripted.then([Fault::Slow(millis(30))]);
    let mut first = Box::pin(world.resilient.read_one("a", &[]));
    assert!(poll_once(first.as_mut()).is_pending());
    let both = async {
        let mut removal = pin!(world.resilient.remove_key("k"));
        std::future::poll_fn(|context| {
            let _ = first.as_mut().poll(context);
            removal.as_mut().poll(context)
        })
        .await
    };
    let (answer, took) = world.timed(both).await;
    assert_eq!((kind(answer), took), (None, millis(30)));
    assert_eq!(world.resilient.pending(), 0);
}
