//! What a load holds of a store outside the process: a lease, or the entry that it renews.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::elsewhere::Elsewhere;
use super::fill::Filling;
use super::leases::Leases;
use super::names::{mark_ttl, marks, refresh_key, stamps};
use super::renewal::Renewal;
use super::write::{Draught, physical_ttl};
use super::{Found, Remote};
use crate::cache::claim::{Claim, Concluded, Outcome, Taken, Terms};
use crate::cache::core::{Core, Request, Tier};
use crate::cache::rules::Rule;
use crate::cache::value::Cached;
use crate::clock::Clock;
use crate::flight::{Flight, Ticket};
use crate::provider::{
    Acquire, Acquired, CellKind, Expected, Extent, Filled, Incarnation, Lookup, OnRefused, Prefix,
    Provider, SWEEP, Stamp,
};
use crate::resilience::Resilient;
use crate::stats::count;

/// The right to fill a cell, and what the load started from. Dropped without being settled, it
/// gives its lease back in the background.
pub(crate) struct RemoteClaim {
    provider: Arc<Resilient>,
    leases: Leases,
    clock: Clock,
    text: String,
    /// What the cell has to hold when the result comes: the lease, or the entry.
    expected: Prefix,
    /// The cell that the lease lies in: the key's own, or the one beside it for a renewal.
    lease: Option<(String, Prefix)>,
    lease_ttl: Duration,
    baseline: Option<Baseline>,
    on_refused: OnRefused,
    renewal: Option<Renewal>,
}

/// The state of the marks before the load (rule A2), all of them live.
struct Baseline {
    tags: Vec<Stamp>,
    families: Vec<Stamp>,
    incarnation: Incarnation,
}

impl RemoteClaim {
    /// Takes a key for a load. Where there is a value to keep meanwhile (rule E2), a lease beside
    /// it says that somebody renews it.
    pub(crate) async fn take(
        core: &Arc<Core>,
        request: &Request,
        found: &Found,
        terms: Terms,
    ) -> Taken {
        let Tier::Remote(remote) = &core.tier else { return Taken::Changed };
        if terms.keeps_entry {
            return Self::take_beside(core, remote, request, found).await;
        }
        match found.kind() {
            // A lease of this process whose load is over, given up, or doomed.
            Some(_)
                if terms.replaces == Some(found.prefix) || remote.leases.is_over(found.prefix) =>
            {
                Self::acquire(core, remote, request, found.prefix.into(), CellKind::Lease).await
            }
            Some(CellKind::Lease) => {
                Taken::Elsewhere(Elsewhere { key: request.text.clone(), lease: found.prefix })
            }
            // Somebody is changing what the value is made of: what is loaded now may be stored by
            // nobody, and nobody waits for a writer.
            Some(CellKind::Write) => Taken::Claim(Claim::Nothing),
            _ => Self::acquire(core, remote, request, found.prefix.into(), CellKind::Lease).await,
        }
    }

    /// Takes a key whatever others do with it.
    pub(crate) async fn insist(
        core: &Arc<Core>,
        request: &Request,
        found: &Found,
        keeps_entry: bool,
    ) -> Option<Claim> {
        let Tier::Remote(remote) = &core.tier else { return None };
        if keeps_entry {
            let claim = Self::renewing(core, remote, request, found, None).await;
            return Some(claim.map_or(Claim::Nothing, Claim::Remote));
        }
        let expected = found.prefix.into();
        match Self::acquire(core, remote, request, expected, CellKind::Lease).await {
            Taken::Claim(claim) => Some(claim),
            Taken::Changed | Taken::Elsewhere(_) => None,
        }
    }

    /// ACQUIRE: a lease, or a writer's claim, in place of what is expected.
    pub(super) async fn acquire(
        core: &Arc<Core>,
        remote: &Remote,
        request: &Request,
        expected: Expected,
        kind: CellKind,
    ) -> Taken {
        let mut marks = marks(request.tags.iter().chain(&request.families));
        // Held while a removal is under way that takes several steps: a load that begins in the
        // middle of it may be made of what is still to be removed, and stores nothing.
        marks.push(SWEEP);
        let lease = Prefix::unique(kind);
        let lease_ttl = if kind == CellKind::Write { super::WRITE_LEASE } else { remote.lease };
        let asked = Acquire::new(&request.text, lease, lease_ttl)
            .expected(expected)
            .marks(&marks, mark_ttl(physical_ttl(core, request, None)));
        let mut claim = Self::bare(core, remote, request, lease);
        claim.lease_ttl = lease_ttl;
        claim.lease = Some((request.text.clone(), lease));
        match remote.provider().acquire(asked).await {
            Ok(Acquired::Granted(granted)) => {
                remote.note(granted.incarnation);
                // Where a mark is on hold nothing may be stored; the lease still makes others wait.
                claim.baseline = stamps(&granted.marks).map(|mut tags| {
                    let mut families = tags.split_off(request.tags.len());
                    families.truncate(request.families.len());
                    Baseline { tags, families, incarnation: granted.incarnation }
                });
                Taken::Claim(Claim::Remote(claim))
            }
            Ok(Acquired::Busy(held)) => {
                claim.lease = None;
                match held.kind() {
                    Some(CellKind::Lease) => {
                        Taken::Elsewhere(Elsewhere { key: request.text.clone(), lease: held })
                    }
                    _ => Taken::Changed,
                }
            }
            Err(error) => {
                count(&request.counters.errors);
                tracing::debug!(target: "cache", key = %request.text, %error, "acquire lease");
                // It may be in place all the same: dropping the claim gives it back.
                Taken::Claim(Claim::Nothing)
            }
        }
    }

    /// A writer's claim on the value that a key holds; `None` where it holds none, or where a mark
    /// has to be created first.
    pub(super) async fn over_value(
        core: &Arc<Core>,
        remote: &Remote,
        request: &Request,
    ) -> Option<Self> {
        let marks = marks(request.tags.iter().chain(&request.families));
        let lookup = [Lookup::new(&request.text).extent(Extent::Prefix).marks(&marks)];
        let observed = remote.provider().read(&lookup).await.ok()?.into_iter().next()?;
        let prefix = observed.prefix();
        if prefix.kind() != Some(CellKind::Value) {
            return None;
        }
        let mut tags = stamps(&observed.marks)?;
        let families = tags.split_off(request.tags.len());
        let mut claim = Self::bare(core, remote, request, prefix);
        claim.baseline = Some(Baseline { tags, families, incarnation: observed.incarnation });
        claim.removes_when_refused();
        Some(claim)
    }

    async fn take_beside(
        core: &Arc<Core>,
        remote: &Remote,
        request: &Request,
        found: &Found,
    ) -> Taken {
        let (key, lease) = (refresh_key(&request.text), Prefix::unique(CellKind::Lease));
        let acquired = remote.provider().acquire(Acquire::new(&key, lease, remote.lease)).await;
        match acquired {
            Ok(Acquired::Granted(_)) => {
                let beside = Some((key, lease));
                match Self::renewing(core, remote, request, found, beside).await {
                    Some(claim) => Taken::Claim(Claim::Remote(claim)),
                    None => Taken::Claim(Claim::Nothing),
                }
            }
            Ok(Acquired::Busy(held)) => Taken::Elsewhere(Elsewhere { key, lease: held }),
            Err(error) => {
                count(&request.counters.errors);
                tracing::debug!(target: "cache", key = %request.text, %error, "acquire lease");
                Taken::Claim(Claim::Nothing)
            }
        }
    }

    /// A claim to put a new value in place of the entry that was found. Its marks are those that
    /// made the entry valid, so they are from before the load.
    async fn renewing(
        core: &Arc<Core>,
        remote: &Remote,
        request: &Request,
        found: &Found,
        beside: Option<(String, Prefix)>,
    ) -> Option<Self> {
        let mut claim = Self::bare(core, remote, request, found.prefix);
        claim.lease = beside;
        let tags = stamps(&found.observed.marks)?;
        let families = match request.families.is_empty() {
            true => Vec::new(),
            false => {
                let ttl = mark_ttl(physical_ttl(core, request, None));
                let families = marks(&request.families);
                let states =
                    remote.provider().ensure_marks(&request.text, &families, ttl).await.ok()?;
                stamps(&states.marks)?
            }
        };
        claim.baseline = Some(Baseline { tags, families, incarnation: found.observed.incarnation });
        Some(claim)
    }

    fn bare(core: &Arc<Core>, remote: &Remote, request: &Request, expected: Prefix) -> Self {
        Self {
            provider: Arc::clone(remote.provider()),
            leases: remote.leases.clone(),
            clock: core.clock.clone(),
            text: request.text.clone(),
            expected,
            lease: None,
            lease_ttl: remote.lease,
            baseline: None,
            on_refused: OnRefused::Keep,
            renewal: None,
        }
    }

    /// What the load started from, for those who looked at the store since.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        let in_the_cell = self.lease.as_ref().filter(|(key, _)| *key == self.text);
        let lease = in_the_cell.map(|(_, lease)| *lease);
        self.baseline.as_ref().map(|baseline| Ticket::There { lease, tags: baseline.tags.clone() })
    }

    /// A refused fill removes whatever the cell holds: of two writers nobody knows who was last.
    pub(super) fn removes_when_refused(&mut self) {
        self.on_refused = OnRefused::Remove;
    }

    /// Renews the lease for as long as the load shows life.
    pub(crate) fn keep_alive(&mut self, flight: &Arc<Flight<Cached>>) {
        if let Some((key, lease)) = &self.lease {
            self.renewal =
                Renewal::start(&self.provider, &self.clock, key, *lease, self.lease_ttl, flight);
        }
    }

    /// FILL, or the lease back where nothing is to be stored.
    pub(crate) async fn conclude(
        mut self,
        core: &Arc<Core>,
        request: &Arc<Request>,
        value: &Cached,
        outcome: &Outcome<'_>,
    ) -> Concluded {
        let Tier::Remote(remote) = &core.tier else { unreachable!("the claim is of this tier") };
        let filled = match outcome.ttl {
            Some(ttl) => self.fill(core, remote, request, value, ttl, outcome).await,
            None => None,
        };
        match filled {
            Some(concluded) => {
                self.settle(concluded.held);
                concluded
            }
            None => {
                // What was loaded is the truth by now and is not to be kept, so what the cell holds
                // is not to be kept either: the lease, or the older entry.
                let ttl = self.lease_ttl;
                let held = self.leases.give_back(&self.text, self.expected, ttl).await;
                self.settle(true);
                Concluded { exact: false, held: held.unwrap_or(false) }
            }
        }
    }

    /// `None` where the value cannot be stored.
    async fn fill(
        &mut self,
        core: &Core,
        remote: &Remote,
        request: &Request,
        value: &Cached,
        ttl: Duration,
        outcome: &Outcome<'_>,
    ) -> Option<Concluded> {
        let Baseline { mut tags, families, incarnation } = self.baseline.take()?;
        let physical = physical_ttl(core, request, Some(ttl));
        if !remote.rules.keep(Rule::NonceOrder) {
            let late = marks(&request.tags);
            let late = self.provider.ensure_marks(&self.text, &late, mark_ttl(physical)).await;
            tags = stamps(&late.ok()?.marks)?;
        }
        if !outcome.tags.is_empty() {
            // Their nonces are from after the load; the guards see to what happened during it.
            let more = marks(outcome.tags);
            let more = self.provider.ensure_marks(&self.text, &more, mark_ttl(physical)).await;
            tags.extend(stamps(&more.ok()?.marks)?);
        }
        let names: Vec<&String> = request.tags.iter().chain(outcome.tags).collect();
        let draught = Draught { ttl, took: outcome.took, incarnation };
        let bytes = remote.encode(core, request, value, &names, &tags, &draught)?;
        let filling = Filling {
            text: self.text.clone(),
            bytes,
            ttl: physical,
            expected: self.expected,
            on_refused: self.on_refused,
            incarnation: match remote.rules.keep(Rule::Fence) {
                true => incarnation,
                false => Incarnation::UNKNOWN,
            },
            names: names.into_iter().cloned().collect(),
            guards: request.families.iter().cloned().zip(families).collect(),
        };
        let filled = filling.send(&self.provider).await;
        // What was read before is no copy of what is there now.
        if let Some(near) = &remote.near {
            near.forget(&self.text);
        }
        Some(match filled {
            Ok(Filled::Stored(states)) => {
                count(&request.counters.stores);
                tracing::debug!(target: "cache", key = %self.text, ?ttl, "store");
                Concluded { exact: stamps(&states).is_some_and(|now| now == tags), held: true }
            }
            Ok(Filled::Refused(why)) => {
                tracing::debug!(target: "cache", key = %self.text, ?why, "store refused");
                Concluded { exact: false, held: false }
            }
            Err(error) => {
                count(&request.counters.errors);
                tracing::debug!(target: "cache", key = %self.text, %error, "store");
                if error.is_retryable() {
                    let lease = self.lease.take().map(|(key, lease)| (key, lease, self.lease_ttl));
                    filling.send_again(&self.provider, &self.leases, lease);
                }
                Concluded { exact: false, held: false }
            }
        })
    }

    /// The load failed: the lease back, for whoever loads next.
    pub(crate) async fn give_back(mut self) {
        self.renewal = None;
        if let Some((key, lease)) = self.lease.take() {
            // What comes of it was reported.
            let _ended = self.leases.give_back(&key, lease, self.lease_ttl).await;
        }
    }

    /// The cell is settled; a lease beside it is given back off the caller's path.
    fn settle(&mut self, in_the_cell: bool) {
        self.renewal = None;
        if in_the_cell && self.lease.as_ref().is_some_and(|(key, _)| *key == self.text) {
            self.lease = None;
        }
    }
}

impl Drop for RemoteClaim {
    fn drop(&mut self) {
        self.renewal = None;
        if let Some((key, lease)) = self.lease.take() {
            self.leases.give_back_later(key, lease, self.lease_ttl);
        }
    }
}

impl fmt::Debug for RemoteClaim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RemoteClaim").field("key", &self.text).finish_non_exhaustive()
    }
}
