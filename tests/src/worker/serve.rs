//! The worker's own side: takes orders until its input ends.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::checker::check;
use super::functions::{Annotated, die_after_commit, invalidate_items, item};
use super::naive::Naive;
use super::oracle::Oracle;
use super::orders::{Answer, Order, SubjectKind};
use super::peers::Peer;
use super::rules;
use super::warnings::count_warnings;
use super::watch::watch;

/// Runs a worker: the cache from the environment, the oracle at this URL. Never returns, since the
/// process ends with its input, also in the middle of an order.
///
/// # Panics
///
/// If the oracle cannot be reached, or the standard output is closed.
pub async fn serve(oracle: &str) -> ! {
    count_warnings();
    let oracle = Arc::new(Oracle::connect(oracle).await);
    match rules::init().await {
        Ok(()) => say(&Answer::Ready),
        Err(error) => say(&Answer::Failed(error.to_string())),
    }
    let (orders, mut taken) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let line = line.expect("lines of text");
            let order: Order = serde_json::from_str(&line).expect("an order");
            if orders.send(order).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    while let Some(order) = taken.recv().await {
        say(&obey(order, &oracle).await);
    }
    std::process::exit(1)
}

async fn obey(order: Order, oracle: &Arc<Oracle>) -> Answer {
    match order {
        Order::Load { key, delay_ms, tasks } => {
            load(&key, Duration::from_millis(delay_ms), tasks, oracle).await
        }
        Order::Invalidate(what) => match invalidate_items(&what).await {
            Ok(()) => Answer::Invalidated,
            Err(error) => Answer::Failed(error.to_string()),
        },
        Order::Check { subject, seed, reads, tasks } => {
            let oracle = Arc::clone(oracle);
            Answer::Checked(match subject {
                SubjectKind::Annotated => check(Annotated, oracle, seed, reads, tasks).await,
                SubjectKind::Naive => {
                    check(Naive::connect(&server()).await, oracle, seed, reads, tasks).await
                }
                other => {
                    let peer = Peer::connect(&server(), other).await;
                    check(peer, oracle, seed, reads, tasks).await
                }
            })
        }
        Order::Watch(orders) => {
            let oracle = Arc::clone(oracle);
            Answer::Watched(Box::new(match orders.subject {
                SubjectKind::Annotated => watch(Annotated, oracle, orders).await,
                SubjectKind::Naive => watch(Naive::connect(&server()).await, oracle, orders).await,
                other => watch(Peer::connect(&server(), other).await, oracle, orders).await,
            }))
        }
        Order::Die { id } => {
            die_after_commit(oracle, id).await;
            Answer::Failed("it lives".to_owned())
        }
    }
}

/// The cache's server, for those who go there with the bare client.
fn server() -> String {
    std::env::var("REDIS_URL").expect("the cache's server")
}

async fn load(key: &str, delay: Duration, tasks: u64, oracle: &Arc<Oracle>) -> Answer {
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let (key, oracle) = (key.to_owned(), Arc::clone(oracle));
        all.spawn(async move {
            let began = Instant::now();
            (item(key, delay, oracle).await, began.elapsed())
        });
    }
    let stall = tokio::spawn(longest_stall());
    let (mut values, mut slowest) = (BTreeSet::new(), Duration::ZERO);
    while let Some(one) = all.join_next().await {
        let (value, took) = one.expect("no task panics");
        values.insert(value);
        slowest = slowest.max(took);
    }
    let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    stall.abort();
    let stalled = LONGEST_STALL.swap(0, Ordering::SeqCst);
    let values = values.into_iter().collect();
    Answer::Loaded { values, slowest_ms: millis(slowest), stalled_ms: stalled }
}

/// For how many milliseconds this process was not run at a stretch.
static LONGEST_STALL: AtomicU64 = AtomicU64::new(0);

/// Notes how late a timer fires: a process that others keep from running cannot renew its lease.
async fn longest_stall() {
    const TICK: Duration = Duration::from_millis(20);
    loop {
        let began = Instant::now();
        tokio::time::sleep(TICK).await;
        let late = began.elapsed().saturating_sub(TICK).as_millis();
        LONGEST_STALL.fetch_max(u64::try_from(late).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

fn say(answer: &Answer) {
    let line = serde_json::to_string(answer).expect("answers are JSON");
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).expect("the test listens");
}
