//! The task that serves a connection: it sends what many others ask, and hands out the answers.
//!
//! Commands leave at once (`TCP_NODELAY`): Nagle's algorithm would hold them back until what was
//! sent before is acknowledged, which is a whole round trip. But where many tasks share the
//! connection, each command would leave in a packet of its own, with a system call for us and one
//! for the server. So when several callers were answered at once, the task lets them have their
//! turns before it sends, and what they ask next leaves together. It waits for turns of the
//! executor, of which there are few, and never for time; with one caller alone it does not wait.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::redis::Value;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{mpsc, oneshot};

use super::batch::Packed;
use super::pushes::Pushes;
use super::resp::{self, Frame, Garbled};

/// How many batches wait for the task at most before senders wait themselves.
const QUEUE: usize = 2_048;

/// So many bytes are worth a system call of their own: no more are collected before they are sent.
const WORTH_SENDING: usize = 64 * 1024;

/// How much is read at once.
const READ: usize = 64 * 1024;

/// A buffer that grew beyond this for one large answer or command is not kept.
const WORTH_KEEPING: usize = 1024 * 1024;

/// For so many turns of the executor those who were answered may keep others waiting. Without any, a
/// hit costs a fifth more processor time; a second one gathers little more, and is waited for.
const MOST_TURNS: u32 = 1;

/// Commands for the task.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) packed: Packed,
    /// Takes the answers as they came, one behind the other. Whoever asked reads them, so that this
    /// work is done by as many threads as there are, and not by the one task that all wait for.
    pub(super) answered: oneshot::Sender<Vec<u8>>,
}

/// Answers that are on their way.
struct Awaited {
    missing: usize,
    came: Vec<u8>,
    answered: oneshot::Sender<Vec<u8>>,
}

/// What serves one connection.
pub(super) struct Driver<S> {
    stream: S,
    commands: mpsc::Receiver<Message>,
    /// Where commands are put when they are taken.
    taken: Vec<Message>,
    waiting: Waiting,
    input: Input,
    output: Output,
    pushes: Option<Pushes>,
    /// How many turns those had who were answered since something was sent.
    turns: u32,
}

/// Those who wait for answers.
#[derive(Default)]
struct Waiting {
    awaited: VecDeque<Awaited>,
    /// How many were answered since something was sent.
    answered: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// For a new connection; and where to put commands for it.
    pub(super) fn new(stream: S, pushes: Option<Pushes>) -> (Self, mpsc::Sender<Message>) {
        let (sender, commands) = mpsc::channel(QUEUE);
        let driver = Self {
            stream,
            commands,
            taken: Vec::new(),
            waiting: Waiting::default(),
            input: Input::default(),
            output: Output::default(),
            pushes,
            turns: 0,
        };
        (driver, sender)
    }

    /// Serves the connection until it is over, or nobody can send any more. Whoever still waits for
    /// an answer then sees that there will be none.
    pub(super) async fn run(mut self) {
        let end = poll_fn(|context| self.poll(context)).await;
        if let Err(error) = end {
            tracing::debug!(%error, "a connection to Redis is over");
            if let Some(pushes) = &self.pushes {
                pushes.end();
            }
        }
    }

    /// Reads all that has come, and sends all that is asked.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Always both: a server that cannot get rid of answers takes no commands.
        self.read(context)?;
        if self.lets_others_ask() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let is_closed = self.write(context)?;
        match is_closed && self.waiting.awaited.is_empty() {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }

    /// Whether to wait for those who were answered, and have had no turn to ask again.
    fn lets_others_ask(&mut self) -> bool {
        let answered = self.waiting.answered;
        let have_asked = self.commands.len() >= answered;
        if answered > 1 && self.turns < MOST_TURNS && !have_asked {
            self.turns += 1;
            return true;
        }
        (self.waiting.answered, self.turns) = (0, 0);
        false
    }

    fn read(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        while let Poll::Ready(length) = self.input.read(&mut self.stream, context)? {
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            while let Some(answer) = self.input.next().map_err(garbled)? {
                match answer.first() {
                    Some(b'>') => hear(self.pushes.as_ref(), answer)?,
                    _ => self.waiting.hand_out(answer)?,
                }
            }
        }
        Ok(())
    }

    /// Returns whether nobody can ask any more.
    fn write(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        loop {
            let is_closed = self.take(context);
            if self.output.is_empty() {
                return Ok(is_closed);
            }
            if self.output.write(&mut self.stream, context)?.is_pending() {
                return Ok(is_closed);
            }
        }
    }

    /// Takes commands, as many as are worth sending at once.
    fn take(&mut self, context: &mut Context<'_>) -> bool {
        while self.output.len() < WORTH_SENDING {
            match self.commands.poll_recv_many(context, &mut self.taken, QUEUE) {
                Poll::Pending => return false,
                Poll::Ready(0) => return true,
                Poll::Ready(_) => {}
            }
            for message in self.taken.drain(..) {
                let Message { packed, answered } = message;
                // Nobody waits: it need not be sent.
                if answered.is_closed() {
                    continue;
                }
                self.output.push(packed.bytes());
                let (missing, came) = (packed.answers(), Vec::new());
                self.waiting.awaited.push_back(Awaited { missing, came, answered });
            }
        }
        false
    }
}

impl Waiting {
    /// Gives an answer to the first in line.
    fn hand_out(&mut self, answer: &[u8]) -> io::Result<()> {
        // An answer that nobody asked for could as well be somebody's, and theirs the next one's.
        let awaited = self.awaited.front_mut().ok_or_else(|| garbled(Garbled))?;
        awaited.came.extend_from_slice(answer);
        awaited.missing -= 1;
        if awaited.missing == 0
            && let Some(awaited) = self.awaited.pop_front()
        {
            // Whoever does not wait any more asks nothing next.
            self.answered += usize::from(awaited.answered.send(awaited.came).is_ok());
        }
        Ok(())
    }
}

/// A server said something that nobody asked for.
fn hear(pushes: Option<&Pushes>, answer: &[u8]) -> io::Result<()> {
    if let (Some(pushes), Value::Push { kind, data }) =
        (pushes, resp::value(answer).map_err(garbled)?)
    {
        pushes.hear(&kind, &data);
    }
    Ok(())
}

/// What has come and was not read yet.
#[derive(Default)]
struct Input {
    buffer: Vec<u8>,
    /// Where the answer begins that is to be read next, and where what has come ends.
    start: usize,
    end: usize,
    frame: Frame,
}

impl Input {
    fn read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        self.make_room();
        let mut room = ReadBuf::new(&mut self.buffer[self.end..]);
        ready!(Pin::new(stream).poll_read(context, &mut room))?;
        let length = room.filled().len();
        self.end += length;
        Poll::Ready(Ok(length))
    }

    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            if self.buffer.len() > WORTH_KEEPING {
                self.buffer = Vec::new();
            }
        }
        if self.buffer.len() - self.end >= READ / 2 {
            return;
        }
        // The beginning of an answer goes to the front, unless it takes most of the buffer.
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.buffer.len() - self.end < READ / 2 {
            let length = (self.buffer.len() * 2).max(READ);
            self.buffer.resize(length, 0);
        }
    }

    /// The next answer, if all of it has come.
    fn next(&mut self) -> Result<Option<&[u8]>, Garbled> {
        if self.start == self.end {
            return Ok(None);
        }
        let came = &self.buffer[self.start..self.end];
        let Some(length) = self.frame.end(came)? else { return Ok(None) };
        self.start += length;
        self.frame = Frame::default();
        Ok(Some(&came[..length]))
    }
}

/// What is to be sent.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    sent: usize,
    /// Whether all was written, but may still lie in a layer below.
    unflushed: bool,
}

impl Output {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn len(&self) -> usize {
        self.bytes.len() - self.sent
    }

    fn is_empty(&self) -> bool {
        self.len() == 0 && !self.unflushed
    }

    fn write<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.bytes.len() {
            let rest = &self.bytes[self.sent..];
            let sent = ready!(Pin::new(&mut *stream).poll_write(context, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
            self.unflushed = true;
        }
        self.sent = 0;
        match self.bytes.capacity() > WORTH_KEEPING {
            true => self.bytes = Vec::new(),
            false => self.bytes.clear(),
        }
        ready!(Pin::new(stream).poll_flush(context))?;
        self.unflushed = false;
        Poll::Ready(Ok(()))
    }
}

fn garbled(_: Garbled) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what the server sent is no answer")
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
