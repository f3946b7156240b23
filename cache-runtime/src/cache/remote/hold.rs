//! Holds: for a time nothing that is named is served or stored, and functions load.

use std::time::Duration;

use super::Remote;
use super::names::mark;
use crate::cache::core::Core;
use crate::cache::invalidation::Invalidation;
use crate::error::Result;
use crate::provider::{Acquire, CellKind, Expected, Mark, Prefix, Provider};
use crate::tag::Tag;

impl Remote {
    /// Holds keys, tags and functions for `time`, or until they are invalidated. What was stored
    /// before is invalid from now on.
    ///
    /// # Errors
    ///
    /// Where the store did not acknowledge all of it; a part may be held.
    pub(crate) async fn hold(
        &self,
        core: &Core,
        what: &Invalidation,
        time: Duration,
    ) -> Result<()> {
        let Invalidation { keys, tags, functions } = what;
        for key in keys {
            // As if a writer had the key: whoever reads it loads and stores nothing.
            let hold = Prefix::unique(CellKind::Write);
            let request = Acquire::new(key, hold, time).expected(Expected::Anything);
            let held = self.provider.acquire(request).await;
            if let Some(near) = &self.near {
                near.forget(key);
            }
            core.flights.evict(key);
            held?;
        }
        let marks = marks_of(tags, functions);
        if marks.is_empty() {
            return Ok(());
        }
        let held = self.provider.hold_marks(&marks, time).await;
        if let Some(near) = &self.near {
            marks.iter().for_each(|mark| near.forget_mark(*mark));
        }
        self.note_removal();
        held
    }

    /// Ends one hold of each tag and function. A hold that cannot be ended ends by itself; those of
    /// keys are ended by invalidating them.
    pub(crate) async fn release(&self, what: &Invalidation) {
        let marks = marks_of(&what.tags, &what.functions);
        if marks.is_empty() {
            return;
        }
        if let Err(error) = self.provider.release_marks(&marks).await {
            tracing::debug!(target: "cache", %error, "release a hold");
        }
    }
}

/// The marks of tags, with their families, and of functions.
fn marks_of<'a>(tags: &'a [Tag], functions: &'a [String]) -> Vec<Mark<'a>> {
    let families = tags.iter().map(|tag| Mark::epoch(tag.family()));
    let tags = tags.iter().map(|tag| Mark::tag(tag.as_str()));
    families.chain(tags).chain(functions.iter().map(|name| mark(name))).collect()
}
