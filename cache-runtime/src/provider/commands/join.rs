//! Waiting for several futures at once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

/// A future, and its result once it has ended.
struct Running<F: Future> {
    future: Pin<Box<F>>,
    result: Option<F::Output>,
}

/// Runs all futures until each has ended, and returns their results in order.
///
/// There are as many of them as buckets at most, so each is polled whenever one wakes.
pub(crate) async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<Running<F>> =
        futures.map(|future| Running { future: Box::pin(future), result: None }).collect();
    poll_fn(|context| {
        let mut is_over = true;
        for one in all.iter_mut().filter(|one| one.result.is_none()) {
            match one.future.as_mut().poll(context) {
                Poll::Ready(result) => one.result = Some(result),
                Poll::Pending => is_over = false,
            }
        }
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    all.into_iter().filter_map(|one| one.result).collect()
}

/// Runs both futures until both have ended.
pub(super) async fn join<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut of_first, mut of_second) = (None, None);
    poll_fn(|context| {
        if of_first.is_none()
            && let Poll::Ready(output) = first.as_mut().poll(context)
        {
            of_first = Some(output);
        }
        if of_second.is_none()
            && let Poll::Ready(output) = second.as_mut().poll(context)
        {
            of_second = Some(output);
        }
        match (of_first.take(), of_second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (first, second) => {
                (of_first, of_second) = (first, second);
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::{join, join_all};

    #[tokio::test]
    async fn results_stand_in_the_order_of_the_futures() {
        let (senders, receivers): (Vec<_>, Vec<_>) = (0..5).map(|_| oneshot::channel()).unzip();
        let waits = tokio::spawn(join_all(receivers.into_iter()));
        for (number, sender) in senders.into_iter().enumerate().rev() {
            sender.send(number).expect("somebody waits");
            tokio::task::yield_now().await;
        }
        let results: Result<Vec<usize>, _> = waits.await.expect("no panic").into_iter().collect();
        assert_eq!(results, Ok(vec![0, 1, 2, 3, 4]));
        assert!(join_all(std::iter::empty::<std::future::Ready<()>>()).await.is_empty());
    }

    #[tokio::test]
    async fn of_two_either_may_end_first() {
        for is_first in [true, false] {
            let ((sender, receiver), (other, another)) = (oneshot::channel(), oneshot::channel());
            let wait = tokio::spawn(join(receiver, another));
            let (early, late) = if is_first { (sender, other) } else { (other, sender) };
            early.send(is_first).expect("somebody waits");
            tokio::task::yield_now().await;
            late.send(!is_first).expect("somebody waits");
            assert_eq!(wait.await.expect("no panic"), (Ok(true), Ok(false)));
        }
    }
}
