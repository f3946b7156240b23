//! One load under way: its phases, who waits for it, and how it ended.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use super::pulse::Pulse;
use crate::clock::Tick;
use crate::near::meta::TagSeen;
use crate::near::store::Seen;
use crate::sync::{Arc, Mutex, lock};

/// How a load ended.
#[derive(Clone, Debug)]
pub(crate) enum Ending<V> {
    /// With a value. `exact` says that the store still had the lease and no tag had changed when
    /// it was asked to keep the value: then everybody who joined before may take it.
    Landed { value: V, exact: bool },
    /// With an error, which belongs to the caller that ran the load.
    Failed,
    /// Not at all: its holder was dropped, panicked, or was replaced. A waiter takes over.
    Abandoned,
}

#[derive(Debug)]
enum Phase<V> {
    /// Nothing was read yet: who joins now started before the load.
    Boarding,
    Loading,
    /// The store was asked to keep the value: too late to join (configuration B4).
    Filling,
    Over(Ending<V>),
}

#[derive(Debug)]
struct State<V> {
    phase: Phase<V>,
    wakers: Vec<Option<Waker>>,
}

/// One load of one key. `V` is what is handed to those who wait.
#[derive(Debug)]
pub(crate) struct Flight<V> {
    /// Distinguishes this flight from a later one of the same key.
    pub(crate) id: u64,
    state: Mutex<State<V>>,
    /// What must be unchanged for the result to be stored; set once the load's holder has it.
    ticket: OnceLock<Ticket>,
    /// Shows whether the task that loads is still polled; set where it can stop being.
    pulse: OnceLock<Pulse>,
}

/// What a load's result will be stored against.
#[derive(Debug)]
pub(crate) struct Ticket {
    /// The lease, or the entry that is being refreshed.
    pub(crate) seen: Seen,
    /// The tags as they were before the load.
    pub(crate) tags: Vec<TagSeen>,
}

impl<V: Clone> Flight<V> {
    pub(crate) fn new(id: u64) -> Arc<Self> {
        let state = State { phase: Phase::Boarding, wakers: Vec::new() };
        let (ticket, pulse) = (OnceLock::new(), OnceLock::new());
        Arc::new(Self { id, state: Mutex::new(state), ticket, pulse })
    }

    pub(crate) fn set_ticket(&self, ticket: Ticket) {
        // Set once, by the flight's only leader.
        let _ = self.ticket.set(ticket);
    }

    pub(crate) fn ticket(&self) -> Option<&Ticket> {
        self.ticket.get()
    }

    /// Announces that the load runs where it may not be polled any more: in its caller, or on a
    /// runtime that stands still while nobody blocks on it.
    pub(crate) fn start_pulse(&self) -> &Pulse {
        self.pulse.get_or_init(Pulse::default)
    }

    /// Whether a waiter has to look now and then whether the load is still polled: it shows a
    /// pulse, or has not begun, so that nobody knows yet whether it will.
    pub(crate) fn may_stall(&self) -> bool {
        self.pulse.get().is_some() || matches!(lock(&self.state).phase, Phase::Boarding)
    }

    /// Whether the load could go on and nobody polls it.
    pub(crate) fn is_stalled(&self, now: Tick) -> bool {
        self.pulse.get().is_some_and(|pulse| pulse.is_stalled(now))
    }

    /// Joins, unless it is too late.
    pub(crate) fn join(self: &Arc<Self>) -> Option<Landing<V>> {
        let before_load = match lock(&self.state).phase {
            Phase::Boarding => true,
            Phase::Loading => false,
            Phase::Filling | Phase::Over(_) => return None,
        };
        Some(Landing { flight: Arc::clone(self), before_load, place: None })
    }

    /// Waits for the end without a claim on the result.
    pub(crate) fn watch(self: &Arc<Self>) -> Landing<V> {
        Landing { flight: Arc::clone(self), before_load: false, place: None }
    }

    /// The load begins: who joins from now on may have started after it.
    pub(crate) fn begin_load(&self) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Boarding) {
            state.phase = Phase::Loading;
        }
    }

    /// The store is about to be asked: nobody joins any more.
    pub(crate) fn begin_fill(&self) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Boarding | Phase::Loading) {
            state.phase = Phase::Filling;
        }
    }

    /// Ends the flight and wakes everybody; the first ending counts.
    pub(crate) fn end(&self, ending: Ending<V>) {
        let wakers = {
            let mut state = lock(&self.state);
            if matches!(state.phase, Phase::Over(_)) {
                return;
            }
            state.phase = Phase::Over(ending);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

/// A wait for the end of a flight.
///
/// # Cancel safety
///
/// Dropping it leaves the flight as it is; the load goes on.
#[derive(Debug)]
pub(crate) struct Landing<V> {
    flight: Arc<Flight<V>>,
    before_load: bool,
    /// Where this waiter's waker is kept.
    place: Option<usize>,
}

impl<V> Landing<V> {
    pub(crate) fn flight(&self) -> &Arc<Flight<V>> {
        &self.flight
    }

    /// Join rule J: whether this caller may take the value that the flight ended with.
    pub(crate) fn may_take(&self, exact: bool) -> bool {
        self.before_load || exact
    }
}

impl<V: Clone> Future for Landing<V> {
    type Output = Ending<V>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let flight = Arc::clone(&self.flight);
        let mut state = lock(&flight.state);
        if let Phase::Over(ending) = &state.phase {
            return Poll::Ready(ending.clone());
        }
        let waker = Some(context.waker().clone());
        let replaced = match self.place {
            Some(place) => std::mem::replace(&mut state.wakers[place], waker),
            None => {
                self.place = Some(state.wakers.len());
                state.wakers.push(waker);
                None
            }
        };
        // Dropped after the lock, as in `drop`.
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl<V> Drop for Landing<V> {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let flight = Arc::clone(&self.flight);
        let mut state = lock(&flight.state);
        let waker = state.wakers.get_mut(place).and_then(Option::take);
        // Dropped after the lock: a waker's destructor is code of the runtime.
        drop(state);
        drop(waker);
    }
}
