//! How long a value lives and what happens around its end, as a constant that can be named.

use std::time::Duration;

/// How entries are kept: time to live, staleness, early refresh, jitter.
///
/// A policy is a `const`, so that several functions share one by name and each may override parts
/// of it: `#[cached(key = "user:<id>", policy = policy::APPLICATION, ttl = 60)]`. What a policy
/// leaves out is taken from the cache (`CACHE_DEFAULT_TTL`) or is off.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Policy, policy};
///
/// const CATALOGUE: Policy = policy::APPLICATION.ttl(Duration::from_secs(600)).jitter(0.05);
/// assert_eq!(CATALOGUE.get_ttl(), Some(Duration::from_secs(600)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Policy {
    pub(crate) ttl: Option<Duration>,
    pub(crate) stale: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) none_ttl: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) early: Option<f64>,
    pub(crate) jitter: Option<f64>,
}

impl Policy {
    /// A policy that decides nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ttl: None,
            stale: None,
            stale_if_error: None,
            none_ttl: None,
            timeout: None,
            early: None,
            jitter: None,
        }
    }

    /// Serves a value as fresh for this long.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Serves a value this long after its TTL while one background refresh runs
    /// (stale-while-revalidate, RFC 5861).
    #[must_use]
    pub const fn stale(mut self, stale: Duration) -> Self {
        self.stale = Some(stale);
        self
    }

    /// Serves an expired value this long after its TTL when the load fails
    /// (stale-if-error, RFC 5861).
    #[must_use]
    pub const fn stale_if_error(mut self, stale_if_error: Duration) -> Self {
        self.stale_if_error = Some(stale_if_error);
        self
    }

    /// Caches the absence of a value (`None`, `Ok(None)`) this long.
    #[must_use]
    pub const fn none_ttl(mut self, none_ttl: Duration) -> Self {
        self.none_ttl = Some(none_ttl);
        self
    }

    /// Waits at most this long for a load while there is a valid stale value to serve.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Refreshes early with a probability that grows towards the TTL's end; 0 turns it off.
    ///
    /// `beta` is the factor of XFetch (Vattani, Chierichetti and Lowenstein, *Optimal
    /// Probabilistic Cache Stampede Prevention*, VLDB 2015): above 1 refreshes earlier.
    #[must_use]
    pub const fn early(mut self, beta: f64) -> Self {
        self.early = Some(beta);
        self
    }

    /// Shortens each TTL by a random share of at most `share` (0.1 is 10 %), so that entries that
    /// were stored together do not expire together.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        self.jitter = Some(share);
        self
    }

    /// The time to live, if this policy sets one.
    #[must_use]
    pub const fn get_ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Whether a value may be served past its TTL.
    pub(crate) fn may_serve_expired(&self) -> bool {
        self.stale.is_some() || self.stale_if_error.is_some()
    }

    /// How long past its TTL a value is worth keeping.
    #[cfg(feature = "entry")]
    pub(crate) fn kept(&self) -> Duration {
        self.stale.unwrap_or_default().max(self.stale_if_error.unwrap_or_default())
    }

    /// The XFetch factor in force: the one set, else 1 where `stale` is set, else off.
    pub(crate) fn early_beta(&self) -> f64 {
        self.early.unwrap_or(if self.stale.is_some() { 1.0 } else { 0.0 })
    }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// Operational data (stock, prices, flags): seconds to minutes, never served stale.
pub const OPERATIONAL: Policy = Policy::new().ttl(minutes(1)).jitter(0.1);

/// Application data (profiles, catalogues): hours, refreshed in the background, and served for a
/// day longer while the source fails.
pub const APPLICATION: Policy =
    Policy::new().ttl(minutes(60)).stale(minutes(10)).stale_if_error(minutes(24 * 60)).jitter(0.1);

/// Session data: days, never served stale.
pub const SESSION: Policy = Policy::new().ttl(minutes(7 * 24 * 60));
