//! A textbook LRU: the baseline of the hit ratios.

use std::collections::HashMap;

use foldhash::fast::RandomState;

const NONE: usize = usize::MAX;

/// The least recently used key leaves first.
#[derive(Debug)]
pub struct Lru {
    capacity: usize,
    places: HashMap<u32, usize, RandomState>,
    entries: Vec<Entry>,
    newest: usize,
    oldest: usize,
}

#[derive(Debug)]
struct Entry {
    key: u32,
    newer: usize,
    older: usize,
}

impl Lru {
    /// An empty one with room for `capacity` keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            places: HashMap::default(),
            entries: Vec::new(),
            newest: NONE,
            oldest: NONE,
        }
    }

    /// Uses a key; whether it was there. It is afterwards.
    pub fn hit(&mut self, key: u32) -> bool {
        if let Some(&place) = self.places.get(&key) {
            self.unlink(place);
            self.link_newest(place);
            return true;
        }
        let place = if self.entries.len() < self.capacity {
            self.entries.push(Entry { key, newer: NONE, older: NONE });
            self.entries.len() - 1
        } else {
            let place = self.oldest;
            self.unlink(place);
            self.places.remove(&self.entries[place].key);
            self.entries[place].key = key;
            place
        };
        self.places.insert(key, place);
        self.link_newest(place);
        false
    }

    fn unlink(&mut self, place: usize) {
        let Entry { newer, older, .. } = self.entries[place];
        match self.entries.get_mut(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
        match self.entries.get_mut(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
    }

    fn link_newest(&mut self, place: usize) {
        let older = self.newest;
        self.entries[place].newer = NONE;
        self.entries[place].older = older;
        match self.entries.get_mut(older) {
            Some(entry) => entry.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
    }
}

#[cfg(test)]
mod tests {
    use super::Lru;

    #[test]
    fn the_least_recently_used_key_leaves_first() {
        let mut lru = Lru::new(2);
        assert!(!lru.hit(1));
        assert!(!lru.hit(2));
        assert!(lru.hit(1));
        assert!(!lru.hit(3));
        assert!(lru.hit(1));
        assert!(!lru.hit(2));
        assert!(!lru.hit(3));
    }
}
