//! The in-process tier: reads of its store, and what a load holds of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::claim::{Concluded, Outcome};
use super::core::{Core, Look, Request, Seen, Tier, kind};
use super::steps::{Life, to_slot};
use super::value::{Cacheable, Cached, NothingMarker, ValueOps};
use crate::flight::Ticket;
use crate::near::meta::{EntryMeta, TagSeen};
use crate::near::slot::{MAX_KEY_BYTES, SlotParts, SlotRef};
use crate::near::store::{self, Filled, Lease, Store};
use crate::near::verdict::Verdict;
use crate::stats::{MissReason, count};
impl Core {
    /// Looks a key up; whatever does not verify is a miss.
    pub(super) fn look_here(&self, request: &Request) -> Look {
        let Tier::Memory(store) = &self.tier else {
            return Look::Miss { seen: Seen::NOTHING, reason: MissReason::Absent };
        };
        let guard = crossbeam_epoch::pin();
        let Some(slot) = store.find(&request.text, &guard) else {
            return Look::Miss { seen: Seen::NOTHING, reason: store.reason(&request.text) };
        };
        slot.touch();
        let seen = Seen::Here(store::Seen::Slot(slot.id));
        let verdict = store.judge(slot);
        let reason = match verdict {
            Verdict::Leased => return Look::Leased { seen },
            Verdict::Expired => MissReason::Expired,
            Verdict::Invalidated => MissReason::Invalidated,
            Verdict::Fresh | Verdict::Early | Verdict::Stale | Verdict::Kept => {
                MissReason::Undecodable
            }
        };
        if reason != MissReason::Undecodable {
            return Look::Miss { seen, reason };
        }
        let found = lacking(store, slot, request).zip(read(slot, request.ops));
        let Some((lacking, value)) = found else { return Look::Miss { seen, reason } };
        if verdict == Verdict::Kept {
            return Look::Kept { value, seen };
        }
        if verdict == Verdict::Fresh {
            lead_here(store, slot, request, &value, lacking);
        }
        Look::Hit {
            value,
            seen,
            refresh: verdict != Verdict::Fresh,
            stale: verdict == Verdict::Stale,
            near: false,
        }
    }

    /// A fresh value under a key, read as it is.
    pub(super) fn get_here<T: Cacheable>(&self, text: &str) -> Result<T, MissReason> {
        let Tier::Memory(store) = &self.tier else { return Err(MissReason::Absent) };
        let guard = crossbeam_epoch::pin();
        let Some(slot) = store.find(text, &guard) else { return Err(store.reason(text)) };
        match (store.judge(slot), slot.value::<T>()) {
            (Verdict::Fresh | Verdict::Early, Some(value)) => {
                slot.touch();
                Ok(value.clone())
            }
            (Verdict::Fresh | Verdict::Early, None) => match slot.value::<NothingMarker>() {
                Some(NothingMarker) => Err(MissReason::Absent),
                None => Err(MissReason::Undecodable),
            },
            (Verdict::Leased, _) => Err(MissReason::Absent),
            (Verdict::Invalidated, _) => Err(MissReason::Invalidated),
            (Verdict::Stale | Verdict::Kept | Verdict::Expired, _) => Err(MissReason::Expired),
        }
    }

    /// A fresh value under a key; counts as no read.
    pub(super) fn peek_here<T: Cacheable>(&self, request: &Request) -> Option<T> {
        let Tier::Memory(store) = &self.tier else { return None };
        let guard = crossbeam_epoch::pin();
        let slot = store.find(&request.text, &guard)?;
        let is_fresh = matches!(store.judge(slot), Verdict::Fresh | Verdict::Early);
        let is_ours = is_fresh && lacking(store, slot, request).is_some();
        slot.value::<T>().filter(|_| is_ours).cloned()
    }

    /// Whether a key holds a fresh value; counts as no read.
    pub(super) fn has_here(&self, text: &str) -> bool {
        let Tier::Memory(store) = &self.tier else { return false };
        let guard = crossbeam_epoch::pin();
        let slot = store.find(text, &guard);
        slot.is_some_and(|slot| {
            matches!(store.judge(slot), Verdict::Fresh | Verdict::Early)
                && slot.value::<NothingMarker>().is_none()
        })
    }
}

/// What a load holds of the in-process store, and what it started from.
#[derive(Debug)]
pub(crate) struct MemoryClaim {
    /// The request's tags as they were before the load (rule A2).
    tags: Vec<TagSeen>,
    /// The families of the result's tags, likewise.
    families: Vec<TagSeen>,
    /// The lease, or the entry that is being refreshed.
    seen: store::Seen,
    is_lease: bool,
    /// Whether it began in the middle of a removal that may have to do with it.
    is_swept: bool,
}

impl MemoryClaim {
    /// Takes the key for a load: with a lease in place of what was seen, or, where there is a value
    /// to keep meanwhile, against that entry (rule E2). `None` if the key holds something else by
    /// now.
    pub(super) fn take(
        core: &Core,
        request: &Request,
        seen: store::Seen,
        keeps_entry: bool,
    ) -> Option<Self> {
        // Taken before the store's lock: taking the outermost guard can run destructors of users.
        let _pinned = crossbeam_epoch::pin();
        let (tags, families) = (core.see_tags(&request.tags), core.see_tags(&request.families));
        let seen = if keeps_entry {
            core.still_holds(&request.text, seen, &[]).then_some(seen)
        } else {
            core.acquire(&request.text, seen)
        };
        let is_swept = matches!(&core.tier, Tier::Memory(store) if store.is_swept());
        seen.map(|seen| Self { tags, families, seen, is_lease: !keeps_entry, is_swept })
    }

    /// What the load's result will be stored against.
    pub(super) fn ticket(&self) -> Ticket {
        let tags = self.tags.iter().chain(&self.families).cloned().collect();
        Ticket::Here { seen: self.seen, tags }
    }

    /// Stores the value, or gives the lease back where it is not to be stored (no `ttl`). Either
    /// answers whether anything was invalidated meanwhile.
    pub(super) fn conclude(
        self,
        core: &Core,
        request: &Request,
        value: &Cached,
        outcome: &Outcome<'_>,
    ) -> Concluded {
        if self.is_swept {
            self.give_back(core, request);
            return Concluded { exact: false, held: false };
        }
        let mut tags = self.tags.clone();
        tags.extend(core.see_tags(outcome.tags));
        // A family that changed during the load may have changed for the sake of a tag that the
        // result carries: such a value is not stored. Read after the tags' generations were, and
        // an invalidation changes the family before the tag.
        let families_hold = self.families.iter().all(TagSeen::holds);
        let held = match outcome.ttl.filter(|_| families_hold) {
            Some(ttl) => self.store(core, request, value, ttl, &tags, outcome),
            // What was loaded is the truth by now and is not to be kept, so what the key holds is
            // not to be kept either: the lease, or the older entry.
            None if families_hold => core.release(&request.text, self.seen),
            None => self.give_back(core, request),
        };
        let held = held && families_hold;
        Concluded { exact: held && tags.iter().all(TagSeen::holds), held }
    }

    fn store(
        &self,
        core: &Core,
        request: &Request,
        value: &Cached,
        ttl: Duration,
        tags: &[TagSeen],
        outcome: &Outcome<'_>,
    ) -> bool {
        let life =
            Life::new(core, &request.policy, ttl, tags.to_vec(), outcome.took, outcome.began);
        let Tier::Memory(store) = &core.tier else { return false };
        let Some(slot) = core.slot_of(store, request, value, &life) else {
            return self.give_back(core, request);
        };
        match core.fill(&request.text, self.seen, slot) {
            Filled::Stored => {
                count(&request.counters.stores);
                tracing::debug!(target: "cache", key = %request.text, ?ttl, "store");
                true
            }
            // The lease was there until this moment, so the value may be shared all the same.
            Filled::TooLarge => true,
            Filled::Refused => false,
        }
    }

    /// Removes the lease, or looks at the entry; says whether it was still there.
    pub(super) fn give_back(&self, core: &Core, request: &Request) -> bool {
        if self.is_lease {
            core.release(&request.text, self.seen)
        } else {
            core.still_holds(&request.text, self.seen, &[])
        }
    }

    /// The load ended without a result.
    pub(super) fn abandon(&self, core: &Core, request: &Request) {
        if self.is_lease {
            core.release(&request.text, self.seen);
        }
    }
}

/// What an entry lacks of the names that its reader may be invalidated by, as they are now; `None`
/// where an invalidation could miss it, since it was stored under other tags: by the function as it
/// was before its tags changed, or by a `set` without them.
///
/// Only the function's own name may be lacking. Then the entry must have begun after the function
/// was last invalidated.
fn lacking(store: &Store, slot: SlotRef<'_>, request: &Request) -> Option<Vec<TagSeen>> {
    let site = slot.site.load(Ordering::Relaxed);
    if request.site.as_ref().is_some_and(|(ours, _)| *ours == site) {
        return Some(Vec::new());
    }
    let mut lacking = Vec::new();
    for name in &request.tags {
        let now = store.tags.see(name);
        if slot.meta.tags.iter().any(|held| Arc::ptr_eq(&held.cell, &now.cell)) {
            continue;
        }
        let is_older = !name.starts_with(kind::FUNCTION) || now.generation > slot.id;
        // Tags that only the result tells cannot be looked for.
        if is_older || !request.families.is_empty() {
            return None;
        }
        lacking.push(now);
    }
    Some(lacking)
}

/// Whether an invalidation that its reader may be meant by could miss the entry: it was stored
/// under other tags.
#[cfg(feature = "entry")]
pub(super) fn lacks(store: &Store, slot: SlotRef<'_>, request: &Request) -> bool {
    lacking(store, slot, request).is_none_or(|lacking| !lacking.is_empty())
}

/// Lets the function's index lead to the entry from the next call on, if it is the function's.
#[cfg(feature = "entry")]
pub(super) fn lead_from_index(store: &Store, slot: SlotRef<'_>, request: &Request) {
    let site = slot.site.load(Ordering::Relaxed);
    if request.site.as_ref().is_some_and(|(ours, _)| *ours == site) {
        store.link(&request.text, slot.id);
    }
}

/// Lets the function's index lead to the entry from the next call on.
fn lead_here(
    store: &Store,
    slot: SlotRef<'_>,
    request: &Request,
    value: &Cached,
    lacking: Vec<TagSeen>,
) {
    let Some((site, _)) = &request.site else { return };
    if slot.site.load(Ordering::Relaxed) == *site && lacking.is_empty() {
        store.link(&request.text, slot.id);
    } else {
        adopt(store, slot, request, value, lacking);
    }
}

/// Stores an entry that came under its text key anew with the function's arguments and name, so
/// that the function's index leads to it from the next call on. It stays as old as it was.
fn adopt(
    store: &Store,
    slot: SlotRef<'_>,
    request: &Request,
    value: &Cached,
    lacking: Vec<TagSeen>,
) {
    let Some((site, args)) = &request.site else { return };
    if !slot.args().is_empty() || args.len() > MAX_KEY_BYTES {
        return;
    }
    let tags = slot.meta.tags.iter().cloned().chain(lacking).collect();
    let parts = SlotParts {
        text: &request.text,
        args,
        meta: Arc::new(EntryMeta { tags, windows: slot.meta.windows, origin: None }),
        id: slot.id,
        fresh_until: slot.fresh_until,
        load_millis: slot.load_millis,
        weight: slot.weight,
    };
    if let Some(linked) = to_slot(value, request.ops, parts, Some(*site)) {
        store.fill(&request.text, store::Seen::Slot(slot.id), linked);
    }
}

/// The value of a slot that is no lease, if it is of the type asked for.
pub(super) fn read(slot: SlotRef<'_>, ops: &ValueOps) -> Option<Cached> {
    if slot.value::<NothingMarker>().is_some() {
        return Some(Cached::Nothing);
    }
    debug_assert!(slot.value::<Lease>().is_none(), "a lease is never served");
    (ops.from_slot)(slot).map(Cached::Value)
}
