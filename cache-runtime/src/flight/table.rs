//! The flights under way, by key.

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::came::{Came, Order};
use super::landing::{Flight, Landing};
use crate::sync::{Arc, Mutex, MutexGuard, lock};

const SHARDS: usize = 16;

/// All loads of one cache in this process, at most one to join for each key.
pub(crate) struct Flights<V> {
    shards: Vec<Mutex<Table<V>>>,
    hasher: RandomState,
    order: Arc<Order>,
}

type Table<V> = HashMap<Box<str>, Arc<Flight<V>>, RandomState>;

/// What a caller that missed does next.
pub(crate) enum Boarding<V> {
    /// Nobody loads the key: this caller does.
    Lead(Arc<Flight<V>>),
    /// Somebody does.
    Join(Landing<V>),
    /// Somebody does, and it is too late to take the result: wait, then look again.
    Wait(Landing<V>),
    /// Somebody does, and will store nothing: wait for that, then for the flight that follows, to
    /// be led by the first who asks for it.
    Queue { present: Landing<V>, next: Landing<V> },
}

impl<V: Clone> Flights<V> {
    pub(crate) fn new() -> Self {
        let hasher = RandomState::default();
        let shards =
            (0..SHARDS).map(|_| Mutex::new(HashMap::with_hasher(hasher.clone()))).collect();
        Self { shards, hasher, order: Arc::new(Order::new()) }
    }

    /// A call comes now: what it may take of a load is decided by this moment.
    pub(crate) fn comes(&self) -> Came {
        self.order.comes()
    }

    fn table(&self, key: &str) -> MutexGuard<'_, Table<V>> {
        lock(&self.shards[(self.hasher.hash_one(key) >> 40) as usize % SHARDS])
    }

    /// Joins the key's flight or starts one with this number, for a call that came then.
    ///
    /// `is_worth_joining` is asked about a flight that is under way; where it says no (its result
    /// is already known to be refused), the new flight takes its place.
    pub(crate) fn board(
        &self,
        key: &str,
        id: u64,
        came: Came,
        is_worth_joining: impl FnOnce(&Flight<V>) -> bool,
    ) -> Boarding<V> {
        let mut table = self.table(key);
        if let Some(flight) = table.get(key)
            && is_worth_joining(flight)
        {
            return flight.board(id, came);
        }
        let flight = Flight::new(id, &self.order);
        let replaced = table.insert(key.into(), Arc::clone(&flight));
        // Dropped after the lock, as in `remove`.
        drop(table);
        drop(replaced);
        Boarding::Lead(flight)
    }

    /// Joins the key's flight if there is nothing to serve meanwhile and it is not too late.
    pub(crate) fn join_blocking(&self, key: &str, removals: u64, came: Came) -> Option<Landing<V>> {
        self.table(key).get(key).filter(|flight| flight.is_blocking(removals))?.join(came)
    }

    /// Lets nobody join the key's flight any more: what it loads is about to be invalidated.
    #[cfg(feature = "entry")]
    pub(crate) fn evict(&self, key: &str) {
        let evicted = self.table(key).remove(key);
        // Dropped after the lock, as in `remove`.
        drop(evicted);
    }

    /// Starts a flight in place of the key's present one, whoever leads that.
    pub(crate) fn lead(&self, key: &str, id: u64) -> Arc<Flight<V>> {
        let flight = Flight::new(id, &self.order);
        let replaced = self.table(key).insert(key.into(), Arc::clone(&flight));
        drop(replaced);
        flight
    }

    /// Whether a load of the key is under way.
    pub(crate) fn is_flying(&self, key: &str) -> bool {
        self.table(key).contains_key(key)
    }

    /// Takes the flight off the table, unless another took its place; the one that follows it does.
    pub(crate) fn remove(&self, key: &str, flight: &Flight<V>) {
        let mut table = self.table(key);
        let removed = match table.get_mut(key) {
            Some(held) if held.id == flight.id => match held.next() {
                Some(next) => Some(std::mem::replace(held, next)),
                None => table.remove(key),
            },
            _ => None,
        };
        // Dropped after the lock, since values have destructors of their users.
        drop(table);
        drop(removed);
    }
}
