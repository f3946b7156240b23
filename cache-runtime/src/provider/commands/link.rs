//! The seam between the protocol's steps and what carries commands to a server.

use std::fmt::Debug;

use super::form::Form;
use super::listener::Listener;
use super::read::hit_answer;
use crate::entry::Incarnation;
use crate::provider::Observed;
use crate::{Error, ErrorKind, Result};

/// Commands that are sent together and answered in order.
pub(crate) trait Batch: Default + Send {
    /// Begins the next command.
    fn command(&mut self, name: &'static str) -> &mut Self;

    /// Adds a word to the command that was begun last.
    fn arg(&mut self, word: &[u8]) -> &mut Self;

    /// The same with a word in pieces.
    fn arg_of(&mut self, pieces: &[&[u8]]) -> &mut Self {
        self.arg(&pieces.concat())
    }
}

/// What a server answered to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// There is nothing.
    Nil,
    /// A status such as `OK`.
    Status,
    /// A whole number.
    Integer(i64),
    /// A string of bytes.
    Bytes(Vec<u8>),
    /// Several answers.
    List(Vec<Reply>),
    /// The command was refused: the server's code and text (`NOSCRIPT No matching script`).
    Refused(String),
}

/// The answers to one batch.
#[derive(Debug)]
pub(crate) struct Answer {
    /// One reply for each command, in order.
    pub(crate) replies: Vec<Reply>,
    /// The life of the server that answered.
    pub(crate) incarnation: Incarnation,
}

/// How a batch ended.
#[derive(Debug)]
pub(crate) enum Sent {
    /// The server answered.
    Answered(Answer),
    /// Nothing was sent: the server is in another life than the one asked for.
    OtherLife,
}

impl Sent {
    /// The answer, for who named no life.
    pub(crate) fn answer(self, step: &'static str) -> Result<Answer> {
        match self {
            Sent::Answered(answer) => Ok(answer),
            Sent::OtherLife => Err(other_life(step)),
        }
    }
}

/// Where all keys of one batch lie. Always 0 where a link has one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Bucket(pub(crate) u16);

/// A server, or several that act as one, to which commands can be sent.
///
/// # Errors
///
/// [`Unavailable`](crate::ErrorKind::Unavailable) where surely nothing was sent or done,
/// [`Unknown`](crate::ErrorKind::Unknown) where it may have been. Replies that say that the server
/// cannot serve now (`LOADING`, `READONLY`, `CLUSTERDOWN`, ..) or does not know the client are
/// errors of the whole batch; all other refusals are [`Reply::Refused`].
///
/// # Cancel safety
///
/// A future that is dropped leaves its batch in doubt and disturbs no other.
pub(crate) trait Link: Debug + Send + Sync + 'static {
    /// What commands are collected in.
    type Batch: Batch;

    /// How bytes travel.
    const FORM: Form;

    /// Whether scripts are billed and locked as on Upstash.
    const REST: bool;

    /// The store's name: `redis`, `upstash`.
    fn name(&self) -> &'static str;

    /// In how many parts the keys are divided: 1, or more where parts can lie on different nodes.
    fn buckets(&self) -> u16;

    /// Whether lives of the server can be told apart, as far as it is known.
    fn is_fenced(&self) -> bool;

    /// Sends commands whose keys all lie in one bucket.
    ///
    /// With `life`, only to a server in that life.
    fn send(
        &self,
        bucket: Bucket,
        batch: Self::Batch,
        life: Option<Incarnation>,
    ) -> impl Future<Output = Result<Sent>> + Send;

    /// Sends the command that reads a cell and so many marks: `GET` where there are none, or `MGET`.
    /// All of it lies in the first bucket.
    fn look(
        &self,
        step: &'static str,
        batch: Self::Batch,
        marks: usize,
    ) -> impl Future<Output = Result<Observed>> + Send {
        async move {
            let answer = self.send(Bucket(0), batch, None).await?.answer(step)?;
            hit_answer(step, Self::FORM, marks, answer)
        }
    }

    /// Sends commands that hold up whatever comes behind them, on a connection of their own.
    fn send_apart(
        &self,
        bucket: Bucket,
        batch: Self::Batch,
    ) -> impl Future<Output = Result<Answer>> + Send;

    /// One bucket of each server that has any of these.
    fn one_of_each(
        &self,
        buckets: Vec<Bucket>,
    ) -> impl Future<Output = Result<Vec<Bucket>>> + Send {
        std::future::ready(Ok(buckets))
    }

    /// How many servers there are to scan; they are numbered from 0.
    fn nodes(&self) -> impl Future<Output = Result<usize>> + Send;

    /// Sends commands to one server, whatever lies there (`SCAN`).
    fn send_to(
        &self,
        node: usize,
        batch: Self::Batch,
    ) -> impl Future<Output = Result<Answer>> + Send;

    /// What [`Provider::serves_in_part`](crate::provider::Provider::serves_in_part) says.
    fn serves_in_part(&self) -> bool {
        false
    }

    /// Tells the listener of every name of its namespace that changes, and when its servers are
    /// alive, as [`Provider::watch`](crate::provider::Provider::watch) promises it; false if there
    /// is no way to hear of it.
    fn watch(&self, listener: Listener) -> bool;

    /// Lets go of connections; later sends fail with [`Shutdown`](crate::ErrorKind::Shutdown).
    fn shutdown(&self) -> impl Future<Output = Result<()>> + Send;
}

/// The error for a link that minds the life of the server though nobody had named one.
pub(super) fn other_life(step: &'static str) -> Error {
    let message = "the server is in another life, and nothing was sent";
    Error::new(ErrorKind::Unavailable, step, message)
}
