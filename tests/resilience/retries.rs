//! What is safe to repeat is repeated, out of a budget.

use cache_runtime::ErrorKind;
use cache_runtime::provider::{Acquire, CellKind, Fill, Mark, Prefix, Provider, ProviderExt};

use crate::scripted::{DEAD, Fault};
use crate::world::{BUDGET, HOUR, World, kind, options, without_breaker};

const LOST: Fault = Fault::Fails(ErrorKind::Unknown);

#[tokio::test]
async fn a_step_that_is_safe_to_repeat_survives_two_errors() {
    for (retries, succeeds) in [(2, true), (1, false), (0, false)] {
        let world = World::new(options().retries(retries));
        let (resilient, prefix) = (&world.resilient, Prefix::unique(CellKind::Lease));
        let marks = [Mark::tag("t")];
        let fail = || world.scripted.then([DEAD, LOST]);
        fail();
        assert_eq!(world.finds("k").await.is_ok(), succeeds);
        world.scripted.take_calls();
        let world = World::new(without_breaker().retries(retries));
        let resilient = if succeeds { &world.resilient } else { resilient };
        if succeeds {
            for operation in ["renew", "release", "ensure_marks", "hold_marks", "remove"] {
                world.scripted.then([DEAD, LOST]);
                let answer = match operation {
                    "renew" => kind(world.run(resilient.renew("k", prefix, HOUR)).await),
                    "release" => kind(world.run(resilient.release("k", prefix)).await),
                    "ensure_marks" => {
                        kind(world.run(resilient.ensure_marks("k", &marks, HOUR)).await)
                    }
                    "hold_marks" => kind(world.run(resilient.hold_marks(&marks, HOUR)).await),
                    _ => kind(world.run(resilient.remove_key("k")).await),
                };
                assert_eq!(answer, None, "{operation}");
                assert_eq!(world.scripted.take_calls().len(), 3, "{operation}");
            }
            assert_eq!(world.resilient.health().retries, 10);
            assert_eq!(world.resilient.pending(), 0);
        }
    }
}

#[tokio::test]
async fn acquire_fill_and_release_marks_are_never_repeated() {
    let world = World::new(without_breaker());
    let lease = Prefix::unique(CellKind::Lease);
    for fault in [DEAD, LOST, Fault::Fails(ErrorKind::Timeout), Fault::AnswerIsLost] {
        world.scripted.then([fault, fault]);
        let request = Acquire::new("k", lease, HOUR);
        assert!(world.run(world.resilient.acquire(request)).await.is_err());
        let fill = Fill::new("k", lease.as_bytes(), HOUR);
        assert!(world.run(world.resilient.fill(fill)).await.is_err());
        // A second release would end somebody else's hold.
        world.scripted.then([fault]);
        let marks = [Mark::tag("t")];
        assert!(world.run(world.resilient.release_marks(&marks)).await.is_err());
        let calls = world.scripted.take_calls();
        assert_eq!(calls[..2], ["acquire k", "fill k"]);
        assert!(calls.len() == 3 && calls[2].starts_with("release_marks"), "{calls:?}");
    }
    assert_eq!(world.resilient.health().retries, 0);
}

#[tokio::test]
async fn what_cannot_succeed_is_not_repeated() {
    let world = World::new(options());
    for kind_of_error in [ErrorKind::InvalidKey, ErrorKind::Config, ErrorKind::Codec] {
        world.scripted.then([Fault::Fails(kind_of_error)]);
        assert_eq!(kind(world.finds("k").await), Some(kind_of_error));
    }
    // Nor is what ran out of time: there is none left.
    world.scripted.then([Fault::Hangs]);
    assert_eq!(kind(world.finds("k").await), Some(ErrorKind::Timeout));
    assert_eq!(world.scripted.take_calls().len(), 4);
}

#[tokio::test]
async fn an_outage_is_not_answered_with_a_storm() {
    for (percent, reserve, bound) in [(10, 10, 100..=111), (100, 2_000, 1_999..=2_000)] {
        let options = without_breaker().retry_percent(percent).retry_reserve(reserve);
        let world = World::new(options);
        world.scripted.set(DEAD);
        for _ in 0..1_000 {
            assert!(world.finds("k").await.is_err());
        }
        let retries = world.resilient.health().retries;
        assert!(bound.contains(&retries), "{percent} %: {retries} retries");
        assert_eq!(world.scripted.take_calls().len() as u64, 1_000 + retries);
    }
}

#[tokio::test]
async fn retries_end_with_the_budget_of_the_operation() {
    let world = World::new(without_breaker().retries(1_000).retry_reserve(1_000));
    world.scripted.set(DEAD);
    let (answer, took) = world.timed(world.resilient.read_one("k", &[])).await;
    assert_eq!(kind(answer), Some(ErrorKind::Unavailable));
    assert!(took <= BUDGET, "{took:?}");
    assert!(world.resilient.health().retries > 2);
}
