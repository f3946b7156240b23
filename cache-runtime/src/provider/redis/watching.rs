//! One watcher's view of all primaries: kept up, given up and taken up again.
//!
//! A task of its own, the keeper, listens. It can get lost with its runtime, as those of lanes can,
//! so whoever sends something looks now and then whether it is there, and starts another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::ear::Deaf;
use super::ears::{Ears, Source, Target};
use super::lane::{FIRST_PAUSE, LAST_PAUSE, Settings, next_pause};
use super::pushes::Pushes;
use crate::provider::commands::Listener;

/// How long a server that does not want to tell of changes is left alone.
const AFTER_REFUSAL: Duration = Duration::from_secs(5);

/// The shortest time between two signs of life.
const SHORTEST: Duration = Duration::from_millis(1);

/// A watcher that is served.
#[derive(Debug)]
pub(super) struct Watching {
    target: Target,
    state: Mutex<State>,
    wake: Arc<Notify>,
    is_shut: AtomicBool,
    is_refused: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// The keeper's number; an earlier one that comes back does nothing any more.
    keeper: u64,
    /// When the keeper counts as lost, unless it says something before.
    until: Option<Instant>,
}

impl Watching {
    pub(super) fn new(source: Source, settings: &Settings, listener: Listener) -> Arc<Self> {
        let (listener, wake) = (Arc::new(listener), Arc::new(Notify::new()));
        let settings = settings.with_pushes(Pushes::new(listener.clone(), wake.clone()));
        Arc::new(Self {
            target: Target { source, settings, listener },
            state: Mutex::new(State { keeper: 0, until: None }),
            wake,
            is_shut: AtomicBool::new(false),
            is_refused: AtomicBool::new(false),
        })
    }

    /// Starts a keeper, if there is a runtime to start it on and no other one is at work.
    pub(super) fn serve(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        let keeper = {
            let mut state = self.state();
            let now = Instant::now();
            if self.is_shut() || state.until.is_some_and(|until| now <= until) {
                return;
            }
            state.keeper += 1;
            state.until = Some(now + self.patience());
            state.keeper
        };
        let watching = Arc::downgrade(self);
        runtime.spawn(Kept { watching, keeper, wake: self.wake.clone() }.keep());
    }

    /// Whether there is nobody to tell any more.
    pub(super) fn is_gone(&self) -> bool {
        self.target.listener.is_gone()
    }

    /// Ends it: there are no more signs of life.
    pub(super) fn shut(&self) {
        self.is_shut.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Acquire)
    }

    /// How long a keeper may be silent while it waits for servers.
    fn patience(&self) -> Duration {
        self.target.settings.connect_timeout * 4 + LAST_PAUSE
    }

    /// The keeper will be heard of again after this time; false if another one has taken over.
    fn expect(&self, keeper: u64, rest: Duration) -> bool {
        let mut state = self.state();
        let is_ours = state.keeper == keeper && !self.is_shut();
        if is_ours {
            state.until = Instant::now().checked_add(rest + self.patience());
        }
        is_ours
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One sign of life, after listening was taken up where it has to be.
    async fn sign(&self, keeper: u64, ears: &mut Ears) -> Result<(), Deaf> {
        let waiting = || {
            self.expect(keeper, Duration::ZERO);
        };
        if !ears.are_settled() {
            ears.settle(&self.target).await?;
            waiting();
            // What changed before the servers were listened to, nobody told.
            self.target.listener.everything();
        }
        let Some(sign) = self.target.listener.asking() else { return Ok(()) };
        ears.ask(&self.target, &waiting).await?;
        if self.expect(keeper, Duration::ZERO) {
            self.target.listener.alive(sign);
        }
        Ok(())
    }

    /// What follows when changes could not be heard: how long to rest.
    fn give_up(&self, deaf: &Deaf, pause: &mut Duration) -> Duration {
        self.target.listener.everything();
        match deaf {
            Deaf::Lost(error) => {
                tracing::debug!(%error, "changes in Redis cannot be heard");
                next_pause(pause)
            }
            Deaf::Refused(words) => {
                if !self.is_refused.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "Redis does not tell of changes, so nothing can be kept near: {words}; the \
                         user needs to be allowed `CLIENT TRACKING`"
                    );
                }
                AFTER_REFUSAL
            }
            Deaf::Elsewhere => {
                tracing::debug!("other servers of the cluster are in charge");
                next_pause(pause)
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

/// A keeper's number and what it keeps up, which it does not keep alive.
struct Kept {
    watching: Weak<Watching>,
    keeper: u64,
    wake: Arc<Notify>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(watching) = self.watching.upgrade() {
            let mut state = watching.state();
            if state.keeper == self.keeper {
                state.until = None;
            }
        }
    }
}

impl Kept {
    async fn keep(self) {
        let (mut ears, mut pause) = (Ears::default(), FIRST_PAUSE);
        loop {
            let Some(watching) = self.watching.upgrade() else { return };
            if watching.is_gone() || !watching.expect(self.keeper, Duration::ZERO) {
                return;
            }
            let began = Instant::now();
            let rest = match watching.sign(self.keeper, &mut ears).await {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    let every = watching.target.listener.every().saturating_sub(began.elapsed());
                    every.max(SHORTEST)
                }
                Err(deaf) => {
                    ears.unsettle();
                    watching.give_up(&deaf, &mut pause)
                }
            };
            if !watching.expect(self.keeper, rest) {
                return;
            }
            drop(watching);
            // Woken early when a connection is lost, or when there is nothing to keep any more.
            let _woken_or_rested = timeout(rest, self.wake.notified()).await;
        }
    }
}
