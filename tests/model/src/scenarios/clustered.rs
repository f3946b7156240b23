//! Marks on another server than the cell, and tags that only the loaded value names.

use super::Scenario;
use crate::protocol::rules::{Change, Order, Rules};

/// The request's tag, the result's tag and the epoch: which of them lie elsewhere.
const TAG_AWAY: [bool; 3] = [true, false, false];
const EPOCH_AWAY: [bool; 3] = [false, false, true];
const RESULT_AWAY: [bool; 3] = [false, true, false];
const BOTH_AWAY: [bool; 3] = [false, true, true];

fn two() -> Rules {
    Rules { callers: vec![(0, 1), (1, 1)], ..Rules::implemented() }
}

fn result(away: [bool; 3]) -> Rules {
    let writers = vec![Change::InvalidatesResultTag];
    Rules { has_tag: false, has_result_tag: true, away, writers, ..two() }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    [tags_elsewhere(), result_tags()].into_iter().flatten().collect()
}

fn tags_elsewhere() -> Vec<Scenario> {
    let split = Rules { away: TAG_AWAY, ..two() };
    let tag = Rules { writers: vec![Change::InvalidatesTag], ..split.clone() };
    let both = Rules { writers: vec![Change::InvalidatesTag, Change::InvalidatesKey], ..split };
    let callers = vec![(0, 1), (0, 1), (1, 1)];
    let lossy = Rules { failovers: [1, 1], evicts: false, ..tag.clone() };
    vec![
        Scenario::safe("tag elsewhere, read in either order (C1, C2)", both),
        Scenario::safe("failover of either server", lossy.clone()),
        Scenario::safe("three callers", Rules { callers, ..tag }).long(),
        Scenario::without("no fence", Rules { fence: false, ..lossy }),
    ]
}

fn result_tags() -> Vec<Scenario> {
    let joined = |rules: Rules| Rules { callers: vec![(0, 1), (0, 1), (1, 1)], ..rules };
    let lossy = |rules: Rules| Rules { failovers: [1, 1], evicts: false, ..rules };
    let loses = |server: usize, rules| {
        let failovers = if server == 0 { [1, 0] } else { [0, 1] };
        Rules { failovers, ..lossy(rules) }
    };
    let off = |order| Rules { order, ..result(EPOCH_AWAY) };
    vec![
        Scenario::safe("result tag, one server", result([false; 3])),
        Scenario::safe("result tag, its epoch elsewhere", result(EPOCH_AWAY)),
        Scenario::safe("result tag elsewhere, epoch beside the cell", result(RESULT_AWAY)),
        Scenario::safe("result tag and epoch elsewhere, together", result(BOTH_AWAY)),
        Scenario::safe("late commands", Rules { late: 1, ..result(EPOCH_AWAY) }),
        Scenario::safe("shared loads, one server", joined(result([false; 3]))).long(),
        Scenario::safe("shared loads, epoch elsewhere", joined(result(EPOCH_AWAY))).long(),
        Scenario::safe("failover of either server, epoch elsewhere", lossy(result(EPOCH_AWAY)))
            .long(),
        Scenario::safe("failover of either server, tag elsewhere", lossy(result(RESULT_AWAY)))
            .long(),
        Scenario::safe("failover of the epoch's server", loses(1, result(EPOCH_AWAY))),
        Scenario::safe("failover of the tag's server", loses(1, result(RESULT_AWAY))),
        Scenario::safe(
            "failover of the cell's server, epoch elsewhere",
            loses(0, result(EPOCH_AWAY)),
        )
        .long(),
        Scenario::without("no epochs", Rules { guards: false, ..result([false; 3]) }),
        Scenario::safe("result tag after its epoch, nothing is held", off(Order::EpochFirst)),
        Scenario::without("the tag is removed before its epoch", off(Order::TagFirst)),
        Scenario::without("the tag alone is removed", off(Order::TagAlone)),
    ]
}
