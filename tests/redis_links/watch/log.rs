//! A watcher that writes down what it is told, in order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use cache_runtime::provider::{Changed, MarkKind, Sign, Watch, Watcher};

use crate::LIMIT;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// Something under a name has changed: `k:key`, `t:tag`, `e:family` or `s:scope`.
    Told(String),
    /// Perhaps everything.
    Everything,
    /// A sign of life was asked for.
    Asking(u64),
    /// It came.
    Alive(u64),
    /// The test did something.
    Note(String),
}

/// All of it, in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: Mutex<Vec<Event>>,
    asked: AtomicU64,
    life: AtomicU64,
}

impl Watcher for Log {
    fn changed(&self, what: Changed<'_>) {
        self.add(match what {
            Changed::Cell(key) => Event::Told(format!("k:{key}")),
            Changed::Mark(mark) => {
                let letter = match mark.kind {
                    MarkKind::Tag => 't',
                    MarkKind::Epoch => 'e',
                    _ => 's',
                };
                Event::Told(format!("{letter}:{}", mark.name))
            }
            _ => {
                self.life.fetch_add(1, Ordering::Relaxed);
                Event::Everything
            }
        });
    }

    fn asking(&self) -> Sign {
        let moment = self.asked.fetch_add(1, Ordering::Relaxed);
        self.add(Event::Asking(moment));
        Sign::new(self.life.load(Ordering::Relaxed), moment, 0)
    }

    fn alive(&self, asked: Sign) {
        self.add(Event::Alive(asked.moment()));
    }
}

impl Log {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What a provider is asked for.
    pub(super) fn watch(self: &Arc<Self>, every: Duration) -> Watch {
        let watcher: Weak<Self> = Arc::downgrade(self);
        Watch { watcher, every }
    }

    fn add(&self, event: Event) {
        self.events().push(event);
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes down what the test did, behind all that was told before.
    pub(super) fn note(&self, what: impl Into<String>) {
        self.add(Event::Note(what.into()));
    }

    /// How much has happened so far.
    pub(super) fn now(&self) -> usize {
        self.events().len()
    }

    /// What has happened since then.
    pub(super) fn since(&self, from: usize) -> Vec<Event> {
        self.events()[from..].to_vec()
    }

    /// How often it happened since then.
    pub(super) fn count(&self, from: usize, event: &Event) -> usize {
        self.events()[from..].iter().filter(|each| *each == event).count()
    }

    /// Waits until it has happened since then.
    pub(super) async fn until(&self, from: usize, event: &Event) {
        self.wait(&format!("{event:?}"), || self.count(from, event) > 0).await;
    }

    /// Waits until it has happened so often since then.
    pub(super) async fn wait_for(&self, from: usize, times: usize, event: &Event) {
        self.wait(&format!("{event:?} {times} times"), || self.count(from, event) >= times).await;
    }

    /// Waits for a sign of life that was asked for after this call; returns where it stands.
    pub(super) async fn sign(&self) -> usize {
        self.sign_since(self.now()).await
    }

    /// The first sign of life that was asked for since then; waits for it.
    pub(super) async fn sign_since(&self, from: usize) -> usize {
        let mut found = None;
        self.wait("a sign of life", || {
            found = sign_after(&self.events(), from);
            found.is_some()
        })
        .await;
        found.expect("it was waited for")
    }

    async fn wait(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            if began.elapsed() > LIMIT {
                let events = self.events();
                let last = &events[events.len().saturating_sub(20)..];
                panic!("waited {LIMIT:?} in vain for {what}; the last of all: {last:?}");
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Does something that changes a name, and makes sure that this is told before a sign of life
    /// that is asked for after it was acknowledged. The name alone counts, not everything.
    pub(super) async fn tells<T>(&self, name: &str, change: impl Future<Output = T>) {
        let before = self.now();
        let _done = change.await;
        let sign = self.sign().await;
        let told = self.since(before);
        let told = &told[..sign - before];
        let expected = Event::Told(name.to_owned());
        assert!(told.contains(&expected), "`{name}` was not told in time: {told:?}");
        assert!(!told.contains(&Event::Everything), "`{name}`: more than that: {told:?}");
    }
}

/// Where the first sign of life stands that was asked for behind this place.
pub(super) fn sign_after(events: &[Event], from: usize) -> Option<usize> {
    let asked = events.iter().skip(from).filter_map(|event| match event {
        Event::Asking(moment) => Some(*moment),
        _ => None,
    });
    let first = asked.min()?;
    let later = |event: &Event| matches!(event, Event::Alive(moment) if *moment >= first);
    events.iter().skip(from).position(later).map(|place| from + place)
}
