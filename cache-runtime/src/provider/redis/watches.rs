//! All watchers of a link, and whether each is served.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ears::Source;
use super::lane::Settings;
use super::watching::Watching;
use crate::provider::commands::Listener;

/// The time between two looks at whether all watchers are served.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The watchers, served for as long as they and this exist.
#[derive(Debug)]
pub(super) struct Watches {
    is_wanted: AtomicBool,
    origin: Instant,
    /// When the next look is due, in milliseconds after the origin.
    next_look: AtomicU64,
    all: Mutex<Option<Vec<Arc<Watching>>>>,
}

impl Default for Watches {
    fn default() -> Self {
        Self {
            is_wanted: AtomicBool::new(false),
            origin: Instant::now(),
            next_look: AtomicU64::new(0),
            all: Mutex::new(Some(Vec::new())),
        }
    }
}

impl Watches {
    /// Serves a watcher from now on, or from the first send on a runtime; false after the shutdown.
    pub(super) fn add(&self, source: Source, settings: &Settings, listener: Listener) -> bool {
        let watching = Watching::new(source, settings, listener);
        watching.serve();
        let mut all = self.all();
        let Some(all) = &mut *all else {
            watching.shut();
            return false;
        };
        all.push(watching);
        self.next_look.store(0, Ordering::Relaxed);
        self.is_wanted.store(true, Ordering::Release);
        true
    }

    /// Looks whether every watcher is served, now and then; called with everything that is sent.
    pub(super) fn look(&self) {
        if !self.is_wanted.load(Ordering::Acquire) {
            return;
        }
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now < self.next_look.load(Ordering::Relaxed) {
            return;
        }
        let between = BETWEEN_LOOKS.as_millis() as u64;
        self.next_look.store(now.saturating_add(between), Ordering::Relaxed);
        if let Some(all) = &mut *self.all() {
            all.retain(|watching| !watching.is_gone());
            all.iter().for_each(Watching::serve);
            self.is_wanted.store(!all.is_empty(), Ordering::Release);
        }
    }

    /// Ends all of them for good.
    pub(super) fn shut(&self) {
        self.is_wanted.store(false, Ordering::Release);
        for watching in self.all().take().unwrap_or_default() {
            watching.shut();
        }
    }

    fn all(&self) -> MutexGuard<'_, Option<Vec<Arc<Watching>>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
