//! Whether a load is still polled.
//!
//! A load inside its caller stands still when that is kept but no longer polled (a future that lost
//! a `select!` and was not dropped, say); one in a task of its own does when its runtime has no
//! threads and nobody blocks on it. A load that waits for something is not polled either, so
//! silence alone says nothing: it is stalled if it was woken and nobody polled it for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use super::landing::Flight;
use crate::clock::{Clock, Tick, ticks};

/// How long a load that was woken may stay unpolled before a waiter takes over.
const PATIENCE: Duration = Duration::from_millis(100);

const NOT_WOKEN: u64 = u64::MAX;

/// When the load was woken without being polled since.
#[derive(Debug)]
pub(crate) struct Pulse {
    woken_at: AtomicU64,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { woken_at: AtomicU64::new(NOT_WOKEN) }
    }
}

impl Pulse {
    pub(crate) fn is_stalled(&self, now: Tick) -> bool {
        let woken_at = self.woken_at.load(Ordering::Acquire);
        woken_at != NOT_WOKEN && now.saturating_sub(woken_at) > ticks(PATIENCE)
    }
}

/// Whose waking and polling is noted, and by which clock.
pub(crate) struct Watch<V> {
    flight: Arc<Flight<V>>,
    clock: Clock,
}

impl<V: Clone> Watch<V> {
    /// From now on waiters look whether the load is polled. Its first poll is due: until that
    /// comes, it counts as woken.
    pub(crate) fn new(flight: Arc<Flight<V>>, clock: Clock) -> Self {
        flight.start_pulse().woken_at.store(clock.now(), Ordering::Release);
        Self { flight, clock }
    }
}

/// Runs a load and, where it is watched, notes when it is woken and when it is polled.
pub(crate) async fn polled<F, V>(load: F, watch: Option<Watch<V>>) -> F::Output
where
    F: Future,
    V: Clone + Send + Sync + 'static,
{
    let mut load = std::pin::pin!(load);
    std::future::poll_fn(move |context| {
        let Some(Watch { flight, clock }) = &watch else { return load.as_mut().poll(context) };
        flight.start_pulse().woken_at.store(NOT_WOKEN, Ordering::Release);
        let noting = Arc::new(Noting {
            inner: context.waker().clone(),
            flight: Arc::clone(flight),
            clock: clock.clone(),
        });
        load.as_mut().poll(&mut Context::from_waker(&Waker::from(noting)))
    })
    .await
}

struct Noting<V> {
    inner: Waker,
    flight: Arc<Flight<V>>,
    clock: Clock,
}

impl<V: Clone + Send + Sync + 'static> Wake for Noting<V> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.flight.start_pulse().woken_at.fetch_min(self.clock.now(), Ordering::AcqRel);
        self.inner.wake_by_ref();
    }
}
