//! The generations of all tags in use.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use super::lock;
use super::meta::{TagCell, TagSeen};
use super::store::hash_text;
use crate::clock::Tick;

const SHARDS: usize = 16;
const FIRST_SWEEP: usize = 256;

/// Tags by name. A tag that no entry and no load refers to is forgotten: generations are never
/// reused, so one that comes back cannot revive anything.
pub(crate) struct Tags {
    shards: [Mutex<Names>; SHARDS],
    /// Whether any tag was ever held.
    holds: AtomicBool,
}

struct Names {
    cells: HashMap<Box<str>, Arc<TagCell>, RandomState>,
    sweep_at: usize,
    /// By how many a tag is held, and until when at most.
    held: HashMap<Box<str>, (u32, Tick), RandomState>,
}

impl Default for Tags {
    fn default() -> Self {
        let names = || {
            let (cells, held) = (HashMap::default(), HashMap::default());
            Mutex::new(Names { cells, sweep_at: FIRST_SWEEP, held })
        };
        Self { shards: std::array::from_fn(|_| names()), holds: AtomicBool::new(false) }
    }
}

impl Tags {
    /// The tag as it is now, made where it does not exist yet.
    pub(crate) fn see(&self, name: &str) -> TagSeen {
        let mut names = self.names(name);
        if let Some(cell) = names.cells.get(name) {
            return TagSeen::now(Arc::clone(cell));
        }
        names.sweep();
        let cell = Arc::new(TagCell::new());
        names.cells.insert(name.into(), Arc::clone(&cell));
        TagSeen::now(cell)
    }

    /// The same for what is about to be loaded: while the tag is held, as one that does not hold
    /// and never will.
    pub(crate) fn see_now(&self, name: &str, now: Tick) -> TagSeen {
        let seen = self.see(name);
        match self.any_is_held() && self.is_held(name, now) {
            true => TagSeen::never(seen.cell),
            false => seen,
        }
    }

    /// Kills whatever was stored, or began to load, under the tag, in O(1). A hold stays.
    pub(crate) fn invalidate(&self, name: &str) {
        let names = self.names(name);
        // A tag that is not there has no entry and no load under it.
        if let Some(cell) = names.cells.get(name) {
            cell.invalidate();
        }
    }

    /// Kills whatever is under the tag, and keeps it so for a time, or until it is released as often
    /// as it was held. A hold that ends later stays.
    pub(crate) fn hold(&self, name: &str, until: Tick) {
        let mut names = self.names(name);
        let (count, end) = names.held.entry(name.into()).or_default();
        (*count, *end) = (*count + 1, until.max(*end));
        if let Some(cell) = names.cells.get(name) {
            cell.invalidate();
        }
        self.holds.store(true, Ordering::Release);
    }

    /// Ends one hold.
    pub(crate) fn release(&self, name: &str) {
        let mut names = self.names(name);
        let Some((count, _)) = names.held.get_mut(name) else { return };
        *count -= 1;
        if *count == 0 {
            names.held.remove(name);
        }
    }

    /// Whether any tag was ever held, so that nobody asks for nothing.
    #[inline]
    pub(crate) fn any_is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire)
    }

    /// Whether a tag is held.
    pub(crate) fn is_held(&self, name: &str, now: Tick) -> bool {
        let mut names = self.names(name);
        let Some((_, until)) = names.held.get(name) else { return false };
        let is_held = now < *until;
        if !is_held {
            names.held.remove(name);
        }
        is_held
    }

    /// The same for all tags that `chosen` picks.
    pub(crate) fn invalidate_where(&self, chosen: impl Fn(&str) -> bool) {
        for names in &self.shards {
            let names = lock(names);
            names.cells.iter().filter(|(name, _)| chosen(name)).for_each(|(_, cell)| {
                cell.invalidate();
            });
        }
    }

    fn names(&self, name: &str) -> std::sync::MutexGuard<'_, Names> {
        lock(&self.shards[(hash_text(name) >> 32) as usize % SHARDS])
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.shards.iter().map(|names| lock(names).cells.len()).sum()
    }
}

impl Names {
    /// Forgets what nobody refers to, each time the number of tags has doubled.
    fn sweep(&mut self) {
        if self.cells.len() < self.sweep_at {
            return;
        }
        // The lock is held, and a cell is handed out only under it, so a count of one is final.
        self.cells.retain(|_, cell| Arc::strong_count(cell) > 1);
        self.sweep_at = (self.cells.len() * 2).max(FIRST_SWEEP);
    }
}

#[cfg(test)]
mod tests {
    use super::Tags;

    #[test]
    fn an_invalidated_tag_does_not_hold_and_never_holds_again() {
        let tags = Tags::default();
        let seen = tags.see("users");
        assert!(seen.holds());
        tags.invalidate("teams");
        assert!(seen.holds());
        tags.invalidate("users");
        assert!(!seen.holds());
        assert!(tags.see("users").holds());
        assert!(!seen.holds());
    }

    #[test]
    fn a_held_tag_does_not_hold_what_is_stored_until_its_time_is_over() {
        let tags = Tags::default();
        let before = tags.see_now("users", 5);
        tags.hold("users", 10);
        tags.hold("users", 7);
        assert!(!before.holds());
        assert!(!tags.see_now("users", 9).holds());
        assert!(tags.see_now("others", 9).holds());
        assert!(tags.see_now("users", 10).holds());
        for _ in 0..2 {
            tags.hold("users", 20);
        }
        tags.invalidate("users");
        tags.release("users");
        assert!(!tags.see_now("users", 11).holds(), "one holds it still");
        tags.release("users");
        assert!(tags.see_now("users", 11).holds());
    }

    #[test]
    fn tags_that_nobody_refers_to_are_forgotten_and_the_others_are_not() {
        let tags = Tags::default();
        let kept = tags.see("kept");
        for number in 0..100_000 {
            tags.see(&format!("tag:{number}"));
        }
        assert!(tags.len() < 20_000);
        assert!(kept.holds());
        tags.invalidate("kept");
        assert!(!kept.holds());
    }
}
