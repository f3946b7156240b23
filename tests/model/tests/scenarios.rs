//! Every scenario ends as it is expected to: the safe ones with all of their states seen, those
//! without a rule with a counterexample. `CACHE_TEST_LONG=1` runs the large ones too.

use cache_model::explore::Ending;
use cache_model::scenarios::{Size, scenarios};

/// Runs a group. What is not as expected is told with its trace.
fn check(group: &str) {
    let is_long = std::env::var_os("CACHE_TEST_LONG").is_some();
    let size = if is_long { Size::Long } else { Size::Small };
    let (mut ran, mut failures) = (0, String::new());
    for scenario in scenarios(size).into_iter().filter(|scenario| scenario.group == group) {
        ran += 1;
        let verdict = scenario.run();
        if verdict.is_expected {
            continue;
        }
        failures += &format!("\n{} ({:?} expected): {verdict}\n", scenario.name, scenario.expected);
        if let Ending::Broken(trace) = &verdict.found.ending {
            failures += &trace.to_string();
        }
    }
    assert!(ran > 0, "there is no group `{group}`");
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn reads_and_invalidations_on_one_server() {
    check("one server");
}

#[test]
fn loads_that_are_shared() {
    check("shared loads");
}

#[test]
fn values_that_are_written_through() {
    check("written");
}

#[test]
fn marks_on_other_servers_and_tags_from_results() {
    check("clustered");
}

#[test]
fn functions_that_call_each_other() {
    check("composed");
}

#[test]
fn scans_write_guards_and_holding_off() {
    check("held");
}

#[test]
fn near_caches() {
    check("near");
}

#[test]
fn reads_that_are_shared() {
    check("shared reads");
}

#[test]
fn other_ways_to_invalidate() {
    check("peers");
}

#[test]
fn every_group_is_checked() {
    let known = [
        "one server",
        "shared loads",
        "written",
        "clustered",
        "composed",
        "held",
        "near",
        "shared reads",
        "peers",
    ];
    assert_eq!(cache_model::scenarios::GROUPS, known, "a group without a test here");
}
