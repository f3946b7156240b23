//! Clocks, rounds and medians.
//!
//! Every round gives each contestant its turn, so that whatever else the machine does falls on all
//! of them alike; of the rounds the median counts.

use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;

use crate::contestants::Hits;

/// How many tasks the "tokio 8 tasks" column runs.
pub const TASKS: usize = 8;

/// Hits before each sample, so that it finds warm processor caches.
const WARM_UP: usize = 1 << 13;

/// Polls a future on this thread until it is ready, parking in between.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

/// The processor time that this thread has used.
fn thread_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer leads to a `timespec` on this stack.
    let failed = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(failed, 0, "the clock of the thread's processor time is missing");
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Keeps this thread on one core, where the machine has that many.
fn pin_to_core(core: usize) {
    // SAFETY: an all-zero set is an empty one, and both calls only touch this set.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

fn nanoseconds_each(time: Duration, hits: usize) -> f64 {
    time.as_nanos() as f64 / hits as f64
}

/// Processor nanoseconds per hit on one thread.
#[must_use]
pub fn one_thread(hits: &Hits, steps: &'static [u32]) -> f64 {
    hits.run(&steps[..WARM_UP]);
    let start = thread_time();
    hits.run(steps);
    nanoseconds_each(thread_time() - start, steps.len())
}

/// Wall nanoseconds that a hit takes on each of two threads, each on a core of its own.
#[must_use]
pub fn two_threads(hits: &Hits, steps: &'static [u32]) -> f64 {
    let barrier = Barrier::new(2);
    let work = |core: usize| {
        pin_to_core(core);
        // The threads walk through the same steps from different places.
        let (first, second) = steps.split_at(steps.len() / 2 * core);
        hits.run(&steps[..WARM_UP]);
        barrier.wait();
        let start = Instant::now();
        hits.run(second);
        hits.run(first);
        (start, Instant::now())
    };
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| work(0));
        let two = scope.spawn(|| work(1));
        let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("a timed thread");
        (join(one), join(two))
    });
    nanoseconds_each(one.1.max(two.1) - one.0.min(two.0), steps.len())
}

/// Wall nanoseconds that a hit takes on each worker, with eight tasks on a tokio runtime.
#[must_use]
pub fn eight_tasks(runtime: &Runtime, workers: usize, hits: &Hits, steps: &'static [u32]) -> f64 {
    let share = steps.len() / TASKS;
    let start = Instant::now();
    runtime.block_on(async {
        let tasks: Vec<_> =
            steps.chunks_exact(share).map(|steps| tokio::spawn(hits.task(steps))).collect();
        for task in tasks {
            task.await.expect("a timed task");
        }
    });
    nanoseconds_each(start.elapsed() * workers as u32, share * TASKS)
}

/// The samples of one cell of the table.
#[derive(Clone, Debug, Default)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// Adds one.
    pub fn push(&mut self, sample: f64) {
        self.0.push(sample);
    }

    /// The median; NaN without samples.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// How far the middle half of the samples spreads, relative to the median.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / self.median()
    }

    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
        sorted.get(place).copied().unwrap_or(f64::NAN)
    }
}
