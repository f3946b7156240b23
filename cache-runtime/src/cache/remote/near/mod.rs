//! The near cache: copies of a store's entries in this process, in the store of the in-memory
//! provider.
//!
//! It works in one of three ways. *Validated*: a copy is served after the store has said that the
//! entry and its marks are what they were; exact, and no payload is moved or decoded. *Told*: the
//! store tells what changes, and copies are served without asking while its last sign of life was
//! asked for less than the bound ago. *Timed*, where the store has no means to tell: a copy is
//! served until the bound has passed since it was asked for.
//!
//! A copy is made only if nothing about it changed since before it was asked for. Its marks are
//! tags of the in-memory store, whose generations are read before the question is sent; for its
//! cell and for everything together there are counters.

mod asking;
mod lease;
mod registry;
mod telling;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::core::{Core, Request};
use crate::cache::memory::{lacks, lead_from_index, read};
use crate::cache::rules::{Rule, Rules};
use crate::cache::steps::Life;
use crate::cache::value::Cached;
use crate::clock::{Clock, Tick, ticks};
use crate::config::{Config, Near};
use crate::entry::Stored;
use crate::flight::Chain;
use crate::near::meta::{TagSeen, Windows, unused_number};
use crate::near::origin::{Origin, Origins, SharedMarks};
use crate::near::sites::Sites;
use crate::near::store::{Store, hash_text};
use crate::provider::{Observed, Provider, Watch, Watcher};
use lease::Lease;
pub(crate) use registry::LONGEST_BOUND;
use registry::Registration;
pub(super) use registry::longest_bound;

/// How exact the coarse clocks are.
const CLOCK_ERROR: Duration = Duration::from_millis(10);

/// The shortest bound that there can be.
pub(crate) const LEAST_BOUND: Duration = Duration::from_millis(20);

/// How many counters of changed cells there are. Keys that share one keep each other's copies from
/// being made while they change, and no more.
const CELLS: usize = 4_096;

/// Copies of a store's entries.
pub(crate) struct NearCache {
    store: Store,
    /// `None` where each hit is validated.
    bound: Option<Duration>,
    /// Whether the store tells what changes.
    is_told: AtomicBool,
    lease: Lease,
    registration: Registration,
    rules: Rules,
    /// How often a cell changed whose key has this hash.
    cells: Box<[AtomicU64]>,
    /// How often everything may have changed.
    floods: AtomicU64,
    marks: SharedMarks,
}

/// How things were before a copy was asked for.
#[derive(Debug)]
pub(super) struct Before {
    cell: u64,
    floods: u64,
    tags: Vec<TagSeen>,
    began: u64,
    at: Tick,
    unix: u64,
}

/// What the near cache has of a key.
pub(super) enum Nearby {
    /// A value to serve.
    Value(Cached),
    /// A value to serve if the store says that its origin is still current.
    Copy(Cached, Arc<Origin>),
    Nothing,
}

impl NearCache {
    /// A near cache as configured; `None` where there is none.
    pub(crate) fn new(
        config: &Config,
        clock: &Clock,
        sites: &Arc<Sites>,
        provider: &dyn Provider,
        rules: Rules,
    ) -> Option<Arc<Self>> {
        let bound = match config.near {
            Near::Off => return None,
            Near::Validated => None,
            Near::Bound(bound) => Some(bound),
        };
        let near = Arc::new(Self {
            store: Store::new(
                config.max_entries,
                config.max_bytes,
                clock.clone(),
                Arc::clone(sites),
            ),
            bound,
            is_told: AtomicBool::new(false),
            lease: Lease::default(),
            registration: Registration::default(),
            rules,
            cells: (0..CELLS).map(|_| AtomicU64::new(0)).collect(),
            floods: AtomicU64::new(0),
            marks: SharedMarks::default(),
        });
        if let Some(bound) = bound {
            let watcher: Arc<dyn Watcher> = near.clone();
            let every = (bound / 4).clamp(CLOCK_ERROR, Duration::from_secs(1));
            let is_told = provider.watch(Watch { watcher: Arc::downgrade(&watcher), every });
            near.is_told.store(is_told, Ordering::Release);
        }
        Some(near)
    }

    /// Whether the store tells what changes.
    pub(crate) fn is_told(&self) -> bool {
        self.is_told.load(Ordering::Acquire)
    }

    /// How stale a value may be that is served without asking.
    pub(crate) fn bound(&self) -> Option<Duration> {
        self.bound
    }

    /// The copies, if they may be served now without asking: the store tells of changes, and was
    /// alive recently. Inside a load they may not: what was loaded from a stale value would be
    /// stored as if it were current.
    #[inline]
    pub(super) fn serving(&self, now: Tick) -> Option<&Store> {
        let is_current = self.is_heard(now);
        (is_current && !Chain::is_inside()).then_some(&self.store)
    }

    /// Whether the store's last sign of life is recent enough.
    #[inline]
    fn is_heard(&self, now: Tick) -> bool {
        let unix_millis = || self.store.clock.unix_millis();
        self.lease.holds(now, unix_millis) || !self.rules.keep(Rule::Heartbeat)
    }

    /// Looks for a copy.
    pub(super) fn look(&self, request: &Request) -> Nearby {
        let (is_unasked, now) = (self.bound.is_some(), self.store.clock.now());
        if is_unasked && (Chain::is_inside() || (self.is_told() && self.serving(now).is_none())) {
            return Nearby::Nothing;
        }
        let guard = crossbeam_epoch::pin();
        let Some(slot) = self.store.find(&request.text, &guard) else { return Nearby::Nothing };
        // Where the store is asked, the copy's marks are compared with the request's before that.
        let lacks_marks = || is_unasked && lacks(&self.store, slot, request);
        if !self.store.is_plainly_fresh(slot, now) || lacks_marks() {
            return Nearby::Nothing;
        }
        let Some(value) = read(slot, request.ops) else { return Nearby::Nothing };
        slot.touch();
        match &slot.meta.origin {
            None => {
                lead_from_index(&self.store, slot, request);
                Nearby::Value(value)
            }
            Some(origin) if is_unasked => {
                match self.store.clock.unix_millis() < origin.served_until {
                    true => Nearby::Value(value),
                    false => Nearby::Nothing,
                }
            }
            Some(origin) => Nearby::Copy(value, Arc::clone(origin)),
        }
    }

    /// Sees to it that others know of this near cache before it keeps anything.
    pub(super) async fn announce(&self, provider: &dyn Provider) {
        if let Some(bound) = self.bound {
            self.registration.renew(provider, &self.store.clock, bound).await;
        }
    }

    /// How things are before a key is asked for; `None` where no copy is to be kept of it.
    pub(super) fn before(&self, text: &str, tags: &[String]) -> Option<Before> {
        let (at, unix) = (self.store.clock.now(), self.store.clock.unix_millis());
        // Before the lease is looked at: its end comes before a flood.
        let floods = self.floods.load(Ordering::Acquire);
        let is_unheard = self.bound.is_some() && self.is_told() && !self.is_heard(at);
        (!is_unheard).then(|| Before {
            floods,
            cell: self.cell(text).load(Ordering::Acquire),
            tags: tags.iter().map(|tag| self.store.tags.see(tag)).collect(),
            began: unused_number(),
            at,
            unix,
        })
    }

    fn cell(&self, text: &str) -> &AtomicU64 {
        &self.cells[hash_text(text) as usize % CELLS]
    }

    /// Keeps a copy of an entry that was just found valid and fresh, unless something about it has
    /// changed since before it was asked for.
    pub(super) fn keep(
        &self,
        core: &Core,
        request: &Request,
        before: Before,
        value: &Cached,
        stored: &Stored<'_>,
        found: &Observed,
    ) {
        let is_guarded = self.rules.keep(Rule::InstallGuard);
        let Before { cell, floods, mut tags, began, at, unix } = before;
        if !is_guarded {
            tags = tags.into_iter().map(|seen| TagSeen::now(seen.cell)).collect();
        }
        let (now, unix_now) = (self.store.clock.now(), self.store.clock.unix_millis());
        let mut left =
            ticks(Duration::from_millis(stored.soft_deadline().saturating_sub(unix_now)));
        let mut served_until = u64::MAX;
        if let Some(bound) = self.bound.filter(|_| !self.is_told()) {
            let bound = bound.saturating_sub(CLOCK_ERROR);
            left = left.min(ticks(bound).saturating_sub(now.saturating_sub(at)));
            served_until =
                unix.saturating_add(u64::try_from(bound.as_millis()).unwrap_or(u64::MAX));
        } else if self.bound.is_none() && stored.is_fresh_while_kept() {
            // The store says whether it is still there.
            left = Tick::MAX / 2;
        }
        let is_known = self.bound.is_none() || self.registration.holds(now);
        if left == 0 || !is_known || !tags.iter().all(TagSeen::holds) {
            return;
        }
        let origin = self.origin(request, stored, found, served_until);
        if self.bound.is_none() {
            if origin.as_ref().is_none_or(|origin| origin.asked.is_none()) {
                return;
            }
            // The store is asked at each hit, so nobody looks whether they still hold.
            tags = Vec::new();
        }
        let life = Life {
            tags,
            windows: Windows::default(),
            fresh_until: now.saturating_add(left),
            load_millis: 0,
            began,
            origin,
        };
        let Some(slot) = core.slot_of(&self.store, request, value, &life) else { return };
        self.store.put_if(&request.text, slot, || {
            !is_guarded
                || self.cell(&request.text).load(Ordering::Acquire) == cell
                    && self.floods.load(Ordering::Acquire) == floods
        });
    }

    /// What a copy is a copy of, where that has to be known.
    fn origin(
        &self,
        request: &Request,
        stored: &Stored<'_>,
        found: &Observed,
        served_until: u64,
    ) -> Origins {
        if self.is_told() && self.bound.is_some() {
            return None;
        }
        let first = stored.named_tags().take(request.tags.len());
        let are_first = first.eq(request.tags.iter().map(String::as_str));
        Some(Arc::new(Origin {
            prefix: stored.prefix(),
            incarnation: found.incarnation,
            asked: are_first.then_some(request.tags.len()),
            marks: self.marks.of(stored),
            deadline: stored.soft_deadline(),
            fresh_while_kept: stored.is_fresh_while_kept(),
            load_millis: stored.load_millis(),
            bytes: found.cell.as_ref().map_or(0, |cell| cell.len()),
            served_until,
        }))
    }
}

impl fmt::Debug for NearCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("NearCache");
        debug.field("bound", &self.bound).field("is_told", &self.is_told());
        debug.finish_non_exhaustive()
    }
}

impl Before {
    /// Notes marks that became known only by the entry, before their state is asked for.
    pub(super) fn see(
        &mut self,
        near: &NearCache,
        names: impl IntoIterator<Item = impl AsRef<str>>,
    ) {
        self.tags.extend(names.into_iter().map(|name| near.store.tags.see(name.as_ref())));
    }
}
