//! Holds, each of which ends by itself, and what else blocks names for a while.

use std::time::Duration;

use super::join::join_all;
use super::link::{Bucket, Link};
use super::reply;
use super::scripts::{Call, Script};
use super::steps::Steps;
use crate::Result;
use crate::entry::Prefix;
use crate::provider::{CellKind, Mark, ttl_millis};

/// How long a removal blocks what it cannot remove at one instant, if it never ends.
pub(super) const BLOCK: Duration = Duration::from_secs(10);

/// How much of a block's time may have passed for it to be relied on: clocks do not run alike.
pub(super) const RELIABLE: Duration = Duration::from_secs(9);

/// Names of one bucket.
#[derive(Debug)]
pub(super) struct Lot {
    pub(super) bucket: Bucket,
    pub(super) cells: Vec<Vec<u8>>,
    pub(super) marks: Vec<Vec<u8>>,
}

impl Lot {
    /// The lot of this bucket, which may be a new one.
    pub(super) fn of(lots: &mut Vec<Lot>, bucket: Bucket) -> &mut Lot {
        let at = lots.iter().position(|lot| lot.bucket == bucket).unwrap_or_else(|| {
            lots.push(Lot { bucket, cells: Vec::new(), marks: Vec::new() });
            lots.len() - 1
        });
        &mut lots[at]
    }

    /// A run of a script over all names.
    pub(super) fn call<'s>(&self, script: &'s Script) -> Call<'s> {
        let mut call = Call::new(script, self.bucket);
        self.cells.iter().chain(&self.marks).for_each(|name| call.keys.push(name));
        call.arguments.push_number(self.cells.len() as u64);
        call
    }
}

/// A hold, as the server tells it from those of others: by the moment at which it ends, in milliseconds
/// of its clock. Two that end at the same moment may take each other's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold(u64);

impl Hold {
    /// How scripts name it; nothing for a hold that has no name.
    fn word(hold: Option<Self>) -> String {
        hold.map_or_else(String::new, |Self(end)| format!("{end:013}"))
    }
}

/// What was found where names were blocked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocked {
    /// How many cells, and marks that nobody held, there were.
    pub(super) removed: u64,
    /// How many marks nobody held, or not by the hold that was to last longer.
    pub(super) unheld: u64,
    /// The hold of each mark.
    pub(super) hold: Hold,
}

impl<L: Link> Steps<L> {
    /// All names, by bucket; those of cells once each.
    pub(super) fn lots(
        &self,
        step: &'static str,
        keys: &[&str],
        marks: &[Mark<'_>],
    ) -> Result<Vec<Lot>> {
        let mut lots: Vec<Lot> = Vec::new();
        for key in keys {
            let (bucket, mut name) = (self.names.bucket_of(key), Vec::new());
            self.names.write_cell(step, bucket, key, &mut name)?;
            Lot::of(&mut lots, bucket).cells.push(name);
        }
        for group in self.groups_of_copies(marks) {
            let lot = Lot::of(&mut lots, group.bucket);
            for place in &group.places {
                let mut name = Vec::new();
                self.names.write_mark(step, group.bucket, &marks[*place], &mut name)?;
                lot.marks.push(name);
            }
        }
        for lot in &mut lots {
            lot.cells.sort_unstable();
            lot.cells.dedup();
        }
        Ok(lots)
    }

    /// [`Provider::hold_marks`](crate::provider::Provider::hold_marks).
    pub(super) async fn hold(&self, marks: &[Mark<'_>], ttl: Duration) -> Result<()> {
        const STEP: &str = "hold_marks";
        self.check_open(STEP)?;
        let lots = self.lots(STEP, &[], marks)?;
        reply::all_done(STEP, self.block(STEP, &lots, ttl, &[]).await).map(drop)
    }

    /// [`Provider::release_marks`](crate::provider::Provider::release_marks).
    pub(super) async fn release_holds(&self, marks: &[Mark<'_>]) -> Result<()> {
        const STEP: &str = "release_marks";
        self.check_open(STEP)?;
        let lots = self.lots(STEP, &[], marks)?;
        let lifts = lots.iter().map(|lot| self.lift_lot(STEP, lot, None));
        reply::all_done(STEP, join_all(lifts).await).map(drop)
    }

    /// Holds the marks, and puts a writer's cell in place of the cells; all buckets in parallel. Where
    /// former holds are named, one for each lot, those last longer instead.
    pub(super) async fn block(
        &self,
        step: &'static str,
        lots: &[Lot],
        ttl: Duration,
        former: &[Hold],
    ) -> Vec<Result<Blocked>> {
        let tombstone = Prefix::unique(CellKind::Write);
        let tombstone = L::FORM.encode_cell(tombstone.as_bytes()).into_owned();
        let tombstone = tombstone.as_slice();
        join_all(lots.iter().enumerate().map(|(at, lot)| async move {
            let mut call = lot.call(&self.scripts.hold);
            call.arguments.push(tombstone);
            call.arguments.push_number(ttl_millis(ttl));
            call.arguments.push(Hold::word(former.get(at).copied()).as_bytes());
            let (reply, _) = self.run_now(step, &call).await?;
            let mut counts = reply::list(step, reply)?.into_iter();
            match (counts.next(), counts.next(), counts.next()) {
                (Some(removed), Some(unheld), Some(end)) => Ok(Blocked {
                    removed: reply::count(step, removed)?,
                    unheld: reply::count(step, unheld)?,
                    hold: Hold(reply::count(step, end)?),
                }),
                _ => Err(reply::miscounted(step)),
            }
        }))
        .await
    }

    /// Ends a hold of each mark, or the one that ends first, and removes the cells; how many marks were
    /// not held by it any more.
    pub(super) async fn lift_lot(
        &self,
        step: &'static str,
        lot: &Lot,
        hold: Option<Hold>,
    ) -> Result<u64> {
        if lot.marks.is_empty() {
            return self.unlink_lot(step, lot).await.map(|_| 0);
        }
        let mut call = lot.call(&self.scripts.lift);
        call.arguments.push(Hold::word(hold).as_bytes());
        let (reply, _) = self.run_now(step, &call).await?;
        reply::count(step, reply)
    }
}
