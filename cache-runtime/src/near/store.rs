//! The shards together: what can be done to a key, each in one step under its shard's lock.
//!
//! These steps have the meaning of the provider's operations (`docs/decisions/0002`): acquire and
//! fill compare what the key holds with what the caller saw, a lease stands in place of the value
//! (rules A6 and I1), and an invalidation removes whatever is there.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

use crossbeam_epoch::Guard;
use foldhash::fast::RandomState;

use super::ghosts::Gone;
use super::lock;
use super::meta::{EntryMeta, unused_number};
use super::pinned::Pinned;
use super::shard::{Limits, Shard};
use super::sites::Sites;
use super::slot::{NO_SITE, OwnedSlot, SlotParts, SlotRef};
use super::tags::Tags;
use super::verdict::Verdict;
use crate::clock::Clock;
use crate::stats::MissReason;

static TEXT_HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::default);

/// The hash of a text key, seeded anew in each process.
pub(crate) fn hash_text(text: &str) -> u64 {
    TEXT_HASHER.hash_one(text)
}

/// Stands in place of a value while somebody loads it.
pub(crate) struct Lease;

/// What a key held when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Nothing,
    /// A value or a lease, by its number, which is never reused.
    Slot(u64),
}

/// How the store answered to a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    Stored,
    /// The key still held what the caller saw, and the value does not fit.
    TooLarge,
    /// The key holds something else by now: nothing was changed.
    Refused,
}

/// What becomes of what a key holds.
pub(crate) enum Change {
    Keep,
    Put(OwnedSlot),
    /// Puts a slot that is not evicted: it stays until it is removed, or expires if it has an end.
    Pin(OwnedSlot),
    Remove(Gone),
}

/// All of one cache's entries.
pub(crate) struct Store {
    shards: Box<[Mutex<Shard>]>,
    pub(crate) tags: Tags,
    pub(crate) sites: Arc<Sites>,
    pub(crate) clock: Clock,
    /// Whether values have to be measured before they are stored.
    pub(crate) bounded_by_bytes: bool,
    /// How many removals are under way that take more than one step.
    sweeps: AtomicUsize,
}

/// A removal of several things, one after the other. It ends when this is dropped.
pub(crate) struct Sweep<'a>(&'a AtomicUsize);

impl Drop for Sweep<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// From this weight on, in bytes, what left is freed soon.
const LARGE: u32 = 4096;

/// A shard can only be exact about what it holds itself, so it has to be large enough for the
/// shares of the keys among the shards not to matter.
const LEAST_ENTRIES_PER_SHARD: u64 = 2048;
const LEAST_BYTES_PER_SHARD: u64 = 8 << 20;
const MOST_SHARDS: u64 = 64;

impl Store {
    pub(crate) fn new(
        max_entries: Option<u64>,
        max_bytes: Option<u64>,
        clock: Clock,
        sites: Arc<Sites>,
    ) -> Self {
        let (entries, bytes) = (max_entries.unwrap_or(u64::MAX), max_bytes.unwrap_or(u64::MAX));
        let wanted = std::thread::available_parallelism().map_or(4, usize::from) as u64 * 4;
        let shards = wanted
            .min(entries / LEAST_ENTRIES_PER_SHARD)
            .min(bytes / LEAST_BYTES_PER_SHARD)
            .clamp(1, MOST_SHARDS);
        let shards = if shards.is_power_of_two() { shards } else { shards.next_power_of_two() / 2 };
        let limits = Limits { entries: (entries / shards).max(1), weight: bytes / shards };
        Self {
            shards: (0..shards).map(|_| Mutex::new(Shard::new(limits))).collect(),
            tags: Tags::default(),
            sites,
            clock,
            bounded_by_bytes: max_bytes.is_some(),
            sweeps: AtomicUsize::new(0),
        }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        lock(&self.shards[(hash >> 24) as usize & (self.shards.len() - 1)])
    }

    /// What the key holds, for as long as the guard is held.
    pub(crate) fn find<'g>(&self, text: &str, guard: &'g Guard) -> Option<SlotRef<'g>> {
        let hash = hash_text(text);
        let shard = self.shard(hash);
        let slot = shard.find(hash, text)?.as_ptr();
        // SAFETY: the slot is published, the guard was taken before it was found, and whoever
        // removes it frees it through the epoch.
        Some(unsafe { SlotRef::new(slot, guard) })
    }

    /// Why the key holds nothing.
    pub(crate) fn reason(&self, text: &str) -> MissReason {
        let hash = hash_text(text);
        self.shard(hash).memories.reason(hash).into()
    }

    /// Puts a lease in place of what the caller saw, or does nothing if that is no longer there.
    /// Returns the lease's number.
    pub(crate) fn acquire(&self, text: &str, seen: Seen) -> Option<u64> {
        let id = unused_number();
        let parts = SlotParts {
            text,
            args: &[],
            meta: EntryMeta::untagged(),
            id,
            // In the past, so that the test for a lease is off the path of a hit.
            fresh_until: 0,
            load_millis: 0,
            weight: 0,
        };
        let lease = OwnedSlot::new(parts, Lease);
        (self.replace(text, seen, lease, true) == Filled::Stored).then_some(id)
    }

    /// Stores the slot if the key still holds what the caller saw (its lease, or the entry that it
    /// refreshes: rule E2).
    pub(crate) fn fill(&self, text: &str, seen: Seen, slot: OwnedSlot) -> Filled {
        self.replace(text, seen, slot, false)
    }

    fn replace(&self, text: &str, seen: Seen, slot: OwnedSlot, pinned: bool) -> Filled {
        let guard = Pinned::new();
        let hash = hash_text(text);
        let mut shard = self.shard(hash);
        let held = shard.find(hash, text).map_or(Seen::Nothing, |held| Seen::Slot(held.id));
        if held != seen {
            return Filled::Refused;
        }
        self.insert(&mut shard, hash, slot, pinned, &guard)
    }

    /// Stores the slot whatever the key holds, if the condition is true under the shard's lock.
    pub(crate) fn put_if(
        &self,
        text: &str,
        slot: OwnedSlot,
        condition: impl FnOnce() -> bool,
    ) -> Filled {
        let guard = Pinned::new();
        let hash = hash_text(text);
        let mut shard = self.shard(hash);
        if !condition() {
            return Filled::Refused;
        }
        self.insert(&mut shard, hash, slot, false, &guard)
    }

    fn insert(
        &self,
        shard: &mut Shard,
        hash: u64,
        slot: OwnedSlot,
        pinned: bool,
        guard: &Pinned,
    ) -> Filled {
        let stored = shard.insert(hash, slot, pinned, self.clock.now());
        self.retire_all(shard, guard);
        if stored { Filled::Stored } else { Filled::TooLarge }
    }

    /// Lets its function's index lead to the slot, if the key still holds it. Asked for at an
    /// entry's first hit, so that what is stored and never read again takes no place in an index.
    pub(crate) fn link(&self, text: &str, id: u64) {
        let guard = crossbeam_epoch::pin();
        let hash = hash_text(text);
        let shard = self.shard(hash);
        let Some(slot) = shard.find(hash, text).filter(|slot| slot.id == id) else { return };
        let site = slot.site.load(Ordering::Relaxed);
        if let Some(state) = self.sites.get(site).filter(|_| site != NO_SITE) {
            state.index.link(slot, &guard);
        }
    }

    /// Unlinks and retires what left the shard. Its lock is still held, which orders this before
    /// any later link of the same key.
    fn retire_all(&self, shard: &mut Shard, guard: &Pinned) {
        for slot in shard.left.drain(..) {
            if slot.as_ref().weight > LARGE {
                guard.flush_after();
            }
            let site = slot.as_ref().site.load(Ordering::Relaxed);
            if let Some(state) = self.sites.get(site).filter(|_| site != NO_SITE) {
                state.index.unlink(slot.as_ref(), guard);
            }
            slot.retire(guard);
        }
    }

    /// Begins a removal of several things that one value may be made of.
    ///
    /// While some are removed and some are not, a function whose load reads another one's value could
    /// load after its own name was removed, be served a value that is about to be removed, and be
    /// stored for good. So loads that begin now store nothing: they ask [`is_swept`](Self::is_swept)
    /// after they have their lease and have seen their tags.
    pub(crate) fn sweep(&self) -> Sweep<'_> {
        self.sweeps.fetch_add(1, Ordering::SeqCst);
        Sweep(&self.sweeps)
    }

    /// Whether a removal of several things is under way.
    pub(crate) fn is_swept(&self) -> bool {
        self.sweeps.load(Ordering::SeqCst) > 0
    }

    /// Looks at what the key holds and changes it, in one step under its shard's lock.
    ///
    /// `decide` must not use the store, and holds no value of a user's type that it may drop: that
    /// would be under the lock. False where a slot does not fit; then the key holds nothing.
    pub(crate) fn update(
        &self,
        text: &str,
        decide: impl FnOnce(Option<SlotRef<'_>>) -> Change,
    ) -> bool {
        let guard = Pinned::new();
        let hash = hash_text(text);
        let mut shard = self.shard(hash);
        let held = shard.find(hash, text);
        let position = held.map(|held| held.position.load(Ordering::Relaxed));
        let (slot, pinned) = match decide(held) {
            Change::Keep => return true,
            Change::Put(slot) => (slot, false),
            Change::Pin(slot) => (slot, true),
            Change::Remove(why) => {
                position.into_iter().for_each(|position| shard.remove(position, why));
                self.retire_all(&mut shard, &guard);
                return true;
            }
        };
        self.insert(&mut shard, hash, slot, pinned, &guard) == Filled::Stored
    }

    /// Removes the slot if the key still holds it; returns whether it did.
    pub(crate) fn release(&self, text: &str, seen: Seen, why: Gone) -> bool {
        self.remove_if(text, why, |held| Seen::Slot(held.id) == seen)
    }

    /// Whether a read would be served the slot as fresh.
    fn is_served(&self, slot: SlotRef<'_>) -> bool {
        matches!(self.judge(slot), Verdict::Fresh | Verdict::Early)
    }

    /// Removes whatever the key holds, value or lease; returns whether it was a value that a read
    /// would have been served.
    pub(crate) fn remove(&self, text: &str) -> bool {
        let mut was_value = false;
        self.remove_if(text, Gone::Invalidated, |held| {
            was_value = self.is_served(held);
            true
        });
        was_value
    }

    fn remove_if(
        &self,
        text: &str,
        why: Gone,
        condition: impl FnOnce(SlotRef<'_>) -> bool,
    ) -> bool {
        let guard = Pinned::new();
        let hash = hash_text(text);
        let mut shard = self.shard(hash);
        let Some(held) = shard.find(hash, text) else { return false };
        if !condition(held) {
            return false;
        }
        let position = held.position.load(Ordering::Relaxed);
        shard.remove(position, why);
        self.retire_all(&mut shard, &guard);
        true
    }

    /// Removes all keys that `chosen` picks, leases included (rule I2); returns how many of them
    /// held values that a read would have been served. O(entries), one shard at a time.
    pub(crate) fn remove_where(&self, mut chosen: impl FnMut(&str) -> bool) -> u64 {
        let mut served = 0;
        self.remove_slots(|slot| {
            let is_chosen = chosen(slot.text());
            served += u64::from(is_chosen && self.is_served(slot));
            is_chosen
        });
        served
    }

    /// The same for a choice that looks at the whole slot; returns how many were values.
    pub(crate) fn remove_slots(&self, mut chosen: impl FnMut(SlotRef<'_>) -> bool) -> u64 {
        let mut removed = 0;
        for shard in &self.shards {
            let guard = Pinned::new();
            let mut shard = lock(shard);
            removed += shard.remove_where(&mut chosen);
            self.retire_all(&mut shard, &guard);
            guard.flush_after();
        }
        removed
    }

    /// Looks at every slot, leases included, one shard at a time.
    pub(crate) fn visit(&self, mut look: impl FnMut(SlotRef<'_>)) {
        for shard in &self.shards {
            lock(shard).remove_where(|slot| {
                look(slot);
                false
            });
        }
    }

    /// How many values there are, and about how many bytes they take.
    pub(crate) fn size(&self) -> (u64, u64) {
        self.shards.iter().fold((0, 0), |(entries, bytes), shard| {
            let shard = lock(shard);
            (entries + shard.entries(), bytes + shard.weight())
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Readers hold the cache, and so this store, while they hold a slot: none is left. The
        // slots are freed with their shards.
        for shard in &self.shards {
            lock(shard).left.clear();
        }
    }
}
