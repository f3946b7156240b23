//! Promise P1 as a history check in one process: when an invalidation has returned, no read that
//! starts later returns a value computed from data read before it.
//!
//! Eight workers read 64 rows through a cache while they change them. A writer commits, then
//! invalidates, then notes its version as acknowledged; a reader notes the newest acknowledged
//! version, then reads, and what it gets must not be older. `rules` is about the same check with
//! several processes and real servers.

#[path = "consistency/checker.rs"]
mod checker;
#[path = "consistency/database.rs"]
mod database;
#[path = "consistency/functions.rs"]
mod functions;
#[path = "consistency/peer.rs"]
mod peer;
#[path = "consistency/rules.rs"]
mod rules;

use cache_runtime::{Cache, CacheBuilder};

use checker::{Verdict, check};
use functions::{Annotated, FUNCTIONS, Function};

/// Per function; together more than a million.
const READS: u64 = 148_000;

fn check_all(configure: impl Fn(CacheBuilder) -> CacheBuilder, reads: u64) -> Verdict {
    let mut total = Verdict::default();
    for function in FUNCTIONS {
        let verdict = check(|| annotated(function, &configure), reads);
        println!("{function:?}: {verdict}");
        total.add(verdict);
    }
    println!("all: {total}");
    total
}

fn annotated(function: Function, configure: impl Fn(CacheBuilder) -> CacheBuilder) -> Annotated {
    let build = configure(Cache::builder().in_memory()).build();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    Annotated { function, cache: runtime.block_on(build).expect("a cache in memory") }
}

#[test]
fn no_read_returns_what_an_acknowledged_invalidation_made_old() {
    let total = check_all(|builder| builder, READS);
    assert!(total.reads >= 1_000_000 && total.writes >= 50_000, "{total}");
    assert_eq!((total.stale, total.foreign), (0, 0), "{total}");
}

#[test]
fn nor_while_entries_are_evicted_all_the_time() {
    let total = check_all(|builder| builder.max_entries(16).namespace("small"), READS / 16);
    assert_eq!((total.stale, total.foreign), (0, 0), "{total}");
}

#[test]
fn the_same_check_fails_on_a_peer_with_ordinary_single_flight() {
    let verdict = check(|| peer::Moka(moka::future::Cache::new(10_000)), READS);
    println!("moka: {verdict}");
    assert!(verdict.stale > 100, "the check has lost its teeth: {verdict}");
}
