//! What a load holds of the store, whichever it is: taken before the load, settled after it.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Request, Seen, Tier};
use super::memory::MemoryClaim;
#[cfg(feature = "entry")]
use super::remote::{self, RemoteClaim};
use super::value::Cached;
use crate::flight::{Flight, Ticket};

/// What a load holds.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Nothing: what it loads is not stored.
    Nothing,
    Memory(MemoryClaim),
    #[cfg(feature = "entry")]
    Remote(RemoteClaim),
}

/// On which terms a key is taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    /// There is a value to keep until the load has ended (rule E2).
    pub(crate) keeps_entry: bool,
    /// The lease of a load of this process that nobody waits for any more.
    #[cfg(feature = "entry")]
    pub(crate) replaces: Option<crate::provider::Prefix>,
}

impl Terms {
    /// With or without a value to keep, and nobody's lease to replace.
    pub(crate) fn keeping(keeps_entry: bool) -> Self {
        Self {
            keeps_entry,
            #[cfg(feature = "entry")]
            replaces: None,
        }
    }
}

/// How taking a key for a load ended.
pub(crate) enum Taken {
    Claim(Claim),
    /// The key holds something else by now.
    Changed,
    /// Another process loads the key, or renews what it holds.
    #[cfg(feature = "entry")]
    Elsewhere(remote::Elsewhere),
}

/// What a load gave besides its value.
pub(crate) struct Outcome<'a> {
    /// Whole names of tags that only the result told.
    pub(crate) tags: &'a [String],
    /// How long to keep the value; `None` where it is not to be stored.
    pub(crate) ttl: Option<Duration>,
    pub(crate) took: Duration,
    /// A number from before the load, that no other entry has.
    pub(crate) began: u64,
}

/// What became of a loaded value.
pub(crate) struct Concluded {
    /// The lease, or the entry that was refreshed, was still there, and no tag had changed.
    pub(crate) exact: bool,
    /// The same, but for the tags: nobody else has put anything in the key's place.
    pub(crate) held: bool,
}

impl Claim {
    /// Takes a key for a load, given what was seen in it. Where there is a value to keep
    /// meanwhile, it stays, else a lease takes its place.
    pub(crate) async fn take(
        core: &Arc<Core>,
        request: &Request,
        seen: &Seen,
        terms: Terms,
    ) -> Taken {
        match seen {
            Seen::Here(seen) => match &core.tier {
                Tier::Memory(_) => {
                    let taken = MemoryClaim::take(core, request, *seen, terms.keeps_entry);
                    taken.map_or(Taken::Changed, |claim| Taken::Claim(Self::Memory(claim)))
                }
                _ => Taken::Claim(Self::Nothing),
            },
            #[cfg(feature = "entry")]
            Seen::There(found) => RemoteClaim::take(core, request, found, terms).await,
        }
    }

    /// Takes a key whatever others do with it: a refresh was asked for.
    pub(crate) async fn insist(
        core: &Arc<Core>,
        request: &Request,
        seen: &Seen,
        keeps_entry: bool,
    ) -> Option<Self> {
        match seen {
            #[cfg(feature = "entry")]
            Seen::There(found) => RemoteClaim::insist(core, request, found, keeps_entry).await,
            Seen::Here(_) => {
                match Self::take(core, request, seen, Terms::keeping(keeps_entry)).await {
                    Taken::Claim(claim) => Some(claim),
                    _ => None,
                }
            }
        }
    }

    /// What others of this process compare before they join.
    pub(crate) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Nothing => None,
            Self::Memory(claim) => Some(claim.ticket()),
            #[cfg(feature = "entry")]
            Self::Remote(claim) => claim.ticket(),
        }
    }

    /// Keeps what is held for as long as its load shows life.
    pub(crate) fn keep_alive(&mut self, flight: &Arc<Flight<Cached>>) {
        match self {
            #[cfg(feature = "entry")]
            Self::Remote(claim) => claim.keep_alive(flight),
            _ => {
                // In this process waiters look at the flight itself.
                let _ = flight;
            }
        }
    }

    /// Stores a value, or gives back what was held where it is not to be stored.
    pub(crate) async fn conclude(
        self,
        core: &Arc<Core>,
        request: &Arc<Request>,
        value: &Cached,
        outcome: &Outcome<'_>,
    ) -> Concluded {
        match self {
            Self::Nothing => Concluded { exact: false, held: false },
            Self::Memory(claim) => claim.conclude(core, request, value, outcome),
            #[cfg(feature = "entry")]
            Self::Remote(claim) => claim.conclude(core, request, value, outcome).await,
        }
    }

    /// Gives back what was held: the load failed.
    pub(crate) async fn give_back(self, core: &Arc<Core>, request: &Request) {
        match self {
            Self::Nothing => {}
            Self::Memory(claim) => {
                claim.give_back(core, request);
            }
            #[cfg(feature = "entry")]
            Self::Remote(claim) => claim.give_back().await,
        }
    }

    /// Gives back what was held, without waiting: whoever loaded is gone.
    pub(crate) fn abandon(self, core: &Core, request: &Request) {
        match self {
            Self::Nothing => {}
            Self::Memory(claim) => claim.abandon(core, request),
            #[cfg(feature = "entry")]
            Self::Remote(claim) => drop(claim),
        }
    }
}
