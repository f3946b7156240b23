//! The time that decides what has expired: coarse, monotonic, and injected.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

/// A point in time in units of 2^-32 seconds since an arbitrary origin.
pub(crate) type Tick = u64;

const TICKS_PER_SECOND_LOG2: u32 = 32;

/// Converts a duration to ticks, saturating far beyond any TTL.
pub(crate) fn ticks(duration: Duration) -> Tick {
    let seconds = duration.as_secs().min(u64::from(u32::MAX >> 1));
    let fraction = (u64::from(duration.subsec_nanos()) << TICKS_PER_SECOND_LOG2) / 1_000_000_000;
    (seconds << TICKS_PER_SECOND_LOG2) + fraction
}

/// Converts ticks back to a duration.
pub(crate) fn duration(ticks: Tick) -> Duration {
    let nanos = ((ticks & u64::from(u32::MAX)) * 1_000_000_000) >> TICKS_PER_SECOND_LOG2;
    Duration::new(ticks >> TICKS_PER_SECOND_LOG2, nanos as u32)
}

/// The source of time of one [`Cache`](crate::Cache).
///
/// The system clock is the operating system's coarse monotonic clock, whose error stays below
/// 10 ms and which costs a few nanoseconds to read. Tests take a [`ManualClock`] instead and move
/// it themselves, so that nothing in them waits for real time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Cache, Clock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> cache_runtime::Result<()> {
/// let (clock, hand) = Clock::manual();
/// let cache = Cache::builder().in_memory().clock(clock).build().await?;
/// cache.set("greeting", &"hello".to_owned()).ttl(Duration::from_secs(60)).await?;
/// hand.advance(Duration::from_secs(61));
/// assert_eq!(cache.get::<String>("greeting").await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Manual(Arc<Hand>),
}

/// Where the hand stands, exactly: many small steps add up to what one large step gives.
#[derive(Debug)]
struct Moved {
    stands_at: Duration,
    /// By when they want to be woken, and in which order they came: tests that choose the order of
    /// everything else want this one to be the same each time.
    sleepers: BTreeMap<(Tick, u64), Waker>,
    numbers: u64,
}

/// One sleeper, who is forgotten when the sleep is dropped.
struct Sleeper<'a> {
    hand: &'a Hand,
    place: (Tick, u64),
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        let forgotten = lock(&self.hand.moved).sleepers.remove(&self.place);
        // Dropped after the lock: a waker's destructor is code of the runtime.
        drop(forgotten);
    }
}

#[derive(Debug)]
struct Hand {
    now: AtomicU64,
    // Held while the hand moves, so that `now` and what sleepers see never disagree.
    moved: Mutex<Moved>,
}

impl Clock {
    /// The operating system's coarse monotonic clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until its [`ManualClock`] is advanced.
    #[must_use]
    pub fn manual() -> (Self, ManualClock) {
        let stands_at = Duration::from_secs(1_000);
        let start = ticks(stands_at);
        let hand = Arc::new(Hand {
            now: AtomicU64::new(start),
            moved: Mutex::new(Moved { stands_at, sleepers: BTreeMap::new(), numbers: 0 }),
        });
        (Self(Source::Manual(Arc::clone(&hand))), ManualClock(hand))
    }

    /// The present, in ticks.
    #[inline]
    pub(crate) fn now(&self) -> Tick {
        match &self.0 {
            Source::System => coarsetime::Instant::now_without_cache_update().as_ticks(),
            Source::Manual(hand) => hand.now.load(Ordering::Acquire),
        }
    }

    /// The present as other processes tell it: milliseconds since 1970.
    #[cfg(feature = "entry")]
    pub(crate) fn unix_millis(&self) -> u64 {
        /// When a manual clock starts: in November 2023.
        const MANUAL_ORIGIN: Duration = Duration::from_secs(1_700_000_000);
        let since = match &self.0 {
            Source::System => coarsetime::Clock::now_since_epoch().into(),
            Source::Manual(hand) => MANUAL_ORIGIN + lock(&hand.moved).stands_at,
        };
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether this is the operating system's clock, so that other timers run along with it.
    #[cfg(feature = "entry")]
    pub(crate) fn is_system(&self) -> bool {
        matches!(self.0, Source::System)
    }

    /// Waits until `wait` has passed on this clock.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the wait and nothing else.
    pub(crate) async fn sleep(&self, wait: Duration) {
        match &self.0 {
            Source::System => futures_timer::Delay::new(wait).await,
            Source::Manual(hand) => {
                let until = hand.now.load(Ordering::Acquire).saturating_add(ticks(wait));
                let number = {
                    let mut moved = lock(&hand.moved);
                    moved.numbers += 1;
                    moved.numbers
                };
                let sleeper = Sleeper { hand, place: (until, number) };
                std::future::poll_fn(|context| {
                    let mut moved = lock(&sleeper.hand.moved);
                    if sleeper.hand.now.load(Ordering::Acquire) >= until {
                        return Poll::Ready(());
                    }
                    let replaced = moved.sleepers.insert(sleeper.place, context.waker().clone());
                    drop(moved);
                    drop(replaced);
                    Poll::Pending
                })
                .await;
            }
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

/// The hand that moves a manual [`Clock`].
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hand>);

impl ManualClock {
    /// Moves the clock forward and wakes what slept until then.
    pub fn advance(&self, by: Duration) {
        let due = {
            let mut moved = lock(&self.0.moved);
            moved.stands_at = moved.stands_at.saturating_add(by);
            let now = ticks(moved.stands_at);
            self.0.now.store(now, Ordering::Release);
            let later = moved.sleepers.split_off(&(now.saturating_add(1), 0));
            std::mem::replace(&mut moved.sleepers, later)
        };
        due.into_values().for_each(Waker::wake);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Clock, duration, ticks};
    use std::time::Duration;

    #[test]
    fn ticks_and_durations_convert_within_a_nanosecond() {
        for nanos in [0, 1, 999, 1_000_000, 1_500_000_000, 86_400_000_000_000] {
            let wanted = Duration::from_nanos(nanos);
            let got = duration(ticks(wanted));
            assert!(wanted.abs_diff(got) <= Duration::from_nanos(1), "{wanted:?} became {got:?}");
        }
        assert!(ticks(Duration::MAX) > ticks(Duration::from_secs(86_400 * 365 * 50)));
    }

    #[tokio::test]
    async fn a_manual_clock_wakes_its_sleepers() {
        let (clock, hand) = Clock::manual();
        let sleeper = clock.sleep(Duration::from_secs(5));
        tokio::pin!(sleeper);
        assert!(futures_poll(&mut sleeper).await.is_none());
        hand.advance(Duration::from_secs(4));
        assert!(futures_poll(&mut sleeper).await.is_none());
        hand.advance(Duration::from_secs(1));
        sleeper.await;
    }

    async fn futures_poll<F: Future>(future: &mut std::pin::Pin<&mut F>) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match future.as_mut().poll(cx) {
                std::task::Poll::Ready(value) => Some(value),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
