//! No invalidation is lost: what the store did not acknowledge is repeated until it does.

use std::sync::Arc;
use std::time::Duration;

use cache_runtime::provider::{Mark, MarkKind, Provider, ProviderExt, Removal};
use cache_runtime::resilience::Resilient;
use cache_runtime::{Clock, ErrorKind, Pattern};
use cache_tests::events::Events;

use crate::scripted::{DEAD, Fault};
use crate::world::{HOUR, World, kind, millis, options, settle, without_breaker};

#[tokio::test]
async fn what_failed_is_the_callers_error_and_takes_effect_in_the_background() {
    for fault in [DEAD, Fault::Hangs, Fault::Fails(ErrorKind::Unknown), Fault::AnswerIsLost] {
        let world = World::new(options());
        world.put("k").await;
        world.scripted.set(fault);
        let answer = world.run(world.resilient.remove_key("k")).await;
        assert_eq!(kind(answer), Some(ErrorKind::Unknown));
        assert_eq!(world.resilient.pending(), 1);
        // However long the outage.
        world.pass(Duration::from_secs(20)).await;
        assert_eq!(world.resilient.pending(), 1);
        world.scripted.set(Fault::None);
        world.pass(millis(400)).await;
        assert_eq!(world.resilient.pending(), 0, "{fault:?}");
        assert!(!world.holds("k").await);
    }
}

#[tokio::test]
async fn without_the_outbox_it_would_be_lost() {
    let world = World::new(options());
    world.put("k").await;
    world.scripted.set(DEAD);
    assert!(world.scripted.remove_key("k").await.is_err());
    world.scripted.set(Fault::None);
    world.pass(Duration::from_secs(20)).await;
    assert!(world.holds("k").await);
}

#[tokio::test]
async fn an_open_breaker_takes_it_at_once() {
    let world = World::new(options());
    world.put("k").await;
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.take_calls();
    let (answer, took) = world.timed(world.resilient.remove_key("k")).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Unknown), Duration::ZERO));
    assert_eq!(world.scripted.take_calls(), [""; 0]);
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    assert!(!world.holds("k").await);
}

#[tokio::test]
async fn patterns_and_clears_are_repeated_too() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    for key in ["user:1", "a"] {
        world.put(key).await;
    }
    let users = Pattern::from("user:*");
    assert_eq!(kind(world.resilient.remove_matching(&users).await), Some(ErrorKind::Unknown));
    assert_eq!(kind(world.resilient.remove_matching(&users).await), Some(ErrorKind::Unknown));
    assert_eq!(world.resilient.pending(), 1);
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    assert_eq!((world.holds("user:1").await, world.holds("a").await), (false, true));

    world.scripted.set(DEAD);
    world.open_breaker().await;
    assert_eq!(kind(world.resilient.clear().await), Some(ErrorKind::Unknown));
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    assert!(!world.holds("a").await);
    assert_eq!(world.resilient.pending(), 0);
}

#[tokio::test]
async fn the_same_name_is_removed_once() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    for _ in 0..1_000 {
        let marks = [Mark::tag("f:2"), Mark::tag("f:1"), Mark::epoch("f")];
        let removal = Removal::of_keys(&["k"]).and_marks(&marks);
        assert!(world.resilient.remove(removal).await.is_err());
    }
    assert_eq!(world.resilient.pending(), 4);
    assert_eq!(world.resilient.health().deferred_invalidations, 1_000);
    world.scripted.take_calls();
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    let calls = world.scripted.take_calls();
    let removals: Vec<&String> = calls.iter().filter(|call| call.starts_with("remove")).collect();
    assert_eq!(removals, ["remove Epoch:f Tag:f:2 Tag:f:1", "remove k"]);
}

#[tokio::test]
async fn a_clear_swallows_what_was_asked_before_it_and_what_is_asked_while_it_waits() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    for key in ["a", "b"] {
        assert!(world.resilient.remove_key(key).await.is_err());
    }
    assert!(world.resilient.clear().await.is_err());
    assert!(world.resilient.remove_key("c").await.is_err());
    assert_eq!(world.resilient.pending(), 1);
    world.scripted.take_calls();
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    let calls = world.scripted.take_calls();
    assert!(calls.iter().all(|call| !call.starts_with("remove")), "{calls:?}");
    assert_eq!(calls.iter().filter(|call| *call == "clear").count(), 1);
    assert_eq!(world.resilient.pending(), 0);
}

#[tokio::test]
async fn a_clear_that_is_under_way_swallows_nothing() {
    let world = World::new(without_breaker().retries(0));
    world.scripted.set(DEAD);
    assert!(world.run(world.resilient.clear()).await.is_err());
    let users = Pattern::from("user:*");
    world.scripted.set(Fault::AnswersLate(millis(40)));
    world.pass(millis(30)).await;
    // The store is empty by now, but has not said so.
    for key in ["k", "user:1"] {
        world.put(key).await;
    }
    world.scripted.then([DEAD, DEAD]);
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    assert!(world.run(world.resilient.remove_matching(&users)).await.is_err());
    world.pass(Duration::from_secs(1)).await;
    assert_eq!((world.holds("k").await, world.holds("user:1").await), (false, false));
    let calls = world.scripted.take_calls();
    assert_eq!(calls.iter().filter(|call| *call == "clear").count(), 2, "{calls:?}");
}

#[tokio::test]
async fn what_is_asked_while_its_removal_is_under_way_is_removed_again() {
    // The removal on the wire may have been carried out before the second asking.
    for what in ["name", "pattern", "clear"] {
        let world = World::new(without_breaker().retries(0));
        let users = Pattern::from("user:*");
        let resilient = &world.resilient;
        let ask = async || match what {
            "name" => kind(world.run(resilient.remove_key("user:1")).await),
            "pattern" => kind(world.run(resilient.remove_matching(&users)).await),
            _ => kind(world.run(resilient.clear()).await),
        };
        world.scripted.set(DEAD);
        assert_eq!(ask().await, Some(ErrorKind::Unknown));
        world.scripted.set(Fault::AnswersLate(millis(40)));
        world.pass(millis(30)).await;
        world.put("user:1").await;
        world.scripted.then([DEAD]);
        assert_eq!(ask().await, Some(ErrorKind::Unknown));
        world.scripted.set(Fault::None);
        world.scripted.take_calls();
        world.pass(millis(35)).await;
        // The first has been acknowledged by now; the second needs a command of its own.
        world.pass(millis(300)).await;
        assert_eq!(world.scripted.take_calls().len(), 1, "{what}");
        assert_eq!((world.resilient.pending(), world.holds("user:1").await), (0, false), "{what}");
    }
}

#[tokio::test]
async fn a_later_removal_that_succeeds_settles_what_was_pending() {
    let world = World::new(without_breaker().retries(0));
    world.scripted.then([DEAD]);
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    world.run(world.resilient.remove_key("k")).await.expect("removed");
    assert_eq!(world.resilient.pending(), 0);
}

#[tokio::test]
async fn too_many_become_one_removal_of_the_namespace_and_one_loud_error() {
    let events = Events::default();
    let _listening = events.listen();
    let world = World::new(options().most_pending(100));
    let other = world.store.in_namespace("other");
    other.put("k", &[1; 17], HOUR).await.expect("memory");
    world.scripted.set(DEAD);
    world.open_breaker().await;
    let mut keys: Vec<String> = Vec::new();
    for number in 0..1_000 {
        keys.push(format!("k:{number}"));
        world.put(&keys[number]).await;
        assert!(world.resilient.remove_key(&keys[number]).await.is_err());
        assert!(world.resilient.pending() <= 100);
    }
    let health = world.resilient.health();
    assert_eq!((health.escalations, health.pending_invalidations), (1, 1));
    let errors: Vec<String> =
        events.take().into_iter().filter(|line| line.starts_with("ERROR")).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    for key in &keys {
        assert!(!world.holds(key).await, "{key}");
    }
    assert!(other.read_one("k", &[]).await.expect("memory").cell.is_some());
}

#[tokio::test]
async fn too_many_patterns_become_one_removal_of_the_namespace() {
    // Listening here too, so that no test without a subscriber decides that nobody wants the event.
    let events = Events::default();
    let _listening = events.listen();
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    for number in 0..150 {
        let pattern = Pattern::from(format!("k:{number}:*"));
        assert!(world.resilient.remove_matching(&pattern).await.is_err());
    }
    assert_eq!(world.resilient.health().escalations, 1);
    assert_eq!(world.resilient.pending(), 1);
    assert_eq!(events.take().iter().filter(|line| line.starts_with("ERROR")).count(), 1);
}

#[tokio::test]
async fn epochs_are_removed_before_the_tags_of_their_families() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    for number in 0..1_000 {
        let (family, tag) = (format!("f{number}"), format!("f{number}:1"));
        let marks = [Mark::epoch(&family), Mark::tag(&tag)];
        assert!(world.resilient.remove(Removal::of_marks(&marks)).await.is_err());
    }
    // Every second delivery fails, and later ones become smaller.
    world.scripted.take_calls();
    world.scripted.set(Fault::None);
    for _ in 0..200 {
        let removes = [Fault::None, DEAD, Fault::AnswerIsLost];
        world.scripted.set_for("remove", removes[fastrand::usize(..3)]);
        world.pass(millis(50)).await;
    }
    world.scripted.set_for("remove", Fault::None);
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.resilient.pending(), 0);
    let calls = world.scripted.take_calls();
    let names: Vec<&str> = calls.iter().flat_map(|call| call.split(' ').skip(1)).collect();
    for number in 0..1_000 {
        let first = |name: String| names.iter().position(|other| *other == name);
        let epoch = first(format!("{:?}:f{number}", MarkKind::Epoch)).expect("sent");
        let tag = first(format!("{:?}:f{number}:1", MarkKind::Tag)).expect("sent");
        assert!(epoch < tag, "family {number}");
    }
}

#[tokio::test]
async fn an_impossible_name_holds_up_nobody() {
    let world = World::new(options());
    world.scripted.is_impossible("long");
    world.scripted.set(DEAD);
    world.open_breaker().await;
    for key in ["a", "long", "b"] {
        world.put(key).await;
        assert!(world.resilient.remove_key(key).await.is_err());
    }
    world.scripted.set(Fault::None);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!((world.holds("a").await, world.holds("b").await), (false, false));
    assert_eq!(world.resilient.pending(), 0);
    assert_eq!(world.resilient.health().impossible_invalidations, 1);
    // Asked of a store that answers, it is the caller's error and waits for nothing.
    let answer = world.run(world.resilient.remove_key("long")).await;
    assert_eq!((kind(answer), world.resilient.pending()), (Some(ErrorKind::InvalidKey), 0));
}

#[tokio::test]
async fn cells_of_a_part_that_is_down_do_not_hold_up_the_others() {
    let world = World::new(without_breaker());
    world.scripted.set(DEAD);
    let keys: Vec<String> = (0..2_000).map(|number| format!("k:{number}")).collect();
    for key in &keys {
        world.put(key).await;
    }
    let all: Vec<&str> = keys.iter().map(String::as_str).collect();
    assert!(world.run(world.resilient.remove(Removal::of_keys(&all))).await.is_err());
    // Whatever names the first key fails.
    world.scripted.set(Fault::None);
    world.scripted.refuses("k:0");
    world.pass(Duration::from_secs(10)).await;
    assert_eq!(world.resilient.pending(), 1);
    assert!(!world.holds("k:1999").await);
    assert!(world.holds("k:0").await);
}

#[tokio::test]
async fn a_store_slower_than_the_budget_acknowledges_in_the_end() {
    let world = World::new(without_breaker().scan_limit(millis(100)));
    world.scripted.set(Fault::Slow(millis(700)));
    world.put("user:1").await;
    let users = Pattern::from("user:*");
    assert!(world.run(world.resilient.remove_matching(&users)).await.is_err());
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    world.pass(Duration::from_secs(20)).await;
    assert_eq!((world.resilient.pending(), world.holds("user:1").await), (0, false));
}

#[tokio::test]
async fn a_wrong_password_is_waited_out() {
    let world = World::new(options());
    world.put("k").await;
    world.scripted.set(Fault::Fails(ErrorKind::Config));
    let answer = world.run(world.resilient.remove_key("k")).await;
    assert_eq!(kind(answer), Some(ErrorKind::Unknown));
    world.pass(Duration::from_secs(5)).await;
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    assert_eq!((world.resilient.pending(), world.holds("k").await), (0, false));
}

#[tokio::test]
async fn a_dropped_provider_still_delivers() {
    let world = World::new(options());
    world.put("k").await;
    world.scripted.set(DEAD);
    assert!(world.run(world.resilient.remove_key("k")).await.is_err());
    let weak = Arc::downgrade(&world.resilient);
    let mut world = world;
    let store = Arc::new(world.store.clone());
    // The world needs one; the one under test is dropped by this.
    world.resilient = Resilient::new(store, options(), Clock::default());
    world.pass(Duration::from_secs(1)).await;
    world.scripted.set(Fault::None);
    world.pass(millis(400)).await;
    settle().await;
    assert!(!world.holds("k").await);
    assert!(weak.upgrade().is_none(), "the worker lets go of what it has delivered");
}
