//! Runtimes come and go, and some stand still; pending work outlives them.

use std::time::Duration;

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Provider, ProviderExt};
use cache_runtime::resilience::BreakerState;
use tokio::runtime::{Builder, Runtime};

use crate::scripted::{DEAD, Fault};
use crate::world::{World, kind, millis, options, poll_once};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// An outage on a runtime that then ends, or is never run again.
fn after_an_outage_elsewhere(ends: bool) -> (World, Option<Runtime>) {
    let world = World::new(options());
    let first = runtime();
    first.block_on(async {
        world.put("k").await;
        world.put("other").await;
        world.scripted.set(DEAD);
        assert!(world.run(world.resilient.remove_key("k")).await.is_err());
        world.open_breaker().await;
        world.pass(millis(100)).await;
    });
    (world, (!ends).then_some(first))
}

#[test]
fn what_is_pending_outlives_the_runtime_it_was_asked_on() {
    let (world, _) = after_an_outage_elsewhere(true);
    runtime().block_on(async {
        world.scripted.set(Fault::None);
        // One call is enough to start the worker again.
        assert!(world.finds("other").await.is_err());
        world.pass(millis(400)).await;
        assert_eq!((world.resilient.pending(), world.holds("k").await), (0, false));
        assert!(world.finds("other").await.expect("an answer"));
    });
}

#[test]
fn a_runtime_that_stands_still_holds_up_nobody() {
    let (world, stands_still) = after_an_outage_elsewhere(false);
    runtime().block_on(async {
        world.scripted.set(Fault::None);
        // Its worker had announced a sign of life, which does not come.
        world.pass(Duration::from_secs(3)).await;
        assert_eq!(world.resilient.pending(), 1);
        assert!(world.finds("other").await.is_err());
        world.pass(millis(400)).await;
        assert_eq!((world.resilient.pending(), world.holds("k").await), (0, false));
        assert!(world.finds("other").await.expect("an answer"));
    });
    // When it goes on after all, its worker sees that it has been replaced.
    let stands_still = stands_still.expect("kept");
    world.scripted.take_calls();
    stands_still.block_on(world.pass(millis(500)));
    assert_eq!(world.scripted.take_calls(), [""; 0]);
}

#[test]
fn without_a_runtime_calls_are_the_probes() {
    let world = World::new(options().retries(0));
    let now = |key: &'static str| {
        let mut read = Box::pin(world.resilient.read_one(key, &[]));
        match poll_once(read.as_mut()) {
            std::task::Poll::Ready(answer) => kind(answer),
            std::task::Poll::Pending => panic!("memory answers at once"),
        }
    };
    world.scripted.set(Fault::Fails(ErrorKind::Unknown));
    assert_eq!([(); 5].map(|()| now("k")), [Some(ErrorKind::Unknown); 5]);
    assert_eq!(world.breaker(), BreakerState::Open);
    world.scripted.set(Fault::None);
    assert_eq!(now("k"), Some(ErrorKind::Unavailable));
    (0..300).for_each(|_| world.pass_a_millisecond());
    assert_eq!([now("k"), now("k"), now("k")], [None; 3]);
    assert_eq!(world.breaker(), BreakerState::Closed);
}

#[test]
fn a_removal_that_is_dropped_with_its_runtime_is_kept() {
    let world = World::new(options());
    let first = runtime();
    let resilient = std::sync::Arc::clone(&world.resilient);
    first.block_on(async {
        world.put("k").await;
        world.scripted.set(Fault::Hangs);
        tokio::spawn(async move { resilient.remove_key("k").await });
        tokio::task::yield_now().await;
    });
    drop(first);
    assert_eq!(world.resilient.pending(), 1);
    world.scripted.set(Fault::None);
    runtime().block_on(async {
        world.resilient.ping().await.expect("an answer");
        let _ = world.finds("k").await;
        world.pass(millis(400)).await;
        assert_eq!((world.resilient.pending(), world.holds("k").await), (0, false));
    });
}
