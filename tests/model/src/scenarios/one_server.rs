//! Reads, loads and invalidations on one server: leases, nonces, failover, refreshes, fail-safe.

use super::Scenario;
use crate::protocol::rules::{Change, Expired, Fill, Join, Renewal, Rules, Stamps};

/// The protocol with one caller in each of two processes.
fn two() -> Rules {
    Rules { callers: vec![(0, 1), (1, 1)], ..Rules::implemented() }
}

fn tag() -> Rules {
    Rules { writers: vec![Change::InvalidatesTag], ..two() }
}

fn both() -> Rules {
    Rules { writers: vec![Change::InvalidatesKey, Change::InvalidatesTag], ..two() }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    [leases_and_nonces(), failover(), expired()].into_iter().flatten().collect()
}

fn leases_and_nonces() -> Vec<Scenario> {
    // Without leases and sharing, so that nothing but the fill's own condition helps.
    let bare = |rules: Rules| Rules { join: Join::Nobody, fill: Fill::Always, ..rules };
    vec![
        Scenario::safe("key and tag invalidated", both()),
        Scenario::safe("late commands, dropped leaders", Rules { late: 1, drops: 1, ..both() }),
        Scenario::safe("two late commands", Rules { late: 2, ..both() }).long(),
        Scenario::safe("nonces before the load, plain SET, tag invalidated", bare(tag())),
        Scenario::without("FILL does not compare (A4)", bare(two())),
        Scenario::without(
            "nonces after the load (A2)",
            Rules { stamps: Stamps::AfterLoad, ..bare(tag()) },
        ),
        Scenario::without(
            "a missing mark is valid (A3c)",
            Rules { absent_mark_is_valid: true, ..tag() },
        ),
        Scenario::without(
            "marks read from a replica that lags (C3)",
            Rules { marks_from_replica: true, ..tag() },
        ),
        Scenario::without(
            "a renewal puts back a lease that was lost",
            Rules { renewal: Renewal::PutsBack, ..two() },
        ),
    ]
}

fn failover() -> Vec<Scenario> {
    let lossy = |rules: Rules| Rules { failovers: [1, 0], evicts: false, ..rules };
    vec![
        Scenario::safe("failover that loses writes, key", lossy(two())),
        Scenario::safe("failover that loses writes, tag", lossy(tag())),
        Scenario::safe("failover, key and tag, late command", Rules { late: 1, ..lossy(both()) })
            .long(),
        Scenario::safe("two failovers", Rules { failovers: [2, 0], ..lossy(both()) }).long(),
        Scenario::without("no fence, key (D1)", Rules { fence: false, ..lossy(two()) }),
        Scenario::without("no fence, tag (D1)", Rules { fence: false, ..lossy(tag()) }),
        Scenario::safe(
            "no fence, acknowledged by the replica too",
            Rules { fence: false, waits_for_replica: true, ..lossy(tag()) },
        ),
        Scenario::without(
            "a process cut off with the old server (D4)",
            Rules { splits: true, ..lossy(tag()) },
        ),
    ]
}

fn expired() -> Vec<Scenario> {
    let filled = |expired, rules: Rules| Rules { expired, starts_filled: true, ..rules };
    let refresh = |rules| filled(Expired::ServedWhileRefreshed, rules);
    let fail_safe = |rules| Rules { failures: 1, ..filled(Expired::ServedIfLoadFails, rules) };
    vec![
        Scenario::safe("refresh in the background", refresh(both())),
        Scenario::safe(
            "refresh with late commands and drops",
            Rules { late: 1, drops: 1, ..refresh(both()) },
        )
        .long(),
        Scenario::without(
            "a refresh stores whatever the cell holds (E1)",
            Rules { refresh_always_fills: true, ..refresh(two()) },
        ),
        Scenario::safe("expired value if the load fails", fail_safe(both())),
        Scenario::without(
            "invalidated value if the load fails (E3)",
            Rules { serves_invalidated: true, failures: 1, starts_filled: true, ..tag() },
        ),
    ]
}
