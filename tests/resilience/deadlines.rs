//! An operation ends within its budget, a read of a fast store sooner.

use std::time::Duration;

use cache_runtime::provider::{Acquire, CellKind, Fill, Mark, Prefix, Provider, ProviderExt};
use cache_runtime::resilience::{ResilienceOptions, Resilient};
use cache_runtime::{Clock, ErrorKind, Pattern};

use crate::scripted::{Fault, Scripted};
use crate::world::{BUDGET, HOUR, World, kind, millis, options, without_breaker};

#[tokio::test]
async fn a_step_that_hangs_ends_with_the_budget() {
    let world = World::new(without_breaker());
    world.scripted.set(Fault::Hangs);
    let resilient = &world.resilient;
    let lease = Prefix::unique(CellKind::Lease);
    let marks = [Mark::tag("t")];
    let value = Prefix::unique(CellKind::Value);

    let (answer, took) = world.timed(resilient.read_one("k", &[])).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.acquire(Acquire::new("k", lease, HOUR))).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let fill = Fill::new("k", value.as_bytes(), HOUR);
    let (answer, took) = world.timed(resilient.fill(fill)).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.renew("k", lease, HOUR)).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.release("k", lease)).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.ensure_marks("k", &marks, HOUR)).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.hold_marks(&marks, HOUR)).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.release_marks(&marks)).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.ping()).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Timeout), BUDGET));
    let (answer, took) = world.timed(resilient.remove_key("k")).await;
    assert_eq!((kind(answer), took), (Some(ErrorKind::Unknown), BUDGET));
    assert_eq!(resilient.health().timeouts, 10);
}

#[tokio::test]
async fn a_larger_budget_lets_the_same_store_answer() {
    for (budget, expected) in [(millis(50), Some(ErrorKind::Timeout)), (millis(100), None)] {
        let world = World::new(without_breaker().budget(budget));
        world.scripted.set(Fault::Slow(millis(80)));
        assert_eq!(kind(world.finds("k").await), expected);
    }
}

#[tokio::test]
async fn a_stalled_store_costs_a_read_less_than_the_budget_once_it_was_seen_to_be_fast() {
    for (adaptive, within) in [(true, BUDGET / 2..millis(30)), (false, BUDGET..millis(51))] {
        let world = World::new(options().adaptive(adaptive));
        world.scripted.set(Fault::Slow(millis(1)));
        for _ in 0..50 {
            world.finds("k").await.expect("an answer");
            world.pass(millis(30)).await;
        }
        world.scripted.set(Fault::Hangs);
        let (answer, took) = world.timed(world.resilient.read_one("k", &[])).await;
        assert_eq!(kind(answer), Some(ErrorKind::Timeout));
        assert!(within.contains(&took), "adaptive: {adaptive}, took {took:?}");
    }
}

#[tokio::test]
async fn a_slow_store_that_answers_within_the_budget_is_not_cut_off() {
    let world = World::new(options());
    for round in 0..300 {
        world.scripted.set(Fault::Slow(millis(25 + (round * 11) % 15)));
        world.finds("k").await.expect("an answer");
    }
    assert_eq!(world.resilient.health().timeouts, 0);
}

#[tokio::test]
async fn a_store_that_became_slower_gets_its_time_within_a_second() {
    let world = World::new(options());
    world.scripted.set(Fault::Slow(millis(1)));
    for _ in 0..100 {
        world.finds("k").await.expect("an answer");
        world.pass(millis(10)).await;
    }
    world.scripted.set(Fault::Slow(millis(40)));
    let mut lost = 0;
    for _ in 0..200 {
        lost += u32::from(world.finds("k").await.is_err());
        world.pass(millis(5)).await;
    }
    assert!((1..=5).contains(&lost), "{lost} reads were lost");
    assert!(world.resilient.health().read_deadline >= millis(40));
}

#[tokio::test]
async fn a_read_of_many_cells_has_the_whole_budget() {
    let world = World::new(options());
    for _ in 0..50 {
        world.finds("k").await.expect("an answer");
        world.pass(millis(30)).await;
    }
    assert!(world.resilient.health().read_deadline < millis(30));
    world.scripted.set(Fault::Slow(millis(40)));
    let lookups = vec![cache_runtime::provider::Lookup::new("k"); 100];
    assert_eq!(world.run(world.resilient.read(&lookups)).await.expect("answers").len(), 100);
}

#[tokio::test]
async fn what_scans_the_store_has_a_longer_limit() {
    let pattern = Pattern::from("user:*");
    for (limit, expected) in [(millis(500), Some(ErrorKind::Unknown)), (millis(5_000), None)] {
        let world = World::new(options().scan_limit(limit));
        world.scripted.set(Fault::Slow(millis(1_000)));
        let answer = world.run(world.resilient.remove_matching(&pattern)).await;
        assert_eq!(kind(answer), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn on_the_system_clock_the_runtimes_timers_are_taken() {
    let scripted =
        Scripted::new(std::sync::Arc::new(cache_runtime::provider::MemoryProvider::new(10)));
    scripted.set(Fault::Hangs);
    let budget = Duration::from_secs(3_600);
    let resilient = Resilient::new(scripted, ResilienceOptions::new(budget), Clock::system());
    let began = tokio::time::Instant::now();
    assert_eq!(kind(resilient.read_one("k", &[]).await), Some(ErrorKind::Timeout));
    // The paused runtime skips the hour; another thread's timer would wait for it.
    assert!((budget..budget + millis(10)).contains(&began.elapsed()));
}
