//! Invalidations: acknowledged by the store, or kept until they are.

use super::Resilient;
use super::outbox::Invalidation;
use super::run::Step;
use crate::provider::BoxFuture;
use crate::{Error, ErrorKind, Result};

impl Invalidation<'_> {
    const fn step(&self) -> Step {
        let operation = match self {
            Invalidation::Names(_) => "remove",
            Invalidation::Matching(_) => "remove_matching",
            Invalidation::All => "clear",
        };
        let scans = !matches!(self, Invalidation::Names(_));
        Step { scans, patient: true, ..Step::repeatable(operation) }
    }
}

impl Resilient {
    /// Removes now, or has it removed in the background.
    pub(super) async fn invalidate(&self, what: Invalidation<'_>) -> Result<u64> {
        let deferral = Deferral { resilient: self, what: Some(what) };
        let sending = self.outbox.sending(&what);
        let step = what.step();
        match self.run(step, || self.send(what)).await {
            Ok(removed) => {
                deferral.settled();
                self.outbox.sent(what, sending);
                Ok(removed)
            }
            Err(error) if is_final(error.kind()) => {
                deferral.settled();
                Err(error)
            }
            Err(error) => {
                drop(deferral);
                let message = "the store has not acknowledged it; it is repeated in the background \
                               until it does";
                Err(Error::new(ErrorKind::Unknown, step.operation, message).with_source(error))
            }
        }
    }

    fn send<'a>(&'a self, what: Invalidation<'a>) -> BoxFuture<'a, Result<u64>> {
        match what {
            Invalidation::Names(removal) => self.inner.remove(removal),
            Invalidation::Matching(pattern) => self.inner.remove_matching(pattern),
            Invalidation::All => Box::pin(async { self.inner.clear().await.map(|()| 0) }),
        }
    }

    fn defer(&self, what: Invalidation<'_>) {
        self.counters.deferred.add();
        self.outbox.ask(what);
        if !self.is_closed() {
            self.wake_worker();
        }
    }
}

/// Whether repeating is in vain: there cannot be such a name, or there is no store any more. All
/// other errors may pass, wrong passwords included.
pub(super) const fn is_final(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidKey
            | ErrorKind::TooLarge
            | ErrorKind::Codec
            | ErrorKind::Unsupported
            | ErrorKind::Shutdown
    )
}

/// Hands an invalidation to the background when it is dropped: also when the caller gives up
/// waiting, since it may have been the only one to know.
struct Deferral<'a> {
    resilient: &'a Resilient,
    what: Option<Invalidation<'a>>,
}

impl Deferral<'_> {
    fn settled(mut self) {
        self.what = None;
    }
}

impl Drop for Deferral<'_> {
    fn drop(&mut self) {
        if let Some(what) = self.what {
            self.resilient.defer(what);
        }
    }
}
