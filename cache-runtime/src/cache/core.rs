//! What one cache consists of, and the steps on its store that the requests and loads share.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::steps::to_slot;
use super::value::{Cacheable, Cached, NothingMarker, ValueOps};
use crate::clock::Clock;
use crate::flight::Flights;
use crate::near::lock;
use crate::near::meta::{EntryMeta, TagSeen};
use crate::near::sites::Sites;
use crate::near::slot::{MAX_KEY_BYTES, SlotParts, SlotRef};
use crate::near::store::{Lease, Seen, Store};
use crate::near::verdict::Verdict;
use crate::policy::Policy;
use crate::stats::{Counters, MissReason};

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
#[allow(
    clippy::large_enum_variant,
    reason = "there is one in each cache, and a hit goes through it"
)]
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
    pub(crate) fn peek<T: Cacheable>(&self, request: &Request) -> Option<T> {
        let Tier::Memory(store) = &self.tier else { return None };
        let guard = crossbeam_epoch::pin();
        let slot = store.find(&request.text, &guard)?;
        let is_fresh = matches!(store.judge(slot), Verdict::Fresh | Verdict::Early);
        let is_ours = is_fresh && lacking(store, slot, request).is_some();
        slot.value::<T>().filter(|_| is_ours).cloned()
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
        meta: Arc::new(EntryMeta { tags, windows: slot.meta.windows }),
        id: slot.id,
        fresh_until: slot.fresh_until,
        load_millis: slot.load_millis,
        weight: slot.weight,
    };
    if let Some(linked) = to_slot(value, request.ops, parts, Some(*site)) {
        store.fill(&request.text, Seen::Slot(slot.id), linked);
    }
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
