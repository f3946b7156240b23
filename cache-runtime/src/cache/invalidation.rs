//! Several things to invalidate at once.

use std::sync::Arc;

use super::core::{Core, Tier};
use super::handle::Cache;
use crate::error::Result;
use crate::tag::Tag;

/// Keys and functions by their whole names, and tags.
#[derive(Debug, Default)]
pub(crate) struct Invalidation {
    pub(crate) keys: Vec<String>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) functions: Vec<String>,
}

impl Invalidation {
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.tags.is_empty() && self.functions.is_empty()
    }

    /// Invalidates everything; outside the process with one command.
    ///
    /// # Errors
    ///
    /// Where the store did not acknowledge it; it goes on trying.
    pub(crate) async fn run(&self, core: &Core) -> Result<()> {
        self.announce(core);
        core.check_sound()?;
        match &core.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => {
                let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
                let functions: Vec<&str> = self.functions.iter().map(String::as_str).collect();
                let removed = remote.remove_all(&keys, &self.tags, &functions).await;
                keys.iter().for_each(|key| core.flights.evict(key));
                removed
            }
            _ => {
                self.run_here(core);
                Ok(())
            }
        }
    }

    /// Waits until so many replicas have it, where there are any.
    ///
    /// # Errors
    ///
    /// Where fewer are known to have it, or the store does not tell.
    pub(super) async fn replicate(&self, core: &Core, replicas: u32) -> Result<()> {
        if replicas == 0 || self.is_empty() {
            return Ok(());
        }
        match &core.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(remote) => {
                let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
                let functions: Vec<&str> = self.functions.iter().map(String::as_str).collect();
                remote.replicate(&keys, &self.tags, &functions, replicas).await
            }
            // There is one copy, and it is this process's.
            _ => Ok(()),
        }
    }

    /// The same where nobody can wait: outside the process it happens in the background.
    pub(crate) fn run_without_waiting(self, cache: &Cache) {
        let core = Arc::clone(&cache.0);
        match &core.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(_) => {
                let run = async move {
                    if let Err(error) = self.run(&core).await {
                        tracing::warn!(target: "cache", %error, "invalidation after a write");
                    }
                };
                match tokio::runtime::Handle::try_current() {
                    Ok(runtime) => drop(runtime.spawn(run)),
                    // From its first poll on the invalidation is remembered, and goes on with the
                    // next call that runs on a runtime.
                    Err(_) => {
                        let mut run = std::pin::pin!(run);
                        let waker = std::task::Waker::noop();
                        let _ = run.as_mut().poll(&mut std::task::Context::from_waker(waker));
                    }
                }
            }
            _ => {
                self.announce(&core);
                self.run_here(&core);
            }
        }
    }

    /// The same, after the holds on it have ended.
    pub(super) fn release_without_waiting(self, cache: &Cache) {
        let core = Arc::clone(&cache.0);
        match &core.tier {
            #[cfg(feature = "entry")]
            Tier::Remote(_) => match tokio::runtime::Handle::try_current() {
                Ok(runtime) => {
                    let cache = cache.clone();
                    drop(runtime.spawn(async move {
                        core.end_holds(&self).await;
                        self.run_without_waiting(&cache);
                    }));
                }
                // The holds end by themselves.
                Err(_) => self.run_without_waiting(cache),
            },
            _ => {
                core.end_holds_here(&self);
                self.run_without_waiting(cache);
            }
        }
    }

    fn announce(&self, core: &Core) {
        self.tags.iter().for_each(|tag| core.announce_tag(tag));
    }

    fn run_here(&self, core: &Core) {
        let Tier::Memory(store) = &core.tier else { return };
        // A tag is two names, its family's and its own.
        let names = self.keys.len() + self.functions.len() + 2 * self.tags.len();
        let _sweep = (names > 1).then(|| store.sweep());
        for key in &self.keys {
            core.remove_here(key);
        }
        self.functions.iter().for_each(|name| core.invalidate_name(name));
        self.tags.iter().for_each(|tag| core.remove_tag_here(tag));
    }
}
