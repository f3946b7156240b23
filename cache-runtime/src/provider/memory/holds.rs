//! Holds of marks: each has an end of its own, and a mark is held until the last of them.

use std::time::Duration;

use super::MemoryProvider;
use super::steps::{Nonce, slot, too_large};
use crate::Result;
use crate::clock::Tick;
use crate::near::ghosts::Gone;
use crate::near::slot::SlotRef;
use crate::near::store::Change;
use crate::provider::Mark;

impl MemoryProvider {
    pub(super) fn hold_now(&self, marks: &[Mark<'_>], ttl: Duration) -> Result<()> {
        let end = self.end(ttl);
        for text in self.mark_texts("hold_marks", marks)? {
            let fits = self.shared.marks.update(&text, |held| {
                let mut ends = self.ends_of_holds(held);
                ends.push(end);
                hold(&text, ends)
            });
            if !fits {
                return Err(too_large("hold_marks", 0));
            }
        }
        Ok(())
    }

    pub(super) fn release_holds_now(&self, marks: &[Mark<'_>]) -> Result<()> {
        for text in self.mark_texts("release_marks", marks)? {
            let fits = self.shared.marks.update(&text, |held| {
                let mut ends = self.ends_of_holds(held);
                // The others last as long as they were to last.
                if let Some(first) = (0..ends.len()).min_by_key(|at| ends[*at]) {
                    ends.swap_remove(first);
                }
                match ends.is_empty() {
                    true => Change::Remove(Gone::Invalidated),
                    false => hold(&text, ends),
                }
            });
            if !fits {
                return Err(too_large("release_marks", 0));
            }
        }
        Ok(())
    }

    /// Whether the slot is a mark that is held.
    pub(super) fn is_held(&self, slot: Option<SlotRef<'_>>) -> bool {
        matches!(self.live::<Nonce>(slot), Some((_, Nonce::Held(_))))
    }

    /// When the holds of a mark end that have not ended yet.
    fn ends_of_holds(&self, slot: Option<SlotRef<'_>>) -> Vec<Tick> {
        let now = self.now();
        match self.live::<Nonce>(slot) {
            Some((_, Nonce::Held(ends))) => ends.iter().copied().filter(|end| now < *end).collect(),
            _ => Vec::new(),
        }
    }
}

/// Holds of a mark, of which there is at least one. They are not evicted: a hold that is lost early
/// would break what it promises.
fn hold(text: &str, ends: Vec<Tick>) -> Change {
    let last = ends.iter().copied().max().unwrap_or_default();
    let bytes = size_of_val(&*ends);
    Change::Pin(slot(text, Nonce::Held(ends), last, bytes))
}
