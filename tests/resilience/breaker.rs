//! A store that does not answer is left alone, and used again soon after it is back.

use std::pin::pin;
use std::time::{Duration, Instant};

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Acquire, CellKind, Fill, Mark, Prefix, Provider, ProviderExt};
use cache_runtime::resilience::BreakerState;

use crate::scripted::{DEAD, Fault};
use crate::world::{HOUR, World, kind, millis, options, poll_once, settle, without_breaker};

#[tokio::test]
async fn failures_in_a_row_open_it_and_then_nothing_is_asked() {
    for (options, opens) in [(options().retries(0), true), (without_breaker().retries(0), false)] {
        let world = World::new(options);
        world.scripted.set(DEAD);
        for _ in 0..5 {
            assert_eq!(world.breaker(), BreakerState::Closed);
            assert!(world.finds("k").await.is_err());
        }
        assert_eq!(world.breaker() == BreakerState::Open, opens);
        world.scripted.take_calls();
        let (answer, took) = world.timed(world.resilient.read_one("k", &[])).await;
        assert_eq!((kind(answer), took), (Some(ErrorKind::Unavailable), Duration::ZERO));
        assert_eq!(world.scripted.take_calls().is_empty(), opens);
    }
}

/// A process that is behind answers all of its reads late together: that is one failure. The same
/// reads one after the other are as many as there are.
#[tokio::test]
async fn failures_that_waited_together_count_once() {
    for together in [true, false] {
        let world = World::new(options().retries(0));
        world.scripted.set(Fault::Hangs);
        let read = || world.resilient.read_one("k", &[]);
        if together {
            let mut reads: Vec<_> = (0..20).map(|_| Box::pin(read())).collect();
            for read in &mut reads {
                assert!(poll_once(read.as_mut()).is_pending());
            }
            for read in reads {
                assert_eq!(kind(world.run(read).await), Some(ErrorKind::Timeout));
            }
        } else {
            for _ in 0..5 {
                assert_eq!(kind(world.run(read()).await), Some(ErrorKind::Timeout));
            }
        }
        assert_eq!(world.breaker() == BreakerState::Closed, together);
    }
}

#[tokio::test]
async fn every_kind_of_step_is_refused_by_an_open_breaker() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.take_calls();
    let (resilient, prefix) = (&world.resilient, Prefix::unique(CellKind::Lease));
    let (marks, refused) = ([Mark::tag("t")], Some(ErrorKind::Unavailable));
    assert_eq!(kind(resilient.read_one("k", &marks).await), refused);
    assert_eq!(kind(resilient.acquire(Acquire::new("k", prefix, HOUR)).await), refused);
    assert_eq!(kind(resilient.fill(Fill::new("k", prefix.as_bytes(), HOUR)).await), refused);
    assert_eq!(kind(resilient.renew("k", prefix, HOUR).await), refused);
    assert_eq!(kind(resilient.release("k", prefix).await), refused);
    assert_eq!(kind(resilient.ensure_marks("k", &marks, HOUR).await), refused);
    assert_eq!(kind(resilient.hold_marks(&marks, HOUR).await), refused);
    assert_eq!(kind(resilient.release_marks(&marks).await), refused);
    assert_eq!(kind(resilient.usage().await), refused);
    assert_eq!(kind(resilient.remove_key("k").await), Some(ErrorKind::Unknown));
    assert_eq!(world.scripted.take_calls(), [""; 0]);
    assert!(world.resilient.health().rejected >= 9);
}

#[tokio::test]
async fn a_share_of_failures_opens_it_even_if_they_are_not_in_a_row() {
    for (percent, opens) in [(50, true), (80, false)] {
        let world = World::new(options().retries(0).failure_percent(percent));
        for round in 0..60 {
            world.scripted.then([if round % 3 == 0 { Fault::None } else { DEAD }]);
            let _ = world.finds("k").await;
        }
        assert_eq!(world.resilient.health().openings > 0, opens, "{percent} %");
    }
}

#[tokio::test]
async fn errors_that_say_nothing_about_the_store_do_not_open_it() {
    let world = World::new(options());
    world.scripted.set(Fault::Fails(ErrorKind::InvalidKey));
    for _ in 0..100 {
        assert_eq!(kind(world.finds("k").await), Some(ErrorKind::InvalidKey));
    }
    assert_eq!(world.breaker(), BreakerState::Closed);
}

/// How long after the store's return the first hit comes, at worst over several seeds.
async fn slowest_return(longest_probe_delay: Duration, fault: Fault) -> Duration {
    let mut slowest = Duration::ZERO;
    for seed in 0..10 {
        let options = options().seed(Some(seed)).longest_probe_delay(longest_probe_delay);
        let world = World::new(options);
        world.put("k").await;
        world.scripted.set(fault);
        world.open_breaker().await;
        world.pass(Duration::from_secs(3)).await;
        world.scripted.set(Fault::None);
        let mut waited = Duration::ZERO;
        while !world.finds("k").await.unwrap_or(false) {
            world.pass(millis(1)).await;
            waited += millis(1);
        }
        slowest = slowest.max(waited);
    }
    slowest
}

#[tokio::test]
async fn hits_come_again_within_a_second() {
    for fault in [DEAD, Fault::Hangs] {
        let slowest = slowest_return(millis(250), fault).await;
        println!("after {fault:?}: a hit after {slowest:?} at worst");
        assert!(slowest <= millis(350), "{slowest:?}");
    }
    assert!(slowest_return(millis(10_000), DEAD).await > millis(1_000));
}

#[tokio::test]
async fn probes_are_few() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.take_calls();
    world.pass(Duration::from_secs(10)).await;
    let probes = world.scripted.take_calls();
    assert!(probes.iter().all(|call| call == "ping"), "{probes:?}");
    assert!((40..=120).contains(&probes.len()), "{} probes in ten seconds", probes.len());
}

#[tokio::test]
async fn a_half_open_breaker_lets_only_trials_through_and_closes_after_them() {
    let world = World::new(options().trial_calls(2));
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.set_for("ping", Fault::None);
    world.scripted.set(Fault::Slow(millis(20)));
    world.pass(millis(300)).await;
    assert_eq!(world.breaker(), BreakerState::HalfOpen);

    let mut trials = [0, 1].map(|_| Box::pin(world.resilient.read_one("k", &[])));
    assert!(trials.iter_mut().all(|trial| poll_once(trial.as_mut()).is_pending()));
    assert_eq!(kind(world.resilient.read_one("k", &[]).await), Some(ErrorKind::Unavailable));
    // A trial whose caller gives up makes room for another.
    let [first, second] = trials;
    drop(first);
    let mut third = pin!(world.resilient.read_one("k", &[]));
    assert!(poll_once(third.as_mut()).is_pending());
    world.run(second).await.expect("an answer");
    assert_eq!(world.breaker(), BreakerState::HalfOpen);
    world.run(third).await.expect("an answer");
    assert_eq!(world.breaker(), BreakerState::Closed);
}

#[tokio::test]
async fn a_failed_trial_opens_it_again() {
    let world = World::new(options().retries(0));
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.set_for("ping", Fault::None);
    world.pass(millis(300)).await;
    assert_eq!(world.breaker(), BreakerState::HalfOpen);
    assert!(world.finds("k").await.is_err());
    assert_eq!(world.breaker(), BreakerState::Open);
    assert_eq!(world.resilient.health().openings, 2);
}

#[tokio::test]
async fn late_failures_of_an_outage_do_not_open_it_again() {
    let world = World::new(options().retries(0).trial_calls(1).budget(Duration::from_secs(5)));
    world.scripted.set(Fault::Hangs);
    let mut late: Vec<_> =
        (0..20).map(|_| Box::pin(world.resilient.read_one("late", &[]))).collect();
    assert!(late.iter_mut().all(|read| poll_once(read.as_mut()).is_pending()));
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.set(Fault::None);
    world.pass(millis(300)).await;
    assert!(world.finds("k").await.is_ok());
    assert_eq!(world.breaker(), BreakerState::Closed);
    for read in late {
        assert_eq!(kind(world.run(read).await), Some(ErrorKind::Timeout));
    }
    assert_eq!(world.breaker(), BreakerState::Closed);
    assert_eq!(world.resilient.health().openings, 1);
}

#[tokio::test]
async fn while_another_part_of_the_store_serves_no_failure_opens_it() {
    let world = World::new(options().retries(0));
    world.scripted.serve_in_part(true);
    for fault in [DEAD, Fault::Hangs] {
        world.scripted.set(fault);
        for _ in 0..50 {
            assert!(world.finds("k").await.is_err());
            let removed = world.run(world.resilient.remove_key("gone")).await;
            assert_eq!(kind(removed), Some(ErrorKind::Unknown));
        }
        assert_eq!(world.breaker(), BreakerState::Closed);
    }
    world.scripted.set(DEAD);
    world.scripted.serve_in_part(false);
    world.open_breaker().await;
}

#[tokio::test]
async fn while_another_part_of_the_store_serves_no_trial_opens_it_again() {
    let world = World::new(options().retries(0).trial_calls(2));
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.serve_in_part(true);
    world.scripted.set_for("ping", Fault::None);
    world.pass(millis(300)).await;
    assert_eq!(world.breaker(), BreakerState::HalfOpen);
    for _ in 0..10 {
        assert!(world.finds("k").await.is_err());
    }
    assert_eq!(world.breaker(), BreakerState::HalfOpen);
    world.scripted.set(Fault::None);
    assert!(world.finds("k").await.is_ok());
    assert!(world.finds("k").await.is_ok());
    assert_eq!(world.breaker(), BreakerState::Closed);
    assert_eq!(world.resilient.health().openings, 1);
}

#[tokio::test]
async fn a_provider_that_is_dropped_is_not_probed_any_more() {
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.pass(millis(500)).await;
    let resilient = std::sync::Arc::downgrade(&world.resilient);
    let World { resilient: last, scripted, .. } = world;
    drop(last);
    settle().await;
    assert!(resilient.upgrade().is_none());
    scripted.take_calls();
    settle().await;
    assert_eq!(scripted.take_calls(), [""; 0]);
}

/// Tells what a refused read costs. Only the number of calls is asserted: time is the machine's.
#[tokio::test]
async fn the_cost_of_an_open_breaker_is_told() {
    const READS: u32 = 200_000;
    let world = World::new(options());
    world.scripted.set(DEAD);
    world.open_breaker().await;
    world.scripted.take_calls();
    let began = Instant::now();
    for _ in 0..READS {
        assert!(world.resilient.read_one("k", &[]).await.is_err());
    }
    println!("a refused read takes {:?}", began.elapsed() / READS);
    assert_eq!(world.scripted.take_calls(), [""; 0]);
}
