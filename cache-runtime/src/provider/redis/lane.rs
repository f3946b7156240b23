//! One connection to one server, for ever: opened at first use, watched, and opened anew.
//!
//! A task of its own, the keeper, connects and reconnects, so that callers who give up cancel
//! nothing. It can get lost (its runtime ends, or is not driven any more), so whoever finds a lane
//! that is not served starts another keeper on the runtime it is called from. Each keeper has a
//! number, and only the one with the current number changes the lane.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::dial::Dial;
use super::identity::Identity;
use super::pushes::Pushes;
use super::stream::Pulse;
use super::tls::Tls;
use super::url::Login;
use super::wire::Wire;
use crate::provider::Incarnation;
use crate::{Error, ErrorKind, Result};

/// How often a connection is asked who answers. A primary that was demoted and promoted again keeps
/// its connections, so the life read at the beginning would not do.
pub(super) const PROBE: Duration = Duration::from_millis(1_000);

/// How long senders wait for a lost connection to come back. A server that hangs takes connections
/// and says nothing on them: then only the first to notice wait for it.
const COMES_BACK: Duration = Duration::from_millis(100);

/// The pauses between attempts to connect, doubled from the first to the last.
pub(super) const FIRST_PAUSE: Duration = Duration::from_millis(20);
pub(super) const LAST_PAUSE: Duration = Duration::from_millis(250);

/// What all connections of a link have in common.
pub(super) struct Settings {
    pub(super) login: Login,
    pub(super) database: u32,
    pub(super) tls: Option<Tls>,
    /// How long one attempt to connect may take.
    pub(super) connect_timeout: Duration,
    /// Whether the lives of all servers could be told so far.
    pub(super) is_fenced: AtomicBool,
    /// Who hears what servers push, where they are asked to.
    pub(super) pushes: Option<Pushes>,
}

impl Settings {
    /// The same for connections on which servers push.
    pub(super) fn with_pushes(&self, pushes: Pushes) -> Self {
        Self {
            login: self.login.clone(),
            database: self.database,
            tls: self.tls.clone(),
            connect_timeout: self.connect_timeout,
            is_fenced: AtomicBool::new(self.is_fenced.load(Ordering::Relaxed)),
            pushes: Some(pushes),
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("login", &self.login)
            .field("database", &self.database)
            .field("tls", &self.tls.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

/// A connection, and the life of the server behind it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) wire: Wire,
    pub(super) identity: Identity,
}

/// One connection that comes back.
#[derive(Debug)]
pub(super) struct Lane {
    dial: Dial,
    settings: Arc<Settings>,
    state: watch::Sender<State>,
}

#[derive(Debug)]
struct State {
    keeper: u64,
    since: Instant,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Nobody has asked yet, or the keeper is gone.
    Idle,
    /// The first attempt is under way.
    Connecting,
    /// The first attempt since a connection was lost is under way.
    Reconnecting,
    /// There is a connection.
    Ready(Arc<Connection>),
    /// The last attempt failed. The keeper tries again, and nobody waits for it meanwhile.
    Failed(Error),
    /// For good.
    Shut,
}

/// What a sender finds.
enum Found {
    Ready(Arc<Connection>),
    /// For so long at most.
    Wait(Duration),
    Unserved(u64),
}

impl Lane {
    pub(super) fn new(dial: Dial, settings: Arc<Settings>) -> Arc<Self> {
        let state = State { keeper: 0, since: Instant::now(), phase: Phase::Idle };
        Arc::new(Self { dial, settings, state: watch::Sender::new(state) })
    }

    /// The connection; waits for a first attempt that is under way, but for no other, and not long
    /// for a connection that was lost.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if the last attempt failed;
    /// [`Shutdown`](ErrorKind::Shutdown).
    pub(super) async fn connection(self: &Arc<Self>) -> Result<Arc<Connection>> {
        loop {
            match self.find()? {
                Found::Ready(connection) => return Ok(connection),
                Found::Unserved(keeper) => self.start(keeper)?,
                Found::Wait(limit) => {
                    let mut states = self.state.subscribe();
                    let settled = states.wait_for(|state| {
                        !matches!(state.phase, Phase::Connecting | Phase::Reconnecting)
                    });
                    // A keeper that is lost is replaced when its time is up.
                    let _settled_or_lost = timeout(limit, settled).await;
                }
            }
        }
    }

    /// The connection, if there is one now.
    pub(super) fn ready(&self) -> Option<Arc<Connection>> {
        match &self.state.borrow().phase {
            Phase::Ready(connection) if !connection.wire.is_over() => Some(connection.clone()),
            _ => None,
        }
    }

    fn find(&self) -> Result<Found> {
        let state = self.state.borrow();
        match &state.phase {
            Phase::Ready(connection) if !connection.wire.is_over() => {
                Ok(Found::Ready(connection.clone()))
            }
            Phase::Ready(_) | Phase::Idle => Ok(Found::Unserved(state.keeper)),
            Phase::Shut => {
                Err(Error::new(ErrorKind::Shutdown, "redis", "the provider was shut down"))
            }
            _ if state.since.elapsed() > self.patience() => Ok(Found::Unserved(state.keeper)),
            Phase::Connecting => Ok(Found::Wait(self.patience())),
            Phase::Reconnecting => match COMES_BACK.checked_sub(state.since.elapsed()) {
                Some(left) if !left.is_zero() => Ok(Found::Wait(left)),
                _ => {
                    let message = format!("the connection to {} was lost", self.dial);
                    Err(Error::new(ErrorKind::Unavailable, "redis", message))
                }
            },
            Phase::Failed(error) => Err(error.clone()),
        }
    }

    /// How long a keeper may take for anything before it counts as lost.
    fn patience(&self) -> Duration {
        self.settings.connect_timeout * 2 + LAST_PAUSE
    }

    /// Starts a keeper in place of the one with this number, unless somebody else did.
    fn start(self: &Arc<Self>, replaced: u64) -> Result<()> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| {
            Error::new(ErrorKind::Unavailable, "redis", "Redis needs a tokio runtime")
                .with_source(error)
        })?;
        let keeper = replaced + 1;
        let started = self.state.send_if_modified(|state| {
            let is_first = state.keeper == replaced && !matches!(state.phase, Phase::Shut);
            if is_first {
                let phase = match state.phase {
                    Phase::Ready(_) | Phase::Reconnecting => Phase::Reconnecting,
                    _ => Phase::Connecting,
                };
                *state = State { keeper, since: Instant::now(), phase };
            }
            is_first
        });
        if started {
            let kept = Kept { lane: Arc::downgrade(self), keeper };
            runtime.spawn(kept.keep());
        }
        Ok(())
    }

    /// Replaces a connection whose server may be in another role or life by now. What is under way
    /// on it is still answered.
    pub(super) fn replace(self: &Arc<Self>, connection: &Arc<Connection>) {
        let keeper = {
            let state = self.state.borrow();
            match &state.phase {
                Phase::Ready(ready) if Arc::ptr_eq(ready, connection) => state.keeper,
                _ => return,
            }
        };
        // Whoever got an answer is on a runtime; if not, the probe notices.
        let _started_or_noticed_later = self.start(keeper);
    }

    /// Changes the lane for a keeper; false if it is another's, or shut.
    fn set(&self, keeper: u64, phase: Phase) -> bool {
        self.state.send_if_modified(|state| {
            let is_ours = state.keeper == keeper && !matches!(state.phase, Phase::Shut);
            if is_ours {
                *state = State { keeper, since: Instant::now(), phase };
            }
            is_ours
        })
    }

    /// Opens a connection that is not the lane's.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable).
    pub(super) async fn open(&self) -> Result<Connection> {
        let limit = self.settings.connect_timeout;
        let connection = timeout(limit, self.dial.open(&self.settings)).await.map_err(|_| {
            // A server without TLS waits for the rest of what it takes for a command.
            let hint =
                if self.settings.tls.is_some() { "; does the server speak TLS there?" } else { "" };
            let message = format!("no connection to {} within {limit:?}{hint}", self.dial);
            Error::new(ErrorKind::Unavailable, "redis", message)
        })??;
        if connection.identity.incarnation == Incarnation::UNKNOWN {
            self.settings.is_fenced.store(false, Ordering::Relaxed);
        }
        Ok(connection)
    }

    /// Lets go of the connection for good. What is under way on it is still answered.
    pub(super) fn shut(&self) {
        self.state.send_modify(|state| state.phase = Phase::Shut);
    }
}

/// A keeper's number and its lane, which it does not keep alive.
struct Kept {
    lane: Weak<Lane>,
    keeper: u64,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.upgrade() {
            lane.set(self.keeper, Phase::Idle);
        }
    }
}

impl Kept {
    async fn keep(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let Some(lane) = self.lane.upgrade() else { return };
            match lane.open().await {
                Ok(connection) => {
                    let connection = Arc::new(connection);
                    let (pulse, watched) = (connection.wire.pulse(), Arc::downgrade(&connection));
                    if !lane.set(self.keeper, Phase::Ready(connection)) {
                        return;
                    }
                    drop(lane);
                    if self.watch(&pulse, &watched).await {
                        pause = FIRST_PAUSE;
                    } else {
                        rest(&mut pause).await;
                    }
                    let Some(lane) = self.lane.upgrade() else { return };
                    if !lane.set(self.keeper, Phase::Reconnecting) {
                        return;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot connect to Redis");
                    if !lane.set(self.keeper, Phase::Failed(error)) {
                        return;
                    }
                    drop(lane);
                    rest(&mut pause).await;
                }
            }
        }
    }

    /// Watches over a connection until it is over; true if it lasted for a while.
    async fn watch(&self, pulse: &Pulse, connection: &Weak<Connection>) -> bool {
        let mut lasted = false;
        loop {
            // Many processes that began together do not ask together for ever.
            let pause = PROBE.mul_f64(0.8 + 0.4 * fastrand::f64());
            if timeout(pause, pulse.over()).await.is_ok() {
                return lasted;
            }
            let (Some(lane), Some(connection)) = (self.lane.upgrade(), connection.upgrade()) else {
                return lasted;
            };
            if !lane.is_kept_by(self.keeper) || !lane.is_same(&connection).await {
                connection.wire.end();
                return lasted;
            }
            lasted = true;
        }
    }
}

impl Lane {
    fn is_kept_by(&self, keeper: u64) -> bool {
        let state = self.state.borrow();
        state.keeper == keeper && !matches!(state.phase, Phase::Shut)
    }

    /// Whether the same server, in the same life and role, still answers on a connection.
    async fn is_same(&self, connection: &Connection) -> bool {
        let heard = connection.wire.pulse().heard();
        let asked = self.dial.check(connection, &self.settings);
        match timeout(self.settings.connect_timeout, asked).await {
            Ok(Ok(is_same)) => is_same,
            Ok(Err(error)) => {
                tracing::debug!(%error, "Redis does not say who it is");
                false
            }
            // A server that is late but speaks is left alone.
            Err(_) => connection.wire.pulse().heard() != heard,
        }
    }
}

async fn rest(pause: &mut Duration) {
    tokio::time::sleep(next_pause(pause)).await;
}

/// How long to rest now. The next pause is longer.
pub(super) fn next_pause(pause: &mut Duration) -> Duration {
    let now = pause.mul_f64(0.5 + 0.5 * fastrand::f64());
    *pause = (*pause * 2).min(LAST_PAUSE);
    now
}
