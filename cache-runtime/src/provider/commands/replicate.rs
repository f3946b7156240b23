//! Waiting until replicas have what was written.

use std::time::Duration;

use super::join::join_all;
use super::link::{Batch, Bucket, Link, Reply};
use super::reply;
use super::steps::Steps;
use crate::provider::Removal;
use crate::{Error, ErrorKind, Result};

/// The key of a cell that holds nothing. The first character keeps it away from keys that users
/// choose.
const MARKER: &str = "\u{1}replicated";

/// How long the cell lives, in milliseconds: at most so often its end is replicated too.
const MARKER_TTL: &[u8] = b"1000";

impl<L: Link> Steps<L> {
    /// [`Provider::replicate`](crate::provider::Provider::replicate).
    pub(super) async fn confirm(
        &self,
        names: Removal<'_>,
        replicas: u32,
        patience: Duration,
    ) -> Result<u32> {
        const STEP: &str = "replicate";
        self.check_open(STEP)?;
        if replicas == 0 {
            return Ok(0);
        }
        if L::REST {
            let message = "what replicas have cannot be asked over REST";
            return Err(Error::new(ErrorKind::Unsupported, STEP, message));
        }
        let lots = self.lots(STEP, names.keys, names.marks)?;
        let buckets = lots.iter().map(|lot| lot.bucket).collect();
        let buckets = self.link.one_of_each(buckets).await?.into_iter();
        let confirmed =
            join_all(buckets.map(|bucket| self.confirm_in(STEP, bucket, replicas, patience)));
        let mut fewest = replicas;
        for confirmed in confirmed.await {
            fewest = fewest.min(confirmed?);
        }
        Ok(fewest)
    }

    /// How many replicas of one server have all that was written to it before.
    ///
    /// `WAIT` counts those that have the last write of its own connection. Replicas take writes over
    /// in their order, so one that has this write has all earlier ones, whoever sent them. A removal
    /// that found nothing would not do: nothing is replicated of it.
    async fn confirm_in(
        &self,
        step: &'static str,
        bucket: Bucket,
        replicas: u32,
        patience: Duration,
    ) -> Result<u32> {
        let (mut batch, mut name) = (L::Batch::default(), Vec::new());
        self.names.write_cell(step, bucket, MARKER, &mut name)?;
        batch.command("SET").arg(&name).arg(b"").arg(b"PX").arg(MARKER_TTL);
        // Zero would mean without an end.
        let patience = patience.as_millis().max(1).to_string();
        batch.command("WAIT").arg(replicas.to_string().as_bytes()).arg(patience.as_bytes());
        let mut replies = self.link.send_apart(bucket, batch).await?.replies.into_iter();
        match (replies.next(), replies.next(), replies.next()) {
            (Some(Reply::Status), Some(have), None) => {
                let have = reply::count(step, have)?;
                Ok(u32::try_from(have).unwrap_or(u32::MAX))
            }
            (Some(refused), Some(_), None) => Err(reply::unexpected(step, refused)),
            _ => Err(reply::miscounted(step)),
        }
    }
}
