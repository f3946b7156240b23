//! What a run saw, as lines of a table.

use std::fmt;
use std::time::Duration;

/// The time that each call took, in microseconds.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<u32>);

impl Times {
    pub(crate) fn note(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The time that this part of the calls did not exceed; 1.0 for the longest.
    pub(crate) fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        let micros = sorted.get((last as f64 * part).round() as usize).copied().unwrap_or(0);
        Duration::from_micros(micros.into())
    }
}

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |part| self.quantile(part).as_secs_f64() * 1e3;
        let (half, most, nearly_all, all) = (millis(0.5), millis(0.99), millis(0.999), millis(1.0));
        let count = self.count();
        write!(formatter, "{count:>7} {half:>8.2} {most:>8.2} {nearly_all:>8.2} {all:>8.2}")
    }
}

/// A run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) before: Times,
    pub(crate) during: Times,
    pub(crate) after: Times,
    /// Calls that returned an error.
    pub(crate) errors: u64,
    /// Calls that returned less than was acknowledged before they began.
    pub(crate) stale: u64,
    /// Invalidations that were acknowledged, and that were not at once.
    pub(crate) acknowledged: u64,
    pub(crate) unsure: u64,
}

impl Report {
    pub(crate) fn add(&mut self, other: &Self) {
        self.before.add(&other.before);
        self.during.add(&other.during);
        self.after.add(&other.after);
        self.errors += other.errors;
        self.stale += other.stale;
        self.acknowledged += other.acknowledged;
        self.unsure += other.unsure;
    }

    /// Prints the table.
    pub(crate) fn print(&self, name: &str, hits_again: Duration, in_effect: Duration) {
        println!(
            "{name}\n  ms added   calls      p50      p99    p99.9      max\n  \
             before   {}\n  during   {}\n  after    {}\n  \
             {} errors, {} stale; {} invalidations acknowledged, {} later; \
             hits again after {hits_again:.0?}, all invalidations in effect after {in_effect:.0?}",
            self.before,
            self.during,
            self.after,
            self.errors,
            self.stale,
            self.acknowledged,
            self.unsure,
        );
    }
}
