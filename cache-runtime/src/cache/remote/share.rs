//! One read for many callers of one key.
//!
//! A caller may take the answer of a read that was sent after the caller began: so at most one read
//! of a key is under way and one waits for it, however many callers there are, and each answer is as
//! exact as the caller's own read would have been. It is join rule J for reads, and uses its table.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Remote;
use crate::cache::core::{Core, Request};
use crate::cache::race::{First, first};
use crate::entry::TagsHash;
use crate::error::{Error, ErrorKind, Result};
use crate::flight::{Boarding, Ending, Flight, Flights, Landing};
use crate::near::meta::unused_number;
use crate::provider::{Lookup, Mark, Observed, Provider};

/// With fewer reads than this under way each goes by itself: looking for company costs more than
/// it saves.
const CROWD: usize = 32;

/// The reads under way.
pub(super) struct Reads {
    flights: Flights<Arc<Answer>>,
    under_way: AtomicUsize,
}

/// What a store answered, and for which tags it was asked.
struct Answer {
    tags: TagsHash,
    observed: Result<Arc<Observed>>,
}

impl Default for Reads {
    fn default() -> Self {
        Self { flights: Flights::new(), under_way: AtomicUsize::new(0) }
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
    ) -> Result<Arc<Observed>> {
        let _counted = Counted::new(&self.reads.under_way);
        if self.reads.under_way.load(Ordering::Relaxed) <= CROWD {
            return self.read_alone(request, marks).await;
        }
        let (text, flights) = (&request.text, &self.reads.flights);
        let answer = match flights.board(text, unused_number(), |_| true) {
            Boarding::Lead(flight) => {
                return self.read_for_all(request, marks, tags, flight).await;
            }
            Boarding::Queue { present, next } => {
                // However that read ends, the next is for those who came during it.
                if self.within_budget(core, present).await.is_none() {
                    return self.read_alone(request, marks).await;
                }
                if next.flight().take_lead() {
                    let flight = Arc::clone(next.flight());
                    return self.read_for_all(request, marks, tags, flight).await;
                }
                self.within_budget(core, next).await
            }
            Boarding::Join(landing) if landing.may_take(false) => {
                self.within_budget(core, landing).await
            }
            Boarding::Join(_) | Boarding::Wait(_) => None,
        };
        match answer {
            Some(Ending::Landed { value, .. }) if value.tags == tags => value.observed.clone(),
            // Its reader was dropped, or does not come to an end, or asked for other tags.
            _ => self.read_alone(request, marks).await,
        }
    }

    async fn read_alone(&self, request: &Request, marks: &[Mark<'_>]) -> Result<Arc<Observed>> {
        let lookup = [Lookup::new(&request.text).marks(marks)];
        let observed = self.provider.read(&lookup).await?.into_iter().next();
        let nothing = || {
            let message = "the provider answered another number of questions than it was asked";
            Error::new(ErrorKind::Unavailable, "read", message)
        };
        observed.map(Arc::new).ok_or_else(nothing)
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
        let observed = self.read_alone(request, marks).await;
        reader.finish(Arc::new(Answer { tags, observed: observed.clone() }));
        observed
    }

    /// Waits for another caller's read, which may be one that nobody polls any more.
    async fn within_budget(
        &self,
        core: &Core,
        mut landing: Landing<Arc<Answer>>,
    ) -> Option<Ending<Arc<Answer>>> {
        let mut over = std::pin::pin!(core.clock.sleep(self.budget));
        match first(&mut landing, &mut over).await {
            First::One(ending) => Some(ending),
            First::Other(()) => None,
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

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(under_way: &'a AtomicUsize) -> Self {
        under_way.fetch_add(1, Ordering::Relaxed);
        Self(under_way)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
