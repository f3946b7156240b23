//! Slots, shards and indexes under four threads, with values that notice a use after their drop.
//!
//! Run with an address or thread sanitizer this is the check of the `unsafe` code; without one the
//! values themselves tell a freed slot from a living one, and a counter tells a leak.

use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Arc, Weak, mpsc};
use std::time::Duration;

use super::ghosts::Gone;
use super::meta::{EntryMeta, TagSeen, Windows, unused_number};
use super::sites::Sites;
use super::slot::{OwnedSlot, SlotParts, SlotRef};
use super::store::{Filled, Seen, Store};
use super::verdict::Verdict;
use crate::clock::{Clock, ManualClock, ticks};

const KEYS: u64 = 200;
const ENTRIES: u64 = 64;
const SITES: u32 = 2;
const STEPS: u32 = 40_000;

const ALIVE: u64 = 0x00c0_ffee_0000_0000;
const DROPPED: u64 = 0xdead_dead_dead_dead;

/// A value that knows its key, whether it is alive, and how many of its like there are.
struct Canary {
    mark: u64,
    heap: Box<u64>,
    living: Arc<AtomicIsize>,
}

impl Canary {
    fn new(key: u64, living: &Arc<AtomicIsize>) -> Self {
        living.fetch_add(1, Ordering::SeqCst);
        Self { mark: ALIVE | key, heap: Box::new(ALIVE | key), living: Arc::clone(living) }
    }

    fn sing(&self, key: u64) {
        assert_eq!(
            (self.mark, *self.heap),
            (ALIVE | key, ALIVE | key),
            "not the value of this key, or freed"
        );
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        assert_eq!(self.mark & !0xffff, ALIVE, "dropped twice");
        self.mark = DROPPED;
        *self.heap = DROPPED;
        assert!(self.living.fetch_sub(1, Ordering::SeqCst) > 0, "dropped more often than made");
    }
}

struct World {
    store: Store,
    sites: Arc<Sites>,
    clock: Clock,
    living: Arc<AtomicIsize>,
}

impl World {
    fn new(entries: u64) -> (Self, ManualClock) {
        let (clock, hand) = Clock::manual();
        let sites = Arc::new(Sites::with_places(SITES as usize, 256));
        for site in 0..SITES {
            sites.get_or_make(site);
        }
        let store = Store::new(Some(entries), None, clock.clone(), Arc::clone(&sites));
        (Self { store, sites, clock, living: Arc::default() }, hand)
    }

    fn slot(&self, key: u64, ttl: Duration, tag: Option<TagSeen>) -> OwnedSlot {
        let meta = EntryMeta {
            tags: tag.into_iter().collect(),
            windows: Windows::default(),
            origin: None,
        };
        let parts = SlotParts {
            text: &text(key),
            args: &key.to_le_bytes(),
            meta: Arc::new(meta),
            id: unused_number(),
            fresh_until: self.clock.now() + ticks(ttl),
            load_millis: 0,
            // Some count as large, which frees them by another way.
            weight: if key.is_multiple_of(7) { 5_000 } else { 1 },
        };
        let slot = OwnedSlot::new(parts, Canary::new(key, &self.living));
        slot.as_ref().site.store(site(key), Ordering::Relaxed);
        slot
    }

    fn check(&self, slot: SlotRef<'_>, key: u64) {
        assert_eq!(slot.text(), text(key));
        assert_eq!(slot.args(), key.to_le_bytes());
        if self.store.judge(slot) == Verdict::Fresh {
            slot.touch();
        }
        // Dead or not, what a guard protects is not freed.
        slot.value::<Canary>().expect("a canary").sing(key);
    }

    fn step(&self, rng: &mut fastrand::Rng, hand: &ManualClock) {
        let key = if rng.bool() { rng.u64(0..8) } else { rng.u64(0..KEYS) };
        let guard = crossbeam_epoch::pin();
        let ttl = Duration::from_millis(rng.u64(0..50));
        match rng.u32(0..100) {
            0..50 => {
                let state = self.sites.get(site(key)).expect("it was made");
                if let Some(slot) = state.index.get(&key.to_le_bytes(), &guard) {
                    std::thread::yield_now();
                    self.check(slot, key);
                }
            }
            50..60 => {
                if let Some(slot) = self.store.find(&text(key), &guard)
                    && slot.value::<Canary>().is_some()
                {
                    self.store.link(&text(key), slot.id);
                    self.check(slot, key);
                }
            }
            60..80 => {
                let tag = self.store.tags.see(&format!("tag:{}", key % 4));
                let seen = self
                    .store
                    .find(&text(key), &guard)
                    .map_or(Seen::Nothing, |slot| Seen::Slot(slot.id));
                if let Some(lease) = self.store.acquire(&text(key), seen) {
                    let filled = self.store.fill(
                        &text(key),
                        Seen::Slot(lease),
                        self.slot(key, ttl, Some(tag)),
                    );
                    if filled == Filled::Refused {
                        self.store.release(&text(key), Seen::Slot(lease), Gone::Replaced);
                    }
                }
            }
            80..88 => {
                self.store.put_if(&text(key), self.slot(key, ttl, None), || key % 3 != 0);
            }
            88..94 => {
                self.store.remove(&text(key));
            }
            94..96 => self.store.tags.invalidate(&format!("tag:{}", key % 4)),
            96..99 => hand.advance(Duration::from_millis(1)),
            _ => {
                let ending = format!("{}", key % 10);
                self.store.remove_where(|text| text.ends_with(&ending));
            }
        }
    }
}

fn text(key: u64) -> String {
    format!("canary:{key}")
}

fn site(key: u64) -> u32 {
    (key % u64::from(SITES)) as u32
}

/// Moves the epoch on until everything that was retired is freed.
fn wait_until_freed(living: &AtomicIsize) {
    let began = std::time::Instant::now();
    while living.load(Ordering::SeqCst) != 0 {
        crossbeam_epoch::pin().flush();
        std::thread::yield_now();
        let living = living.load(Ordering::SeqCst);
        assert!(began.elapsed() < Duration::from_secs(30), "{living} values were never freed");
    }
}

#[test]
fn four_threads_find_only_living_slots_and_free_each_once() {
    let (world, hand) = World::new(ENTRIES);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (world, hand) = (&world, &hand);
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(thread);
                for _ in 0..STEPS {
                    world.step(&mut rng, hand);
                }
            });
        }
    });
    let (entries, _) = world.store.size();
    assert!(entries <= ENTRIES, "{entries} entries, and the bound is {ENTRIES}");
    let living = Arc::clone(&world.living);
    assert!(living.load(Ordering::SeqCst) > 0);
    drop(world);
    wait_until_freed(&living);
}

/// A slot can have expired by the time it is stored, and left its shard by the time it is linked.
#[test]
fn an_index_never_leads_to_a_slot_that_its_shard_does_not_hold() {
    let (world, hand) = World::new(ENTRIES);
    let mut led = 0;
    for key in 0..ENTRIES / 2 {
        let slot = world.slot(key, Duration::from_millis(key % 3 * 10), None);
        let id = slot.as_ref().id;
        hand.advance(Duration::from_millis(15));
        assert_eq!(world.store.put_if(&text(key), slot, || true), Filled::Stored);
        if key % 4 == 0 {
            world.store.remove(&text(key));
        }
        world.store.link(&text(key), id);
        let guard = crossbeam_epoch::pin();
        for key in 0..=key {
            let index = &world.sites.get(site(key)).expect("it was made").index;
            let linked = index.get(&key.to_le_bytes(), &guard).map(SlotRef::as_ptr);
            let held = world.store.find(&text(key), &guard).map(SlotRef::as_ptr);
            assert!(
                linked.is_none() || linked == held,
                "the index leads to a slot that was retired"
            );
            led += usize::from(linked.is_some());
        }
    }
    assert!(led > 0, "the index leads somewhere");
}

/// A value that asks the store when it is dropped, as a handle to something pooled may.
struct Asks(Weak<Store>);

impl Drop for Asks {
    fn drop(&mut self) {
        let guard = crossbeam_epoch::pin();
        if let Some(store) = self.0.upgrade() {
            store.find("k", &guard);
        }
    }
}

/// Values are of users' types, so their destructors never run under a lock of the store.
#[test]
fn a_destructor_may_use_the_store() {
    let (world, _hand) = World::new(ENTRIES);
    let (done, finished) = mpsc::channel();
    let fresh_until = world.clock.now() + ticks(Duration::from_secs(60));
    std::thread::spawn(move || {
        let store = Arc::new(world.store);
        for _ in 0..1_000 {
            let parts = SlotParts {
                text: "k",
                args: &[],
                meta: EntryMeta::untagged(),
                id: unused_number(),
                fresh_until,
                load_millis: 0,
                weight: 5_000,
            };
            store.put_if("k", OwnedSlot::new(parts, Asks(Arc::downgrade(&store))), || true);
        }
        store.remove_where(|_| true);
        done.send(())
    });
    finished
        .recv_timeout(Duration::from_secs(30))
        .expect("a destructor ran under a lock that it needs");
}
