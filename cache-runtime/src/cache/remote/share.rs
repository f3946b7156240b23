//! One read for many callers of one key.
//!
//! A caller may take the answer of a read that was sent after the caller began: so at most one read
//! of a key is under way and one waits for it, however many callers there are, and each answer is as
//! exact as the caller's own read would have been. It is join rule J for reads, and uses its table.

use std::hash::BuildHasher;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use foldhash::fast::RandomState;

use super::Remote;
use crate::cache::core::{Core, Request};
use crate::cache::race::{First, first};
use crate::entry::TagsHash;
use crate::error::{Error, ErrorKind, Result};
use crate::flight::{Boarding, Ending, Flight, Flights, Landing};
use crate::near::meta::unused_number;
use crate::provider::{Lookup, Mark, Observed, Provider};

/// With so many reads of a key under way, or fewer, each goes by itself: looking for company costs
/// more than it saves.
const CROWD: u32 = 8;

/// How many counters there are. Keys that have one in common look for company a little early.
const COUNTERS: usize = 1_024;

/// The reads under way.
pub(super) struct Reads {
    flights: Flights<Arc<Answer>>,
    hasher: RandomState,
    /// How many reads there are of the keys that hash to each place.
    under_way: Box<[AtomicU32]>,
}

/// What a store answered: to one reader, or to several.
#[derive(Debug)]
pub(super) enum Answered {
    Alone(Observed),
    Shared(Arc<Observed>),
}

impl Deref for Answered {
    type Target = Observed;

    fn deref(&self) -> &Observed {
        match self {
            Answered::Alone(observed) => observed,
            Answered::Shared(observed) => observed,
        }
    }
}

/// What a store answered, and for which tags it was asked.
struct Answer {
    tags: TagsHash,
    observed: Result<Arc<Observed>>,
}

impl Default for Reads {
    fn default() -> Self {
        let under_way = (0..COUNTERS).map(|_| AtomicU32::new(0)).collect();
        Self { flights: Flights::new(), hasher: RandomState::default(), under_way }
    }
}

impl Reads {
    fn count(&self, text: &str) -> Counted<'_> {
        let place = (self.hasher.hash_one(text) >> 32) as usize % COUNTERS;
        let counter = &self.under_way[place];
        let before = counter.fetch_add(1, Ordering::Relaxed);
        Counted { counter, before }
    }
}

impl Remote {
    /// Reads a key and its tags, by itself or in company.
    ///
    /// # Cancel safety
    ///
    /// Dropping it lets another caller read.
    pub(super) async fn observe(
        &self,
        core: &Core,
        request: &Request,
        marks: &[Mark<'_>],
        tags: TagsHash,
    ) -> Result<Answered> {
        let counted = self.reads.count(&request.text);
        if counted.before < CROWD {
            return self.read_alone(request, marks).await.map(Answered::Alone);
        }
        // In a box, so that a read that goes by itself has no room for the others.
        Box::pin(self.observe_in_company(core, request, marks, tags)).await
    }

    async fn observe_in_company(
        &self,
        core: &Core,
        request: &Request,
        marks: &[Mark<'_>],
        tags: TagsHash,
    ) -> Result<Answered> {
        let (text, flights) = (&request.text, &self.reads.flights);
        let mut over = std::pin::pin!(core.clock.sleep(self.budget));
        let answer = match flights.board(text, unused_number(), flights.comes(), |_| true) {
            Boarding::Lead(flight) => {
                let read = self.read_for_all(request, marks, tags, flight).await;
                return read.map(Answered::Shared);
            }
            Boarding::Queue { present, next } => {
                // The next read is for those who came during this one. But if the store did not
                // answer this one, it is not asked again: nobody pays for two that fail.
                if let Ending::Landed { value, .. } =
                    self.wait_for(text, present, &mut over).await?
                    && let Err(error) = &value.observed
                {
                    return Err(error.clone());
                }
                if next.flight().take_lead() {
                    let flight = Arc::clone(next.flight());
                    let read = self.read_for_all(request, marks, tags, flight).await;
                    return read.map(Answered::Shared);
                }
                self.wait_for(text, next, &mut over).await?
            }
            Boarding::Join(landing) if landing.may_take(false) => {
                self.wait_for(text, landing, &mut over).await?
            }
            Boarding::Join(_) | Boarding::Wait(_) => Ending::Abandoned,
        };
        match answer {
            Ending::Landed { value, .. } if value.tags == tags => {
                value.observed.clone().map(Answered::Shared)
            }
            // Its reader was dropped, or asked for other tags.
            _ => self.read_alone(request, marks).await.map(Answered::Alone),
        }
    }

    async fn read_alone(&self, request: &Request, marks: &[Mark<'_>]) -> Result<Observed> {
        let lookup = [Lookup::new(&request.text).marks(marks)];
        let observed = self.provider.read(&lookup).await?.into_iter().next();
        let nothing = || {
            let message = "the provider answered another number of questions than it was asked";
            Error::new(ErrorKind::Unavailable, "read", message)
        };
        observed.ok_or_else(nothing)
    }

    async fn read_for_all(
        &self,
        request: &Request,
        marks: &[Mark<'_>],
        tags: TagsHash,
        flight: Arc<Flight<Arc<Answer>>>,
    ) -> Result<Arc<Observed>> {
        let reader = Reader { flights: &self.reads.flights, text: &request.text, flight };
        // Whoever comes from now on began after this read was sent.
        reader.flight.store_nothing();
        reader.flight.begin_load();
        let observed = self.read_alone(request, marks).await.map(Arc::new);
        reader.finish(Arc::new(Answer { tags, observed: observed.clone() }));
        observed
    }

    /// Waits for another caller's read.
    ///
    /// # Errors
    /// [`Timeout`](ErrorKind::Timeout) once the caller has paid its budget. A read that takes longer
    /// is one that nobody polls any more: it is left to itself, and nobody else waits for it.
    async fn wait_for(
        &self,
        text: &str,
        mut landing: Landing<Arc<Answer>>,
        over: &mut Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Ending<Arc<Answer>>> {
        match first(&mut landing, over).await {
            First::One(ending) => Ok(ending),
            First::Other(()) => {
                self.reads.flights.remove(text, landing.flight());
                let message = format!("the read that this one waited for took {:?}", self.budget);
                Err(Error::new(ErrorKind::Timeout, "read", message))
            }
        }
    }
}

/// Reads for all who wait. Dropped in the middle, it lets one of them take over.
struct Reader<'a> {
    flights: &'a Flights<Arc<Answer>>,
    text: &'a str,
    flight: Arc<Flight<Arc<Answer>>>,
}

impl Reader<'_> {
    fn finish(self, answer: Arc<Answer>) {
        self.end(Ending::Landed { value: answer, exact: false });
    }

    fn end(&self, ending: Ending<Arc<Answer>>) {
        self.flights.remove(self.text, &self.flight);
        self.flight.end(ending);
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // The first ending counts.
        self.end(Ending::Abandoned);
    }
}

/// A read that is under way, and how many others were when it began.
struct Counted<'a> {
    counter: &'a AtomicU32,
    before: u32,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.counter.fetch_sub(1, Ordering::Relaxed);
    }
}
