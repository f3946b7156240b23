//! Near caches.

use super::Scenario;
use crate::near::{Change, Mode, Near, Promise, Since};

pub(super) fn scenarios() -> Vec<Scenario> {
    [bounded(), settled(), connections(), others()].into_iter().flatten().collect()
}

fn bounded() -> Vec<Scenario> {
    let told = Near::told(Promise::Bound);
    vec![
        Scenario::safe("told, within its bound (G2)", told.clone()),
        Scenario::safe(
            "told, two changes",
            Near { writers: vec![Change::Name; 2], readers: vec![(0, 3)], ..told.clone() },
        )
        .long(),
        Scenario::without("told, taken for exact (G1)", Near::told(Promise::Exact)),
        Scenario::without(
            "the lease counts from the answer on (G3)",
            Near { since: Since::Answered, ..told.clone() },
        ),
        Scenario::without(
            "copies are made whatever was told (G5)",
            Near { guards_copies: false, ..told.clone() },
        ),
        Scenario::without(
            "one question makes a sign of life (G6)",
            Near { asks_twice: false, ..told },
        ),
    ]
}

fn settled() -> Vec<Scenario> {
    let settled = Near::told(Promise::Settled);
    vec![
        Scenario::safe("settled (G4)", settled.clone()),
        Scenario::without(
            "settled, the lease counts from the answer on",
            Near { since: Since::Answered, ..settled.clone() },
        ),
        Scenario::without(
            "settled, but near caches do not register",
            Near { registers: false, ..settled.clone() },
        ),
        // What is implemented: whether it can happen depends on the store's configuration.
        Scenario::without(
            "settled, but the registration is evicted",
            Near { evictions: 1, ..settled },
        ),
    ]
}

fn connections() -> Vec<Scenario> {
    let lost = Near { losses: 1, ..Near::told(Promise::Bound) };
    let all = Near { writers: vec![Change::Everything], ..Near::told(Promise::Bound) };
    vec![
        Scenario::safe("a connection is lost (G7)", lost.clone()),
        Scenario::safe(
            "a connection is lost, settled",
            Near { losses: 1, ..Near::told(Promise::Settled) },
        ),
        Scenario::safe(
            "two losses and two changes",
            Near { losses: 2, writers: vec![Change::Name; 2], ..lost.clone() },
        )
        .long(),
        Scenario::without(
            "copies are kept over a loss (G8)",
            Near { forgets_on_loss: false, ..lost },
        ),
        Scenario::safe("everything is removed, a null push", all.clone()),
        Scenario::without("null pushes are not heeded", Near { heeds_null: false, ..all }),
    ]
}

fn others() -> Vec<Scenario> {
    let timed =
        |promise| Near { mode: Mode::Timed, readers: vec![(0, 2), (0, 2)], ..Near::told(promise) };
    let own = Near { writes_here: true, ..Near::told(Promise::Bound) };
    let validated = Near { mode: Mode::Validated, ..Near::told(Promise::Exact) };
    let from_answer = |promise| Near { since: Since::Answered, ..timed(promise) };
    vec![
        Scenario::safe("validated, exact", validated.clone()),
        Scenario::safe(
            "validated, two changes",
            Near { writers: vec![Change::Name; 2], readers: vec![(0, 2), (0, 1)], ..validated },
        ),
        Scenario::safe("timed, within its bound", timed(Promise::Bound)),
        Scenario::safe("timed, settled", timed(Promise::Settled)),
        Scenario::without("timed from the answer on", from_answer(Promise::Bound)),
        Scenario::safe("a process's own removals are exact", own.clone()),
        Scenario::without(
            "a process forgets its copy before it removes",
            Near { forgets_after_removal: false, ..own },
        ),
    ]
}
