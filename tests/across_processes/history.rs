//! The history check with eight processes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cache_tests::history::{Setup, Topology, run};
use cache_tests::proxy::Proxy;
use cache_tests::servers::{ClusterServers, RedisServer};
use cache_tests::worker::{Answer, Order, Sight, SubjectKind, Verdict};

use crate::{alone, is_long, worker_of};

const PROCESSES: u64 = 8;
const TASKS: u64 = 8;

/// How many reads a run has, all processes together.
fn reads() -> u64 {
    if is_long() { 1_050_000 } else { 60_000 }
}

fn check(url: &str, subject: SubjectKind, reads: u64) -> Verdict {
    check_during(url, subject, reads, |_| {})
}

/// The same while `faults` happen: it is asked to go on as long as the flag says so.
fn check_during(
    url: &str,
    subject: SubjectKind,
    reads: u64,
    faults: impl FnOnce(&AtomicBool) + Send,
) -> Verdict {
    let oracle = RedisServer::start();
    // What is written by hand has its own connection and no cache of ours.
    let provider = match subject {
        SubjectKind::Annotated => "redis",
        _ => "none",
    };
    let start = |_| worker_of(provider, url, &oracle);
    let mut workers: Vec<_> = (0..PROCESSES).map(start).collect();
    for (seed, worker) in workers.iter_mut().enumerate() {
        let reads = reads.div_ceil(PROCESSES);
        worker.tell(&Order::Check { subject, seed: seed as u64, reads, tasks: TASKS });
    }
    let goes_on = AtomicBool::new(true);
    std::thread::scope(|scope| {
        scope.spawn(|| faults(&goes_on));
        let _over = Over(&goes_on);
        let mut total = Verdict::default();
        for worker in &mut workers {
            match worker.answer() {
                Answer::Checked(verdict) => total.add(verdict),
                other => panic!("{other:?}"),
            }
        }
        total
    })
}

/// Ends the faults, also when a worker fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

fn assert_exact(verdict: Verdict, reads: u64) {
    println!("{verdict}");
    assert_eq!((verdict.stale, verdict.foreign), (0, 0), "{verdict}");
    assert!(verdict.reads >= reads && verdict.writes >= reads / 20, "{verdict}");
    // Without faults invalidations are acknowledged, but for what a loaded machine holds up, and
    // most reads hit.
    assert!(verdict.unsure <= verdict.writes / 100, "{verdict}");
    assert!(verdict.loads < verdict.reads / 2, "{verdict}");
}

#[test]
fn no_process_reads_what_another_invalidated() {
    let _alone = alone();
    let server = RedisServer::start();
    assert_exact(check(&server.url(), SubjectKind::Annotated, reads()), reads());
}

#[test]
fn nor_on_a_cluster() {
    let _alone = alone();
    let servers = ClusterServers::start(3, 0);
    assert_exact(check(&servers.url(), SubjectKind::Annotated, reads()), reads());
}

/// What holds whatever happens to the store.
fn assert_exact_in_spite_of_faults(verdict: Verdict, reads: u64) {
    println!("{verdict}");
    assert_eq!((verdict.stale, verdict.foreign), (0, 0), "{verdict}");
    assert!(verdict.reads >= reads && verdict.writes >= reads / 100, "{verdict}");
    assert!(verdict.unsure > 0, "the faults were felt: {verdict}");
}

/// The pause between two faults: part of what is done to the store.
const BETWEEN_FAULTS: Duration = Duration::from_millis(700);

#[test]
fn nor_while_the_server_is_cut_off_stopped_and_killed() {
    let _alone = alone();
    let mut server = RedisServer::start();
    let (proxy, reads) = (Proxy::start(&server.address()), reads() / 4);
    let url = proxy.url();
    let verdict = check_during(&url, SubjectKind::Annotated, reads, |goes_on| {
        for turn in 0.. {
            std::thread::sleep(BETWEEN_FAULTS);
            if !goes_on.load(Ordering::SeqCst) {
                return;
            }
            match turn % 5 {
                0 => proxy.cut(),
                1 => server.stop(),
                2 => server.resume(),
                3 => proxy.stall_half_way(),
                _ => {
                    proxy.flow();
                    server.restart();
                }
            }
        }
    });
    assert_exact_in_spite_of_faults(verdict, reads);
}

#[test]
fn nor_while_primaries_of_a_cluster_are_killed_and_replaced() {
    let _alone = alone();
    let mut servers = ClusterServers::start(3, 1);
    let (url, reads) = (servers.url(), reads() / 4);
    let verdict = check_during(&url, SubjectKind::Annotated, reads, |goes_on| {
        for turn in 0..3 {
            std::thread::sleep(BETWEEN_FAULTS);
            if !goes_on.load(Ordering::SeqCst) {
                return;
            }
            let primary = servers.owner(turn * 6_000).expect("somebody serves the slot");
            servers.kill_primary(primary);
            servers.restart(primary);
        }
    });
    assert_exact_in_spite_of_faults(verdict, reads);
}

#[test]
fn the_same_check_fails_on_tag_sets_written_by_hand() {
    let _alone = alone();
    let server = RedisServer::start();
    let verdict = check(&server.url(), SubjectKind::Naive, 50_000);
    println!("by hand: {verdict}");
    assert!(verdict.stale > 50, "the check has lost its teeth: {verdict}");
}

/// The check that `--bin consistency` runs for as long as one likes.
fn watch(setup: Setup) -> Sight {
    let _alone = alone();
    let setup = Setup { time: Duration::from_secs(2), processes: 2, ..setup };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let report = runtime.block_on(run(&setup, Path::new(env!("CARGO_BIN_EXE_cache-worker"))));
    let sight = report.sight;
    println!("{sight}");
    assert!(sight.reads > 0 && sight.writes > 0, "it ran: {sight}");
    assert_eq!(sight.foreign, 0, "{sight}");
    sight
}

#[test]
fn near_copies_are_stale_for_no_longer_than_their_bound_and_never_once_settled() {
    let near = "500ms".to_owned();
    let setup = Setup { near, settled: 20, ..Setup::new(Topology::Standalone) };
    let sight = watch(setup);
    assert_eq!(sight.broken, 0, "{sight}");
    assert!(sight.settled > 0, "some writes waited: {sight}");
}

#[test]
fn the_same_watch_sees_what_stamps_at_the_fill_leave() {
    // Many writes, so that loads and invalidations meet often enough in the short time.
    let (subject, reads_per_write) = (SubjectKind::TimestampTags, 4);
    let setup = Setup { subject, reads_per_write, ..Setup::new(Topology::Standalone) };
    let sight = watch(setup);
    assert!(sight.broken > 0 && sight.broken == sight.stale, "{sight}");
}
