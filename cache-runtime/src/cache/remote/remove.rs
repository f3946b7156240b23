//! Removals: `Ok` only when the store has acknowledged them.

use super::Remote;
use super::names::mark;
use crate::cache::core::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::pattern::Pattern;
use crate::provider::{Mark, Provider, Removal};
use crate::tag::Tag;

impl Remote {
    /// Removes a key: a value, a load under way, a writer's claim.
    pub(crate) async fn remove(&self, core: &Core, text: &str) -> Result<bool> {
        let removed = self.provider.remove(Removal::of_keys(&[text])).await;
        // Only now: a copy of what was read before the removal may have been kept during it.
        if let Some(near) = &self.near {
            near.forget(text);
        }
        // What is loaded now will be refused: whoever comes next need not wait for it.
        core.flights.evict(text);
        tracing::debug!(target: "cache", key = %text, ?removed, "invalidate");
        removed.map(|removed| removed > 0)
    }

    /// Invalidates all that carries a function's name: one command.
    pub(crate) async fn remove_function(&self, name: &str) -> Result<()> {
        self.remove_all(&[], &[], &[name]).await
    }

    /// Removes keys, and invalidates tags and functions, together.
    pub(crate) async fn remove_all(
        &self,
        keys: &[&str],
        tags: &[Tag],
        functions: &[&str],
    ) -> Result<()> {
        if keys.is_empty() && tags.is_empty() && functions.is_empty() {
            return Ok(());
        }
        let marks = marks_of(tags, functions);
        let removal = Removal::of_keys(keys).and_marks(&marks);
        let removed = self.provider.remove(removal).await.map(|_| ());
        if let Some(near) = &self.near {
            keys.iter().for_each(|key| near.forget(key));
            marks.iter().for_each(|mark| near.forget_mark(*mark));
        }
        if !marks.is_empty() {
            self.note_removal();
        }
        removed
    }

    /// Waits until so many replicas have what was removed before.
    ///
    /// # Errors
    ///
    /// [`TooFewReplicas`](ErrorKind::TooFewReplicas), also where it is not known how many they are;
    /// [`Unsupported`](ErrorKind::Unsupported).
    pub(crate) async fn replicate(
        &self,
        keys: &[&str],
        tags: &[Tag],
        functions: &[&str],
        replicas: u32,
    ) -> Result<()> {
        const STEP: &str = "replicate";
        let marks = marks_of(tags, functions);
        let names = Removal::of_keys(keys).and_marks(&marks);
        // The rest of the budget is for the connection.
        let patience = self.budget * 3 / 5;
        let error = match self.provider.replicate(names, replicas, patience).await {
            Ok(have) if have >= replicas => return Ok(()),
            Ok(have) => {
                let message = format!(
                    "the removal took effect, but {have} of {replicas} replicas acknowledged it \
                     within {patience:?}"
                );
                return Err(Error::new(ErrorKind::TooFewReplicas, STEP, message));
            }
            Err(error) => error,
        };
        let (kind, message) = match error.kind() {
            ErrorKind::Unsupported => {
                (ErrorKind::Unsupported, "the store does not tell what its replicas have")
            }
            _ => (ErrorKind::TooFewReplicas, "it is not known how many replicas have it"),
        };
        let message = format!("the removal took effect, but {message}");
        Err(Error::new(kind, STEP, message).with_source(error))
    }

    /// Removes the keys that fit a pattern, loads under way included; returns how many.
    pub(crate) async fn remove_matching(&self, pattern: &Pattern) -> Result<u64> {
        let removed = self.provider.remove_matching(pattern).await;
        if let Some(near) = &self.near {
            near.forget_matching(pattern);
        }
        self.note_removal();
        removed
    }

    /// Removes everything of the namespace.
    pub(crate) async fn clear(&self) -> Result<()> {
        let cleared = self.provider.clear().await;
        if let Some(near) = &self.near {
            near.forget_all();
        }
        self.note_removal();
        cleared
    }
}

/// The marks of tags and functions.
fn marks_of<'a>(tags: &'a [Tag], functions: &[&'a str]) -> Vec<Mark<'a>> {
    // The families first: a load that reads a tag's new nonce then finds its family changed.
    let families = tags.iter().map(|tag| Mark::epoch(tag.family()));
    let tags = tags.iter().map(|tag| Mark::tag(tag.as_str()));
    let functions = functions.iter().map(|name| mark(name));
    families.chain(tags).chain(functions).collect()
}
