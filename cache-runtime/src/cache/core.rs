//! What one cache consists of, and the steps on its store that the requests and loads share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::value::{Cacheable, Cached, NothingMarker, ValueOps};
use crate::clock::{Clock, Tick, ticks};
use crate::error::{Error, ErrorKind, Result};
use crate::flight::Flights;
use crate::near::ghosts::Gone;
use crate::near::lock;
use crate::near::meta::{EntryMeta, TagSeen, Windows};
use crate::near::sites::Sites;
use crate::near::slot::{MAX_KEY_BYTES, NO_SITE, OwnedSlot, SlotParts, SlotRef};
use crate::near::store::{Filled, Lease, Seen, Store, Verdict};
use crate::policy::Policy;
use crate::stats::{Counters, MissReason, count};

/// How many key prefixes have counters of their own; the rest is counted together.
const MOST_PREFIXES: usize = 1_000;

pub(crate) struct Core {
    /// Before every key and tag; empty or ending in `:`.
    pub(crate) namespace: String,
    pub(crate) default_ttl: Duration,
    pub(crate) clock: Clock,
    pub(crate) sites: Arc<Sites>,
    pub(crate) flights: Flights<Cached>,
    pub(crate) tier: Tier,
    prefixes: Mutex<HashMap<Box<str>, Arc<Counters>>>,
}

/// Where values are kept.
pub(crate) enum Tier {
    /// Nowhere (`CACHE_PROVIDER=none`): every read is a miss and every function runs.
    Off,
    Memory(Store),
}

/// One key with all that is needed to read, load and store it.
#[derive(Clone)]
pub(crate) struct Request {
    /// The whole key, namespace included.
    pub(crate) text: String,
    /// The function's number and its arguments, where there is an index to link to.
    pub(crate) site: Option<(u32, Box<[u8]>)>,
    /// Whole names: kind, namespace, tag.
    pub(crate) tags: Vec<String>,
    /// Families of the tags that only the result tells.
    pub(crate) families: Vec<String>,
    pub(crate) policy: Policy,
    pub(crate) ops: &'static ValueOps,
    pub(crate) counters: Arc<Counters>,
}

/// What a look at the store found.
pub(crate) enum Look {
    /// A value to serve; `refresh` says that it should be renewed in the background.
    Hit {
        value: Cached,
        seen: Seen,
        refresh: bool,
        stale: bool,
    },
    /// An expired value, to be served only if the load fails or takes too long.
    Kept {
        value: Cached,
        seen: Seen,
    },
    Miss {
        seen: Seen,
        reason: MissReason,
    },
    Leased {
        seen: Seen,
    },
}

/// The kinds of names that the tags' table holds.
pub(crate) mod kind {
    /// A tag of the user's.
    pub(crate) const TAG: &str = "T:";
    /// A family of tags (`category` of `category:5`).
    pub(crate) const FAMILY: &str = "E:";
    /// All that one function ever stored.
    pub(crate) const FUNCTION: &str = "F:";
    /// A key that somebody is writing through.
    pub(crate) const WRITE: &str = "W:";
}

impl Core {
    pub(crate) fn new(
        tier: Tier,
        namespace: &str,
        default_ttl: Duration,
        clock: Clock,
        sites: Arc<Sites>,
    ) -> Self {
        let namespace = if namespace.is_empty() { String::new() } else { format!("{namespace}:") };
        let (flights, prefixes) = (Flights::new(), Mutex::default());
        Self { namespace, default_ttl, clock, sites, flights, tier, prefixes }
    }

    /// The counters of a key's prefix, the text before its first `:`.
    pub(crate) fn prefix_counters(&self, key: &str) -> Arc<Counters> {
        let prefix = prefix_of(key);
        let mut prefixes = lock(&self.prefixes);
        if let Some(counters) = prefixes.get(prefix) {
            return Arc::clone(counters);
        }
        let name = if prefixes.len() < MOST_PREFIXES { prefix } else { "(others)" };
        Arc::clone(prefixes.entry(name.into()).or_default())
    }

    pub(crate) fn each_prefix(&self, mut visit: impl FnMut(&str, &Counters)) {
        for (prefix, counters) in lock(&self.prefixes).iter() {
            visit(prefix, counters);
        }
    }

    /// Looks a key up; whatever does not verify is a miss.
    pub(crate) fn look(&self, request: &Request) -> Look {
        let Tier::Memory(store) = &self.tier else {
            return Look::Miss { seen: Seen::Nothing, reason: MissReason::Absent };
        };
        let guard = crossbeam_epoch::pin();
        let Some(slot) = store.find(&request.text, &guard) else {
            return Look::Miss { seen: Seen::Nothing, reason: store.reason(&request.text) };
        };
        slot.touch();
        let seen = Seen::Slot(slot.id);
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
        let Some(value) = read(slot, request.ops) else { return Look::Miss { seen, reason } };
        if verdict == Verdict::Kept {
            return Look::Kept { value, seen };
        }
        if verdict == Verdict::Fresh {
            self.adopt(store, slot, request, &value);
        }
        Look::Hit {
            value,
            seen,
            refresh: verdict != Verdict::Fresh,
            stale: verdict == Verdict::Stale,
        }
    }

    /// A fresh value under a key, read as it is.
    pub(crate) fn get<T: Cacheable>(&self, text: &str, counters: &Counters) -> Option<T> {
        let Tier::Memory(store) = &self.tier else {
            counters.miss(MissReason::Absent);
            return None;
        };
        let guard = crossbeam_epoch::pin();
        let reason = match store.find(text, &guard) {
            None => store.reason(text),
            Some(slot) => match (store.judge(slot), slot.value::<T>()) {
                (Verdict::Fresh | Verdict::Early, Some(value)) => {
                    slot.touch();
                    counters.hit();
                    tracing::debug!(target: "cache", key = %text, "hit");
                    return Some(value.clone());
                }
                (Verdict::Fresh | Verdict::Early, None) => match slot.value::<NothingMarker>() {
                    Some(NothingMarker) => MissReason::Absent,
                    None => MissReason::Undecodable,
                },
                (Verdict::Leased, _) => MissReason::Absent,
                (Verdict::Invalidated, _) => MissReason::Invalidated,
                (Verdict::Stale | Verdict::Kept | Verdict::Expired, _) => MissReason::Expired,
            },
        };
        counters.miss(reason);
        tracing::debug!(target: "cache", key = %text, reason = reason.as_str(), "miss");
        None
    }

    /// A fresh value under a key; counts as no read.
    pub(crate) fn peek<T: Cacheable>(&self, text: &str) -> Option<T> {
        let Tier::Memory(store) = &self.tier else { return None };
        let guard = crossbeam_epoch::pin();
        let slot = store.find(text, &guard)?;
        let is_fresh = matches!(store.judge(slot), Verdict::Fresh | Verdict::Early);
        slot.value::<T>().filter(|_| is_fresh).cloned()
    }

    /// Whether a key holds a fresh value; counts as no read.
    pub(crate) fn has(&self, text: &str) -> bool {
        let Tier::Memory(store) = &self.tier else { return false };
        let guard = crossbeam_epoch::pin();
        let slot = store.find(text, &guard);
        slot.is_some_and(|slot| {
            matches!(store.judge(slot), Verdict::Fresh | Verdict::Early)
                && slot.value::<NothingMarker>().is_none()
        })
    }

    /// Stores an entry that came under its text key anew with the function's arguments, so that
    /// the function's index leads to it from the next call on.
    fn adopt(&self, store: &Store, slot: SlotRef<'_>, request: &Request, value: &Cached) {
        let Some((site, args)) = &request.site else { return };
        if !slot.args().is_empty() {
            return;
        }
        let parts = SlotParts {
            text: &request.text,
            args,
            meta: Arc::clone(&slot.meta),
            id: crate::near::meta::unused_number(),
            fresh_until: slot.fresh_until,
            load_millis: slot.load_millis,
            weight: slot.weight,
        };
        if let Some(linked) = to_slot(value, request.ops, parts, Some(*site)) {
            store.fill(&request.text, Seen::Slot(slot.id), linked);
        }
    }

    /// The tags' generations as they are before a load (rule A2).
    pub(crate) fn see_tags(&self, names: &[String]) -> Vec<TagSeen> {
        match &self.tier {
            Tier::Memory(store) => names.iter().map(|name| store.tags.see(name)).collect(),
            Tier::Off => Vec::new(),
        }
    }

    /// An entry's meta, shared with others of the function where it is the same.
    fn meta(&self, request: &Request, tags: Vec<TagSeen>, windows: Windows) -> Arc<EntryMeta> {
        let state = request.site.as_ref().and_then(|(site, _)| self.sites.get(*site));
        match state {
            Some(state) => state.meta(tags, windows),
            None if tags.is_empty() && windows == Windows::default() => EntryMeta::untagged(),
            None => Arc::new(EntryMeta { tags: tags.into(), windows }),
        }
    }

    /// Makes a slot of a value. `None` where the key or the value cannot be stored.
    pub(crate) fn slot_of(
        &self,
        request: &Request,
        value: &Cached,
        life: &Life,
    ) -> Option<OwnedSlot> {
        let Tier::Memory(store) = &self.tier else { return None };
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
            meta: self.meta(request, life.tags.clone(), life.windows),
            id: crate::near::meta::unused_number(),
            fresh_until: life.fresh_until,
            load_millis: life.load_millis,
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
        };
        to_slot(value, request.ops, parts, site.map(|(site, _)| *site))
    }

    /// Stores a value whatever the key holds (`set`): loads in flight lose their lease.
    pub(crate) fn put(&self, request: &Request, value: &Cached, life: &Life) -> Result<()> {
        check_key("set", &request.text)?;
        let Tier::Memory(store) = &self.tier else { return Ok(()) };
        let too_large = || {
            Error::new(
                ErrorKind::TooLarge,
                "set",
                format!("the value of `{}` is larger than the cache", request.text),
            )
        };
        let slot = self.slot_of(request, value, life).ok_or_else(too_large)?;
        if store.put_if(&request.text, slot, || true) != Filled::Stored {
            return Err(too_large());
        }
        count(&request.counters.stores);
        tracing::debug!(target: "cache", key = %request.text, "store");
        Ok(())
    }

    /// Removes a key: its value, its lease, and the claim of whoever writes it through.
    pub(crate) fn remove(&self, text: &str) -> bool {
        let Tier::Memory(store) = &self.tier else { return false };
        store.tags.invalidate(&format!("{}{text}", kind::WRITE));
        let removed = store.remove(text);
        tracing::debug!(target: "cache", key = %text, removed, "invalidate");
        removed
    }

    /// Invalidates all that carries a name: a tag, or a function.
    pub(crate) fn invalidate_name(&self, name: &str) {
        if let Tier::Memory(store) = &self.tier {
            store.tags.invalidate(name);
            tracing::debug!(target: "cache", tag = %name, "invalidate");
        }
    }

    /// Removes the keys that `chosen` picks; returns how many values that were.
    pub(crate) fn remove_where(&self, chosen: impl Fn(&str) -> bool) -> u64 {
        let Tier::Memory(store) = &self.tier else { return 0 };
        store.tags.invalidate_where(|name| name.strip_prefix(kind::WRITE).is_some_and(&chosen));
        store.remove_where(chosen)
    }

    /// Puts a lease in place of what the caller saw; `None` if that is no longer there.
    pub(crate) fn acquire(&self, text: &str, seen: Seen) -> Option<Seen> {
        match &self.tier {
            Tier::Memory(store) => store.acquire(text, seen).map(Seen::Slot),
            Tier::Off => None,
        }
    }

    /// Stores a slot if the key still holds what the caller saw.
    pub(crate) fn fill(&self, text: &str, seen: Seen, slot: OwnedSlot) -> Filled {
        match &self.tier {
            Tier::Memory(store) => store.fill(text, seen, slot),
            Tier::Off => Filled::Refused,
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
        Some(TagSeen { cell, generation })
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
        let filled = match self.slot_of(request, value, life) {
            Some(slot) => store.put_if(&request.text, slot, || claim.holds()),
            None => Filled::TooLarge,
        };
        if filled == Filled::Stored {
            count(&request.counters.stores);
            tracing::debug!(target: "cache", key = %request.text, "store");
        } else {
            // With the claim of whoever announced a write meanwhile: that write may be the older.
            self.remove(&request.text);
        }
        filled
    }

    /// Gives a lease back, or does nothing where it is no longer there. Returns whether it was.
    pub(crate) fn release(&self, text: &str, seen: Seen) -> bool {
        match &self.tier {
            Tier::Memory(store) => store.release(text, seen, Gone::Replaced),
            Tier::Off => false,
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
}

impl Life {
    pub(crate) fn new(
        core: &Core,
        policy: &Policy,
        ttl: Duration,
        tags: Vec<TagSeen>,
        took: Duration,
    ) -> Self {
        let windows = Windows {
            stale: policy.stale.map_or(0, ticks),
            stale_if_error: policy.stale_if_error.map_or(0, ticks),
            early_beta: policy.early_beta() as f32,
        };
        let jitter = policy.jitter.unwrap_or(0.0).clamp(0.0, 1.0);
        let ttl = ttl.mul_f64(1.0 - jitter * fastrand::f64());
        Self {
            tags,
            windows,
            fresh_until: core.clock.now().saturating_add(ticks(ttl)),
            load_millis: u32::try_from(took.as_millis()).unwrap_or(u32::MAX),
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

/// The text before the first `:`.
pub(crate) fn prefix_of(key: &str) -> &str {
    key.split_once(':').map_or(key, |(prefix, _)| prefix)
}

fn read(slot: SlotRef<'_>, ops: &ValueOps) -> Option<Cached> {
    if slot.value::<NothingMarker>().is_some() {
        return Some(Cached::Nothing);
    }
    debug_assert!(slot.value::<Lease>().is_none(), "a lease is never served");
    (ops.from_slot)(slot).map(Cached::Value)
}

fn to_slot(
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
