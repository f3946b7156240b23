//! A call that is dropped, wherever it stands, leaves nothing behind.

use std::time::Duration;

use cache_runtime::provider::{
    Acquire, BoxFuture, CellKind, Fill, Lookup, Mark, Prefix, Provider, ProviderExt, Removal,
};
use cache_runtime::resilience::Resilient;
use cache_runtime::{Pattern, Result};

use crate::scripted::{DEAD, Fault};
use crate::world::{HOUR, World, millis, poll_once, settle, without_breaker};

type Call = for<'a> fn(&'a Resilient, &'a Arguments) -> BoxFuture<'a, Result<()>>;

struct Arguments {
    lookups: [Lookup<'static>; 1],
    prefix: Prefix,
    marks: [Mark<'static>; 1],
    pattern: Pattern,
}

const CALLS: [(&str, Call); 13] = [
    ("read", |r, a| Box::pin(async { r.read(&a.lookups).await.map(drop) })),
    ("acquire", |r, a| {
        Box::pin(async { r.acquire(Acquire::new("k", a.prefix, HOUR)).await.map(drop) })
    }),
    ("fill", |r, a| {
        Box::pin(async { r.fill(Fill::new("k", a.prefix.as_bytes(), HOUR)).await.map(drop) })
    }),
    ("renew", |r, a| Box::pin(async { r.renew("k", a.prefix, HOUR).await.map(drop) })),
    ("release", |r, a| Box::pin(async { r.release("k", a.prefix).await.map(drop) })),
    ("ensure_marks", |r, a| {
        Box::pin(async { r.ensure_marks("k", &a.marks, HOUR).await.map(drop) })
    }),
    ("hold_marks", |r, a| Box::pin(async { r.hold_marks(&a.marks, HOUR).await })),
    ("release_marks", |r, a| Box::pin(async { r.release_marks(&a.marks).await })),
    ("remove", |r, a| Box::pin(async { r.remove(Removal::of_marks(&a.marks)).await.map(drop) })),
    ("remove_matching", |r, a| Box::pin(async { r.remove_matching(&a.pattern).await.map(drop) })),
    ("clear", |r, _| r.clear()),
    ("ping", |r, _| Box::pin(async { r.ping().await.map(drop) })),
    ("usage", |r, _| Box::pin(async { r.usage().await.map(drop) })),
];

/// Polls so often, a millisecond passing in between, and drops; whether it had ended by itself.
fn poll_and_drop(world: &World, call: Call, arguments: &Arguments, polls: u32) -> bool {
    let mut call = call(&world.resilient, arguments);
    for _ in 0..polls {
        if poll_once(call.as_mut()).is_ready() {
            return true;
        }
        world.pass_a_millisecond();
    }
    false
}

/// Had the only place been lost, or the only turn to wait for it, one of these would be refused.
async fn nothing_is_lost(world: &World, when: &str) {
    world.scripted.then([Fault::Stutters(2)]);
    let mut first = Box::pin(world.resilient.read_one("k", &[]));
    assert!(poll_once(first.as_mut()).is_pending());
    let mut waits = Box::pin(world.resilient.read_one("k", &[]));
    assert!(poll_once(waits.as_mut()).is_pending(), "{when}: no turn");
    world.run(first).await.unwrap_or_else(|error| panic!("{when}: no place: {error}"));
    world.run(waits).await.unwrap_or_else(|error| panic!("{when}: {error}"));
}

#[tokio::test]
async fn a_dropped_call_leaks_no_place_and_no_pending_invalidation() {
    let arguments = Arguments {
        lookups: [Lookup::new("k")],
        prefix: Prefix::unique(CellKind::Value),
        marks: [Mark::tag("t")],
        pattern: Pattern::from("k*"),
    };
    // An attempt that takes four polls, fails, pauses, and another; and waiting for the only place.
    for place_is_taken in [false, true] {
        for (operation, call) in CALLS {
            let (mut polls, mut ended) = (0, false);
            while !ended && polls < 200 {
                let options = without_breaker().concurrency(1).waiting(1).scan_limit(millis(60));
                let world = World::new(options);
                world.scripted.then([Fault::Stutters(3), DEAD]);
                world.scripted.set(Fault::Stutters(3));
                let mut other = Box::pin(world.resilient.read_one("other", &[]));
                if place_is_taken {
                    assert!(poll_once(other.as_mut()).is_pending());
                }
                ended = poll_and_drop(&world, call, &arguments, polls);
                drop(other);
                world.scripted.set(Fault::None);
                world.run(world.resilient.drain(Duration::from_secs(60))).await.expect("drained");
                settle().await;
                nothing_is_lost(&world, &format!("{operation} after {polls} polls")).await;
                assert_eq!(world.resilient.pending(), 0, "{operation} after {polls} polls");
                polls += 1;
            }
            assert!(ended, "{operation} never ends");
        }
    }
}

#[tokio::test]
async fn an_invalidation_whose_caller_gives_up_takes_effect_all_the_same() {
    for polls in 1..4 {
        let world = World::new(without_breaker());
        world.put("k").await;
        world.scripted.set(Fault::Hangs);
        let mut call = Box::pin(world.resilient.remove_key("k"));
        for _ in 0..polls {
            assert!(poll_once(call.as_mut()).is_pending());
        }
        drop(call);
        assert_eq!(world.resilient.pending(), 1);
        assert!(world.holds("k").await);
        world.scripted.set(Fault::None);
        world.pass(millis(400)).await;
        assert_eq!((world.resilient.pending(), world.holds("k").await), (0, false));
    }
}

#[tokio::test]
async fn a_call_that_was_never_polled_has_not_begun() {
    let world = World::new(without_breaker());
    world.put("k").await;
    drop(world.resilient.remove_key("k"));
    assert_eq!(world.resilient.pending(), 0);
    world.pass(millis(400)).await;
    assert!(world.holds("k").await);
    assert_eq!(world.scripted.take_calls(), [""; 0]);
}

#[tokio::test]
async fn a_drain_that_is_dropped_leaves_what_was_not_acknowledged_pending() {
    let world = World::new(without_breaker().retries(0));
    world.scripted.set(DEAD);
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    world.scripted.set(Fault::Stutters(3));
    let mut drain = Box::pin(world.resilient.drain(HOUR));
    assert!(poll_once(drain.as_mut()).is_pending());
    drop(drain);
    assert_eq!(world.resilient.pending(), 1);
    world.pass(millis(400)).await;
    assert_eq!(world.resilient.pending(), 0);
}
