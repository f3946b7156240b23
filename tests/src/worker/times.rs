//! How long calls took: counts by size, so that processes can send and add them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Each power of two of nanoseconds in so many parts: quantiles are right to about six percent.
const PARTS: u64 = 16;

/// Times, by their size.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Times {
    counts: Vec<u64>,
    max: Duration,
}

impl Times {
    /// Adds one.
    pub fn note(&mut self, time: Duration) {
        let part = part(time.as_nanos() as u64);
        if self.counts.len() <= part {
            self.counts.resize(part + 1, 0);
        }
        self.counts[part] += 1;
        self.max = self.max.max(time);
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            *own += others;
        }
        self.max = self.max.max(other.max);
    }

    /// The longest.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }

    /// At most this share of all took longer; zero if there are none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let all: u64 = self.counts.iter().sum();
        let wanted = (all as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (part, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return Duration::from_nanos(end(part as u64)).min(self.max);
            }
        }
        Duration::ZERO
    }
}

/// The part that a number lies in: exact below 16, then 16 parts to each power of two.
const fn part(number: u64) -> usize {
    if number < PARTS {
        return number as usize;
    }
    let exponent = number.ilog2() as u64;
    ((exponent - 3) * PARTS + (number >> (exponent - 4)) - PARTS) as usize
}

/// The largest number in a part.
const fn end(part: u64) -> u64 {
    if part < PARTS {
        return part;
    }
    let shift = part / PARTS - 1;
    ((part % PARTS + PARTS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Times, end, part};

    #[test]
    fn every_number_lies_in_the_part_that_ends_at_or_after_it() {
        let mut last = 0;
        for number in (0..5_000).chain((5_000..10_000_000).step_by(777)) {
            let at = part(number);
            assert!(at >= last && number <= end(at as u64), "{number}");
            assert!(at == 0 || number > end(at as u64 - 1), "{number}");
            last = at;
        }
    }

    #[test]
    fn quantiles_are_right_to_a_sixteenth() {
        let mut times = Times::default();
        assert_eq!(times.quantile(0.5), Duration::ZERO);
        (1..=1_000).for_each(|micros| times.note(Duration::from_micros(micros)));
        let mut twice = times.clone();
        twice.add(&times);
        for (share, micros) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1_000)] {
            for times in [&times, &twice] {
                let found = times.quantile(share).as_micros();
                assert!((micros..=micros * 17 / 16).contains(&found), "{share}: {found}");
            }
        }
        assert_eq!(twice.max(), Duration::from_micros(1_000));
    }
}
