//! What all requests share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use crate::backend::Backend;
use crate::command::{Request, name};
use crate::faults::{Active, Plan};
use crate::replica::{Lag, Replica};
use crate::scripts::Scripts;

/// How many requests the log remembers.
const LOG: usize = 10_000;

/// How large things may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request's body: 10 MB.
    pub request: usize,
    /// Bytes of a key: 32 KB.
    pub key: usize,
    /// Bytes of one command's words together, which stands for a record: 100 MB.
    pub record: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { request: 10 * 1024 * 1024, key: 32 * 1024, record: 100 * 1024 * 1024 }
    }
}

/// How much was asked since the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// HTTP requests, refused ones included.
    pub requests: u64,
    /// Commands in them.
    pub commands: u64,
    /// Commands by name, in capitals.
    pub by_name: BTreeMap<String, u64>,
    /// Answers by HTTP status.
    pub by_status: BTreeMap<u16, u64>,
}

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Logged {
    /// The path, without the query, which may hold the token.
    pub path: String,
    /// The names of its commands, in capitals.
    pub commands: Vec<String>,
    /// The `upstash-sync-token` that came with it.
    pub sync_token: Option<String>,
    /// Whether it asked for base64.
    pub base64: bool,
    /// Whether it came over HTTP/2.
    pub http2: bool,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) backend: Backend,
    pub(crate) replica: Option<Replica>,
    pub(crate) token: String,
    pub(crate) read_only_token: String,
    pub(crate) limits: Limits,
    pub(crate) scripts: Scripts,
    writes: AtomicU64,
    faults: Mutex<Active>,
    changed: watch::Sender<()>,
    counts: Mutex<Counts>,
    log: Mutex<VecDeque<Logged>>,
}

impl State {
    pub(crate) fn new(
        backend: Backend,
        replica: Option<Replica>,
        tokens: (String, String),
        limits: Limits,
    ) -> Self {
        let (token, read_only_token) = tokens;
        Self {
            backend,
            replica,
            token,
            read_only_token,
            limits,
            scripts: Scripts::default(),
            writes: AtomicU64::new(0),
            faults: Mutex::default(),
            changed: watch::Sender::new(()),
            counts: Mutex::default(),
            log: Mutex::default(),
        }
    }

    pub(crate) fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, VecDeque<Logged>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the faults, and lets go of requests that hang.
    pub(crate) fn change_faults<T>(&self, change: impl FnOnce(&mut Active) -> T) -> T {
        let answer = change(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
        answer
    }

    pub(crate) fn plan(&self, reads_only: bool) -> Plan {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).plan(reads_only)
    }

    /// Ends when faults are changed.
    pub(crate) async fn faults_changed(&self) {
        let mut changed = self.changed.subscribe();
        // An error means that the state is going away, which ends the wait as well.
        let _ = changed.changed().await;
    }

    pub(crate) fn count(&self, request: Option<&Request>, logged: Logged) {
        let mut counts = self.counts();
        counts.requests += 1;
        for command in request.map_or(&[][..], Request::commands) {
            counts.commands += 1;
            *counts.by_name.entry(name(command)).or_default() += 1;
        }
        drop(counts);
        let mut log = self.log();
        if log.len() == LOG {
            log.pop_front();
        }
        log.push_back(logged);
    }

    pub(crate) fn lag(&self) -> Lag {
        self.replica.as_ref().map_or(Lag::None, Replica::lag)
    }

    /// Says that something may have been written.
    pub(crate) fn wrote(&self) {
        self.writes.fetch_add(1, Ordering::SeqCst);
    }

    /// The token of the state that the primary has now: its replication offset, or a count of
    /// writes where there is no replica that could be behind.
    pub(crate) async fn sync_token(&self) -> Result<u64, String> {
        match &self.replica {
            Some(_) => self.backend.connection().offset("master_repl_offset").await,
            None => Ok(self.writes.load(Ordering::SeqCst)),
        }
    }
}
