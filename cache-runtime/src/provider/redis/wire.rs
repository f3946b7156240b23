//! One connection: opened, logged in, and watched.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, RedisError, Value};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::batch::{Commands, RedisBatch};
use super::pushes::Pushes;
use super::stream::{Over, Pulse, Socket, Stream};
use super::tls::Tls;
use super::url::{Address, Login};
use crate::{Error, ErrorKind, Result};

/// So many sends that were given up without a sign of life, over at least [`SILENCE`], end a
/// connection: its server hangs, or the network swallows what is sent.
const GIVEN_UP: u32 = 5;
const SILENCE: Duration = Duration::from_millis(100);

/// How many commands wait for the socket's task at most before senders wait themselves.
const QUEUE: usize = 2_048;

/// A connection that any number of tasks share.
pub(super) struct Wire {
    multiplexed: MultiplexedConnection,
    address: Address,
    pulse: Arc<Pulse>,
    driver: AbortHandle,
    silence: Mutex<Silence>,
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
        // Time is limited where the caller knows how long it can wait. A connection on which nothing
        // is answered any more is ended as a whole, so that nobody waits for ever.
        let mut config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        let mut settings = settings(login, database);
        if let Some(pushes) = pushes.cloned() {
            config = config.set_push_sender(move |push| pushes.hear(&push));
            settings = settings.set_protocol(ProtocolVersion::RESP3);
        }
        let (multiplexed, driver) =
            MultiplexedConnection::new_with_config(&settings, stream, config)
                .await
                .map_err(|error| refused(address, &error))?;
        let over = Over(pulse.clone());
        let driver = tokio::spawn(async move {
            let _over = over;
            driver.await;
        });
        let silence = Silence { heard: pulse.heard(), given_up: 0, since: Instant::now() };
        Ok(Self {
            multiplexed,
            address: address.clone(),
            pulse,
            driver: driver.abort_handle(),
            silence: Mutex::new(silence),
        })
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
    /// A send that is dropped is in doubt. Several of them, in a row and without a sign of life
    /// from the server, end the connection.
    pub(super) async fn send(&self, batch: &RedisBatch) -> Result<Vec<Value>> {
        if self.is_over() {
            return Err(self.ended(ErrorKind::Unavailable, "was closed"));
        }
        let given_up = GivenUp(Some(self));
        let mut multiplexed = self.multiplexed.clone();
        let answered = match batch.commands() {
            Commands::None => Ok(Vec::new()),
            Commands::One(command) => {
                multiplexed.send_packed_command(command).await.map(|value| vec![value])
            }
            Commands::Many(commands) => {
                Box::pin(multiplexed.send_packed_commands(commands, 0, commands.len())).await
            }
        };
        given_up.answered();
        let answered = answered.map(|values| match batch.is_asking() {
            false => values,
            true => values.into_iter().skip(1).step_by(2).collect(),
        });
        answered.map_err(|error| {
            // Whatever redis-rs calls an error here is one of the connection: answers of the server
            // are values. After an answer that it cannot parse, the next ones could be anybody's.
            self.end();
            self.ended(ErrorKind::Unknown, "was closed before the answer").with_source(error)
        })
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

fn settings(login: &Login, database: u32) -> RedisConnectionInfo {
    let mut settings = RedisConnectionInfo::default()
        .set_db(i64::from(database))
        .set_lib_name("cache-runtime", env!("CARGO_PKG_VERSION"));
    if let Some(username) = &login.username {
        settings = settings.set_username(username.expose());
    }
    if let Some(password) = &login.password {
        settings = settings.set_password(password.expose());
    }
    settings
}

/// Why a server did not take us. What redis-rs says holds no password.
fn refused(address: &Address, error: &RedisError) -> Error {
    let message = match error.kind() {
        ::redis::ErrorKind::AuthenticationFailed => format!(
            "{address} refused the user name or the password; look at the URL of Redis (`REDIS_URL`)"
        ),
        _ => format!("{address} did not take the connection: {error}"),
    };
    Error::new(ErrorKind::Unavailable, "redis", message)
}
