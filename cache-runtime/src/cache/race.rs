//! Waiting for the first of several futures.

use std::pin::Pin;
use std::task::Poll;

/// Which of two came first.
pub(crate) enum First<A, B> {
    One(A),
    Other(B),
}

/// Waits for the first of two; where both are ready, it is the one. The loser stays as it is.
pub(crate) async fn first<A, B>(one: &mut A, other: &mut B) -> First<A::Output, B::Output>
where
    A: Future + Unpin,
    B: Future + Unpin,
{
    std::future::poll_fn(|context| {
        if let Poll::Ready(output) = Pin::new(&mut *one).poll(context) {
            return Poll::Ready(First::One(output));
        }
        Pin::new(&mut *other).poll(context).map(First::Other)
    })
    .await
}
