//! Removing cells and marks by name.

use std::time::Instant;

use super::holds::{BLOCK, Blocked, Lot, RELIABLE};
use super::join::join_all;
use super::link::{Batch, Link};
use super::reply;
use super::steps::Steps;
use crate::provider::Removal;
use crate::{Error, ErrorKind, Result};

impl<L: Link> Steps<L> {
    /// [`Provider::remove`](crate::provider::Provider::remove).
    ///
    /// A scope of which there are copies in several buckets counts once for each.
    pub(super) async fn unlink(&self, removal: Removal<'_>) -> Result<u64> {
        const STEP: &str = "remove";
        self.check_open(STEP)?;
        let lots = self.lots(STEP, removal.keys, removal.marks)?;
        match lots.as_slice() {
            [] => Ok(0),
            [lot] => self.unlink_lot(STEP, lot).await,
            lots => Box::pin(self.unlink_apart(STEP, lots)).await,
        }
    }

    /// Removes what lies in several buckets: blocks all of it, and then removes it.
    ///
    /// As soon as everything is blocked, nothing of what was is left. Until then nothing is made
    /// anew: a load whose own name is blocked already may have read what is not, and stores nothing.
    async fn unlink_apart(&self, step: &'static str, lots: &[Lot]) -> Result<u64> {
        let began = Instant::now();
        let blocked = self.block(step, lots, BLOCK, &[]).await;
        if blocked.iter().all(|result| result.as_ref().is_err_and(is_refused)) {
            return reply::all_done(step, blocked).map(|_| 0);
        }
        let is_late = began.elapsed() > RELIABLE;
        let lifts = lots.iter().zip(&blocked).map(|(lot, blocked)| async move {
            match blocked {
                Ok(blocked) => self.lift_lot(step, lot, Some(blocked.hold)).await,
                Err(_) => self.unlink_lot(step, lot).await.map(|_| 0),
            }
        });
        let lifted = join_all(lifts).await;
        let is_lost = is_late || lifted.iter().any(|unheld| matches!(unheld, Ok(1..)));
        let removed = |blocked: Result<Blocked>| blocked.map(|blocked| blocked.removed);
        let lifted = lifted.into_iter().map(|result| result.map(|_| 0));
        let results = blocked.into_iter().map(removed).chain(lifted).collect();
        let counts = reply::all_done(step, results)?;
        if is_lost {
            let message = "a server lost a hold, or took so long that names may have been unblocked too early";
            return Err(Error::new(ErrorKind::Unknown, step, message));
        }
        Ok(counts.into_iter().sum())
    }

    /// Removes what lies in one bucket, at one instant; how many there were.
    pub(super) async fn unlink_lot(&self, step: &'static str, lot: &Lot) -> Result<u64> {
        if !lot.marks.is_empty() {
            let (reply, _) = self.run_now(step, &lot.call(&self.scripts.unlink)).await?;
            return reply::count(step, reply);
        }
        let mut batch = L::Batch::default();
        batch.command("UNLINK");
        for name in &lot.cells {
            batch.arg(name);
        }
        let answer = self.send(step, lot.bucket, batch).await?;
        reply::count(step, reply::single(step, answer.replies)?)
    }

    /// Removes what lies in each bucket at an instant of its own; how many there were.
    pub(super) async fn unlink_lots(&self, step: &'static str, lots: &[Lot]) -> Result<u64> {
        let results = join_all(lots.iter().map(|lot| self.unlink_lot(step, lot))).await;
        Ok(reply::all_done(step, results)?.into_iter().sum())
    }
}

/// Whether it is sure that nothing was done.
fn is_refused(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::Unknown | ErrorKind::Timeout)
}
