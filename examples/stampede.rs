//! Ten thousand tasks ask for a value that nobody has loaded yet: one load serves them all.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::cached;
use tokio::task::JoinSet;
use tokio::time::sleep;

static LOADS: AtomicU64 = AtomicU64::new(0);

/// Takes its time, as a report does.
#[cached(key = "report:<year>", ttl = "1h")]
async fn report(year: u32) -> String {
    LOADS.fetch_add(1, Ordering::Relaxed);
    sleep(Duration::from_millis(200)).await;
    format!("the report of {year}")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut tasks = JoinSet::new();
    for _ in 0..10_000 {
        tasks.spawn(report(2026));
    }
    let mut answers = 0;
    while let Some(answer) = tasks.join_next().await {
        assert_eq!(answer?, "the report of 2026");
        answers += 1;
    }
    println!("{answers} answers, {} load", LOADS.load(Ordering::Relaxed));
    Ok(())
}

// Output:
// 10000 answers, 1 load
