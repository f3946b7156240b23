//! The check over real servers: it needs each rule of the protocol, and its faults do happen.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_tests::history::{Kind, Report, Setup, Topology, run, without};

/// Waits until no other test that needs many processes runs.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(setup: &Setup) -> Report {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let report = runtime.block_on(run(setup, Path::new(env!("CARGO_BIN_EXE_cache-worker"))));
    println!("{}; {}", report.sight, report.happened);
    report
}

/// Runs without the rule until a read is stale that may not be.
fn is_needed(rule: &str) {
    const MOST_RUNS: u64 = 12;
    let _alone = alone();
    let setup = without(rule).expect("the name of a rule");
    let is_seen = (1..=MOST_RUNS).any(|seed| {
        let setup = Setup { seed, time: Duration::from_secs(3), ..setup.clone() };
        report(&setup).sight.broken > 0
    });
    assert!(is_seen, "without `{rule}` nothing was stale");
}

#[test]
fn without_the_fence_what_a_truncated_log_brings_back_is_served() {
    is_needed("fence");
}

#[test]
fn without_the_join_rule_readers_take_what_was_loaded_before_they_came() {
    is_needed("join");
}

#[test]
fn without_the_nonces_order_what_was_invalidated_during_its_load_is_kept() {
    is_needed("nonce-order");
}

#[test]
fn without_the_install_guard_copies_stay_that_changed_on_their_way() {
    is_needed("install-guard");
}

#[test]
fn without_the_heartbeat_copies_are_served_by_who_hears_nothing() {
    is_needed("heartbeat");
}

#[test]
fn faults_that_are_planned_are_seen_to_happen() {
    let _alone = alone();
    let only = vec![Kind::DropClients, Kind::Flush, Kind::KillWriter, Kind::Pause];
    let setup = Setup { faults: true, only, processes: 2, ..Setup::new(Topology::Standalone) };
    let setup = Setup { time: 2 * setup.long_enough(), ..setup };
    let report = report(&setup);
    assert_eq!((report.sight.broken, report.sight.foreign), (0, 0), "{}", report.sight);
    assert_eq!(report.missed, [], "{}", report.happened);
    assert!(setup.only.iter().all(|kind| report.happened.times(*kind) > 0), "{}", report.happened);
}
