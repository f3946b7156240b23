//! Sentinel: who is the primary now?

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::Value;
use tokio::time::timeout;

use super::batch::RedisBatch;
use super::dial::primary;
use super::lane::{Connection, Settings};
use super::reply;
use super::url::{Address, Login};
use super::wire::Wire;
use crate::{Error, ErrorKind, Result};

/// The Sentinels of one service, asked in turn.
pub(super) struct Sentinels {
    addresses: Vec<Address>,
    service: String,
    login: Login,
    /// The one that answered last.
    preferred: AtomicUsize,
    /// The connection to it, kept for the next question.
    wire: Mutex<Option<Arc<Wire>>>,
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sentinels")
            .field("addresses", &self.addresses)
            .field("service", &self.service)
            .field("login", &self.login)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the primary of `{}`", self.service)
    }
}

impl Sentinels {
    pub(super) fn new(addresses: Vec<Address>, service: String, login: Login) -> Self {
        Self { addresses, service, login, preferred: AtomicUsize::new(0), wire: Mutex::new(None) }
    }

    /// Connects to the primary that a Sentinel names and that says so itself.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable), with what the last Sentinel or server said.
    pub(super) async fn open(&self, settings: &Settings) -> Result<Connection> {
        let mut tried: Vec<Address> = Vec::new();
        let mut last = Error::new(ErrorKind::Unavailable, "redis", "there is no Sentinel to ask");
        let first = self.preferred.load(Ordering::Relaxed);
        for turn in 0..self.addresses.len() {
            let index = (first + turn) % self.addresses.len();
            let named = match self.ask(index, settings).await {
                Ok(named) => named,
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            // What one Sentinel names in vain need not be tried again for the next one.
            if tried.contains(&named) {
                continue;
            }
            match primary(&named, settings).await {
                Ok(connection) => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => last = error,
            }
            tried.push(named);
        }
        Err(last)
    }

    /// Whether Sentinel names another server by now, and that one is a primary.
    pub(super) async fn have_moved_on(&self, connection: &Connection, settings: &Settings) -> bool {
        // A Sentinel that does not answer says nothing about the primary.
        let Ok(named) = self.ask(self.preferred.load(Ordering::Relaxed), settings).await else {
            self.preferred.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        named != *connection.wire.address() && primary(&named, settings).await.is_ok()
    }

    /// Asks one Sentinel for the primary's address.
    async fn ask(&self, index: usize, settings: &Settings) -> Result<Address> {
        let address = &self.addresses[index % self.addresses.len()];
        // One that hangs leaves time for the others and for the primary.
        let limit = (settings.connect_timeout / 4).max(Duration::from_millis(10));
        timeout(limit, self.ask_at(address, settings)).await.unwrap_or_else(|_| {
            let message = format!("Sentinel at {address} does not answer within {limit:?}");
            Err(Error::new(ErrorKind::Unavailable, "redis", message))
        })
    }

    async fn ask_at(&self, address: &Address, settings: &Settings) -> Result<Address> {
        let wire = match self.kept(address) {
            Some(wire) => wire,
            None => {
                let wire = Wire::open(address, &self.login, 0, settings.tls.as_ref(), None);
                Arc::new(wire.await?)
            }
        };
        let service = self.service.as_bytes();
        let question = RedisBatch::of("SENTINEL", &[b"GET-MASTER-ADDR-BY-NAME", service]);
        let answer = wire.send(&question).await?.pop();
        let named = self.understood(address, answer)?;
        *self.wire.lock().unwrap_or_else(PoisonError::into_inner) = Some(wire);
        Ok(named)
    }

    /// Takes the kept connection, if it leads to this Sentinel. It is put back after an answer.
    fn kept(&self, address: &Address) -> Option<Arc<Wire>> {
        let kept = self.wire.lock().unwrap_or_else(PoisonError::into_inner).take();
        kept.filter(|wire| wire.address() == address && !wire.is_over())
    }

    fn understood(&self, address: &Address, answer: Option<Value>) -> Result<Address> {
        let message = match answer {
            Some(Value::Array(words)) => match words.as_slice() {
                [Value::BulkString(host), Value::BulkString(port)] => {
                    let host = String::from_utf8_lossy(host);
                    let port = String::from_utf8_lossy(port).parse().unwrap_or(0);
                    return Ok(Address::announced(&host, port, address));
                }
                _ => format!("Sentinel at {address} answered with no address"),
            },
            Some(Value::Nil) => {
                format!("Sentinel at {address} does not know the service `{}`", self.service)
            }
            Some(Value::ServerError(error)) => {
                format!("Sentinel at {address} refused: {}", reply::words(&error))
            }
            _ => format!("Sentinel at {address} answered with no address"),
        };
        Err(Error::new(ErrorKind::Unavailable, "redis", message))
    }
}
