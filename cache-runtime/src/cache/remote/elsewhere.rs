//! Waiting for a load of another process.

use std::sync::Arc;
use std::time::Duration;

use crate::cache::core::{Core, Request, Tier};
use crate::clock::duration;
use crate::error::ErrorKind;
use crate::flight::Chain;
use crate::provider::{Extent, Lookup, Prefix, Provider};
use crate::stats::Counters;

/// How long the first pause between two looks is, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(25));

/// After so many looks in a row without an answer a waiter loads for itself.
const MOST_UNANSWERED: u32 = 3;

/// How long a load whose time is known may take before others stop waiting for it.
const PATIENCE: u32 = 4;
const LEAST_PATIENCE: Duration = Duration::from_millis(100);

/// A load of another process.
pub(crate) struct Elsewhere {
    /// The cell that its lease lies in.
    pub(super) key: String,
    pub(super) lease: Prefix,
}

/// How the wait ended.
pub(crate) enum Outwaited {
    /// The lease is gone: there is a value, or nobody loads any more.
    Changed,
    /// It takes too long, or the store does not answer: load without storing.
    TooLong,
}

impl Elsewhere {
    /// Waits for as long as the holder renews its lease, and, where it is known how long such loads
    /// take, for four times that: a slow load is the one that most needs protection, and a dead
    /// holder costs at most one lease time.
    ///
    /// # Cancel safety
    ///
    /// Dropping it leaves the other process's load as it is.
    pub(crate) async fn outwait(&self, core: &Arc<Core>, request: &Request) -> Outwaited {
        let Tier::Remote(remote) = &core.tier else { return Outwaited::TooLong };
        let began = core.clock.now();
        let limit = patience(&request.counters, remote.lease);
        let ((mut pause, longest), mut unanswered) = (PAUSES, 0);
        loop {
            core.clock.sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(longest);
            let lookup = [Lookup::new(&self.key).extent(Extent::Prefix)];
            match remote.provider().read(&lookup).await {
                Ok(observed) => {
                    unanswered = 0;
                    let held =
                        observed.first().map_or(Prefix::ABSENT, |observed| observed.prefix());
                    if held != self.lease || remote.leases.is_over(held) {
                        return Outwaited::Changed;
                    }
                }
                // One late answer says nothing about the holder; a store that is gone does.
                Err(error)
                    if error.kind() == ErrorKind::Timeout && unanswered < MOST_UNANSWERED =>
                {
                    unanswered += 1;
                }
                Err(_) => return Outwaited::TooLong,
            }
            let waited = duration(core.clock.now().saturating_sub(began));
            if limit.is_some_and(|limit| waited > limit) {
                return Outwaited::TooLong;
            }
        }
    }
}

/// How long to wait for a load that shows life; without an end where nothing is known of it.
fn patience(counters: &Counters, lease: Duration) -> Option<Duration> {
    let known = counters.read().mean_load_time();
    let known = known.map(|time| (time * PATIENCE).max(LEAST_PATIENCE));
    // Two processes may each hold what the other's load needs. Neither sees the ring, so a load
    // inside a load does not wait without an end.
    match Chain::current() {
        Some(_) => Some(known.unwrap_or(lease * 2)),
        None => known,
    }
}
