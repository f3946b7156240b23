//! FILL: what is sent once with the result, and once more off the caller's path if that is in doubt.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::leases::Leases;
use super::names::{mark, mark_ttl, marks};
use crate::error::Result;
use crate::provider::{Fill, Filled, Incarnation, Mark, OnRefused, Prefix, Provider, Stamp};
use crate::resilience::Resilient;

/// One fill, with all that it needs.
pub(super) struct Filling {
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
    pub(super) ttl: Duration,
    pub(super) expected: Prefix,
    pub(super) on_refused: OnRefused,
    pub(super) incarnation: Incarnation,
    /// The whole names of the entry's tags.
    pub(super) names: Vec<String>,
    /// The families of tags that only the result told, as they were before the load.
    pub(super) guards: Vec<(String, Stamp)>,
}

impl Filling {
    pub(super) async fn send(&self, provider: &Resilient) -> Result<Filled> {
        let marks = marks(&self.names);
        let guards: Vec<(Mark<'_>, Stamp)> =
            self.guards.iter().map(|(family, stamp)| (mark(family), *stamp)).collect();
        let mut fill = Fill::new(&self.text, &self.bytes, self.ttl)
            .expected(self.expected)
            .marks(&marks, mark_ttl(self.ttl))
            .guards(&guards)
            .on_refused(self.on_refused);
        if self.incarnation != Incarnation::UNKNOWN {
            fill = fill.incarnation(self.incarnation);
        }
        provider.fill(fill).await
    }

    /// Sends it once more in the background, and then gives the lease back: the first attempt may
    /// have come through, and then this one is refused.
    pub(super) fn send_again(
        self,
        provider: &Arc<Resilient>,
        leases: &Leases,
        lease: Option<(String, Prefix, Duration)>,
    ) {
        // Without a runtime the lease ends by itself.
        let Ok(runtime) = Handle::try_current() else { return };
        let (provider, leases) = (Arc::clone(provider), leases.clone());
        runtime.spawn(async move {
            if let Err(error) = self.send(&provider).await {
                tracing::debug!(target: "cache", key = %self.text, %error, "store, second attempt");
            }
            if let Some((key, lease, ttl)) = lease {
                // What comes of it was reported.
                let _ended = leases.give_back(&key, lease, ttl).await;
            }
        });
    }
}
