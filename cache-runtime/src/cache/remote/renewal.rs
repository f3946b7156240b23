//! Keeping a lease alive for as long as its load shows life.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::cache::value::Cached;
use crate::clock::Clock;
use crate::flight::Flight;
use crate::provider::{Prefix, Provider};
use crate::resilience::Resilient;

/// Renews a lease at a third of its time, until it is dropped or the lease is lost.
#[derive(Debug)]
pub(super) struct Renewal(AbortHandle);

impl Renewal {
    /// Starts it. `None` without a runtime: then the lease ends by itself.
    pub(super) fn start(
        provider: &Arc<Resilient>,
        clock: &Clock,
        key: &str,
        lease: Prefix,
        ttl: Duration,
        flight: &Arc<Flight<Cached>>,
    ) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let (provider, clock, key) = (Arc::clone(provider), clock.clone(), key.to_owned());
        let flight = Arc::clone(flight);
        let task = runtime.spawn(async move {
            loop {
                clock.sleep(ttl / 3).await;
                // A load that nobody polls shows no life; others take it over when the lease ends.
                if flight.is_stalled(clock.now()) {
                    continue;
                }
                match provider.renew(&key, lease, ttl).await {
                    Ok(true) => {}
                    // Invalidated, or taken over: there is nothing left to renew.
                    Ok(false) => return,
                    Err(error) => {
                        tracing::debug!(target: "cache", key = %key, %error, "renew lease");
                    }
                }
            }
        });
        Some(Self(task.abort_handle()))
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}
