//! One connection: opened, logged in, and watched.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::redis::Value;
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::batch::{Packed, RedisBatch};
use super::driver::{Driver, Message};
use super::greeting::greet;
use super::pushes::Pushes;
use super::resp::{self, Garbled};
use super::stream::{Over, Pulse, Socket, Stream};
use super::tls::Tls;
use super::url::{Address, Login};
use crate::{Error, ErrorKind, Result};

/// So many sends that were given up without a sign of life, over at least [`SILENCE`], end a
/// connection: its server hangs, or the network swallows what is sent.
const GIVEN_UP: u32 = 5;
const SILENCE: Duration = Duration::from_millis(100);

/// A connection that any number of tasks share.
pub(super) struct Wire {
    commands: mpsc::Sender<Message>,
    address: Address,
    pulse: Arc<Pulse>,
    driver: AbortHandle,
    silence: Mutex<Silence>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The connection was over before: this can be sent on another one.
    Unsent(Packed),
    /// The connection ended while the answer was awaited.
    InDoubt,
}

/// Sends that were given up since the server was heard last.
struct Silence {
    heard: u64,
    given_up: u32,
    since: Instant,
}

impl Wire {
    /// Connects and logs in, with RESP3 if there is somebody to hear pushes. The caller limits the
    /// time.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable), with the address and what failed.
    pub(super) async fn open(
        address: &Address,
        login: &Login,
        database: u32,
        tls: Option<&Tls>,
        pushes: Option<&Pushes>,
    ) -> Result<Self> {
        let failed = |error: std::io::Error| {
            let message = format!("cannot connect to {address}: {error}");
            Error::new(ErrorKind::Unavailable, "redis", message).with_source(error)
        };
        let socket =
            TcpStream::connect((address.host.as_str(), address.port)).await.map_err(failed)?;
        socket.set_nodelay(true).map_err(failed)?;
        let socket = match tls {
            None => Socket::Plain(socket),
            Some(tls) => {
                let shaken = tls.open(address, socket).await;
                Socket::Tls(Box::new(shaken.map_err(|error| {
                    let message = format!("no TLS connection to {address}: {error}");
                    Error::new(ErrorKind::Unavailable, "redis", message).with_source(error)
                })?))
            }
        };
        let pulse = Arc::new(Pulse::default());
        let stream = Stream::new(socket, pulse.clone());
        let (driver, commands) = Driver::new(stream, pushes.cloned());
        let over = Over(pulse.clone());
        let driver = tokio::spawn(async move {
            let _over = over;
            driver.run().await;
        });
        let silence = Silence { heard: pulse.heard(), given_up: 0, since: Instant::now() };
        let wire = Self {
            commands,
            address: address.clone(),
            pulse,
            driver: driver.abort_handle(),
            silence: Mutex::new(silence),
        };
        greet(&wire, login, database, pushes.is_some()).await?;
        Ok(wire)
    }

    /// Where the server is.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// What is known of the connection's life.
    pub(super) fn pulse(&self) -> Arc<Pulse> {
        self.pulse.clone()
    }

    /// Whether nothing can be sent any more.
    pub(super) fn is_over(&self) -> bool {
        self.pulse.is_over()
    }

    /// Ends the connection: what is under way fails with [`Unknown`](ErrorKind::Unknown).
    pub(super) fn end(&self) {
        self.pulse.set_over();
        self.driver.abort();
    }

    /// Sends a batch and waits for the answers, one for each command.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if the connection was over before,
    /// [`Unknown`](ErrorKind::Unknown) if it ended while the answer was awaited.
    ///
    /// # Cancel safety
    ///
    /// As [`ask`](Self::ask).
    pub(super) async fn send(&self, batch: &RedisBatch) -> Result<Vec<Value>> {
        match self.ask(batch.pack()).await {
            Ok(answers) => {
                self.values(&answers, batch.answers()).map(|all| batch.without_asking(all))
            }
            Err(Unanswered::Unsent(_)) => Err(self.closed()),
            Err(Unanswered::InDoubt) => Err(self.lost()),
        }
    }

    /// Sends commands and waits for the answers, which are returned as they came.
    ///
    /// # Cancel safety
    ///
    /// A send that is dropped is in doubt. Several of them, in a row and without a sign of life
    /// from the server, end the connection.
    pub(super) async fn ask(&self, packed: Packed) -> std::result::Result<Vec<u8>, Unanswered> {
        if self.is_over() {
            return Err(Unanswered::Unsent(packed));
        }
        if packed.answers() == 0 {
            return Ok(Vec::new());
        }
        let (answered, answers) = oneshot::channel();
        let given_up = GivenUp(Some(self));
        let unsent = match self.commands.try_send(Message { packed, answered }) {
            Ok(()) => None,
            // Waiting is rare, and a hit's future has no room for it.
            Err(TrySendError::Full(message)) => {
                Box::pin(self.commands.send(message)).await.err().map(|error| error.0)
            }
            Err(TrySendError::Closed(message)) => Some(message),
        };
        let answers = match unsent {
            None => answers.await.map_err(|_| Unanswered::InDoubt),
            Some(message) => Err(Unanswered::Unsent(message.packed)),
        };
        given_up.answered();
        answers
    }

    /// So many answers as values.
    ///
    /// # Errors
    ///
    /// [`Unknown`](ErrorKind::Unknown) if they cannot be understood: whoever sends such things
    /// is not believed in the rest either, and the connection ends.
    pub(super) fn values(&self, answers: &[u8], count: usize) -> Result<Vec<Value>> {
        resp::values(answers, count).map_err(|Garbled| {
            self.end();
            self.ended(ErrorKind::Unknown, "brought what is no answer")
        })
    }

    /// The error for what was sent and not answered.
    pub(super) fn lost(&self) -> Error {
        self.ended(ErrorKind::Unknown, "was closed before the answer")
    }

    /// The error for what never left the process.
    pub(super) fn closed(&self) -> Error {
        self.ended(ErrorKind::Unavailable, "was closed")
    }

    fn ended(&self, kind: ErrorKind, how: &str) -> Error {
        Error::new(kind, "redis", format!("the connection to {} {how}", self.address))
    }

    /// Counts a send that nobody waits for any more.
    fn note_given_up(&self) {
        let heard = self.pulse.heard();
        let mut silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner);
        if silence.heard != heard {
            *silence = Silence { heard, given_up: 0, since: Instant::now() };
        }
        silence.given_up += 1;
        if silence.given_up >= GIVEN_UP && silence.since.elapsed() >= SILENCE {
            tracing::debug!(address = %self.address, "no sign of life from Redis, connecting anew");
            self.end();
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.end();
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("address", &self.address)
            .field("over", &self.pulse.is_over())
            .finish_non_exhaustive()
    }
}

/// Notes a send whose future is dropped before the answer.
struct GivenUp<'a>(Option<&'a Wire>);

impl GivenUp<'_> {
    fn answered(mut self) {
        self.0 = None;
    }
}

impl Drop for GivenUp<'_> {
    fn drop(&mut self) {
        if let Some(wire) = self.0 {
            wire.note_given_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::Wire;
    use crate::ErrorKind;
    use crate::provider::redis::batch::RedisBatch;
    use crate::provider::redis::url::{Address, Login};

    /// Reads until these bytes have come.
    async fn until(socket: &mut TcpStream, end: &[u8]) {
        let mut came = Vec::new();
        while !came.ends_with(end) {
            assert_ne!(socket.read_buf(&mut came).await.expect("a connection"), 0, "it was closed");
        }
    }

    #[tokio::test]
    async fn an_answer_that_cannot_be_read_ends_the_connection() {
        for (answer, is_read) in [("$1\r\nx\r\n", true), (":one\r\n", false), ("#x\r\n", false)] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
            let port = listener.local_addr().expect("an address").port();
            let server = tokio::spawn(async move {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                until(&mut socket, concat!(env!("CARGO_PKG_VERSION"), "\r\n").as_bytes()).await;
                socket.write_all(b"+OK\r\n+OK\r\n").await.expect("a connection");
                until(&mut socket, b"$1\r\nk\r\n").await;
                socket.write_all(answer.as_bytes()).await.expect("a connection");
                let mut rest = Vec::new();
                socket.read_to_end(&mut rest).await.expect("an end");
                assert_eq!(rest, b"", "something was sent after it");
            });
            let address = Address { host: "127.0.0.1".to_owned(), port };
            let wire = Wire::open(&address, &Login::default(), 0, None, None).await;
            let wire = wire.expect("the server greets");
            let question = RedisBatch::of("GET", &[b"k"]);
            let read = wire.send(&question).await;
            assert_eq!(read.as_ref().is_ok(), is_read, "{answer:?}: {read:?}");
            assert_eq!(wire.is_over(), !is_read, "{answer:?}");
            if let Err(error) = read {
                assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
                assert!(error.to_string().contains(&address.to_string()), "{error}");
                let next = wire.send(&question).await.expect_err("there is no connection");
                assert_eq!(next.kind(), ErrorKind::Unavailable, "{next}");
            }
            drop(wire);
            server.await.expect("the connection was closed");
        }
    }
}
