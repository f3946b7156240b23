//! Writing through (decision 0005).

use super::Scenario;
use crate::protocol::rules::{Change, Overtaken, Rules};

fn one_reader(writers: Vec<Change>) -> Rules {
    Rules { callers: vec![(0, 2)], writers, ..Rules::implemented() }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    let through = Change::WritesThrough;
    let two = || one_reader(vec![through, through]);
    let away = [true, false, false];
    let with_readers = Rules { callers: vec![(0, 1), (1, 1)], ..two() };
    vec![
        Scenario::safe("two writers", two()),
        Scenario::safe("two writers over a value", Rules { starts_filled: true, ..two() }),
        Scenario::safe("a writer whose FILL is late", Rules { late: 1, ..two() }),
        Scenario::safe(
            "a writer and an invalidation of the key",
            one_reader(vec![through, Change::InvalidatesKey]),
        ),
        Scenario::safe(
            "a writer and an invalidation of a tag elsewhere",
            Rules { away, ..one_reader(vec![through, Change::InvalidatesTag]) },
        ),
        Scenario::safe(
            "a failover during the write",
            Rules { failovers: [1, 0], evicts: false, ..one_reader(vec![through]) },
        ),
        Scenario::safe("two writers and two readers", with_readers.clone()).long(),
        Scenario::safe(
            "two writers and two readers, late FILL",
            Rules { late: 1, evicts: false, ..with_readers },
        )
        .long(),
        Scenario::without(
            "no claim before the body",
            Rules { claims_before_write: false, ..two() },
        ),
        Scenario::without(
            "whoever is overtaken leaves the key as it is",
            Rules { overtaken: Overtaken::Leaves, ..two() },
        ),
    ]
}
