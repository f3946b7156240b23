//! How long this test was kept from running: what a measured time may be wrong by.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};
use tokio::task::AbortHandle;

/// How long each look waits for the next.
const PAUSE: Duration = Duration::from_millis(1);

/// Looks all the time at how late a thread and a task of this runtime are, and at how far the coarse
/// clock, by which leases are judged, is behind the fine one, by which the test judges.
#[derive(Debug)]
pub struct Stalls {
    longest: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    task: AbortHandle,
    thread: Option<JoinHandle<()>>,
}

impl Stalls {
    /// Begins to look. A task that shares its runtime with what is measured is late when that is.
    pub fn watch() -> Self {
        let (longest, ends) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let noted = Arc::clone(&longest);
        let task = tokio::spawn(async move {
            loop {
                let began = Instant::now();
                tokio::time::sleep(PAUSE).await;
                note(&noted, began.elapsed().saturating_sub(PAUSE));
            }
        });
        let (noted, is_over) = (Arc::clone(&longest), Arc::clone(&ends));
        let thread = std::thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                let began = Instant::now();
                std::thread::sleep(PAUSE);
                note(&noted, began.elapsed().saturating_sub(PAUSE));
                note(&noted, lag());
            }
        });
        Self { longest, ends, task: task.abort_handle(), thread: Some(thread) }
    }

    /// The longest one since this was asked last.
    pub fn take(&self) -> Duration {
        Duration::from_nanos(self.longest.swap(0, Ordering::Relaxed))
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.task.abort();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("it cannot panic");
        }
    }
}

fn note(longest: &AtomicU64, late: Duration) {
    let nanos = u64::try_from(late.as_nanos()).unwrap_or(u64::MAX);
    longest.fetch_max(nanos, Ordering::Relaxed);
}

/// How far the coarse monotonic clock is behind the fine one.
fn lag() -> Duration {
    let read = |clock| -> Duration {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
        Duration::new(tv_sec.try_into().unwrap_or(0), tv_nsec.try_into().unwrap_or(0))
    };
    let coarse = read(ClockId::MonotonicCoarse);
    read(ClockId::Monotonic).saturating_sub(coarse)
}

#[tokio::test]
async fn a_task_that_does_not_let_others_run_is_noticed() {
    const HELD: Duration = Duration::from_millis(30);
    let stalls = Stalls::watch();
    // The other task has begun to wait once this one goes on.
    tokio::task::yield_now().await;
    stalls.take();
    let began = Instant::now();
    while began.elapsed() < HELD {
        std::hint::spin_loop();
    }
    tokio::time::sleep(PAUSE).await;
    assert!(stalls.take() >= HELD - 2 * PAUSE);
}
