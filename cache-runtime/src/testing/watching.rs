//! What the store tells of changes: later than it happened, or not at all, but in order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::faulty::{FaultyProvider, Shared};
use crate::clock::Clock;
use crate::near::lock;
use crate::provider::{Changed, Mark, MarkKind, Provider, Sign, Watch, Watcher};

/// Everybody who listens through one provider.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// In microseconds.
    lag: AtomicU64,
    /// In millionths.
    losses: AtomicU64,
    is_deaf: AtomicBool,
    ears: Mutex<Vec<Arc<Ear>>>,
}

/// One watcher's end of the line.
struct Ear {
    watch: Watch,
    clock: Clock,
    shared: Weak<Shared>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Told>,
    /// Whether somebody is about to bring what waits.
    is_served: bool,
}

enum Told {
    Cell(String),
    Mark(MarkKind, String),
    Everything,
    Alive(Sign),
}

impl Listeners {
    pub(super) fn set_lag(&self, most: Duration) {
        self.lag.store(u64::try_from(most.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn set_losses(&self, share: f64) {
        self.losses.store((share.clamp(0.0, 1.0) * 1e6) as u64, Ordering::Relaxed);
    }

    pub(super) fn calm(&self) {
        self.set_lag(Duration::ZERO);
        self.set_losses(0.0);
    }

    pub(super) fn watch(&self, provider: &FaultyProvider, watch: Watch) -> bool {
        let ear = Arc::new(Ear {
            watch: watch.clone(),
            clock: provider.clock.clone(),
            shared: Arc::downgrade(&provider.shared),
            line: Mutex::default(),
        });
        let watcher: Arc<dyn Watcher> = ear.clone();
        let heard = Watch { watcher: Arc::downgrade(&watcher), every: watch.every };
        let can_tell = provider.inner.watch(heard);
        if can_tell {
            let mut ears = lock(&self.ears);
            ears.retain(|ear| ear.watch.watcher.strong_count() > 0);
            ears.push(ear);
        }
        can_tell
    }

    pub(super) fn go_deaf(&self) {
        self.is_deaf.store(true, Ordering::Release);
        self.each(|ear| lock(&ear.line).waiting.clear());
    }

    pub(super) fn hear(&self) {
        self.is_deaf.store(false, Ordering::Release);
        self.miss();
    }

    /// Tells everybody that changes may have been missed.
    pub(super) fn miss(&self) {
        if !self.is_deaf.load(Ordering::Acquire) {
            self.each(|ear| {
                lock(&ear.line).waiting.clear();
                ear.tell(&Told::Everything);
            });
        }
    }

    fn each(&self, visit: impl Fn(&Ear)) {
        let ears: Vec<Arc<Ear>> = lock(&self.ears).clone();
        ears.iter().for_each(|ear| visit(ear));
    }
}

impl Ear {
    /// Brings one thing, now or later.
    fn hear(&self, told: Told) {
        let Some(shared) = self.shared.upgrade() else { return };
        let listeners = &shared.listeners;
        if listeners.is_deaf.load(Ordering::Acquire) {
            return;
        }
        let losses = listeners.losses.load(Ordering::Relaxed);
        if losses > 0 && lock(&shared.random).u64(..1_000_000) < losses {
            lock(&self.line).waiting.clear();
            return self.tell(&Told::Everything);
        }
        let lag = listeners.lag.load(Ordering::Relaxed);
        {
            let mut line = lock(&self.line);
            if lag > 0 || !line.waiting.is_empty() {
                line.waiting.push_back(told);
                let is_served = std::mem::replace(&mut line.is_served, true);
                drop(line);
                if !is_served {
                    self.serve(&listeners.ears);
                }
                return;
            }
        }
        self.tell(&told);
    }

    /// Brings what waits, one by one, each after a while.
    fn serve(&self, ears: &Mutex<Vec<Arc<Ear>>>) {
        let ear = lock(ears).iter().find(|ear| std::ptr::eq(&***ear, self)).cloned();
        let (Some(ear), Ok(runtime)) = (ear, Handle::try_current()) else {
            lock(&self.line).is_served = false;
            return;
        };
        runtime.spawn(async move {
            loop {
                let Some(lag) = ear.draw_lag() else { return };
                ear.clock.sleep(lag).await;
                let told = {
                    let mut line = lock(&ear.line);
                    let told = line.waiting.pop_front();
                    line.is_served = told.is_some();
                    told
                };
                match told {
                    Some(told) => ear.tell(&told),
                    None => return,
                }
            }
        });
    }

    fn draw_lag(&self) -> Option<Duration> {
        let shared = self.shared.upgrade()?;
        let most = shared.listeners.lag.load(Ordering::Relaxed);
        let drawn = lock(&shared.random).u64(..=most);
        Some(Duration::from_micros(drawn))
    }

    fn tell(&self, told: &Told) {
        let Some(watcher) = self.watch.watcher.upgrade() else { return };
        match told {
            Told::Cell(key) => watcher.changed(Changed::Cell(key)),
            Told::Mark(kind, name) => watcher.changed(Changed::Mark(Mark { kind: *kind, name })),
            Told::Everything => watcher.changed(Changed::Everything),
            Told::Alive(sign) => watcher.alive(*sign),
        }
    }
}

impl Watcher for Ear {
    fn changed(&self, what: Changed<'_>) {
        self.hear(match what {
            Changed::Cell(key) => Told::Cell(key.to_owned()),
            Changed::Mark(mark) => Told::Mark(mark.kind, mark.name.to_owned()),
            Changed::Everything => Told::Everything,
        });
    }

    fn asking(&self) -> Sign {
        match self.watch.watcher.upgrade() {
            Some(watcher) => watcher.asking(),
            None => Sign::new(u64::MAX, 0, 0),
        }
    }

    fn alive(&self, asked: Sign) {
        self.hear(Told::Alive(asked));
    }
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Ear").field("watch", &self.watch).finish_non_exhaustive()
    }
}
