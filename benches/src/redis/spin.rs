//! Many tasks that ask one after the other, timed.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What was measured of one contestant in one round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Calls a second.
    pub throughput: f64,
    /// Microseconds that half of the calls took at most.
    pub p50: f64,
    /// Microseconds that 99 % of the calls took at most.
    pub p99: f64,
    /// Microseconds of processor time of this process, each call.
    pub processor: f64,
    /// Microseconds of processor time of the server, each call.
    pub server: f64,
    /// Commands that the server ran, each call.
    pub commands: f64,
}

/// The processor time that this process has used, in user code and in the kernel.
#[must_use]
pub fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Runs the steps in so many tasks at once, each with a share of its own.
///
/// # Errors
///
/// That of the first call that failed.
pub async fn spin<C, F>(tasks: usize, steps: &'static [u32], call: C) -> Result<Sample, String>
where
    C: Fn(u32) -> F + Clone + Send + 'static,
    F: Future<Output = Result<(), String>> + Send,
{
    let share = steps.len() / tasks;
    let (processor, start) = (processor_time(), Instant::now());
    let running: Vec<_> = steps
        .chunks_exact(share)
        .take(tasks)
        .map(|steps| {
            let call = call.clone();
            tokio::spawn(async move {
                let mut took = Vec::with_capacity(steps.len());
                let mut last = Instant::now();
                for step in steps {
                    call(*step).await?;
                    let now = Instant::now();
                    took.push((now - last).as_nanos() as u32);
                    last = now;
                }
                Ok::<_, String>(took)
            })
        })
        .collect();
    let mut took = Vec::with_capacity(steps.len());
    for task in running {
        took.extend(task.await.map_err(|error| error.to_string())??);
    }
    let (elapsed, processor) = (start.elapsed(), processor_time() - processor);
    took.sort_unstable();
    let calls = took.len() as f64;
    Ok(Sample {
        throughput: calls / elapsed.as_secs_f64(),
        p50: quantile(&took, 0.5),
        p99: quantile(&took, 0.99),
        processor: processor.as_secs_f64() * 1e6 / calls,
        ..Sample::default()
    })
}

/// Microseconds that a share of the calls took at most; the times are sorted.
#[must_use]
pub fn quantile(sorted: &[u32], share: f64) -> f64 {
    let place = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(place).map_or(f64::NAN, |nanoseconds| f64::from(*nanoseconds) / 1e3)
}
