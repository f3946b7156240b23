//! Which bounds the near caches of all processes keep to, so that an invalidation can wait for them.
//!
//! For each bound in use a mark of the library's own is held: a hold outlasts removals and `clear`,
//! and needs no agreement. A process holds it before it keeps its first copy, and again while it
//! lives. Whoever wants an invalidation to be seen by all near caches waits for the longest bound
//! after the store has acknowledged it: a copy is served only while a sign of life, or the read that
//! it comes from, is no older than the bound.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Tick, ticks};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{Extent, Lookup, Mark, MarkState, Provider};

/// The bounds that are told apart, in milliseconds; any other counts as the next longer one.
const BOUNDS: [u64; 20] = [
    20, 50, 100, 200, 300, 400, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 20_000,
    30_000, 60_000, 300_000, 3_600_000,
];

/// How long a hold lasts, and after what part of that another one is added.
const KEPT: Duration = Duration::from_secs(3_600);
const RENEWED: Duration = Duration::from_secs(1_200);

/// The longest bound that a near cache can have.
pub(crate) const LONGEST_BOUND: Duration = Duration::from_millis(BOUNDS[BOUNDS.len() - 1]);

/// The name of the mark of a bound. The first character keeps it away from tags that users choose.
fn name(millis: u64) -> String {
    format!("\u{1}near:{millis}")
}

/// Whether this process's bound is registered.
#[derive(Debug, Default)]
pub(super) struct Registration {
    /// Until when it surely is.
    until: AtomicU64,
}

impl Registration {
    pub(super) fn holds(&self, now: Tick) -> bool {
        now < self.until.load(Ordering::Acquire)
    }

    /// The hold may be lost.
    pub(super) fn forget(&self) {
        self.until.store(0, Ordering::Release);
    }

    /// Registers a bound, unless that was done lately. Where it fails, the next read tries again.
    pub(super) async fn renew(&self, provider: &dyn Provider, clock: &Clock, bound: Duration) {
        let now = clock.now();
        if self.holds(now) {
            return;
        }
        match register(provider, bound).await {
            Ok(()) => self.until.store(now.saturating_add(ticks(RENEWED)), Ordering::Release),
            Err(error) => tracing::debug!(target: "cache", %error, "near cache"),
        }
    }
}

async fn register(provider: &dyn Provider, bound: Duration) -> Result<()> {
    let bound = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX);
    let millis = BOUNDS.into_iter().find(|millis| *millis >= bound).unwrap_or(bound);
    provider.hold_marks(&[Mark::tag(&name(millis))], KEPT).await
}

/// The longest bound of all near caches in front of a store.
pub(in crate::cache::remote) async fn longest_bound(provider: &dyn Provider) -> Result<Duration> {
    let names = BOUNDS.map(name);
    let marks: Vec<Mark<'_>> = names.iter().map(|name| Mark::tag(name)).collect();
    let lookup = [Lookup::new(&names[0]).extent(Extent::Nothing).marks(&marks)];
    let Some(found) = provider.read(&lookup).await?.into_iter().next() else {
        let message = "the provider did not say which near caches there are";
        return Err(Error::new(ErrorKind::Unavailable, "settle", message));
    };
    let held = found.marks.iter().zip(BOUNDS).filter(|(state, _)| **state == MarkState::Held);
    Ok(Duration::from_millis(held.map(|(_, millis)| millis).max().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::{Registration, longest_bound, register};
    use crate::Clock;
    use crate::provider::{MemoryProvider, Provider};
    use std::time::Duration;

    #[tokio::test]
    async fn the_longest_bound_counts_also_after_a_clear() {
        let provider = MemoryProvider::new(100);
        assert_eq!(longest_bound(&provider).await.expect("memory"), Duration::ZERO);
        for (bound, longest) in [(500, 500), (200, 500), (510, 750), (900, 1_000)] {
            register(&provider, Duration::from_millis(bound)).await.expect("memory");
            provider.clear().await.expect("memory");
            let found = longest_bound(&provider).await.expect("memory");
            assert_eq!(found, Duration::from_millis(longest));
        }
    }

    #[tokio::test]
    async fn it_is_registered_again_before_it_ends() {
        let (clock, hand) = Clock::manual();
        let provider = MemoryProvider::builder().clock(clock.clone()).build();
        let (registration, bound) = (Registration::default(), Duration::from_millis(500));
        for _ in 0..3 {
            assert!(!registration.holds(clock.now()));
            registration.renew(&provider, &clock, bound).await;
            assert!(registration.holds(clock.now()));
            hand.advance(super::RENEWED);
            assert_eq!(longest_bound(&provider).await.expect("memory"), bound);
        }
    }
}
