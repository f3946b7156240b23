//! Other ways to invalidate, and shared reads.

use super::Scenario;
use crate::peers::{Peer, Way};
use crate::shared_reads::{SharedReads, Takes};

pub(super) fn scenarios() -> Vec<Scenario> {
    let by = |way| Peer { way, readers: 3 };
    let time = |skew, ties_are_valid| by(Way::TimeOfLoad { skew, ties_are_valid });
    vec![
        Scenario::without("a tombstone that ends (A5)", by(Way::Tombstone)),
        Scenario::without("lease apart, value removed first (A6)", by(Way::LeaseApartValueFirst)),
        Scenario::safe("lease apart, lease removed first (A7)", by(Way::LeaseApartLeaseFirst)),
        Scenario::safe("lease apart, removed together (A8)", by(Way::LeaseApartTogether)),
        Scenario::without("a tag counter that is evicted (A9)", by(Way::Counter)),
        Scenario::safe("a nonce in its place", by(Way::Nonce)),
        Scenario::without("timestamp of the fill (H1)", by(Way::TimeOfFill)),
        Scenario::without("timestamp of the load, ties are valid (H2)", time(0, true)),
        Scenario::without("timestamp of the load, clocks differ (H3)", time(-1, false)),
        Scenario::safe("timestamp of the load, perfect clocks (H4)", time(0, false)),
    ]
}

pub(super) fn shared_reads() -> Vec<Scenario> {
    let reads = SharedReads { takes: Takes::SentAfter, callers: 5, changes: 2, drops: 1 };
    vec![
        Scenario::safe("answers of reads sent later", reads),
        Scenario::safe("everybody is answered", SharedReads { callers: 4, changes: 1, ..reads })
            .looking_for_hangs(),
        Scenario::without(
            "answers of reads under way",
            SharedReads { takes: Takes::UnderWay, ..reads },
        ),
    ]
}
