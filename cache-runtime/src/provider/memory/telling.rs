//! Telling watchers what changes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::near::lock;
use crate::provider::{Changed, Watch};

/// Who wants to know what changes, each with the namespace that it cares about.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    are_there: AtomicBool,
    list: Mutex<Vec<(String, Watch)>>,
}

impl Watchers {
    pub(super) fn add(&self, prefix: &str, watch: Watch) {
        lock(&self.list).push((prefix.to_owned(), watch));
        self.are_there.store(true, Ordering::Release);
    }

    /// Tells those who watch the namespace.
    pub(super) fn tell<'a>(&self, prefix: &str, changes: impl IntoIterator<Item = Changed<'a>>) {
        if !self.are_there.load(Ordering::Acquire) {
            return;
        }
        let changes: Vec<Changed<'a>> = changes.into_iter().collect();
        lock(&self.list).retain(|(watched, watch)| {
            let Some(watcher) = watch.watcher.upgrade() else { return false };
            if watched == prefix {
                changes.iter().for_each(|change| watcher.changed(*change));
            }
            true
        });
    }

    /// A sign of life. Whatever changed was told at once, so any moment will do for it.
    pub(super) fn give_sign(&self) {
        if !self.are_there.load(Ordering::Acquire) {
            return;
        }
        for (_, watch) in lock(&self.list).iter() {
            if let Some(watcher) = watch.watcher.upgrade() {
                watcher.alive(watcher.asking());
            }
        }
    }
}
