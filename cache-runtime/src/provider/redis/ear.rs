//! A connection on which one server tells what changes.
//!
//! A server collects what changed while it served a round of clients, and pushes it before it waits
//! for more; some answers of the same round can leave a little earlier. Whoever gets such an answer
//! and asks for a sign of life right after it must not be answered before the push. So a question is
//! never sent before the last one was answered, and a sign of life takes two: the second one is
//! served in a later round than the first, and by then all that was acknowledged before the first
//! question was sent has been pushed.

use std::pin::pin;
use std::time::Instant;

use ::redis::{ServerError, Value};
use tokio::time::timeout;

use super::batch::RedisBatch;
use super::dial::Dial;
use super::identity::Standing;
use super::lane::{Connection, PROBE, Settings};
use super::layout::Layout;
use super::reply::{self, Cause, Fault};
use super::url::Address;
use crate::provider::commands::Batch;
use crate::{Error, ErrorKind, Result};

/// Why changes cannot be heard.
#[derive(Debug)]
pub(super) enum Deaf {
    /// A server cannot be reached, does not answer, or is not who it was.
    Lost(Error),
    /// It does not want to tell.
    Refused(String),
    /// Other servers are in charge than those that are listened to, or may be.
    Elsewhere,
}

impl From<Error> for Deaf {
    fn from(error: Error) -> Self {
        Self::Lost(error)
    }
}

/// What a server is asked about its cluster.
#[derive(Debug, Default)]
pub(super) struct Question {
    /// A name that it should be in charge of.
    pub(super) name: Option<Vec<u8>>,
    /// Who is in charge of what?
    pub(super) layout: bool,
}

/// What it says about its cluster.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) layout: Option<Layout>,
    /// Who has the name meanwhile, while its slot moves.
    pub(super) ask: Option<(String, u16)>,
}

/// A server that is listened to.
#[derive(Debug)]
pub(super) struct Ear {
    /// Where it is in a cluster.
    pub(super) at: Option<Address>,
    dial: Dial,
    connection: Connection,
    standing: Standing,
    /// When it is asked who it is in full, and Sentinel for whom it takes it.
    next_check: Instant,
}

impl Ear {
    /// Connects, and has the server tell of every change of a name with this prefix.
    pub(super) async fn open(
        at: Option<Address>,
        dial: Dial,
        settings: &Settings,
        prefix: &[u8],
    ) -> Result<Self, Deaf> {
        let limit = settings.connect_timeout;
        let opened = timeout(limit, Self::connect(at, dial, settings, prefix)).await;
        opened.unwrap_or_else(|_| {
            let message = format!("no connection to hear changes on within {limit:?}");
            Err(Deaf::Lost(Error::new(ErrorKind::Unavailable, "redis", message)))
        })
    }

    async fn connect(
        at: Option<Address>,
        dial: Dial,
        settings: &Settings,
        prefix: &[u8],
    ) -> Result<Self, Deaf> {
        let connection = dial.open(settings).await?;
        let mut batch = RedisBatch::default();
        batch.command("CLIENT");
        for word in [b"TRACKING".as_slice(), b"ON", b"BCAST", b"PREFIX", prefix] {
            batch.arg(word);
        }
        Standing::ask(&mut batch);
        let mut answers = connection.wire.send(&batch).await?.into_iter();
        match answers.next() {
            Some(Value::Okay) => {}
            Some(Value::ServerError(error)) if !is_passing(&error) => {
                return Err(Deaf::Refused(reply::words(&error)));
            }
            _ => return Err(lost(&connection, "does not serve")),
        }
        let standing = answers.next().as_ref().and_then(Standing::of);
        let standing = standing.ok_or_else(|| lost(&connection, "does not say who it is"))?;
        if standing.is_replica {
            return Err(lost(&connection, "is a replica"));
        }
        Ok(Self { at, dial, connection, standing, next_check: next_check() })
    }

    /// Asks whether the server still is who it was, and about its cluster.
    ///
    /// `waiting` is called whenever the server is late but speaks.
    pub(super) async fn ask(
        &mut self,
        question: &Question,
        settings: &Settings,
        waiting: &(dyn Fn() + Sync),
    ) -> Result<Said, Deaf> {
        if Instant::now() >= self.next_check {
            let checked = self.dial.check(&self.connection, settings);
            if !self.patient(checked, settings, waiting).await? {
                return Err(lost(&self.connection, "is not who it was"));
            }
            self.next_check = next_check();
        }
        let mut batch = RedisBatch::default();
        Standing::ask(&mut batch);
        if let Some(name) = &question.name {
            batch.command("GETRANGE").arg(name).arg(b"0").arg(b"0");
        }
        if question.layout {
            batch.command("CLUSTER").arg(b"SLOTS");
        }
        let answers = self.patient(self.connection.wire.send(&batch), settings, waiting).await?;
        let mut answers = answers.into_iter();
        if answers.next().as_ref().and_then(Standing::of).as_ref() != Some(&self.standing) {
            return Err(lost(&self.connection, "has another role or history"));
        }
        let mut said = Said::default();
        if question.name.is_some() {
            said.ask = self.redirection(answers.next())?;
        }
        if let (Some(at), Some(answer)) = (&self.at, answers.next()) {
            said.layout = Layout::of(&answer, at);
        }
        Ok(said)
    }

    /// What the server makes of a name that it should be in charge of.
    fn redirection(&self, answer: Option<Value>) -> Result<Option<(String, u16)>, Deaf> {
        let Some(Value::ServerError(error)) = answer else { return Ok(None) };
        match reply::cause(&error) {
            Some(Cause::Moved) => Err(Deaf::Elsewhere),
            Some(cause @ Cause::Ask) => {
                let fault = Fault { cause, text: reply::words(&error), whole: true };
                Ok(fault.address().map(|(host, port)| (host.to_owned(), port)))
            }
            // It is not in charge of anything now; others may be soon.
            Some(Cause::Cluster | Cause::Other) => {
                Err(lost(&self.connection, &reply::words(&error)))
            }
            Some(Cause::Busy | Cause::TryAgain) | None => Ok(None),
        }
    }

    /// Asks for the sign of life.
    pub(super) async fn ping(
        &self,
        settings: &Settings,
        waiting: &(dyn Fn() + Sync),
    ) -> Result<(), Deaf> {
        let batch = RedisBatch::of("PING", &[]);
        let answer = self.patient(self.connection.wire.send(&batch), settings, waiting).await?;
        match answer.first() {
            Some(Value::SimpleString(_)) => Ok(()),
            _ => Err(lost(&self.connection, "does not serve")),
        }
    }

    /// Waits for an answer while anything comes in.
    async fn patient<T>(
        &self,
        asked: impl Future<Output = Result<T>>,
        settings: &Settings,
        waiting: &(dyn Fn() + Sync),
    ) -> Result<T, Deaf> {
        let (mut asked, pulse) = (pin!(asked), self.connection.wire.pulse());
        loop {
            let heard = pulse.heard();
            match timeout(settings.connect_timeout, asked.as_mut()).await {
                Ok(answer) => return Ok(answer?),
                Err(_) if pulse.heard() != heard => waiting(),
                Err(_) => return Err(lost(&self.connection, "does not answer")),
            }
        }
    }

    /// Whether nothing can be heard any more.
    pub(super) fn is_over(&self) -> bool {
        self.connection.wire.is_over()
    }
}

/// Many processes that began together do not ask together for ever.
fn next_check() -> Instant {
    Instant::now() + PROBE.mul_f64(0.8 + 0.4 * fastrand::f64())
}

/// Whether a server that refuses may do what it was asked when it serves again.
fn is_passing(error: &ServerError) -> bool {
    reply::cause(error).is_some()
}

fn lost(connection: &Connection, how: &str) -> Deaf {
    let message = format!("{} {how}", connection.wire.address());
    Deaf::Lost(Error::new(ErrorKind::Unavailable, "redis", message))
}
