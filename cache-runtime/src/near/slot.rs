//! One stored entry in one allocation: header, value, text key, and the arguments' bytes.
//!
//! A slot is immutable once it is published, apart from its atomics. Exactly one shard owns it;
//! readers reach it through raw pointers and only while they hold an epoch guard, and the owner
//! frees it only through that epoch (`crossbeam_epoch`, after Fraser, *Practical lock-freedom*,
//! 2004). The layout is by hand because it decides the memory per entry and the cache lines per
//! hit: an index hit reads the line of the header and the value beside it, and follows no pointer
//! to the key.

use std::alloc::{self, Layout};
use std::any::TypeId;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use crossbeam_epoch::Guard;

use super::meta::EntryMeta;
use crate::clock::Tick;

/// The longest key that a slot holds, in bytes.
pub(crate) const MAX_KEY_BYTES: usize = u16::MAX as usize;

/// `Slot::site` of a slot that no function's index leads to.
pub(crate) const NO_SITE: u32 = u32::MAX;

/// The most that a reference counter counts to (S3-FIFO uses two bits).
const MAX_FREQUENCY: u8 = 3;

/// The header of an entry; the value and the bytes of its keys follow in the same allocation.
///
/// What a hit reads stands together at the end, next to the value and the arguments.
#[repr(C)]
pub(crate) struct Slot {
    /// Never reused, so that a refresh can tell the entry it started from (rule E2).
    pub(crate) id: u64,
    pub(crate) load_millis: u32,
    pub(crate) weight: u32,
    /// Where the owning shard keeps the slot; written under the shard's lock.
    pub(crate) position: AtomicU32,
    /// Whose index leads here, or [`NO_SITE`]; written under the shard's lock.
    pub(crate) site: AtomicU32,
    pub(crate) fresh_until: Tick,
    /// Tags with the generations seen before the load, and how long to keep the value when stale.
    pub(crate) meta: Arc<EntryMeta>,
    text_len: u16,
    args_len: u16,
    frequency: AtomicU8,
    /// Which eviction queue holds the slot; written under the shard's lock.
    pub(crate) queue: AtomicU8,
    dead: AtomicBool,
    vtable: &'static VTable,
}

/// What can be done with a value whose type is known only at run time.
struct VTable {
    type_id: fn() -> TypeId,
    value: Layout,
    drop_value: unsafe fn(*mut u8),
}

struct VTableOf<T>(PhantomData<T>);

impl<T: Send + Sync + 'static> VTableOf<T> {
    const TABLE: &'static VTable = &VTable {
        type_id: TypeId::of::<T>,
        value: Layout::new::<T>(),
        drop_value: Self::drop_value,
    };

    /// # Safety
    ///
    /// `value` must point to a live `T` that nobody uses afterwards.
    unsafe fn drop_value(value: *mut u8) {
        // SAFETY: promised by the caller.
        unsafe { value.cast::<T>().drop_in_place() }
    }
}

/// What a new slot is made of, apart from its value.
pub(crate) struct SlotParts<'a> {
    pub(crate) text: &'a str,
    pub(crate) args: &'a [u8],
    pub(crate) meta: Arc<EntryMeta>,
    pub(crate) id: u64,
    pub(crate) fresh_until: Tick,
    pub(crate) load_millis: u32,
    pub(crate) weight: u32,
}

/// A slot that nobody else sees yet, or that its owner took back.
pub(crate) struct OwnedSlot(NonNull<Slot>);

// SAFETY: the header is made of `Send + Sync` parts, and `OwnedSlot::new` admits only values that
// are `Send + Sync`.
unsafe impl Send for OwnedSlot {}
// SAFETY: as above; a shared `OwnedSlot` gives no more than shared access.
unsafe impl Sync for OwnedSlot {}

impl OwnedSlot {
    /// Puts a value and its keys into one allocation.
    ///
    /// # Panics
    ///
    /// If the text or the arguments are longer than [`MAX_KEY_BYTES`].
    pub(crate) fn new<T: Send + Sync + 'static>(parts: SlotParts<'_>, value: T) -> Self {
        let text_len = u16::try_from(parts.text.len()).expect("the key's length was checked");
        let args_len = u16::try_from(parts.args.len()).expect("the key's length was checked");
        let vtable = VTableOf::<T>::TABLE;
        let place = Place::new(vtable.value, parts.args.len(), parts.text.len());
        // SAFETY: the layout is not empty, it holds the header.
        let memory = unsafe { alloc::alloc(place.block) };
        let Some(slot) = NonNull::new(memory.cast::<Slot>()) else {
            alloc::handle_alloc_error(place.block)
        };
        let header = Slot {
            vtable,
            meta: parts.meta,
            id: parts.id,
            fresh_until: parts.fresh_until,
            load_millis: parts.load_millis,
            weight: parts.weight,
            position: AtomicU32::new(u32::MAX),
            site: AtomicU32::new(NO_SITE),
            text_len,
            args_len,
            frequency: AtomicU8::new(0),
            queue: AtomicU8::new(0),
            dead: AtomicBool::new(false),
        };
        // SAFETY: the memory is fresh and large enough for the four, at offsets that do not overlap;
        // the value's is aligned, and so is the block.
        unsafe {
            slot.write(header);
            let args = memory.add(size_of::<Slot>());
            args.copy_from_nonoverlapping(parts.args.as_ptr(), parts.args.len());
            memory.add(place.value_offset).cast::<T>().write(value);
            let text = memory.add(place.text_offset);
            text.copy_from_nonoverlapping(parts.text.as_ptr(), parts.text.len());
        }
        Self(slot)
    }

    /// A reference for as long as the owner holds the slot.
    pub(crate) fn as_ref(&self) -> SlotRef<'_> {
        SlotRef { slot: self.0, life: PhantomData }
    }

    /// Frees the slot once no reader that is under way can see it any more.
    ///
    /// The caller has unlinked it: no new reader finds it.
    pub(crate) fn retire(self, guard: &Guard) {
        // SAFETY: nobody finds the slot any more, and those who have it hold a guard that is older
        // than this one's epoch advance. The slot is `Send`, so any thread may free it.
        unsafe { guard.defer_unchecked(move || drop(self)) };
    }
}

impl Drop for OwnedSlot {
    fn drop(&mut self) {
        let memory = self.0.as_ptr().cast::<u8>();
        // SAFETY: this is the only owner and no reader is left (`retire`), or the slot was never
        // published. The layout is the one of `new`. `freed` frees the block even if the value's
        // own drop panics.
        unsafe {
            let slot = self.as_ref();
            let vtable = slot.vtable;
            let place = Place::new(vtable.value, slot.args_len.into(), slot.text_len.into());
            let _freed = Freed { memory, layout: place.block };
            self.0.as_ptr().drop_in_place();
            (vtable.drop_value)(memory.add(place.value_offset));
        }
    }
}

struct Freed {
    memory: *mut u8,
    layout: Layout,
}

impl Drop for Freed {
    fn drop(&mut self) {
        // SAFETY: `OwnedSlot::drop` hands over a block of this layout, and nothing uses it later.
        unsafe { alloc::dealloc(self.memory, self.layout) }
    }
}

/// Where the parts of a slot are. The arguments come first, at an offset that every reader knows:
/// a hit compares them before it knows anything else of the slot.
struct Place {
    value_offset: usize,
    text_offset: usize,
    block: Layout,
}

impl Place {
    fn new(value: Layout, args_len: usize, text_len: usize) -> Self {
        let value_offset = value_offset(args_len, value.align());
        let text_offset = value_offset + value.size();
        let align = value.align().max(align_of::<Slot>());
        let block = Layout::from_size_align(text_offset + text_len, align)
            .expect("a value and two short keys fit into memory");
        Self { value_offset, text_offset, block }
    }
}

#[inline]
const fn value_offset(args_len: usize, align: usize) -> usize {
    (size_of::<Slot>() + args_len).next_multiple_of(align)
}

/// A slot seen by a reader, for as long as its guard (or the owner's borrow) lives.
#[derive(Clone, Copy)]
pub(crate) struct SlotRef<'g> {
    slot: NonNull<Slot>,
    life: PhantomData<&'g Slot>,
}

impl<'g> SlotRef<'g> {
    /// # Safety
    ///
    /// `slot` must have been found through a published pointer while `guard` was held.
    pub(crate) unsafe fn new(slot: NonNull<Slot>, _guard: &'g Guard) -> Self {
        Self { slot, life: PhantomData }
    }

    pub(crate) fn as_ptr(self) -> NonNull<Slot> {
        self.slot
    }

    /// The value, if it is a `T`.
    #[inline]
    pub(crate) fn value<T: Send + Sync + 'static>(self) -> Option<&'g T> {
        let table = VTableOf::<T>::TABLE;
        if !std::ptr::eq(self.vtable, table) && (self.vtable.type_id)() != TypeId::of::<T>() {
            return None;
        }
        let offset = value_offset(self.args_len.into(), align_of::<T>());
        // SAFETY: the slot was made by `OwnedSlot::new::<T>`, which put a `T` at this offset, and
        // it lives as long as `'g`. The pointer keeps the provenance of the whole block.
        Some(unsafe { self.slot.byte_add(offset).cast::<T>().as_ref() })
    }

    /// The text key.
    pub(crate) fn text(self) -> &'g str {
        let place = Place::new(self.vtable.value, self.args_len.into(), self.text_len.into());
        let bytes = self.bytes(place.text_offset, self.text_len.into());
        // SAFETY: the bytes were copied from a `str`.
        unsafe { std::str::from_utf8_unchecked(bytes) }
    }

    /// The arguments' bytes; empty where the slot was not stored by an annotated function.
    #[inline]
    pub(crate) fn args(self) -> &'g [u8] {
        self.bytes(size_of::<Slot>(), self.args_len.into())
    }

    #[inline]
    fn bytes(self, from: usize, len: usize) -> &'g [u8] {
        // SAFETY: the callers ask for the arguments or for the text, which `OwnedSlot::new` wrote
        // at these offsets, and which never change.
        unsafe { std::slice::from_raw_parts(self.slot.cast::<u8>().add(from).as_ptr(), len) }
    }

    /// Counts a use for the eviction: a plain store, and none at all once the counter is full.
    #[inline]
    pub(crate) fn touch(self) {
        let frequency = self.frequency.load(Ordering::Relaxed);
        if frequency < MAX_FREQUENCY {
            // Two threads may write the same count: a lost use does not matter to the policy.
            self.frequency.store(frequency + 1, Ordering::Relaxed);
        }
    }

    /// How often the slot was used since it was last asked, up to the maximum.
    pub(crate) fn frequency(self) -> u8 {
        self.frequency.load(Ordering::Relaxed)
    }

    /// Forgets one use (a second chance was given).
    pub(crate) fn cool(self) {
        self.frequency.store(self.frequency().saturating_sub(1), Ordering::Relaxed);
    }

    /// Whether the slot was removed from its shard.
    #[inline]
    pub(crate) fn is_dead(self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Marks the slot as removed. After this no reader that starts later serves it.
    pub(crate) fn kill(self) {
        self.dead.store(true, Ordering::SeqCst);
    }
}

impl std::ops::Deref for SlotRef<'_> {
    type Target = Slot;

    #[inline]
    fn deref(&self) -> &Slot {
        // SAFETY: the slot lives as long as `'g`, and only its atomics change.
        unsafe { self.slot.as_ref() }
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnedSlot, SlotParts};
    use crate::near::meta::EntryMeta;
    use std::sync::Arc;

    fn parts<'a>(text: &'a str, args: &'a [u8]) -> SlotParts<'a> {
        SlotParts {
            text,
            args,
            meta: EntryMeta::untagged(),
            id: 7,
            fresh_until: 9,
            load_millis: 3,
            weight: 1,
        }
    }

    #[test]
    fn a_slot_gives_back_what_was_put_in_and_frees_it() {
        let counted = Arc::new(());
        let slot = OwnedSlot::new(parts("user:42", &[42, 0, 0]), (Arc::clone(&counted), 5_u128));
        assert_eq!(slot.as_ref().text(), "user:42");
        assert_eq!(slot.as_ref().args(), [42, 0, 0]);
        assert_eq!(slot.as_ref().value::<(Arc<()>, u128)>().map(|value| value.1), Some(5));
        assert!(slot.as_ref().value::<String>().is_none());
        assert_eq!(Arc::strong_count(&counted), 2);
        crossbeam_epoch::pin();
        drop(slot);
        assert_eq!(Arc::strong_count(&counted), 1);
    }

    #[test]
    fn values_of_every_size_and_alignment_fit() {
        #[repr(align(64))]
        #[derive(PartialEq, Debug)]
        struct Wide(u8);
        let wide = OwnedSlot::new(parts("", &[]), Wide(3));
        assert_eq!(wide.as_ref().value::<Wide>(), Some(&Wide(3)));
        assert!(std::ptr::from_ref(wide.as_ref().value::<Wide>().expect("a Wide")).is_aligned());
        let empty = OwnedSlot::new(parts("k", &[1]), ());
        assert_eq!(empty.as_ref().value::<()>(), Some(&()));
        assert_eq!(empty.as_ref().args(), [1]);
    }

    #[test]
    fn uses_are_counted_up_to_the_maximum() {
        let slot = OwnedSlot::new(parts("k", &[]), 1_u8);
        for _ in 0..10 {
            slot.as_ref().touch();
        }
        assert_eq!(slot.as_ref().frequency(), 3);
        slot.as_ref().cool();
        assert_eq!(slot.as_ref().frequency(), 2);
    }
}
