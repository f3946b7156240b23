//! Deterministic simulation: several processes, each with a cache, over one small store, and a seed
//! that decides everything that can happen: who goes on next, when a command arrives, what is lost,
//! what time it is.
//!
//! `CACHE_SIMULATION_SEED=17 cargo test -p cache-tests --test simulation one_seed -- --nocapture`
//! runs one seed again and prints every step; with `CACHE_SIMULATION_NO_NEAR=1` without near caches,
//! and with `CACHE_SIMULATION_NO_FAULTS=1` without faults, as some of the tests do.

#[path = "simulation/command.rs"]
mod command;
#[path = "simulation/differential.rs"]
mod differential;
#[path = "simulation/faults.rs"]
mod faults;
#[path = "simulation/functions.rs"]
mod functions;
#[path = "simulation/ledger.rs"]
mod ledger;
#[path = "simulation/run.rs"]
mod run;
#[path = "simulation/scheduler.rs"]
mod scheduler;
#[path = "simulation/seat.rs"]
mod seat;
#[path = "simulation/slot.rs"]
mod slot;
#[path = "simulation/store.rs"]
mod store;
#[path = "simulation/world.rs"]
mod world;
#[path = "simulation/writers.rs"]
mod writers;

use cache_runtime::testing::Rule;
use run::{Kinds, Outcome, run, run_without};

const ALL: Kinds = Kinds { near: true, faults: true };

fn seeds() -> u64 {
    match std::env::var_os("CACHE_TEST_LONG") {
        Some(_) => 20_000,
        None => 1_000,
    }
}

/// Runs seeds and sums up; the first one that fails says how to see it again.
fn run_all(name: &str, kinds: Kinds, first: u64, count: u64) {
    let (mut reads, mut invalidations, mut loads, mut steps, mut stale) = (0, 0, 0, 0, 0);
    let mut failed = Vec::new();
    for seed in first..first + count {
        let Outcome { scenario, verdict, steps: taken, .. } = run(seed, kinds, false);
        reads += verdict.reads;
        invalidations += verdict.invalidations;
        loads += verdict.loads;
        stale += verdict.stale_within_bound;
        steps += taken;
        if !verdict.violations.is_empty() {
            println!("seed {seed}: {:?}\n    {scenario:?}", verdict.violations);
            failed.push(seed);
        }
    }
    println!(
        "{name}: {count} seeds, {steps} steps, {reads} reads, {invalidations} invalidations, \
         {loads} loads, {stale} reads stale within their bound, {} seeds failed",
        failed.len()
    );
    let near = if kinds.near { "" } else { "CACHE_SIMULATION_NO_NEAR=1 " };
    let faults = if kinds.faults { "" } else { "CACHE_SIMULATION_NO_FAULTS=1 " };
    if let Some(seed) = failed.first() {
        println!(
            "again: CACHE_SIMULATION_SEED={seed} {near}{faults}\\\n    \
             cargo test -p cache-tests --test simulation one_seed -- --nocapture"
        );
    }
    assert!(failed.is_empty(), "{name}: seeds {failed:?}");
}

#[test]
fn without_faults() {
    run_all("plain", Kinds { near: false, faults: false }, 0, seeds() / 4);
}

#[test]
fn near_without_faults() {
    run_all("near", Kinds { near: true, faults: false }, 0, seeds() / 4);
}

#[test]
fn with_faults() {
    run_all("faults", Kinds { near: false, faults: true }, 0, seeds() / 4);
}

#[test]
fn near_with_faults() {
    run_all("near, faults", ALL, 0, seeds() / 4);
}

/// The first seed that finds out that a rule is not kept.
fn first_without(rule: Rule, kinds: Kinds) -> u64 {
    let finds = |seed: &u64| {
        let verdict = run_without(Some(rule), *seed, kinds, false).verdict;
        verdict.violations.iter().any(|violation| violation.contains("stale"))
    };
    let found = (0..1_000).find(finds);
    println!("without {rule:?}: seed {found:?}");
    found.expect("the simulation finds no violation")
}

#[test]
fn without_the_fence_it_finds_a_violation() {
    first_without(Rule::Fence, Kinds { near: false, faults: true });
}

#[test]
fn without_the_join_rule_it_finds_a_violation() {
    first_without(Rule::Join, Kinds { near: false, faults: false });
}

#[test]
fn without_the_nonce_order_it_finds_a_violation() {
    first_without(Rule::NonceOrder, Kinds { near: false, faults: false });
}

#[test]
fn without_the_install_guard_it_finds_a_violation() {
    first_without(Rule::InstallGuard, Kinds { near: true, faults: false });
}

#[test]
fn without_the_heartbeat_it_finds_a_violation() {
    first_without(Rule::Heartbeat, Kinds { near: true, faults: true });
}

#[test]
fn one_seed() {
    let seed = std::env::var("CACHE_SIMULATION_SEED").ok();
    let seed = seed.map_or(1, |seed| seed.parse().expect("a number"));
    let kinds = Kinds {
        near: std::env::var_os("CACHE_SIMULATION_NO_NEAR").is_none(),
        faults: std::env::var_os("CACHE_SIMULATION_NO_FAULTS").is_none(),
    };
    let first = run(seed, kinds, true);
    let again = run(seed, kinds, false);
    assert_eq!((first.trace, first.steps), (again.trace, again.steps), "a seed is one history");
    assert!(first.verdict.violations.is_empty(), "{:?}", first.verdict.violations);
}
