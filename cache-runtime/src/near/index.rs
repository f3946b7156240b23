//! A function's own way from its arguments to the slot, without the text of the key.
//!
//! Rendering the text key costs more than all the rest of a hit, so each annotated function has a
//! set-associative table of pointers to slots, found by a hash of the arguments' bytes. The table
//! is a hint: what is not in it is found under the text key. The truth stays in the shards, which
//! unlink a slot here before they free it, so a pointer in the table always leads to a slot that
//! is not freed before the reader's guard is dropped.
//!
//! Readers take no lock and write nothing. Writers (link, unlink, grow) hold the index's lock, and
//! they are called only while the lock of the slot's shard is held (lock order: shard, index).

use std::ptr::{self, NonNull};
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use crossbeam_epoch::{Atomic, Guard, Owned, Shared};
use foldhash::fast::FixedState;
use std::hash::BuildHasher;

use super::lock;
use super::slot::{Slot, SlotRef};

const WAYS: usize = 7;
const FIRST_SETS: usize = 8;

/// One cache line: a byte of each way's hash, then the ways.
#[repr(align(64))]
struct Set {
    /// Byte `i` belongs to way `i`; a hint that spares a look at the slot.
    tags: AtomicU64,
    ways: [AtomicPtr<Slot>; WAYS],
}

struct Table {
    sets: Box<[Set]>,
    /// One less than the number of sets, a power of two.
    mask: usize,
}

/// The index of one annotated function in one cache.
pub(crate) struct Index {
    table: Atomic<Table>,
    linked: Mutex<usize>,
    hasher: FixedState,
    max_sets: usize,
}

impl Index {
    /// An index that grows with what is linked, up to about `max_entries` pointers.
    pub(crate) fn new(max_entries: usize) -> Self {
        Self {
            table: Atomic::new(Table::new(FIRST_SETS)),
            linked: Mutex::new(0),
            // Seeded for each index, so that nobody can prepare arguments that share a set.
            hasher: FixedState::with_seed(fastrand::u64(..)),
            max_sets: (max_entries / WAYS * 2).next_power_of_two().clamp(FIRST_SETS, 1 << 28),
        }
    }

    #[inline]
    fn hash(&self, args: &[u8]) -> u64 {
        // A `Hasher` over the bytes, without the length that `[u8]: Hash` puts before them: the
        // arguments' bytes tell their own length.
        let mut hasher = self.hasher.build_hasher();
        std::hash::Hasher::write(&mut hasher, args);
        std::hash::Hasher::finish(&hasher)
    }

    /// The slot whose arguments are exactly these, if the table leads to it.
    #[inline]
    pub(crate) fn get<'g>(&self, args: &[u8], guard: &'g Guard) -> Option<SlotRef<'g>> {
        let hash = self.hash(args);
        // SAFETY: the table is never null and replaced tables are freed through the epoch.
        let table = unsafe { self.table.load(Ordering::Acquire, guard).deref() };
        let set = table.set(hash);
        let mut candidates = matching_bytes(set.tags.load(Ordering::Acquire), tag_of(hash));
        while candidates != 0 {
            let way = (candidates.trailing_zeros() / 8) as usize;
            candidates &= candidates - 1;
            if way == WAYS {
                break;
            }
            if let Some(slot) = NonNull::new(set.ways[way].load(Ordering::Acquire)) {
                // SAFETY: the pointer was published, and slots are unlinked before they are
                // retired, so one that is found under this guard outlives it.
                let slot = unsafe { SlotRef::new(slot, guard) };
                if slot.args() == args {
                    return Some(slot);
                }
            }
        }
        None
    }

    /// Lets the table lead to the slot.
    ///
    /// The caller holds the lock of the slot's shard, the slot is alive and its arguments are
    /// those of this index's function.
    pub(crate) fn link(&self, slot: SlotRef<'_>, guard: &Guard) {
        let hash = self.hash(slot.args());
        let mut linked = lock(&self.linked);
        let table = self.current(guard);
        let set = table.set(hash);
        let way = match set.free_way() {
            Some(way) => way,
            None if *linked * 2 >= table.sets.len() * WAYS && table.sets.len() < self.max_sets => {
                *linked = self.grow(table, guard);
                drop(linked);
                return self.link(slot, guard);
            }
            // The set is full and the table is not: the pointer that leaves is found by its text.
            None => {
                *linked -= 1;
                (hash >> 32) as usize % WAYS
            }
        };
        *linked += 1;
        set.put(way, tag_of(hash), slot.as_ptr());
    }

    /// Makes sure that no new reader finds the slot here.
    ///
    /// The caller holds the lock of the slot's shard.
    pub(crate) fn unlink(&self, slot: SlotRef<'_>, guard: &Guard) {
        let hash = self.hash(slot.args());
        let mut linked = lock(&self.linked);
        let set = self.current(guard).set(hash);
        let found = set.ways.iter().position(|way| {
            ptr::eq(way.load(Ordering::Relaxed), slot.as_ptr().as_ptr())
        });
        if let Some(way) = found {
            set.ways[way].store(ptr::null_mut(), Ordering::SeqCst);
            *linked -= 1;
        }
    }

    fn current<'g>(&self, guard: &'g Guard) -> &'g Table {
        // SAFETY: the table is never null, and replaced tables are freed through the epoch.
        unsafe { self.table.load(Ordering::Acquire, guard).deref() }
    }

    /// Doubles the table; returns how many pointers found a place. The index's lock is held.
    fn grow(&self, old: &Table, guard: &Guard) -> usize {
        let table = Table::new(old.sets.len() * 2);
        let mut linked = 0;
        for way in old.sets.iter().flat_map(|set| &set.ways) {
            let Some(slot) = NonNull::new(way.load(Ordering::Relaxed)) else { continue };
            // SAFETY: unlinking needs the index's lock, which is held: the slot is still linked,
            // so it is not freed before this guard is dropped.
            let hash = self.hash(unsafe { SlotRef::new(slot, guard) }.args());
            let set = table.set(hash);
            // A doubled table takes over every pointer: the ways of one old set are shared out
            // over two new ones.
            let Some(free) = set.free_way() else { continue };
            set.put(free, tag_of(hash), slot);
            linked += 1;
        }
        let replaced = self.table.swap(Owned::new(table), Ordering::AcqRel, guard);
        // SAFETY: no new reader finds the replaced table, and those who have it hold guards.
        unsafe { guard.defer_destroy(replaced) };
        linked
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // SAFETY: nobody else has the index any more. The slots belong to the shards.
        unsafe {
            let guard = crossbeam_epoch::unprotected();
            let table = self.table.swap(Shared::null(), Ordering::Relaxed, guard);
            drop(table.into_owned());
        }
    }
}

impl Table {
    fn new(sets: usize) -> Self {
        let empty = || Set { tags: AtomicU64::new(0), ways: Default::default() };
        Self { sets: std::iter::repeat_with(empty).take(sets).collect(), mask: sets - 1 }
    }

    #[inline]
    fn set(&self, hash: u64) -> &Set {
        &self.sets[hash as usize & self.mask]
    }
}

impl Set {
    fn free_way(&self) -> Option<usize> {
        self.ways.iter().position(|way| way.load(Ordering::Relaxed).is_null())
    }

    /// The index's lock is held, so nobody else writes.
    fn put(&self, way: usize, tag: u8, slot: NonNull<Slot>) {
        let shift = way as u32 * 8;
        let others = self.tags.load(Ordering::Relaxed) & !(0xff << shift);
        // A reader that sees the new byte with the old pointer compares the arguments and goes on.
        self.ways[way].store(slot.as_ptr(), Ordering::Release);
        self.tags.store(others | u64::from(tag) << shift, Ordering::Release);
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// Sets the top bit of each byte of `bytes` that may equal `byte`; never misses one.
#[inline]
fn matching_bytes(bytes: u64, byte: u8) -> u64 {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let difference = bytes ^ (LOW * u64::from(byte));
    difference.wrapping_sub(LOW) & !difference & HIGH
}

#[cfg(test)]
mod tests {
    use super::{Index, WAYS, matching_bytes};
    use crate::near::meta::EntryMeta;
    use crate::near::slot::{OwnedSlot, SlotParts};

    fn slot(number: u32) -> OwnedSlot {
        let parts = SlotParts {
            text: "k",
            args: &number.to_le_bytes(),
            meta: EntryMeta::untagged(),
            id: u64::from(number),
            fresh_until: 0,
            load_millis: 0,
            weight: 1,
        };
        OwnedSlot::new(parts, number)
    }

    #[test]
    fn what_is_linked_is_found_by_its_exact_arguments() {
        let guard = &crossbeam_epoch::pin();
        let index = Index::new(100_000);
        let slots: Vec<_> = (0..20_000).map(slot).collect();
        for slot in &slots {
            index.link(slot.as_ref(), guard);
        }
        let found = (0..20_000_u32).filter(|number| {
            index.get(&number.to_le_bytes(), guard).and_then(|slot| slot.value::<u32>().copied())
                == Some(*number)
        });
        // A full set may drop a pointer; nearly all stay, and none leads to another's slot.
        assert!(found.count() > 19_000);
        assert!(index.get(&20_000_u32.to_le_bytes(), guard).is_none());
        for slot in &slots {
            index.unlink(slot.as_ref(), guard);
            assert!(index.get(slot.as_ref().args(), guard).is_none());
        }
    }

    #[test]
    fn an_index_keeps_to_its_bound() {
        let guard = &crossbeam_epoch::pin();
        let index = Index::new(8 * WAYS);
        let slots: Vec<_> = (0..10_000).map(slot).collect();
        for slot in &slots {
            index.link(slot.as_ref(), guard);
        }
        assert!(index.current(guard).sets.len() <= 16);
        assert!(index.get(slots[9_999].as_ref().args(), guard).is_some());
        for slot in &slots {
            index.unlink(slot.as_ref(), guard);
        }
        assert_eq!(*super::lock(&index.linked), 0);
    }

    #[test]
    fn every_equal_byte_is_a_candidate() {
        for way in 0..8 {
            for byte in 0..=255_u8 {
                let bytes = u64::from(byte) << (way * 8);
                assert_ne!(matching_bytes(bytes, byte) & (0x80 << (way * 8)), 0);
            }
        }
    }
}
