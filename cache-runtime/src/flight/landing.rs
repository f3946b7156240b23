//! One load under way: its phases, who waits for it, and how it ended.

use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

use super::came::{Began, Came, Order};
use super::pulse::Pulse;
use super::table::Boarding;
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
    /// Nothing was read yet: who joins now came before the load.
    Boarding,
    Loading,
    /// The store was asked to keep the value: too late to join for whoever came after the load began
    /// (configuration B4).
    Filling,
    Over(Ending<V>),
}

#[derive(Debug)]
struct State<V> {
    phase: Phase<V>,
    /// When the load began, if it has.
    began: Option<Began>,
    /// Whether there is nothing to serve until this load has ended, and how many removals this
    /// process had seen when it began.
    blocks: Option<u64>,
    /// Whether the result will not be stored, so that only who joined before the load may take it.
    stores_nothing: bool,
    /// The flight for those who came during such a load.
    next: Option<Arc<Flight<V>>>,
    /// Whether somebody leads it.
    is_led: bool,
    wakers: Vec<Option<Waker>>,
}

impl<V> State<V> {
    /// Whether a call came before the load began.
    fn came_before(&self, came: Came) -> bool {
        self.began.is_none_or(|began| came.is_before(began))
    }
}

/// One load of one key. `V` is what is handed to those who wait.
#[derive(Debug)]
pub(crate) struct Flight<V> {
    /// Distinguishes this flight from a later one of the same key.
    pub(crate) id: u64,
    order: Arc<Order>,
    state: Mutex<State<V>>,
    /// What must be unchanged for the result to be stored; set once the load's holder has it.
    ticket: OnceLock<Ticket>,
    /// Shows whether the task that loads is still polled; set where it can stop being.
    pulse: OnceLock<Pulse>,
}

/// What a load's result will be stored against.
#[derive(Debug)]
pub(crate) enum Ticket {
    /// In this process, where everybody can look whether it still holds.
    Here {
        /// The lease, or the entry that is being refreshed.
        seen: Seen,
        /// The tags as they were before the load.
        tags: Vec<TagSeen>,
    },
    /// Outside it.
    #[cfg(feature = "entry")]
    There {
        /// The lease, if it lies in the key's own cell.
        lease: Option<crate::provider::Prefix>,
        /// The request's tags as they were before the load.
        tags: Vec<crate::provider::Stamp>,
    },
}

impl<V: Clone> Flight<V> {
    pub(super) fn new(id: u64, order: &Arc<Order>) -> Arc<Self> {
        Self::make(id, order, true)
    }

    fn make(id: u64, order: &Arc<Order>, is_led: bool) -> Arc<Self> {
        let state = State {
            phase: Phase::Boarding,
            began: None,
            blocks: None,
            stores_nothing: false,
            next: None,
            is_led,
            wakers: Vec::new(),
        };
        let (ticket, pulse) = (OnceLock::new(), OnceLock::new());
        Arc::new(Self { id, order: Arc::clone(order), state: Mutex::new(state), ticket, pulse })
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

    /// Announces that the key holds nothing to serve meanwhile, after so many removals.
    pub(crate) fn block(&self, removals: u64) {
        lock(&self.state).blocks = Some(removals);
    }

    /// Whether a caller that has not looked at the store would find nothing there, and nothing was
    /// removed since.
    pub(crate) fn is_blocking(&self, removals: u64) -> bool {
        let state = lock(&self.state);
        state.blocks == Some(removals) && !state.stores_nothing
    }

    /// Announces that the load's result will not be stored.
    pub(crate) fn store_nothing(&self) {
        lock(&self.state).stores_nothing = true;
    }

    /// Joins the flight that follows a load whose result will not be stored and has begun: it
    /// begins for all who came meanwhile together. `id` is for the case that it is not there yet.
    fn join_next(&self, id: u64, came: Came) -> Option<Landing<V>> {
        let mut state = lock(&self.state);
        let is_loading = state.stores_nothing && matches!(state.phase, Phase::Loading);
        if !is_loading || state.came_before(came) {
            return None;
        }
        let next = state.next.get_or_insert_with(|| Self::make(id, &self.order, false));
        Some(Landing { flight: Arc::clone(next), before_load: true, place: None })
    }

    /// The flight that follows this one.
    pub(super) fn next(&self) -> Option<Arc<Self>> {
        lock(&self.state).next.clone()
    }

    /// Becomes the one who leads the flight, if nobody does.
    pub(crate) fn take_lead(&self) -> bool {
        !std::mem::replace(&mut lock(&self.state).is_led, true)
    }

    /// What a caller does that finds this flight.
    pub(super) fn board(self: &Arc<Self>, id: u64, came: Came) -> Boarding<V> {
        if self.take_lead() {
            return Boarding::Lead(Arc::clone(self));
        }
        match self.join_next(id, came) {
            Some(next) => Boarding::Queue { present: self.watch(), next },
            None => match self.join(came) {
                Some(landing) => Boarding::Join(landing),
                None => Boarding::Wait(self.watch()),
            },
        }
    }

    /// Joins, unless it is too late.
    pub(crate) fn join(self: &Arc<Self>, came: Came) -> Option<Landing<V>> {
        let state = lock(&self.state);
        let before_load = state.came_before(came);
        let is_late = matches!(state.phase, Phase::Filling) && !before_load;
        if is_late || matches!(state.phase, Phase::Over(_)) {
            return None;
        }
        drop(state);
        Some(Landing { flight: Arc::clone(self), before_load, place: None })
    }

    /// Waits for the end without a claim on the result.
    pub(crate) fn watch(self: &Arc<Self>) -> Landing<V> {
        Landing { flight: Arc::clone(self), before_load: false, place: None }
    }

    /// The load begins: who comes from now on may have to see what it does not.
    pub(crate) fn begin_load(&self) {
        let mut state = lock(&self.state);
        if matches!(state.phase, Phase::Boarding) {
            state.phase = Phase::Loading;
            state.began = Some(self.order.begins());
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
