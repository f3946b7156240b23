//! Scans, write guards and holding off.

use super::Scenario;
use super::composed::{after_commit, brief, carrying, each, other};
use crate::removal::{Act, Blocks, Function, Holds, Promises, Removals, Writer};

/// The mark that a scan holds, in both buckets.
const SWEEP: [usize; 2] = [0, 1];
const TAG: usize = 0;
/// A tag of functions that are scanned.
const OTHER: usize = 2;

pub(super) fn scenarios() -> Vec<Scenario> {
    [scans(), guards(), guards_of_keys(), lagging()].into_iter().flatten().collect()
}

fn scanned(functions: usize) -> Vec<Function> {
    let heeding =
        |at: usize| Function { heeds: vec![SWEEP[at % 2]], bucket: at % 2, ..carrying(&[], 0) };
    (0..functions).map(heeding).collect()
}

/// A scan of all cells, without its sweep.
fn scan(functions: usize) -> Vec<Vec<Vec<Act>>> {
    vec![each([Act::BeginsScan]), each((0..functions).map(Act::ScansCell))]
}

fn swept(functions: usize) -> Writer {
    let holds = each(SWEEP.map(Act::Holds));
    after_commit([vec![holds], scan(functions), vec![each(SWEEP.map(Act::Releases))]].concat())
}

fn scans() -> Vec<Scenario> {
    let one =
        Removals { callers: vec![0; 3], ..Removals::of(scanned(1), vec![after_commit(scan(1))]) };
    let two = |writer| Removals { callers: vec![0; 2], ..Removals::of(scanned(2), vec![writer]) };
    let mut clear = swept(2);
    clear.phases[3].push(vec![Act::Removes(OTHER)]);
    let mut tagged = Removals { callers: vec![0; 2], ..Removals::of(scanned(2), vec![clear]) };
    tagged.functions.iter_mut().for_each(|function| function.carries = vec![OTHER]);
    let both = Removals { writers: vec![swept(2), brief(&SWEEP)], ..two(swept(2)) };
    vec![
        Scenario::safe("SCAN with leases in place (I2)", one.clone()),
        Scenario::without(
            "SCAN with leases out of sight (I1)",
            Removals { leases_in_place: false, starts_filled: false, ..one },
        ),
        Scenario::safe("two functions, a sweep is held", two(swept(2))),
        Scenario::without("two functions, no sweep", two(after_commit(scan(2)))),
        Scenario::safe("everything is cleared, marks too", tagged),
        Scenario::safe("a sweep and refreshes", Removals { refreshes: 2, ..two(swept(2)) }),
        Scenario::safe(
            "a sweep that refreshes do not heed",
            Removals { refreshes: 2, refreshes_heed: false, ..two(swept(2)) },
        ),
        Scenario::safe("a sweep that is lost", Removals { early_ends: 1, ..two(swept(2)) }),
        Scenario::without(
            "a sweep that is lost, and nobody looks",
            Removals { early_ends: 1, notices_lost_holds: false, ..two(swept(2)) },
        ),
        Scenario::safe("two scans, one dies", Removals { crashes: 1, ..both.clone() }),
        Scenario::without(
            "two scans whose sweeps are not counted",
            Removals { holds: Holds::Flagged, notices_lost_holds: false, ..both },
        ),
    ]
}

/// A writer that holds before it commits.
fn guard(first: Act, last: Act) -> Writer {
    Writer {
        phases: vec![each([first]), each([Act::Commits]), each([last])],
        promises: Promises::AtCommit,
    }
}

fn single(carries: &[usize], writers: Vec<Writer>) -> Removals {
    Removals::of(vec![carrying(carries, 0)], writers)
}

fn guards() -> Vec<Scenario> {
    let tag = guard(Act::Holds(TAG), Act::Releases(TAG));
    let unguarded = Writer {
        phases: vec![each([Act::Commits]), each([Act::Removes(TAG)])],
        promises: Promises::AtCommit,
    };
    let plain = after_commit(vec![each([Act::Removes(TAG)])]);
    let two = single(&[TAG], vec![tag.clone(), plain]);
    let dies = |model| Removals { crashes: 1, ..model };
    vec![
        Scenario::without(
            "a writer dies before it invalidates (J1)",
            dies(single(&[TAG], vec![unguarded])),
        ),
        Scenario::safe(
            "a write guard, and its writer dies (J2)",
            dies(single(&[TAG], vec![tag.clone()])),
        ),
        Scenario::safe("another writer of the tag meanwhile", dies(two.clone())),
        Scenario::without(
            "another writer of the tag ends the guard",
            Removals { removal_ends_holds: true, ..dies(two) },
        ),
        Scenario::safe(
            "two guards of one tag",
            dies(single(&[TAG], vec![tag.clone(), tag.clone()])),
        ),
        Scenario::without(
            "two guards of one tag, not counted",
            Removals {
                holds: Holds::Flagged,
                ..dies(single(&[TAG], vec![tag.clone(), tag.clone()]))
            },
        ),
        Scenario::without(
            "a guard that ends before the commit",
            Removals { early_ends: 1, ..dies(single(&[TAG], vec![tag])) },
        ),
    ]
}

fn guards_of_keys() -> Vec<Scenario> {
    let key = guard(Act::Blocks(0), Act::Unblocks(0));
    let keys = Removals {
        crashes: 1,
        ..single(&[], vec![key, after_commit(vec![each([Act::RemovesCell(0)])])])
    };
    let through = Writer {
        phases: vec![each([Act::ClaimsCell(0)]), each([Act::Commits]), each([Act::FillsCell(0)])],
        promises: Promises::AtOk,
    };
    let crossed = Removals { writers: vec![keys.writers[0].clone(), through], ..keys.clone() };
    vec![
        Scenario::safe(
            "a guard of a key that others leave",
            Removals { blocks: Blocks::Kept, ..keys.clone() },
        ),
        Scenario::without(
            "a guard of a key that others end",
            Removals { blocks: Blocks::Unnoticed, ..keys },
        ),
        Scenario::safe(
            "a guard of a key that writing through leaves",
            Removals { blocks: Blocks::Kept, ..crossed.clone() },
        ),
        Scenario::without(
            "a guard of a key that writing through ends",
            Removals { blocks: Blocks::Unnoticed, ..crossed },
        ),
    ]
}

/// Loads read a replica of the database that lags.
fn lagging() -> Vec<Scenario> {
    let off = after_commit(vec![each([Act::Removes(TAG)]), each([Act::Holds(TAG)])]);
    let guarded = guard(Act::Holds(TAG), Act::Releases(TAG));
    let lags = |writers| Removals { loads_lag: true, ..single(&[TAG], writers) };
    let others = vec![off.clone(), other(Act::Removes(TAG))];
    vec![
        Scenario::without("a guard alone (J3)", lags(vec![guarded])),
        Scenario::without("no hold-off", lags(vec![after_commit(vec![each([Act::Removes(TAG)])])])),
        Scenario::safe("a hold-off longer than the lag (J4)", lags(vec![off])),
        Scenario::safe("a hold-off, and another removal", lags(others.clone())),
        Scenario::without(
            "a hold-off that another removal ends",
            Removals { removal_ends_holds: true, ..lags(others) },
        ),
    ]
}
