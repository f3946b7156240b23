//! Where somebody waits for what the scheduler gives out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The giving end; the waiting end is a [`Wait`].
#[derive(Debug)]
pub(crate) struct Slot<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

/// Waits until the slot is filled.
#[derive(Debug)]
pub(crate) struct Wait<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

pub(crate) fn slot<T>() -> (Slot<T>, Wait<T>) {
    let shared = Arc::new(Mutex::new((None, None)));
    (Slot(Arc::clone(&shared)), Wait(shared))
}

impl<T> Slot<T> {
    pub(crate) fn give(self, value: T) {
        let waker = {
            let mut shared = lock(&self.0);
            shared.0 = Some(value);
            shared.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether nobody waits any more.
    pub(crate) fn is_deserted(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl<T> Future for Wait<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut shared = lock(&self.0);
        match shared.0.take() {
            Some(value) => Poll::Ready(value),
            None => {
                shared.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
