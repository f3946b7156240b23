//! Redis Cluster: batches go to the primary of their bucket, and follow it where it moves.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::batch::RedisBatch;
use super::chart::Chart;
use super::lane::Settings;
use super::link::served;
use super::node::{Node, Outcome};
use super::reply::{Cause, Fault};
use super::url::Address;
use crate::provider::Incarnation;
use crate::provider::commands::{Bucket, Sent};
use crate::{Error, ErrorKind, Result};

/// How often one batch is redirected or tried again.
const REDIRECTIONS: u32 = 6;

/// How long a batch rests whose keys lie on both sides of a slot that moves.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// The servers of a cluster.
#[derive(Debug)]
pub(super) struct Cluster(Arc<Chart>);

impl Cluster {
    pub(super) fn new(seeds: Vec<Address>, settings: Arc<Settings>, connections: usize) -> Self {
        Self(Chart::new(seeds, settings, connections))
    }

    /// Who has what.
    pub(super) fn chart(&self) -> Arc<Chart> {
        self.0.clone()
    }

    /// Sends a batch to the primary of a bucket.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if surely nothing was done,
    /// [`Unknown`](ErrorKind::Unknown) if something may have been.
    pub(super) async fn send(
        &self,
        bucket: Bucket,
        batch: &RedisBatch,
        life: Option<Incarnation>,
    ) -> Result<Sent> {
        let mut node = self.0.owner(bucket).await?;
        let mut asking = None;
        for attempt in 1..=REDIRECTIONS {
            let lost = Lost { chart: &self.0, node: Some(&node) };
            let outcome = node.send(asking.as_ref().unwrap_or(batch), life).await;
            lost.answered();
            let fault = match outcome {
                Ok(Outcome::Done(sent)) => return Ok(sent),
                Ok(Outcome::Refused(fault)) => fault,
                Err(error) => {
                    self.0.renew();
                    return Err(error);
                }
            };
            match self.follow(&fault, batch)? {
                Next::There(there) => (node, asking) = (there, None),
                Next::Asking(there, question) => (node, asking) = (there, Some(question)),
                Next::Again => sleep(TRY_AGAIN * attempt).await,
            }
        }
        let message = "the batch was redirected too often; the cluster is being changed";
        Err(Error::new(ErrorKind::Unavailable, "redis", message))
    }

    /// Where a refused batch goes next.
    fn follow(&self, fault: &Fault, batch: &RedisBatch) -> Result<Next> {
        if matches!(fault.cause, Cause::Moved | Cause::Cluster | Cause::Other) {
            self.0.renew();
        }
        // Of a batch that was done in part nothing can be sent again, since not everything may be
        // done twice.
        if !fault.whole {
            return Err(fault.error());
        }
        match (fault.cause, fault.address()) {
            (Cause::Moved, Some((host, port))) => Ok(Next::There(self.0.at(host, port))),
            (Cause::Ask, Some((host, port))) => {
                Ok(Next::Asking(self.0.at(host, port), batch.asking()))
            }
            (Cause::TryAgain, _) => Ok(Next::Again),
            _ => Err(fault.error()),
        }
    }

    /// How many primaries there are, asked of the cluster now.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if no server says.
    pub(super) async fn primaries(&self) -> Result<usize> {
        self.0.renewed().await?;
        Ok(self.0.primaries())
    }

    /// Sends a batch to one primary by its number.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub(super) async fn send_to(&self, number: usize, batch: &RedisBatch) -> Result<Sent> {
        let node = self.0.primary(number).ok_or_else(|| {
            let message = "the cluster has fewer primaries than before";
            Error::new(ErrorKind::Unavailable, "redis", message)
        })?;
        let sent = node.send(batch, None).await.and_then(served);
        if sent.is_err() {
            self.0.renew();
        }
        sent
    }

    /// Whether there are several primaries, and one of them serves.
    pub(super) fn serves_in_part(&self) -> bool {
        self.0.serves_in_part()
    }

    /// Lets go of all connections for good.
    pub(super) fn shut(&self) {
        self.0.shut();
    }
}

enum Next {
    There(Arc<Node>),
    Asking(Arc<Node>, RedisBatch),
    Again,
}

/// A send that is given up on a server without a connection: another may have taken over.
struct Lost<'a> {
    chart: &'a Arc<Chart>,
    node: Option<&'a Node>,
}

impl Lost<'_> {
    fn answered(mut self) {
        self.node = None;
    }
}

impl Drop for Lost<'_> {
    fn drop(&mut self) {
        if self.node.is_some_and(|node| !node.is_ready()) {
            self.chart.renew();
        }
    }
}
