//! Loads inside loads: which keys this task is loading, and whether waiting would never end.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex};

use crate::near::lock;

tokio::task_local! {
    static LOADING: Arc<Chain>;
}

/// A load, and the load that it runs inside of.
#[derive(Debug)]
pub(crate) struct Chain {
    flight: u64,
    outer: Option<Arc<Chain>>,
}

/// Which flights each flight's loader is waiting for, as far as one waits for another. A loader may
/// wait for several at once, and for one several times.
static WAITS: LazyLock<Mutex<Waits>> = LazyLock::new(Mutex::default);

type Waits = HashMap<u64, Vec<u64>>;

impl Chain {
    /// Whether the present task runs a load.
    #[cfg(feature = "entry")]
    pub(crate) fn is_inside() -> bool {
        LOADING.try_with(|_| ()).is_ok()
    }

    /// The load that the present task runs, if any.
    pub(crate) fn current() -> Option<Arc<Self>> {
        LOADING.try_with(Arc::clone).ok()
    }

    /// A link for a load that is about to run inside the present one.
    pub(crate) fn enter(flight: u64) -> Entered {
        Entered(Arc::new(Self { flight, outer: Self::current() }))
    }

    /// A link for a load for which the present one does not wait: a refresh in the background.
    pub(crate) fn enter_apart(flight: u64) -> Entered {
        Entered(Arc::new(Self { flight, outer: None }))
    }

    fn contains(&self, flight: u64) -> bool {
        self.flight == flight || self.outer.as_ref().is_some_and(|outer| outer.contains(flight))
    }

    /// Announces that the present load waits for a flight; `None` where that would never end,
    /// since the flight waits (through others or not) for this load.
    pub(crate) fn wait_for(flight: u64) -> Option<Waiting> {
        let Some(chain) = Self::current() else { return Some(Waiting(Vec::new())) };
        let mut waits = lock(&WAITS);
        let (mut seen, mut open) = (HashSet::new(), vec![flight]);
        while let Some(flight) = open.pop() {
            if chain.contains(flight) {
                return None;
            }
            if seen.insert(flight) {
                open.extend(waits.get(&flight).into_iter().flatten());
            }
        }
        // Every load that this one runs inside of waits as well.
        let mut waiting = Vec::new();
        let mut link = Some(&chain);
        while let Some(load) = link {
            waits.entry(load.flight).or_default().push(flight);
            waiting.push((load.flight, flight));
            link = load.outer.as_ref();
        }
        Some(Waiting(waiting))
    }
}

/// The context in which a load runs.
#[derive(Clone, Debug)]
pub(crate) struct Entered(Arc<Chain>);

impl Entered {
    pub(crate) async fn run<F: Future>(self, load: F) -> F::Output {
        LOADING.scope(self.0, load).await
    }
}

/// Takes the announcement back when the wait is over.
#[derive(Debug)]
pub(crate) struct Waiting(Vec<(u64, u64)>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return;
        }
        let mut waits = lock(&WAITS);
        for (waiter, flight) in self.0.drain(..) {
            if let Some(flights) = waits.get_mut(&waiter) {
                if let Some(place) = flights.iter().position(|held| *held == flight) {
                    flights.swap_remove(place);
                }
                if flights.is_empty() {
                    waits.remove(&waiter);
                }
            }
        }
    }
}
