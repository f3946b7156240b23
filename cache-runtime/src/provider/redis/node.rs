//! One server, reached over one connection or several.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::batch::{Packed, RedisBatch};
use super::dial::Dial;
use super::hit::observed;
use super::lane::{Connection, Lane, Settings};
use super::reply::{self, Cause, Fault};
use super::wire::Unanswered;
use crate::provider::commands::{Answer, Sent};
use crate::provider::{Incarnation, Observed};
use crate::{Error, ErrorKind, Result};

/// How often a connection that was over before anything was sent is replaced for one batch.
const ATTEMPTS: usize = 3;

/// One server. Its connections are used in turn.
#[derive(Debug)]
pub(super) struct Node {
    lanes: Box<[Arc<Lane>]>,
    turn: AtomicUsize,
    /// Whether the server refused the last batch that it answered.
    refuses: AtomicBool,
}

/// What a server made of a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Sent),
    /// It does not serve; in a cluster another one may.
    Refused(Fault),
}

/// What a server made of a hit's question.
#[derive(Debug)]
pub(super) enum Looked {
    Observed(Observed),
    /// It answered with something else, or was in another life.
    Otherwise(Outcome),
}

/// Where an answer came from.
struct Line<'a> {
    lane: &'a Arc<Lane>,
    connection: Arc<Connection>,
}

impl Node {
    pub(super) fn new(dial: &Dial, settings: &Arc<Settings>, connections: usize) -> Self {
        let lane = || Lane::new(dial.clone(), settings.clone());
        let lanes = (0..connections.max(1)).map(|_| lane()).collect();
        Self { lanes, turn: AtomicUsize::new(0), refuses: AtomicBool::new(false) }
    }

    /// Sends a batch, with `life` only to a server in that life.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if surely nothing was sent,
    /// [`Unknown`](ErrorKind::Unknown) if the connection ended before the answer.
    pub(super) async fn send(
        &self,
        batch: &RedisBatch,
        life: Option<Incarnation>,
    ) -> Result<Outcome> {
        match self.ask(batch.pack(), life).await? {
            Some((line, answers)) => {
                let values = line.connection.wire.values(&answers, batch.answers())?;
                self.outcome(&line, batch.without_asking(values))
            }
            None => Ok(Outcome::Done(Sent::OtherLife)),
        }
    }

    /// Sends the command that reads a cell and so many marks.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub(super) async fn look(&self, packed: Packed, marks: usize) -> Result<Looked> {
        let Some((line, answer)) = self.ask(packed, None).await? else {
            return Ok(Looked::Otherwise(Outcome::Done(Sent::OtherLife)));
        };
        match observed(answer, marks, line.connection.identity.incarnation) {
            Ok(observed) => {
                self.note_refusal(false);
                Ok(Looked::Observed(observed))
            }
            // A refusal, nearly always.
            Err(answer) => {
                let values = line.connection.wire.values(&answer, 1)?;
                self.outcome(&line, values).map(Looked::Otherwise)
            }
        }
    }

    /// Sends commands and returns the answers as they came, with where they came from; `None` where
    /// the server is in another life than this.
    async fn ask(
        &self,
        mut packed: Packed,
        life: Option<Incarnation>,
    ) -> Result<Option<(Line<'_>, Vec<u8>)>> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let lane = self.lane();
            // Waiting is rare, and a hit's future has no room for it.
            let connection = match lane.ready() {
                Some(connection) => connection,
                None => Box::pin(lane.connection()).await?,
            };
            if life.is_some_and(|life| life != connection.identity.incarnation) {
                return Ok(None);
            }
            match connection.wire.ask(packed).await {
                Ok(answers) => return Ok(Some((Line { lane, connection }, answers))),
                Err(Unanswered::Unsent(back)) => {
                    packed = back;
                    last = Some(connection.wire.closed());
                }
                Err(Unanswered::InDoubt) => return Err(connection.wire.lost()),
            }
        }
        Err(last.unwrap_or_else(|| Error::new(ErrorKind::Unavailable, "redis", "no connection")))
    }

    /// Sends a batch on a connection that is opened for it, and closed after it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// The connection goes with the future, and the server forgets what it has not begun.
    pub(super) async fn send_apart(&self, batch: &RedisBatch) -> Result<Outcome> {
        let lane = self.lane();
        let line = Line { lane, connection: Arc::new(lane.open().await?) };
        let values = line.connection.wire.send(batch).await?;
        self.outcome(&line, values)
    }

    fn lane(&self) -> &Arc<Lane> {
        match &*self.lanes {
            [lane] => lane,
            lanes => &lanes[self.turn.fetch_add(1, Ordering::Relaxed) % lanes.len()],
        }
    }

    /// Whether there is a connection now, on which the server does what it is asked.
    pub(super) fn serves(&self) -> bool {
        self.is_ready() && !self.refuses.load(Ordering::Relaxed)
    }

    /// Whether any of the connections is there now.
    pub(super) fn is_ready(&self) -> bool {
        self.lanes.iter().any(|lane| lane.ready().is_some())
    }

    /// Lets go of the connections for good.
    pub(super) fn shut(&self) {
        for lane in &self.lanes {
            lane.shut();
        }
    }

    /// Notes whether the server refused what it was asked.
    fn note_refusal(&self, refuses: bool) {
        if self.refuses.load(Ordering::Relaxed) != refuses {
            self.refuses.store(refuses, Ordering::Relaxed);
        }
    }

    fn outcome(&self, line: &Line<'_>, values: Vec<::redis::Value>) -> Result<Outcome> {
        let Line { lane, connection } = line;
        let replies = reply::replies(values)?;
        // A redirection says where something is, and not that this server serves nobody.
        let is_redirected =
            |fault: &Fault| matches!(fault.cause, Cause::Moved | Cause::Ask | Cause::TryAgain);
        self.note_refusal(replies.as_ref().is_err_and(|fault| !is_redirected(fault)));
        Ok(match replies {
            Ok(replies) => {
                let incarnation = connection.identity.incarnation;
                Outcome::Done(Sent::Answered(Answer { replies, incarnation }))
            }
            Err(fault) => {
                // Whoever answers so has another role, or has it soon, and may come back with an
                // older state. So the life that was read on this connection counts for no further
                // batch.
                if matches!(fault.cause, Cause::Other | Cause::Moved) {
                    lane.replace(connection);
                }
                Outcome::Refused(fault)
            }
        })
    }
}
