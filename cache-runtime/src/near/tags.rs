//! The generations of all tags in use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;

use super::lock;
use super::meta::{TagCell, TagSeen};
use super::store::hash_text;

const SHARDS: usize = 16;
const FIRST_SWEEP: usize = 256;

/// Tags by name. A tag that no entry and no load refers to is forgotten: generations are never
/// reused, so one that comes back cannot revive anything.
pub(crate) struct Tags {
    shards: [Mutex<Names>; SHARDS],
}

struct Names {
    cells: HashMap<Box<str>, Arc<TagCell>, RandomState>,
    sweep_at: usize,
}

impl Default for Tags {
    fn default() -> Self {
        let names = || Mutex::new(Names { cells: HashMap::default(), sweep_at: FIRST_SWEEP });
        Self { shards: std::array::from_fn(|_| names()) }
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

    /// Kills whatever was stored, or began to load, under the tag, in O(1).
    pub(crate) fn invalidate(&self, name: &str) {
        // A tag that is not there has no entry and no load under it.
        if let Some(cell) = self.names(name).cells.get(name) {
            cell.invalidate();
        }
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
