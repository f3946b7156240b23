//! The settings of a [`Resilient`](super::Resilient) provider, each with its reason.

use std::time::Duration;

/// How much a store may cost before it is left alone, and how its return is noticed.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use cache_runtime::resilience::ResilienceOptions;
///
/// let options = ResilienceOptions::redis().budget(Duration::from_millis(80)).concurrency(256);
/// assert_eq!(options.budget, Duration::from_millis(80));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResilienceOptions {
    /// What one operation may take, waiting for a permit and retries included (`CACHE_TIMEOUT`).
    pub budget: Duration,
    /// Whether a read's deadline follows what the store was seen to take. Default: yes.
    pub adaptive: bool,
    /// The shortest deadline of a read. Default: half the budget, so that a process which is
    /// itself behind does not take a store that answers in microseconds for a dead one.
    pub least_deadline: Option<Duration>,
    /// What an operation may take that visits all keys: `remove_matching`, `clear`, `usage`.
    /// Default: 10 s.
    pub scan_limit: Duration,
    /// How many operations may be under way at once. Default: 1,024.
    pub concurrency: usize,
    /// How many more may wait, for half the budget, until one of those has ended; the rest is refused
    /// at once. Default: 16,384.
    pub waiting: usize,
    /// How often one operation is repeated at most. Default: 2.
    pub retries: u32,
    /// How many retries a hundred operations earn. Default: 10.
    pub retry_percent: u32,
    /// How many retries there are to begin with, and the most that can be saved up. Default: 10.
    pub retry_reserve: u32,
    /// After so many failures in a row the breaker opens. Of failures that waited together only the
    /// first counts: a burst that a busy process answers late is one failure. Default: 5.
    pub failures_in_a_row: u32,
    /// It also opens when this share of the calls in the window failed. Default: 50.
    pub failure_percent: u32,
    /// How many calls the window has to hold before their share of failures counts. Default: 20.
    pub least_calls: u32,
    /// How far back the window reaches. Default: 10 s.
    pub failure_window: Duration,
    /// How many real calls have to succeed, and may be tried at once, before a half-open breaker
    /// closes. Default: 3.
    pub trial_calls: u32,
    /// What the first probe, or repeated invalidation, waits at most. Default: 20 ms.
    pub probe_delay: Duration,
    /// What any later one waits at most. Default: 250 ms, so that hits come again within a second.
    pub longest_probe_delay: Duration,
    /// How many names wait for their removal at most; one more turns all of them into one removal
    /// of the whole namespace. Default: 100,000.
    pub most_pending: usize,
    /// What `shutdown` waits for pending invalidations. Default: 5 s.
    pub drain_limit: Duration,
    /// Where the jitter starts from; `None`, the default, draws it.
    pub seed: Option<u64>,
}

impl ResilienceOptions {
    /// The defaults, with this budget for one operation.
    #[must_use]
    pub const fn new(budget: Duration) -> Self {
        Self {
            budget,
            adaptive: true,
            least_deadline: None,
            scan_limit: Duration::from_secs(10),
            concurrency: 1_024,
            waiting: 16_384,
            retries: 2,
            retry_percent: 10,
            retry_reserve: 10,
            failures_in_a_row: 5,
            failure_percent: 50,
            least_calls: 20,
            failure_window: Duration::from_secs(10),
            trial_calls: 3,
            probe_delay: Duration::from_millis(20),
            longest_probe_delay: Duration::from_millis(250),
            most_pending: 100_000,
            drain_limit: Duration::from_secs(5),
            seed: None,
        }
    }

    /// The defaults for a server in the same network: 50 ms.
    #[must_use]
    pub const fn redis() -> Self {
        Self::new(Duration::from_millis(50))
    }

    /// The defaults for a store behind HTTP: 500 ms.
    #[must_use]
    pub const fn upstash() -> Self {
        Self::new(Duration::from_millis(500))
    }
}

macro_rules! setters {
    ($($name:ident: $kind:ty),+ $(,)?) => {
        impl ResilienceOptions {
            $(
                #[doc = concat!("Sets [`", stringify!($name), "`](Self#structfield.", stringify!($name), ").")]
                #[must_use]
                pub const fn $name(mut self, $name: $kind) -> Self {
                    self.$name = $name;
                    self
                }
            )+
        }
    };
}

setters! {
    budget: Duration,
    adaptive: bool,
    least_deadline: Option<Duration>,
    scan_limit: Duration,
    concurrency: usize,
    waiting: usize,
    retries: u32,
    retry_percent: u32,
    retry_reserve: u32,
    failures_in_a_row: u32,
    failure_percent: u32,
    least_calls: u32,
    failure_window: Duration,
    trial_calls: u32,
    probe_delay: Duration,
    longest_probe_delay: Duration,
    most_pending: usize,
    drain_limit: Duration,
    seed: Option<u64>,
}
