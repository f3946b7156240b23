//! One load for many callers: join rule J inside a process, leases between processes.

use super::Scenario;
use crate::protocol::rules::{Change, Expired, Join, LeaseEnds, Rules};

fn three() -> Rules {
    Rules::implemented()
}

fn tag() -> Rules {
    Rules { writers: vec![Change::InvalidatesTag], ..three() }
}

fn guarded() -> Vec<Scenario> {
    let two = Rules { callers: vec![(0, 1), (0, 1)], ..three() };
    let guard = Rules { writers: vec![Change::GuardsTag], ..three() };
    let meanwhile = vec![Change::GuardsTag, Change::InvalidatesTag];
    let joins = Rules { join: Join::Everybody, ..guard.clone() };
    vec![
        Scenario::safe("a write guard (J2)", guard.clone()),
        Scenario::safe(
            "a write guard, late commands and drops",
            Rules { late: 1, drops: 1, callers: two.callers.clone(), ..guard },
        ),
        Scenario::safe(
            "a write guard, and another writer of the tag",
            Rules { writers: meanwhile, ..two },
        ),
        Scenario::without("a write guard, everybody joins", joins),
    ]
}

pub(super) fn scenarios() -> Vec<Scenario> {
    [guarded(), rule_j(), one_load_per_miss(), nobody_hangs()].into_iter().flatten().collect()
}

fn rule_j() -> Vec<Scenario> {
    let in_one = |rules: Rules| Rules { callers: vec![(0, 1), (0, 1), (0, 1)], ..rules };
    vec![
        Scenario::safe("two callers and one elsewhere, key", three()),
        Scenario::safe("two callers and one elsewhere, tag", tag()),
        Scenario::safe("three callers in one process, tag", in_one(tag())),
        Scenario::safe(
            "a load that stands still is given up",
            Rules { stalls: 1, ..in_one(three()) },
        ),
        Scenario::safe("one of them reads twice", Rules { callers: vec![(0, 2), (0, 1)], ..tag() }),
        Scenario::safe(
            "one of three reads twice",
            Rules { callers: vec![(0, 2), (0, 1), (1, 1)], ..tag() },
        )
        .long(),
        Scenario::safe("late commands and drops, key", Rules { late: 1, drops: 1, ..three() })
            .long(),
        Scenario::safe("late commands and drops, tag", Rules { late: 1, drops: 1, ..tag() }).long(),
        Scenario::safe("stalls, elsewhere too", Rules { stalls: 1, ..tag() }).long(),
        Scenario::safe(
            "refresh in the background",
            Rules { expired: Expired::ServedWhileRefreshed, starts_filled: true, ..three() },
        )
        .long(),
        Scenario::without("everybody joins, key (B2)", Rules { join: Join::Everybody, ..three() }),
        Scenario::without("everybody joins, tag (B2)", Rules { join: Join::Everybody, ..tag() }),
        Scenario::without("no tag check (B3)", Rules { join: Join::WithoutTagCheck, ..tag() }),
        Scenario::without("joinable to the end (B4)", Rules { join: Join::UntilTheEnd, ..three() }),
    ]
}

/// Nothing but misses: every load beyond the first is one too many.
fn cold() -> Rules {
    Rules {
        callers: vec![(0, 1), (0, 1), (1, 1), (2, 1)],
        writers: Vec::new(),
        lease_ends: LeaseEnds::Unrenewed,
        evicts: false,
        impatient: false,
        most_loads: 1,
        ..Rules::implemented()
    }
}

fn one_load_per_miss() -> Vec<Scenario> {
    let invalidated =
        Rules { writers: vec![Change::InvalidatesTag], starts_filled: true, ..cold() };
    vec![
        Scenario::safe("one load, four callers in three processes", cold()),
        Scenario::safe("one load, after an invalidation", invalidated),
        Scenario::safe(
            "a holder that dies costs one more",
            Rules { drops: 1, most_loads: 2, ..cold() },
        ),
        Scenario::without("no leases (F2)", Rules { leases: false, ..cold() }),
        Scenario::without(
            "leases are not renewed (F4)",
            Rules { lease_ends: LeaseEnds::AtAnyTime, ..cold() },
        ),
        Scenario::without("waiters lose patience", Rules { impatient: true, ..cold() }),
    ]
}

fn nobody_hangs() -> Vec<Scenario> {
    let waiting = Rules {
        writers: vec![Change::InvalidatesKey],
        drops: 1,
        stalls: 1,
        most_loads: 0,
        callers: vec![(0, 1), (0, 1), (1, 1)],
        ..cold()
    };
    let endless = Rules { lease_ends: LeaseEnds::Never, stalls: 0, ..waiting.clone() };
    vec![
        Scenario::safe("everybody comes to an end", waiting).looking_for_hangs(),
        Scenario::without("leases never end", endless).looking_for_hangs(),
    ]
}
