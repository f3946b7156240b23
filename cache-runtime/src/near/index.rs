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

/// The byte of a set's tags that says that a slot of this set had to go to the next one.
const OVERFLOWED: u64 = 0xff << (WAYS * 8);

/// One cache line: a byte of each way's hash, then the ways.
#[repr(align(64))]
struct Set {
    /// Byte `i` belongs to way `i`, a hint that spares a look at the slot; the last is a flag.
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
    /// Held by whoever changes the table.
    writing: Mutex<()>,
    hasher: FixedState,
    /// The shape of the arguments that are linked; 0 while there are none.
    shape: AtomicU64,
    max_sets: usize,
}

impl Index {
    /// An index that grows with what is linked, up to about `max_entries` pointers.
    pub(crate) fn new(max_entries: usize) -> Self {
        Self {
            table: Atomic::new(Table::new(FIRST_SETS)),
            writing: Mutex::new(()),
            // Seeded for each index, so that nobody can prepare arguments that share a set.
            hasher: FixedState::with_seed(fastrand::u64(..)),
            shape: AtomicU64::new(0),
            max_sets: (max_entries / WAYS * 2).next_power_of_two().clamp(FIRST_SETS, 1 << 28),
        }
    }

    /// Whether arguments of this shape have their place here. The first that asks decides: the
    /// instantiations of a generic function share an index, and equal bytes of different types may
    /// belong to different keys.
    pub(crate) fn admits(&self, shape: u64) -> bool {
        match self.shape.compare_exchange(0, shape, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => true,
            Err(first) => first == shape,
        }
    }

    /// Whether arguments of this shape may be linked here.
    #[inline]
    pub(crate) fn holds(&self, shape: u64) -> bool {
        self.shape.load(Ordering::Relaxed) == shape
    }

    #[inline(always)]
    fn hash(&self, args: &[u8]) -> u64 {
        // A `Hasher` over the bytes, without the length that `[u8]: Hash` puts before them: the
        // arguments' bytes tell their own length.
        let mut hasher = self.hasher.build_hasher();
        std::hash::Hasher::write(&mut hasher, args);
        std::hash::Hasher::finish(&hasher)
    }

    /// The slot whose arguments are exactly these, if the table leads to it.
    ///
    /// Inlined always: where the arguments' length is known there, hashing and comparing them come
    /// down to a few instructions.
    #[inline(always)]
    pub(crate) fn get<'g>(&self, args: &[u8], guard: &'g Guard) -> Option<SlotRef<'g>> {
        let hash = self.hash(args);
        // SAFETY: the table is never null and replaced tables are freed through the epoch.
        let table = unsafe { self.table.load(Ordering::Acquire, guard).deref() };
        let set = table.set(hash);
        let tags = set.tags.load(Ordering::Acquire);
        if let Some(slot) = set.find(tags, hash, args, guard) {
            return Some(slot);
        }
        if tags & OVERFLOWED == 0 {
            return None;
        }
        let next = table.next(hash);
        next.find(next.tags.load(Ordering::Acquire), hash, args, guard)
    }

    /// Lets the table lead to the slot.
    ///
    /// The caller holds the lock of the slot's shard, the slot is alive and its arguments are
    /// those of this index's function.
    pub(crate) fn link(&self, slot: SlotRef<'_>, guard: &Guard) {
        let hash = self.hash(slot.args());
        let writing = lock(&self.writing);
        let table = self.current(guard);
        if [table.set(hash), table.next(hash)].iter().any(|set| set.way_of(slot).is_some()) {
            return;
        }
        let Some((set, way)) = table.place(hash) else {
            if table.sets.len() < self.max_sets {
                self.grow(table, guard);
                drop(writing);
                return self.link(slot, guard);
            }
            // Full: the pointer that leaves is found by its text from now on.
            table.set(hash).put((hash >> 32) as usize % WAYS, tag_of(hash), slot.as_ptr());
            return;
        };
        set.put(way, tag_of(hash), slot.as_ptr());
    }

    /// Makes sure that no new reader finds the slot here.
    ///
    /// The caller holds the lock of the slot's shard.
    pub(crate) fn unlink(&self, slot: SlotRef<'_>, guard: &Guard) {
        let hash = self.hash(slot.args());
        let _writing = lock(&self.writing);
        let table = self.current(guard);
        for set in [table.set(hash), table.next(hash)] {
            if let Some(way) = set.way_of(slot) {
                set.ways[way].store(ptr::null_mut(), Ordering::SeqCst);
                return;
            }
        }
    }

    fn current<'g>(&self, guard: &'g Guard) -> &'g Table {
        // SAFETY: the table is never null, and replaced tables are freed through the epoch.
        unsafe { self.table.load(Ordering::Acquire, guard).deref() }
    }

    /// Doubles the table. The index's lock is held.
    fn grow(&self, old: &Table, guard: &Guard) {
        let table = Table::new(old.sets.len() * 2);
        for way in old.sets.iter().flat_map(|set| &set.ways) {
            let Some(slot) = NonNull::new(way.load(Ordering::Relaxed)) else { continue };
            // SAFETY: unlinking needs the index's lock, which is held: the slot is still linked,
            // so it is not freed before this guard is dropped.
            let hash = self.hash(unsafe { SlotRef::new(slot, guard) }.args());
            // What finds no place is found by its text from now on.
            if let Some((set, free)) = table.place(hash) {
                set.put(free, tag_of(hash), slot);
            }
        }
        let replaced = self.table.swap(Owned::new(table), Ordering::AcqRel, guard);
        // SAFETY: no new reader finds the replaced table, and those who have it hold guards.
        unsafe { guard.defer_destroy(replaced) };
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

    /// Where slots go that found their set full.
    fn next(&self, hash: u64) -> &Set {
        &self.sets[(hash as usize + 1) & self.mask]
    }

    /// A free way for a hash, in its set or the next.
    fn place(&self, hash: u64) -> Option<(&Set, usize)> {
        let set = self.set(hash);
        if let Some(way) = set.free_way() {
            return Some((set, way));
        }
        let next = self.next(hash);
        let way = next.free_way()?;
        // Before the pointer is there: a reader that sees it knows where to look.
        set.tags.fetch_or(OVERFLOWED, Ordering::Release);
        Some((next, way))
    }
}

impl Set {
    #[inline(always)]
    fn find<'g>(&self, tags: u64, hash: u64, args: &[u8], guard: &'g Guard) -> Option<SlotRef<'g>> {
        let mut candidates = matching_bytes(tags, tag_of(hash));
        while candidates != 0 {
            let way = (candidates.trailing_zeros() / 8) as usize;
            candidates &= candidates - 1;
            let Some(slot) =
                self.ways.get(way).and_then(|way| NonNull::new(way.load(Ordering::Acquire)))
            else {
                continue;
            };
            // SAFETY: the pointer was published, and slots are unlinked before they are retired, so
            // one that is found under this guard outlives it.
            let slot = unsafe { SlotRef::new(slot, guard) };
            if same_bytes(slot.args(), args) {
                return Some(slot);
            }
        }
        None
    }

    fn way_of(&self, slot: SlotRef<'_>) -> Option<usize> {
        let pointer = slot.as_ptr().as_ptr();
        self.ways.iter().position(|way| ptr::eq(way.load(Ordering::Relaxed), pointer))
    }

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

/// Compares short arguments without a call: an integer or two are the usual case.
#[inline(always)]
fn same_bytes(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    // The first and the last eight bytes overlap where there are fewer than sixteen.
    match (
        one.first_chunk::<8>(),
        one.last_chunk::<8>(),
        other.first_chunk::<8>(),
        other.last_chunk::<8>(),
    ) {
        (Some(one_first), Some(one_last), Some(other_first), Some(other_last))
            if one.len() <= 16 =>
        {
            u64::from_ne_bytes(*one_first) == u64::from_ne_bytes(*other_first)
                && u64::from_ne_bytes(*one_last) == u64::from_ne_bytes(*other_last)
        }
        _ => one == other,
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
    use super::{Index, Ordering, WAYS, matching_bytes};
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
        // None leads to another's slot. The table grows where a place is missing; growing may drop
        // a pointer now and then.
        assert!(found.count() > 19_900);
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
        let left = index.current(guard).sets.iter().flat_map(|set| &set.ways);
        assert!(left.into_iter().all(|way| way.load(Ordering::Relaxed).is_null()));
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
