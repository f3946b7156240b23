//! The mark that is held while a scan removes one page after the other.

#[cfg(all(test, feature = "redis", feature = "upstash", feature = "conformance"))]
use std::time::Duration;
use std::time::Instant;

use super::holds::{BLOCK, Blocked, Hold, Lot, RELIABLE};
use super::join::join_all;
use super::link::Link;
use super::reply;
use super::steps::Steps;
use crate::provider::SWEEP;
use crate::{Error, ErrorKind, Result};

/// A hold of [`SWEEP`] in every bucket.
///
/// Nobody releases it if the scan is given up: then it ends by itself.
pub(super) struct Sweep<'a, L> {
    steps: &'a Steps<L>,
    step: &'static str,
    lots: Vec<Lot>,
    /// One for each lot.
    holds: Vec<Hold>,
    renewed: Instant,
}

impl<'a, L: Link> Sweep<'a, L> {
    /// Holds the mark.
    pub(super) async fn begin(steps: &'a Steps<L>, step: &'static str) -> Result<Self> {
        let lots = steps.lots(step, &[], &[SWEEP])?;
        let renewed = Instant::now();
        let held = steps.block(step, &lots, BLOCK, &[]).await;
        if held.iter().any(Result::is_err) {
            // Nobody is going to scan: what is held keeps others from storing for nothing. What
            // cannot be released ends by itself.
            for (lot, held) in lots.iter().zip(&held) {
                if let Ok(Blocked { hold, .. }) = held {
                    let _ = steps.lift_lot(step, lot, Some(*hold)).await;
                }
            }
        }
        let holds = reply::all_done(step, held)?.into_iter().map(|held| held.hold).collect();
        Ok(Self { steps, step, lots, holds, renewed })
    }

    /// Holds the mark longer if that is due; false if it may not have been held all the time.
    pub(super) async fn goes_on(&mut self) -> Result<bool> {
        if self.renewed.elapsed() < BLOCK / 3 {
            return Ok(true);
        }
        let (former, now) = (self.renewed, Instant::now());
        let held = self.steps.block(self.step, &self.lots, BLOCK, &self.holds).await;
        let held = reply::all_done(self.step, held)?;
        let was_held = former.elapsed() < RELIABLE && held.iter().all(|held| held.unheld == 0);
        self.holds = held.into_iter().map(|held| held.hold).collect();
        self.renewed = now;
        Ok(was_held)
    }

    /// Releases the mark after the last page.
    ///
    /// # Errors
    ///
    /// [`Unknown`](ErrorKind::Unknown) where it turns out that the mark was lost before. That it
    /// could not be released is no error: it ends by itself.
    pub(super) async fn end(self) -> Result<()> {
        if self.renewed.elapsed() > RELIABLE {
            return Err(self.lost());
        }
        let each = self.lots.iter().zip(&self.holds);
        let lifts = each.map(|(lot, hold)| self.steps.lift_lot(self.step, lot, Some(*hold)));
        let lifted = join_all(lifts).await;
        if lifted.iter().any(|unheld| matches!(unheld, Ok(1..))) {
            return Err(self.lost());
        }
        Ok(())
    }

    /// As if the mark had been held for so long.
    #[cfg(all(test, feature = "redis", feature = "upstash", feature = "conformance"))]
    pub(super) fn age(&mut self, by: Duration) {
        self.renewed = self.renewed.checked_sub(by).expect("the machine is up for longer");
    }

    fn lost(&self) -> Error {
        let message = "a server lost the mark that keeps loads from storing while it is scanned";
        Error::new(ErrorKind::Unknown, self.step, message)
    }
}
