//! A stand-in for Upstash: its REST API in front of a real `redis-server`.
//!
//! Clients that were written for Upstash, the official ones among them, are pointed at
//! [`StandIn::url`] with [`StandIn::token`]. What goes wrong in production is switched on through the
//! handle: [`Fault`]s of single requests, [`Lag`] of reads, an address that refuses connections.
//!
//! # Examples
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use upstash_standin::{Fault, StandIn};
//!
//! let upstash = StandIn::start().await?;
//! upstash.inject(Fault::throttled().share(0.5));
//! // .. requests to `upstash.url()` ..
//! println!("{} requests", upstash.counts().requests);
//! # Ok(())
//! # }
//! ```

mod backend;
mod command;
mod connection;
mod control;
mod faults;
mod http;
mod replica;
mod reply;
mod run;
mod scripts;
mod server;
mod state;
mod subscribe;
mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::routing::any;

pub use faults::{Fault, FaultKind, Target};
pub use replica::Lag;
pub use state::{Counts, Limits, Logged};

use backend::Backend;
use connection::Door;
use replica::Replica;
use server::Server;
use state::State;
use tls::Tls;

/// A running stand-in; it ends, and its Redis with it, when it is dropped.
#[derive(Debug)]
pub struct StandIn {
    door: tokio::sync::Mutex<Option<Door>>,
    address: SocketAddr,
    router: Router,
    tls: Option<Tls>,
    state: Arc<State>,
    redis_url: String,
    _server: Option<Server>,
}

/// How to start a stand-in.
#[derive(Clone, Debug)]
#[must_use = "call `start()`"]
pub struct Builder {
    address: SocketAddr,
    redis_url: Option<String>,
    token: Option<String>,
    read_only_token: Option<String>,
    replica: bool,
    tls: bool,
    limits: Limits,
}

impl StandIn {
    /// Starts one with its own Redis, at a free port, with random tokens.
    ///
    /// # Errors
    ///
    /// If `redis-server` is not installed or does not start.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// One that is started otherwise.
    pub fn builder() -> Builder {
        Builder {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            redis_url: None,
            token: None,
            read_only_token: None,
            replica: false,
            tls: false,
            limits: Limits::default(),
        }
    }

    /// Where clients reach it, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The root certificate that clients have to trust, in PEM, where it speaks TLS.
    pub fn root_pem(&self) -> Option<&str> {
        self.tls.as_ref().map(|tls| tls.root_pem.as_str())
    }

    /// The token that may do everything.
    pub fn token(&self) -> &str {
        &self.state.token
    }

    /// The token that may only read.
    pub fn read_only_token(&self) -> &str {
        &self.state.read_only_token
    }

    /// Where the Redis behind it is, to look at its keys directly.
    pub fn redis_url(&self) -> &str {
        &self.redis_url
    }

    /// Switches on one more fault.
    pub fn inject(&self, fault: Fault) {
        self.state.change_faults(|active| active.add(fault));
    }

    /// Switches off all faults; requests that hang are reset.
    pub fn clear_faults(&self) {
        self.state.change_faults(|active| active.set(Vec::new()));
    }

    /// Answers this command with NOPERM from now on, as where `INFO` is not allowed, or no longer.
    pub fn refuse_command(&self, name: &str, refused: bool) {
        self.state.backend.refuse(name, refused);
    }

    /// Lets reads lag from now on.
    ///
    /// A real replica answers them, whose replication stream is delayed or paused on its way. A
    /// request whose `upstash-sync-token` names a newer state is answered by the primary.
    ///
    /// # Panics
    ///
    /// Where the stand-in was started without [`Builder::replica`].
    pub fn set_lag(&self, lag: Lag) {
        if let Err(message) = control::set_lag(&self.state, lag) {
            panic!("{message}");
        }
    }

    /// What was asked since the last [reset](Self::reset_counts).
    pub fn counts(&self) -> Counts {
        self.state.counts().clone()
    }

    /// The last requests, at most 10,000, since the last [reset](Self::reset_counts).
    pub fn log(&self) -> Vec<Logged> {
        self.state.log().iter().cloned().collect()
    }

    /// Starts counting anew.
    pub fn reset_counts(&self) {
        *self.state.counts() = Counts::default();
        self.state.log().clear();
    }

    /// Closes the address: connections are cut, and new ones refused.
    pub async fn refuse_connections(&self) {
        if let Some(door) = self.door.lock().await.take() {
            door.close().await;
        }
    }

    /// Opens the same address again.
    ///
    /// # Errors
    ///
    /// If somebody else has taken it meanwhile.
    pub async fn accept_connections(&self) -> io::Result<()> {
        let mut door = self.door.lock().await;
        if door.is_none() {
            let tls = self.tls.as_ref().map(|tls| tls.acceptor.clone());
            *door = Some(Door::open(self.address, self.router.clone(), tls).await?);
        }
        Ok(())
    }
}

impl Builder {
    /// Listens here instead of at a free port of the loopback interface.
    pub fn address(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Stands in front of this Redis instead of one of its own.
    pub fn redis_url(self, url: impl Into<String>) -> Self {
        Self { redis_url: Some(url.into()), ..self }
    }

    /// Takes this token.
    pub fn token(self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self }
    }

    /// Takes this token for reading.
    pub fn read_only_token(self, token: impl Into<String>) -> Self {
        Self { read_only_token: Some(token.into()), ..self }
    }

    /// Adds a replica, so that reads can [lag](StandIn::set_lag).
    pub fn replica(self, replica: bool) -> Self {
        Self { replica, ..self }
    }

    /// Speaks TLS, and with it HTTP/2, with a certificate of its own.
    pub fn tls(self, tls: bool) -> Self {
        Self { tls, ..self }
    }

    /// Takes requests, keys and records of these sizes.
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// If the address is taken, Redis cannot be reached or started, or a replica is wanted for a
    /// Redis that is not its own.
    pub async fn start(self) -> io::Result<StandIn> {
        let server = match &self.redis_url {
            Some(_) if self.replica => {
                return Err(io::Error::other("a replica needs a Redis of the stand-in's own"));
            }
            Some(_) => None,
            None => Some(Server::start(None).await?),
        };
        let own = || server.as_ref().map(Server::url).unwrap_or_default();
        let redis_url = self.redis_url.clone().unwrap_or_else(own);
        let replica = match &server {
            Some(server) if self.replica => Some(Replica::start(server.port()).await?),
            _ => None,
        };
        let backend = Backend::connect(&redis_url).await.map_err(io::Error::other)?;
        let tokens = (
            self.token.unwrap_or_else(|| random_token("token")),
            self.read_only_token.unwrap_or_else(|| random_token("read-only")),
        );
        let state = Arc::new(State::new(backend, replica, tokens, self.limits));
        let router = Router::new()
            .route("/__control", any(control::answer))
            .fallback(any(http::answer))
            .layer(Extension(Arc::clone(&state)));
        let tls = if self.tls { Some(Tls::new()?) } else { None };
        let acceptor = tls.as_ref().map(|tls| tls.acceptor.clone());
        let door = Door::open(self.address, router.clone(), acceptor).await?;
        let address = door.address();
        let door = tokio::sync::Mutex::new(Some(door));
        Ok(StandIn { door, address, router, tls, state, redis_url, _server: server })
    }
}

fn random_token(kind: &str) -> String {
    format!("{kind}-{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}
