//! What waits for its removal is hidden from this process, as if it were removed already.

use cache_runtime::provider::{
    Acquire, Acquired, CellKind, Expected, Fill, Filled, Mark, MarkState, OnRefused, Prefix,
    Provider, ProviderExt, Refusal, Removal,
};
use cache_runtime::{ErrorKind, Pattern};

use crate::scripted::{DEAD, Fault};
use crate::world::{HOUR, World, kind, options};

/// A store that answers everything but removals, so that they stay pending.
async fn world() -> World {
    let world = World::new(options().retries(0).failure_percent(1_000));
    for operation in ["remove", "remove_matching", "clear"] {
        world.scripted.set_for(operation, DEAD);
    }
    for key in ["a", "b", "user:1", "user:2"] {
        world.put(key).await;
    }
    world
}

async fn is_unknown(world: &World, removal: Removal<'_>) {
    assert_eq!(kind(world.run(world.resilient.remove(removal)).await), Some(ErrorKind::Unknown));
}

#[tokio::test]
async fn a_cell_is_not_found_while_its_removal_is_pending() {
    let world = world().await;
    is_unknown(&world, Removal::of_keys(&["a"])).await;
    // The store still has it, and whoever asks it past the rules is served stale.
    assert!(world.holds("a").await);
    assert!(!world.finds("a").await.expect("an answer"));
    assert!(world.finds("b").await.expect("an answer"));
    world.scripted.set_for("remove", Fault::None);
    world.run(world.resilient.drain(HOUR)).await.expect("drained");
    assert!(!world.holds("a").await);
    world.put("a").await;
    assert!(world.finds("a").await.expect("an answer"));
}

#[tokio::test]
async fn a_read_hides_what_was_pending_when_it_began_even_if_it_no_longer_is_when_it_ends() {
    let world = world().await;
    is_unknown(&world, Removal::of_keys(&["a"])).await;
    // The read sees the old cell, and its answer is late.
    let mut read = Box::pin(world.resilient.read_one("a", &[]));
    world.scripted.then([Fault::Stutters(3)]);
    let lookups = [cache_runtime::provider::Lookup::new("a")];
    let mut old = Box::pin(world.resilient.read(&lookups));
    assert!(crate::world::poll_once(old.as_mut()).is_pending());
    world.scripted.set_for("remove", Fault::None);
    world.run(world.resilient.drain(HOUR)).await.expect("drained");
    world.put("a").await;
    assert!(world.run(old).await.expect("an answer")[0].cell.is_none());
    assert!(world.run(read.as_mut()).await.expect("an answer").cell.is_some());
}

#[tokio::test]
async fn a_mark_is_absent_while_its_removal_is_pending() {
    let world = world().await;
    let marks = [Mark::tag("t"), Mark::scope("t"), Mark::epoch("t")];
    let stamps = world.mark(&marks).await;
    is_unknown(&world, Removal::of_marks(&[Mark::tag("t")])).await;
    let seen = world.run(world.resilient.read_one("a", &marks)).await.expect("an answer");
    let expected = [MarkState::Absent, MarkState::Live(stamps[1]), MarkState::Live(stamps[2])];
    assert_eq!(seen.marks, expected);
    assert!(seen.cell.is_some());
}

#[tokio::test]
async fn patterns_hide_what_they_match_and_a_clear_hides_everything() {
    let world = world().await;
    world.mark(&[Mark::tag("user:t")]).await;
    let users = Pattern::from("user:*");
    let answer = world.run(world.resilient.remove_matching(&users)).await;
    assert_eq!(kind(answer), Some(ErrorKind::Unknown));
    assert!(!world.finds("user:1").await.expect("an answer"));
    assert!(world.finds("a").await.expect("an answer"));
    let marks = [Mark::tag("user:t")];
    let seen = world.run(world.resilient.read_one("a", &marks)).await.expect("an answer");
    assert_ne!(seen.marks, [MarkState::Absent]);

    assert_eq!(kind(world.run(world.resilient.clear()).await), Some(ErrorKind::Unknown));
    let seen = world.run(world.resilient.read_one("a", &marks)).await.expect("an answer");
    assert_eq!((seen.cell, seen.marks), (None, vec![MarkState::Absent]));
    assert_eq!(world.resilient.pending(), 1);
}

#[tokio::test]
async fn a_load_of_a_hidden_cell_takes_the_place_of_what_lies_there() {
    let world = world().await;
    is_unknown(&world, Removal::of_keys(&["a"])).await;
    let lease = Prefix::unique(CellKind::Lease);
    let request = Acquire::new("a", lease, HOUR);
    let acquired = world.run(world.resilient.acquire(request)).await.expect("an answer");
    assert!(matches!(acquired, Acquired::Granted(_)), "{acquired:?}");
    // Who saw the old cell before it was invalidated learns that it is gone.
    let request = request.expected(Prefix::unique(CellKind::Value));
    let acquired = world.run(world.resilient.acquire(request)).await.expect("an answer");
    assert_eq!(acquired, Acquired::Busy(Prefix::ABSENT));
    // Without the rule a loader would wait for the stale value as if it were a lease.
    let naive = world.store.acquire(Acquire::new("b", lease, HOUR)).await.expect("memory");
    assert!(matches!(naive, Acquired::Busy(_)));
}

#[tokio::test]
async fn a_load_that_began_before_the_invalidation_is_not_stored() {
    let world = world().await;
    let lease = Prefix::unique(CellKind::Lease);
    let request = Acquire::new("new", lease, HOUR);
    world.run(world.resilient.acquire(request)).await.expect("a lease");
    is_unknown(&world, Removal::of_keys(&["new"])).await;
    let value = Prefix::unique(CellKind::Value);
    let fill = Fill::new("new", value.as_bytes(), HOUR).expected(lease);
    let filled = world.run(world.resilient.fill(fill)).await.expect("an answer");
    assert_eq!(filled, Filled::Refused(Refusal::Cell));
    // A writer who does not care what lies there is served; the removal may still take it away.
    let fill = Fill::new("new", value.as_bytes(), HOUR).expected_anything();
    assert!(world.run(world.resilient.fill(fill)).await.expect("an answer").is_stored());
}

#[tokio::test]
async fn a_fill_reports_hidden_marks_as_absent_so_that_nobody_shares_the_load() {
    let world = world().await;
    let marks = [Mark::tag("t"), Mark::tag("u")];
    let stamps = world.mark(&marks).await;
    is_unknown(&world, Removal::of_marks(&marks[..1])).await;
    let value = Prefix::unique(CellKind::Value);
    let fill = Fill::new("new", value.as_bytes(), HOUR).marks(&marks, HOUR);
    let filled = world.run(world.resilient.fill(fill)).await.expect("an answer");
    assert_eq!(filled, Filled::Stored(vec![MarkState::Absent, MarkState::Live(stamps[1])]));
}

#[tokio::test]
async fn a_hidden_guard_refuses_the_fill() {
    let world = world().await;
    let epoch = Mark::epoch("category");
    let stamps = world.mark(&[epoch]).await;
    is_unknown(&world, Removal::of_marks(&[epoch])).await;
    let value = Prefix::unique(CellKind::Value);
    let guards = [(epoch, stamps[0])];
    let fill = Fill::new("a", value.as_bytes(), HOUR).guards(&guards);
    let filled = world.run(world.resilient.fill(fill)).await.expect("an answer");
    assert_eq!(filled, Filled::Refused(Refusal::Guard));
    assert!(world.finds("a").await.expect("an answer"));
    let fill = fill.on_refused(OnRefused::Remove);
    assert_eq!(kind(world.run(world.resilient.fill(fill)).await), Some(ErrorKind::Unknown));
    assert!(!world.finds("a").await.expect("an answer"));
}

#[tokio::test]
async fn a_removal_that_comes_through_late_lifts_no_hold() {
    let world = world().await;
    let (tag, other) = ([Mark::tag("t")], [Mark::tag("other")]);
    let before = world.mark(&tag).await;
    is_unknown(&world, Removal::of_marks(&tag)).await;
    for marks in [&tag, &other] {
        world.run(world.resilient.hold_marks(marks, HOUR)).await.expect("held");
    }
    world.scripted.set_for("remove", Fault::None);
    world.run(world.resilient.drain(HOUR)).await.expect("drained");
    world.pass(std::time::Duration::from_secs(2)).await;
    let states = world.store.read_marks("", &[tag[0], other[0]]).await.expect("memory");
    assert_eq!(states, [MarkState::Held; 2]);
    world.run(world.resilient.release_marks(&tag)).await.expect("released");
    assert_ne!(world.mark(&tag).await, before, "the mark came back as it was");
}

trait FillExt {
    fn expected_anything(self) -> Self;
}

impl FillExt for Fill<'_> {
    fn expected_anything(mut self) -> Self {
        self.expected = Expected::Anything;
        self
    }
}
