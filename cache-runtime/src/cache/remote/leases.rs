//! Giving leases back, and telling those that are over and may still lie in the store.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::{Clock, Tick, ticks};
use crate::error::Result;
use crate::provider::{Prefix, Provider};
use crate::resilience::Resilient;

/// So many leases that are over are remembered at most; any further one makes its readers wait, as
/// that of another process does.
const MOST: usize = 10_000;

/// The leases of this process that are being given back, and those that the store did not take back
/// because it was out of reach.
///
/// Nobody loads under them, so whoever in this process comes across one takes its place instead of
/// waiting for its end.
#[derive(Clone)]
pub(super) struct Leases {
    provider: Arc<Resilient>,
    clock: Clock,
    over: Arc<Over>,
}

#[derive(Default)]
struct Over {
    count: AtomicUsize,
    /// Each until it has surely expired in the store.
    leases: Mutex<HashMap<Prefix, Tick>>,
}

impl Leases {
    pub(super) fn new(provider: &Arc<Resilient>, clock: &Clock) -> Self {
        Self { provider: Arc::clone(provider), clock: clock.clone(), over: Arc::default() }
    }

    /// Gives a lease back that lives for so long at most. One that the store does not take back ends
    /// by itself.
    ///
    /// # Errors
    /// Those of [`Provider::release`]; false if the lease was not there any more.
    pub(super) async fn give_back(&self, key: &str, lease: Prefix, ttl: Duration) -> Result<bool> {
        let until = self.clock.now().saturating_add(ticks(ttl));
        self.over.add(lease, until, self.clock.now());
        let released = self.provider.release(key, lease).await;
        match &released {
            Ok(_) => self.over.forget(lease),
            Err(error) => tracing::debug!(target: "cache", key = %key, %error, "release lease"),
        }
        released
    }

    /// The same in the background. Without a runtime the lease ends by itself.
    pub(super) fn give_back_later(&self, key: String, lease: Prefix, ttl: Duration) {
        let Ok(runtime) = Handle::try_current() else { return };
        let leases = self.clone();
        // What comes of it was reported.
        runtime.spawn(async move { leases.give_back(&key, lease, ttl).await.is_ok() });
    }

    /// Whether this is a lease of this process under which nobody loads any more. One relaxed load
    /// where there is none.
    pub(super) fn is_over(&self, lease: Prefix) -> bool {
        self.over.count.load(Ordering::Relaxed) > 0 && self.over.lock().contains_key(&lease)
    }
}

impl Over {
    fn add(&self, lease: Prefix, until: Tick, now: Tick) {
        let mut leases = self.lock();
        if leases.len() >= MOST {
            leases.retain(|_, until| *until > now);
        }
        if leases.len() < MOST {
            leases.insert(lease, until);
        }
        self.count.store(leases.len(), Ordering::Relaxed);
    }

    fn forget(&self, lease: Prefix) {
        let mut leases = self.lock();
        leases.remove(&lease);
        self.count.store(leases.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Prefix, Tick>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let over = self.over.count.load(Ordering::Relaxed);
        formatter.debug_struct("Leases").field("over", &over).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Over};
    use crate::provider::{CellKind, Prefix};

    #[test]
    fn what_has_expired_makes_room_and_nothing_else_does() {
        let over = Over::default();
        let first = Prefix::unique(CellKind::Lease);
        over.add(first, 10, 0);
        (1..MOST).for_each(|_| over.add(Prefix::unique(CellKind::Lease), 20, 0));
        let refused = Prefix::unique(CellKind::Lease);
        over.add(refused, 20, 9);
        assert!(!over.lock().contains_key(&refused));
        assert!(over.lock().contains_key(&first));
        over.add(refused, 20, 10);
        assert!(over.lock().contains_key(&refused));
        assert!(!over.lock().contains_key(&first));
    }
}
