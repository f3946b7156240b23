//! Waiting, and giving up waiting, on the cache's clock.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::clock::Clock;

/// Waits until so much time has passed on the clock.
///
/// On the system's clock it takes a timer of the Tokio runtime that polls it, which costs a tenth
/// of what a timer of another thread does; that runtime's timers have to be enabled, as the Redis
/// and the Upstash client need them too. Elsewhere it takes the clock's own.
///
/// # Cancel safety
///
/// Dropping the future forgets the wait and nothing else.
pub(super) async fn sleep(clock: &Clock, wait: Duration) {
    if clock.is_system() && Handle::try_current().is_ok() {
        tokio::time::sleep(wait).await;
    } else {
        clock.sleep(wait).await;
    }
}

/// What the future returns, or `None` once the limit has passed.
///
/// The future has the first word each time, and no timer is made for one that is ready at once.
///
/// # Cancel safety
///
/// That of the future. One that ran out of time is dropped with this call's.
pub(super) async fn within<F: Future>(
    clock: &Clock,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut timer = pin!(None);
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if timer.is_none() {
            timer.set(Some(sleep(clock, limit)));
        }
        match timer.as_mut().as_pin_mut() {
            Some(timer) => timer.poll(context).map(|()| None),
            None => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::within;
    use crate::clock::Clock;
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::task::{Context, Waker};
    use std::time::Duration;

    #[test]
    fn what_is_ready_wins_even_without_any_time() {
        let (clock, _hand) = Clock::manual();
        let mut call = pin!(within(&clock, Duration::ZERO, ready(7)));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, std::task::Poll::Ready(Some(7)));
    }

    #[test]
    fn what_hangs_ends_with_its_limit_and_not_before() {
        let (clock, hand) = Clock::manual();
        let mut call = pin!(within(&clock, Duration::from_millis(50), pending::<()>()));
        let mut context = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
        hand.advance(Duration::from_millis(49));
        assert!(call.as_mut().poll(&mut context).is_pending());
        hand.advance(Duration::from_millis(1));
        assert_eq!(call.as_mut().poll(&mut context), std::task::Poll::Ready(None));
    }
}
