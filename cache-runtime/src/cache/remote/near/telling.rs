//! What the store, or this process itself, tells the near cache.

use std::sync::atomic::Ordering;

use super::NearCache;
use crate::cache::core::kind;
use crate::pattern::Pattern;
use crate::provider::{Changed, Mark, MarkKind, Sign, Watcher};

impl NearCache {
    /// Forgets a key's copy; none that was asked for before is kept.
    pub(in crate::cache::remote) fn forget(&self, text: &str) {
        // First the counter: a copy that is kept after this look at it is removed below.
        self.cell(text).fetch_add(1, Ordering::AcqRel);
        self.store.remove(text);
    }

    /// Forgets all that carries a mark.
    pub(in crate::cache::remote) fn forget_mark(&self, mark: Mark<'_>) {
        let kind = match mark.kind {
            MarkKind::Tag => kind::TAG,
            MarkKind::Scope => kind::FUNCTION,
            // No entry carries the epoch of a family.
            MarkKind::Epoch => return,
        };
        self.store.tags.invalidate(&format!("{kind}{}", mark.name));
    }

    /// Forgets all keys that fit a pattern.
    pub(in crate::cache::remote) fn forget_matching(&self, pattern: &Pattern) {
        self.floods.fetch_add(1, Ordering::AcqRel);
        self.store.remove_where(|text| pattern.matches(text));
    }

    /// Forgets everything.
    pub(in crate::cache::remote) fn forget_all(&self) {
        self.floods.fetch_add(1, Ordering::AcqRel);
        self.store.remove_slots(|_| true);
    }
}

impl Watcher for NearCache {
    fn changed(&self, what: Changed<'_>) {
        match what {
            Changed::Cell(text) => self.forget(text),
            Changed::Mark(mark) => self.forget_mark(mark),
            Changed::Everything => {
                self.lease.end();
                self.registration.forget();
                self.forget_all();
            }
        }
    }

    fn asking(&self) -> Sign {
        self.lease.sign(&self.store.clock)
    }

    fn alive(&self, asked: Sign) {
        if let Some(bound) = self.bound {
            self.lease.renew(asked, bound);
        }
    }
}
