//! The steps that change the store: leases, fills, removals, and the slots that values become.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Request, Tier, kind};
use super::value::{Cached, NothingMarker, ValueOps};
use crate::clock::{Tick, ticks};
use crate::error::{Error, ErrorKind, Result};
use crate::near::ghosts::Gone;
use crate::near::meta::{EntryMeta, TagSeen, Windows};
use crate::near::origin::Origins;
use crate::near::slot::{MAX_KEY_BYTES, NO_SITE, OwnedSlot, SlotParts};
use crate::near::store::{Filled, Seen, Store};
use crate::policy::Policy;
use crate::stats::count;

impl Core {
    /// The tags' generations as they are before a load (rule A2).
    pub(crate) fn see_tags(&self, names: &[String]) -> Vec<TagSeen> {
        match &self.tier {
            Tier::Memory(store) => {
                let now = self.clock.now();
                names.iter().map(|name| store.tags.see_now(name, now)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// An entry's meta, shared with others of the function where it is the same.
    fn meta(&self, request: &Request, life: &Life) -> Arc<EntryMeta> {
        let (tags, windows) = (life.tags.clone(), life.windows);
        if life.origin.is_some() {
            return Arc::new(EntryMeta { tags: tags.into(), windows, origin: life.origin.clone() });
        }
        let state = request.site.as_ref().and_then(|(site, _)| self.sites.get(*site));
        match state {
            Some(state) => state.meta(tags, windows),
            None if tags.is_empty() && windows == Windows::default() => EntryMeta::untagged(),
            None => Arc::new(EntryMeta { tags: tags.into(), windows, origin: None }),
        }
    }

    /// Makes a slot of a value. `None` where the key or the value cannot be stored.
    pub(crate) fn slot_of(
        &self,
        store: &Store,
        request: &Request,
        value: &Cached,
        life: &Life,
    ) -> Option<OwnedSlot> {
        if request.text.len() > MAX_KEY_BYTES {
            return None;
        }
        let site = request
            .site
            .as_ref()
            .filter(|(_, args)| args.len() <= MAX_KEY_BYTES && !args.is_empty());
        let args = site.map_or(&[][..], |(_, args)| args);
        let owned = match value {
            Cached::Value(value) if store.bounded_by_bytes => (request.ops.weigh)(value),
            Cached::Value(_) | Cached::Nothing => 0,
        };
        let weight = size_of::<crate::near::slot::Slot>() + request.text.len() + args.len() + owned;
        let parts = SlotParts {
            text: &request.text,
            args,
            meta: self.meta(request, life),
            id: life.began,
            fresh_until: life.fresh_until,
            load_millis: life.load_millis,
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
        };
        to_slot(value, request.ops, parts, site.map(|(site, _)| *site))
    }

    /// Stores a value whatever the key holds (`set`): loads in flight lose their lease.
    pub(super) fn put_here(&self, request: &Request, value: &Cached, life: &Life) -> Result<()> {
        let Tier::Memory(store) = &self.tier else { return Ok(()) };
        let too_large = || {
            Error::new(
                ErrorKind::TooLarge,
                "set",
                format!("the value of `{}` is larger than the cache", request.text),
            )
        };
        let slot = self.slot_of(store, request, value, life).ok_or_else(too_large)?;
        if store.put_if(&request.text, slot, || true) != Filled::Stored {
            return Err(too_large());
        }
        count(&request.counters.stores);
        tracing::debug!(target: "cache", key = %request.text, "store");
        Ok(())
    }

    /// Removes a key: its value, its lease, and the claim of whoever writes it through.
    pub(crate) fn remove_here(&self, text: &str) -> bool {
        let Tier::Memory(store) = &self.tier else { return false };
        store.tags.invalidate(&format!("{}{text}", kind::WRITE));
        if store.tags.any_is_held() {
            store.tags.release(&format!("{}{text}", kind::HELD));
        }
        let removed = store.remove(text);
        tracing::debug!(target: "cache", key = %text, removed, "invalidate");
        removed
    }

    /// Holds a name for a time: whatever carries it is invalid, and stays so.
    pub(super) fn hold_name(&self, name: &str, time: Duration) {
        if let Tier::Memory(store) = &self.tier {
            store.tags.hold(name, self.clock.now().saturating_add(ticks(time)));
        }
    }

    /// Ends one hold of a name.
    pub(super) fn release_name(&self, name: &str) {
        if let Tier::Memory(store) = &self.tier {
            store.tags.release(name);
        }
    }

    /// Invalidates all that carries a name: a tag, or a function.
    pub(crate) fn invalidate_name(&self, name: &str) {
        if let Tier::Memory(store) = &self.tier {
            store.tags.invalidate(name);
        }
    }

    /// Removes the keys that `chosen` picks; returns how many values that were.
    pub(crate) fn remove_where(&self, chosen: impl Fn(&str) -> bool) -> u64 {
        let Tier::Memory(store) = &self.tier else { return 0 };
        let _sweep = store.sweep();
        store.tags.invalidate_where(|name| name.strip_prefix(kind::WRITE).is_some_and(&chosen));
        store.remove_where(chosen)
    }

    /// Puts a lease in place of what the caller saw; `None` if that is no longer there.
    pub(crate) fn acquire(&self, text: &str, seen: Seen) -> Option<Seen> {
        match &self.tier {
            Tier::Memory(store) if store.tags.any_is_held() && self.is_held(store, text) => None,
            Tier::Memory(store) => store.acquire(text, seen).map(Seen::Slot),
            _ => None,
        }
    }

    fn is_held(&self, store: &Store, text: &str) -> bool {
        store.tags.is_held(&format!("{}{text}", kind::HELD), self.clock.now())
    }

    /// Stores a slot if the key still holds what the caller saw.
    pub(crate) fn fill(&self, text: &str, seen: Seen, slot: OwnedSlot) -> Filled {
        match &self.tier {
            Tier::Memory(store) => store.fill(text, seen, slot),
            _ => Filled::Refused,
        }
    }

    /// Announces that a key is about to be written through; whoever announced it before, and any
    /// invalidation after, makes the claim fail.
    pub(crate) fn claim_write(&self, text: &str) -> Option<TagSeen> {
        let Tier::Memory(store) = &self.tier else { return None };
        let cell = store.tags.see(&format!("{}{text}", kind::WRITE)).cell;
        // The number that was put there, not the one that is: of two who announce at once only
        // the later may hold the claim.
        let generation = cell.invalidate();
        match store.is_swept() {
            true => Some(TagSeen::never(cell)),
            false => Some(TagSeen { cell, generation }),
        }
    }

    /// Stores a written value if the claim still holds, else removes the key: another writer's
    /// value, or an invalidation, came in between, and nobody can tell which is the newer.
    pub(crate) fn put_claimed(
        &self,
        request: &Request,
        value: &Cached,
        life: &Life,
        claim: &TagSeen,
    ) -> Filled {
        let Tier::Memory(store) = &self.tier else { return Filled::Refused };
        let filled = match self.slot_of(store, request, value, life) {
            Some(slot) => store.put_if(&request.text, slot, || claim.holds()),
            None => Filled::TooLarge,
        };
        if filled == Filled::Stored {
            count(&request.counters.stores);
            tracing::debug!(target: "cache", key = %request.text, "store");
        } else {
            // With the claim of whoever announced a write meanwhile: that write may be the older.
            self.remove_here(&request.text);
        }
        filled
    }

    /// Gives a lease back, or does nothing where it is no longer there. Returns whether it was.
    pub(crate) fn release(&self, text: &str, seen: Seen) -> bool {
        match &self.tier {
            Tier::Memory(store) => store.release(text, seen, Gone::Replaced),
            _ => false,
        }
    }

    /// Whether a load's result could still be stored: its lease, or the entry that it refreshes,
    /// is there, and its tags hold.
    pub(crate) fn still_holds(&self, text: &str, seen: Seen, tags: &[TagSeen]) -> bool {
        let Tier::Memory(store) = &self.tier else { return true };
        let guard = crossbeam_epoch::pin();
        let held = store.find(text, &guard).map_or(Seen::Nothing, |slot| Seen::Slot(slot.id));
        held == seen && tags.iter().all(TagSeen::holds)
    }
}

/// How long an entry lives and what ends it.
pub(crate) struct Life {
    pub(crate) tags: Vec<TagSeen>,
    pub(crate) windows: Windows,
    pub(crate) fresh_until: Tick,
    pub(crate) load_millis: u32,
    /// A number from before the value was read at its source, that no other entry has.
    pub(crate) began: u64,
    /// Of a copy: what it is a copy of.
    pub(crate) origin: Origins,
}

impl Life {
    pub(crate) fn new(
        core: &Core,
        policy: &Policy,
        ttl: Duration,
        tags: Vec<TagSeen>,
        took: Duration,
        began: u64,
    ) -> Self {
        let windows = Windows {
            stale: policy.stale.map_or(0, ticks),
            stale_if_error: policy.stale_if_error.map_or(0, ticks),
            early_beta: policy.early_beta() as f32,
        };
        let jitter = policy.jitter.unwrap_or(0.0).clamp(0.0, 1.0);
        let ttl = ttl.saturating_sub(ttl.mul_f64(jitter * fastrand::f64()));
        Self {
            tags,
            windows,
            fresh_until: core.clock.now().saturating_add(ticks(ttl)),
            load_millis: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
            began,
            origin: None,
        }
    }
}

/// Names the problem of a key that no store can hold.
pub(crate) fn check_key(operation: &'static str, text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::new(ErrorKind::InvalidKey, operation, "the key is empty"));
    }
    if text.len() > MAX_KEY_BYTES {
        let message = format!(
            "the key has {} bytes, the most is {MAX_KEY_BYTES}: put a hash of the long part into it",
            text.len()
        );
        return Err(Error::new(ErrorKind::InvalidKey, operation, message));
    }
    Ok(())
}

/// Makes a slot of a value; `None` where the value is not of the type that it should be.
pub(super) fn to_slot(
    value: &Cached,
    ops: &ValueOps,
    parts: SlotParts<'_>,
    site: Option<u32>,
) -> Option<OwnedSlot> {
    let slot = match value {
        Cached::Value(value) => (ops.to_slot)(value, parts)?,
        Cached::Nothing => OwnedSlot::new(parts, NothingMarker),
    };
    slot.as_ref().site.store(site.unwrap_or(NO_SITE), std::sync::atomic::Ordering::Relaxed);
    Some(slot)
}
