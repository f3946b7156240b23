//! A part of the store under one lock: slots by their text key, evicted by S3-FIFO.
//!
//! S3-FIFO (Yang et al., *FIFO queues are all you need for cache eviction*, SOSP 2023): what is
//! new waits in a small queue and reaches the main one only if it was used; a ghost of recently
//! evicted keys lets those that come back in at once. Reads touch a counter in the slot and nothing else,
//! which is why eviction is here and not a library's: none evicts slots that are read past it.

use std::sync::atomic::Ordering;

use hashbrown::HashTable;

use super::ghosts::{Gone, Memories};
use super::queue::{Queue, Slab};
use super::slot::{OwnedSlot, SlotRef};
use super::store::hash_text;
use crate::clock::Tick;

const SMALL: u8 = 1;
const MAIN: u8 = 2;
/// Leases: never evicted, since their holders remove them.
const PINNED: u8 = 3;

/// The small queue's share of the capacity, as a divisor.
const SMALL_SHARE: u64 = 20;

/// How many slots each insertion looks at for expired ones.
const SWEEP_STEPS: u32 = 2;

/// What a shard may hold.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) entries: u64,
    pub(crate) weight: u64,
}

#[derive(Default)]
pub(crate) struct Shard {
    table: HashTable<u32>,
    slab: Slab,
    small: Queue,
    main: Queue,
    pinned: Queue,
    pub(crate) memories: Memories,
    limits: Limits,
    swept: u32,
    /// What left the shard and is still to be unlinked and retired by the store.
    pub(crate) left: Vec<OwnedSlot>,
}

impl Shard {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// How many values the shard holds; leases do not count.
    pub(crate) fn entries(&self) -> u64 {
        self.small.len() + self.main.len()
    }

    pub(crate) fn weight(&self) -> u64 {
        self.small.weight() + self.main.weight()
    }

    pub(crate) fn find(&self, hash: u64, text: &str) -> Option<SlotRef<'_>> {
        let position = *self.table.find(hash, |position| self.text_is(*position, text))?;
        Some(self.slab.get(position)?.as_ref())
    }

    fn text_is(&self, position: u32, text: &str) -> bool {
        self.slab.get(position).is_some_and(|slot| slot.as_ref().text() == text)
    }

    /// Stores a slot in place of what its key held, and evicts what no longer fits.
    ///
    /// Returns false, and stores nothing, where the slot is heavier than the whole shard.
    pub(crate) fn insert(&mut self, hash: u64, slot: OwnedSlot, pinned: bool, now: Tick) -> bool {
        let (weight, text) = (slot.as_ref().weight, slot.as_ref().text());
        let fits = u64::from(weight) <= self.limits.weight;
        if let Some(old) = self.find(hash, text).map(|slot| slot.position.load(Ordering::Relaxed)) {
            let why = if fits { Gone::Replaced } else { Gone::TooLarge };
            self.remove(old, why);
        }
        if !fits {
            self.memories.remember(hash, Gone::TooLarge);
            self.left.push(slot);
            return false;
        }
        // Before the new slot is there: it may have expired already, and the store is about to
        // link it.
        self.sweep(now);
        if !pinned {
            self.make_room(u64::from(weight));
        }
        // A lease must not use the memory up: the value that takes its place asks it.
        let queue = if pinned {
            PINNED
        } else if self.memories.was_evicted(hash) {
            MAIN
        } else {
            SMALL
        };
        slot.as_ref().queue.store(queue, Ordering::Relaxed);
        let position = self.slab.put(slot);
        if let Some(slot) = self.slab.get(position) {
            slot.as_ref().position.store(position, Ordering::Relaxed);
        }
        let slab = &self.slab;
        self.table.insert_unique(hash, position, |position| {
            slab.get(*position).map_or(0, |slot| hash_text(slot.as_ref().text()))
        });
        let (queue, slab) = self.queue(queue);
        queue.push(slab, position, weight);
        true
    }

    fn queue(&mut self, queue: u8) -> (&mut Queue, &mut Slab) {
        let held = match queue {
            SMALL => &mut self.small,
            MAIN => &mut self.main,
            _ => &mut self.pinned,
        };
        (held, &mut self.slab)
    }

    /// Takes a slot out of the shard and marks it, so that no reader that starts later serves it.
    pub(crate) fn remove(&mut self, position: u32, why: Gone) {
        let Some(slot) = self.slab.get(position).map(OwnedSlot::as_ref) else { return };
        slot.kill();
        let hash = hash_text(slot.text());
        let (weight, queue) = (slot.weight, slot.queue.load(Ordering::Relaxed));
        if let Ok(entry) = self.table.find_entry(hash, |held| *held == position) {
            entry.remove();
        }
        let (queue, slab) = self.queue(queue);
        queue.unlink(slab, position, weight);
        self.memories.remember(hash, why);
        self.left.extend(self.slab.take(position));
    }

    fn make_room(&mut self, weight: u64) {
        while self.entries() >= self.limits.entries || self.weight() + weight > self.limits.weight {
            let small_is_over = self.small.len() * SMALL_SHARE > self.limits.entries
                || self.small.weight().saturating_mul(SMALL_SHARE) > self.limits.weight;
            let from_small = self.small.oldest().filter(|_| small_is_over);
            match from_small.or(self.main.oldest()).or(self.small.oldest()) {
                Some(position) => self.evict_or_keep(position),
                None => return,
            }
        }
    }

    /// Gives the oldest slot of a queue its second chance, or evicts it.
    fn evict_or_keep(&mut self, position: u32) {
        let Some(slot) = self.slab.get(position).map(OwnedSlot::as_ref) else { return };
        let (weight, queue) = (slot.weight, slot.queue.load(Ordering::Relaxed));
        // One use is what stored it and asked for it; a second one earns the main queue.
        let keeps = if queue == SMALL { slot.frequency() > 1 } else { slot.frequency() > 0 };
        if !keeps {
            let ghost = queue == SMALL;
            if ghost {
                let hash = hash_text(slot.text());
                self.memories.remember_evicted(hash, self.slab.len());
            }
            return self.remove(position, Gone::Evicted);
        }
        if queue == SMALL {
            // The count starts anew in the main queue.
            while slot.frequency() > 0 {
                slot.cool();
            }
        } else {
            slot.cool();
        }
        slot.queue.store(MAIN, Ordering::Relaxed);
        let (from, slab) = self.queue(queue);
        from.unlink(slab, position, weight);
        self.main.push(&mut self.slab, position, weight);
    }

    /// Drops expired slots, a few at each insertion, so that they do not pile up unread.
    fn sweep(&mut self, now: Tick) {
        for _ in 0..SWEEP_STEPS.min(self.slab.positions()) {
            self.swept = (self.swept + 1) % self.slab.positions();
            let slot = self.slab.get(self.swept).map(OwnedSlot::as_ref);
            let is_over = |slot: SlotRef<'_>| {
                // What is pinned without an end waits for its holder.
                (slot.queue.load(Ordering::Relaxed) != PINNED || slot.fresh_until != 0)
                    && slot.fresh_until.saturating_add(slot.meta.windows.kept()) < now
            };
            if slot.is_some_and(is_over) {
                self.remove(self.swept, Gone::Expired);
            }
        }
    }

    /// Removes every slot that `chosen` picks, values and leases alike; returns how many values.
    pub(crate) fn remove_where(&mut self, mut chosen: impl FnMut(SlotRef<'_>) -> bool) -> u64 {
        let mut removed = 0;
        for position in 0..self.slab.positions() {
            let Some(slot) = self.slab.get(position).map(OwnedSlot::as_ref) else { continue };
            if chosen(slot) {
                removed += u64::from(slot.queue.load(Ordering::Relaxed) != PINNED);
                self.remove(position, Gone::Invalidated);
            }
        }
        removed
    }
}
