//! What one cache consists of, and what its parts tell each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[cfg(feature = "entry")]
use super::remote::{self, Remote};
use super::value::{Cached, ValueOps};
use crate::clock::Clock;
use crate::error::Error;
use crate::flight::Flights;
use crate::near::lock;
use crate::near::sites::Sites;
use crate::near::store;
use crate::near::store::Store;
use crate::policy::Policy;
use crate::stats::{Counters, MissReason};

/// How many key prefixes have counters of their own; the rest is counted together.
const MOST_PREFIXES: usize = 1_000;

pub(crate) struct Core {
    /// Before every key and tag; empty or ending in `:`.
    pub(crate) namespace: String,
    pub(crate) default_ttl: Duration,
    pub(crate) clock: Clock,
    pub(crate) sites: Arc<Sites>,
    pub(crate) flights: Flights<Cached>,
    pub(crate) tier: Tier,
    prefixes: Mutex<HashMap<Box<str>, Arc<Counters>>>,
}

/// Where values are kept.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one in each cache, and a hit goes through it"
)]
pub(crate) enum Tier {
    /// Nowhere (`CACHE_PROVIDER=none`): every read is a miss and every function runs. With an error
    /// where that is not what was asked for: then nobody knows what an invalidation would reach.
    Off(Option<Error>),
    /// In this process.
    Memory(Store),
    /// In a store outside this process.
    #[cfg(feature = "entry")]
    Remote(Remote),
}

/// What a key held when it was looked at: what a later step compares it with.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Here(store::Seen),
    #[cfg(feature = "entry")]
    There(Arc<remote::Found>),
}

impl Seen {
    pub(crate) const NOTHING: Self = Self::Here(store::Seen::Nothing);
}

/// One key with all that is needed to read, load and store it.
#[derive(Clone)]
pub(crate) struct Request {
    /// The whole key, namespace included.
    pub(crate) text: String,
    /// The function's number and its arguments, where there is an index to link to.
    pub(crate) site: Option<(u32, Box<[u8]>)>,
    /// Whole names: kind, namespace, tag.
    pub(crate) tags: Vec<String>,
    /// Families of the tags that only the result tells.
    pub(crate) families: Vec<String>,
    pub(crate) policy: Policy,
    pub(crate) ops: &'static ValueOps,
    pub(crate) counters: Arc<Counters>,
}

/// What a look at the store found.
pub(crate) enum Look {
    /// A value to serve; `refresh` says that it should be renewed in the background.
    Hit {
        value: Cached,
        seen: Seen,
        refresh: bool,
        stale: bool,
        /// Whether it is a copy in this process of what lies in a store outside, served unasked.
        near: bool,
    },
    /// An expired value, to be served only if the load fails or takes too long.
    Kept {
        value: Cached,
        seen: Seen,
    },
    Miss {
        seen: Seen,
        reason: MissReason,
    },
    Leased {
        seen: Seen,
    },
    /// The store could not be asked.
    #[cfg(feature = "entry")]
    Failed,
}

/// The kinds of names that the tags' table holds.
pub(crate) mod kind {
    /// A tag of the user's.
    pub(crate) const TAG: &str = "T:";
    /// A family of tags (`category` of `category:5`).
    pub(crate) const FAMILY: &str = "E:";
    /// All that one function ever stored.
    pub(crate) const FUNCTION: &str = "F:";
    /// A key that somebody is writing through.
    pub(crate) const WRITE: &str = "W:";
    /// A key that is on hold.
    pub(crate) const HELD: &str = "H:";
}

impl Core {
    pub(crate) fn new(
        tier: Tier,
        namespace: &str,
        default_ttl: Duration,
        clock: Clock,
        sites: Arc<Sites>,
    ) -> Self {
        let namespace = if namespace.is_empty() { String::new() } else { format!("{namespace}:") };
        let (flights, prefixes) = (Flights::new(), Mutex::default());
        Self { namespace, default_ttl, clock, sites, flights, tier, prefixes }
    }

    /// The counters of a key's prefix, the text before its first `:`.
    pub(crate) fn prefix_counters(&self, key: &str) -> Arc<Counters> {
        let prefix = prefix_of(key);
        let mut prefixes = lock(&self.prefixes);
        if let Some(counters) = prefixes.get(prefix) {
            return Arc::clone(counters);
        }
        let name = if prefixes.len() < MOST_PREFIXES { prefix } else { "(others)" };
        Arc::clone(prefixes.entry(name.into()).or_default())
    }

    pub(crate) fn each_prefix(&self, mut visit: impl FnMut(&str, &Counters)) {
        for (prefix, counters) in lock(&self.prefixes).iter() {
            visit(prefix, counters);
        }
    }
}

/// The text before the first `:`.
pub(crate) fn prefix_of(key: &str) -> &str {
    key.split_once(':').map_or(key, |(prefix, _)| prefix)
}
