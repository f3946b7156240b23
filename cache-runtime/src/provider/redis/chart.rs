//! Which server of a cluster has what, kept up to date.
//!
//! The chart is renewed in a task of its own, so that callers who give up cancel nothing, and by
//! one task at a time. Whoever finds that the task got lost (its runtime is gone) starts another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::batch::RedisBatch;
use super::dial::Dial;
use super::lane::Settings;
use super::layout::Layout;
use super::node::Node;
use super::sighted::{Named, Sighted};
use super::url::Address;
use super::wire::Wire;
use crate::provider::commands::Bucket;
use crate::{Error, ErrorKind, Result};

/// The time between two renewals that failing sends ask for.
const PACE: Duration = Duration::from_millis(100);

/// After so long without an answer the next server is asked as well.
const STAGGER: Duration = Duration::from_millis(50);

/// What is known of a cluster.
#[derive(Debug)]
pub(super) struct Chart {
    seeds: Vec<Address>,
    settings: Arc<Settings>,
    connections: usize,
    known: watch::Sender<Known>,
    /// Servers that redirections named and the chart does not hold yet.
    strangers: Mutex<HashMap<Address, Arc<Node>>>,
    named: Named,
    rounds: watch::Sender<Round>,
}

#[derive(Debug, Default)]
struct Known {
    primaries: Vec<(Address, Arc<Node>)>,
    owners: Vec<Option<usize>>,
    replicas: Vec<Address>,
    shut: bool,
}

/// A renewal: the one that is under way, or the last one.
#[derive(Debug)]
struct Round {
    number: u64,
    /// When it began, or ended.
    since: Instant,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Never,
    Running,
    Done,
    Failed(Error),
}

impl Chart {
    pub(super) fn new(
        seeds: Vec<Address>,
        settings: Arc<Settings>,
        connections: usize,
    ) -> Arc<Self> {
        let round = Round { number: 0, since: Instant::now(), phase: Phase::Never };
        Arc::new(Self {
            seeds,
            settings,
            connections,
            known: watch::Sender::new(Known::default()),
            strangers: Mutex::default(),
            named: Named::default(),
            rounds: watch::Sender::new(round),
        })
    }

    /// The primary of a bucket; waits for the first chart.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if there is none;
    /// [`Shutdown`](ErrorKind::Shutdown).
    pub(super) async fn owner(self: &Arc<Self>, bucket: Bucket) -> Result<Arc<Node>> {
        for _ in 0..2 {
            {
                let known = self.known.borrow();
                if known.shut {
                    return Err(shut());
                }
                let owner = known.owners.get(usize::from(bucket.0)).copied().flatten();
                if let Some((_, node)) = owner.and_then(|owner| known.primaries.get(owner)) {
                    return Ok(node.clone());
                }
            }
            if let Some(error) = self.failed_just_now() {
                return Err(error);
            }
            self.renewed().await?;
        }
        let message = "no server of the cluster has the slot";
        Err(Error::new(ErrorKind::Unavailable, "redis", message))
    }

    /// The server at an address that a redirection names.
    pub(super) fn at(&self, host: &str, port: u16) -> Arc<Node> {
        let known = self.known.borrow();
        let asked = known.primaries.first().map(|(address, _)| address);
        let asked = asked.or(self.seeds.first()).cloned();
        let address = match asked {
            Some(asked) => Address::announced(host, port, &asked),
            None => Address { host: host.to_owned(), port },
        };
        if let Some((_, node)) = known.primaries.iter().find(|(known, _)| *known == address) {
            return node.clone();
        }
        drop(known);
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        // Before anything is sent there, let alone read.
        self.named.add(&address);
        strangers.entry(address.clone()).or_insert_with(|| self.node(address)).clone()
    }

    /// Whom redirections and the cluster itself have named so far.
    pub(super) fn sighted(&self) -> Sighted {
        // Read first: whatever changes from here on is another edition.
        let edition = self.named.edition();
        let known = self.known.borrow();
        let primaries = known.primaries.iter().map(|(address, _)| address.clone()).collect();
        Sighted { edition, primaries, owners: known.owners.clone(), strangers: self.named.all() }
    }

    /// The servers that redirections named, and how often anything changed.
    pub(super) fn named(&self) -> &Named {
        &self.named
    }

    pub(super) fn primaries(&self) -> usize {
        self.known.borrow().primaries.len()
    }

    /// Whether there are several primaries, and one of them serves.
    pub(super) fn serves_in_part(&self) -> bool {
        let known = self.known.borrow();
        known.primaries.len() > 1 && known.primaries.iter().any(|(_, node)| node.serves())
    }

    pub(super) fn primary(&self, number: usize) -> Option<Arc<Node>> {
        self.known.borrow().primaries.get(number).map(|(_, node)| node.clone())
    }

    /// Lets go of all connections for good.
    pub(super) fn shut(&self) {
        self.known.send_modify(|known| {
            for (_, node) in &known.primaries {
                node.shut();
            }
            *known = Known { shut: true, ..Known::default() };
        });
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Has the chart renewed soon, unless that is under way or was done just now.
    pub(super) fn renew(self: &Arc<Self>) {
        self.start(|round, patience| match round.phase {
            Phase::Never => true,
            Phase::Running => round.since.elapsed() > patience,
            Phase::Done | Phase::Failed(_) => round.since.elapsed() > PACE,
        });
    }

    /// Renews the chart: it then holds what a server said after this call began.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if no server says.
    pub(super) async fn renewed(self: &Arc<Self>) -> Result<()> {
        // A round that is under way may have asked before this call.
        let wanted = {
            let round = self.rounds.borrow();
            round.number + if matches!(round.phase, Phase::Running) { 2 } else { 1 }
        };
        loop {
            {
                let round = self.rounds.borrow();
                match &round.phase {
                    _ if round.number < wanted => {}
                    Phase::Done => return Ok(()),
                    Phase::Failed(error) => return Err(error.clone()),
                    Phase::Never | Phase::Running => {}
                }
            }
            self.start(|round, patience| match round.phase {
                Phase::Running => round.since.elapsed() > patience,
                _ => round.number < wanted,
            });
            let mut rounds = self.rounds.subscribe();
            let ended = rounds.wait_for(|round| !matches!(round.phase, Phase::Running));
            let _ended_or_lost = timeout(self.patience(), ended).await;
        }
    }

    fn failed_just_now(&self) -> Option<Error> {
        let round = self.rounds.borrow();
        match &round.phase {
            Phase::Failed(error) if round.since.elapsed() <= PACE => Some(error.clone()),
            _ => None,
        }
    }

    /// How long a round may take before it counts as lost.
    fn patience(&self) -> Duration {
        self.settings.connect_timeout * 3
    }

    fn start(self: &Arc<Self>, is_due: impl FnOnce(&Round, Duration) -> bool) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.known.borrow().shut {
            return;
        }
        let mut number = 0;
        let started = self.rounds.send_if_modified(|round| {
            let due = is_due(round, self.patience());
            if due {
                number = round.number + 1;
                *round = Round { number, since: Instant::now(), phase: Phase::Running };
            }
            due
        });
        if started {
            let ending = Ending { chart: Arc::downgrade(self), number };
            runtime.spawn(ending.run());
        }
    }

    fn node(&self, address: Address) -> Arc<Node> {
        Arc::new(Node::new(&Dial::Member(address), &self.settings, self.connections))
    }

    fn install(&self, layout: Layout) {
        let strangers =
            std::mem::take(&mut *self.strangers.lock().unwrap_or_else(PoisonError::into_inner));
        self.known.send_modify(|known| {
            if known.shut {
                return;
            }
            let primaries = known.primaries.iter().map(|(address, _)| address);
            let is_same = known.owners == layout.owners && primaries.eq(&layout.primaries);
            self.named.settle(&layout.primaries, is_same);
            let kept: HashMap<Address, Arc<Node>> =
                strangers.into_iter().chain(known.primaries.drain(..)).collect();
            let node = |address: Address| {
                let node =
                    kept.get(&address).cloned().unwrap_or_else(|| self.node(address.clone()));
                (address, node)
            };
            known.primaries = layout.primaries.into_iter().map(node).collect();
            known.owners = layout.owners;
            known.replicas = layout.replicas;
        });
    }

    /// Asks one server after the other, without waiting long for any, until one tells.
    async fn ask(&self) -> Result<Layout> {
        let mut candidates = self.candidates().into_iter();
        let mut asked = JoinSet::new();
        let mut last = Error::new(ErrorKind::Unavailable, "redis", "there is no server to ask");
        loop {
            match candidates.next() {
                Some(address) => {
                    asked.spawn(ask_at(address, self.settings.clone()));
                }
                None if asked.is_empty() => return Err(last),
                None => {}
            }
            match timeout(STAGGER, asked.join_next()).await {
                Ok(Some(Ok(Ok(layout)))) => return Ok(layout),
                Ok(Some(Ok(Err(error)))) => last = error,
                // One that was cancelled says nothing, and of one that is late others are asked.
                Ok(Some(Err(_)) | None) | Err(_) => {}
            }
        }
    }

    /// Whom to ask: primaries first, in any order, so that not all processes ask the same one.
    fn candidates(&self) -> Vec<Address> {
        let known = self.known.borrow();
        let mut primaries: Vec<Address> =
            known.primaries.iter().map(|(address, _)| address.clone()).collect();
        fastrand::shuffle(&mut primaries);
        let mut candidates: Vec<Address> = Vec::new();
        for address in primaries.iter().chain(&self.seeds).chain(&known.replicas) {
            if !candidates.contains(address) {
                candidates.push(address.clone());
            }
        }
        candidates
    }
}

/// A round, which ends whatever becomes of its task.
struct Ending {
    chart: Weak<Chart>,
    number: u64,
}

impl Ending {
    async fn run(self) {
        let Some(chart) = self.chart.upgrade() else { return };
        match chart.ask().await {
            Ok(layout) => {
                chart.install(layout);
                self.end(Phase::Done);
            }
            Err(error) => {
                tracing::debug!(%error, "no server tells what the cluster looks like");
                self.end(Phase::Failed(error));
            }
        }
    }

    fn end(&self, phase: Phase) {
        let Some(chart) = self.chart.upgrade() else { return };
        chart.rounds.send_if_modified(|round| {
            let is_ours = round.number == self.number && matches!(round.phase, Phase::Running);
            if is_ours {
                *round = Round { number: self.number, since: Instant::now(), phase };
            }
            is_ours
        });
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let message = "the task that asked was cancelled";
        self.end(Phase::Failed(Error::new(ErrorKind::Unavailable, "redis", message)));
    }
}

/// Asks one server what the cluster looks like, over a connection of its own: the ones in use may
/// hang.
async fn ask_at(address: Address, settings: Arc<Settings>) -> Result<Layout> {
    let Settings { login, tls, connect_timeout, .. } = &*settings;
    let asked = async {
        let wire = Wire::open(&address, login, 0, tls.as_ref(), None).await?;
        wire.send(&RedisBatch::of("CLUSTER", &[b"SLOTS"])).await
    };
    let answer = timeout(*connect_timeout, asked).await.unwrap_or_else(|_| {
        let message = format!("{address} does not answer within {connect_timeout:?}");
        Err(Error::new(ErrorKind::Unavailable, "redis", message))
    })?;
    let layout = answer.first().and_then(|answer| Layout::of(answer, &address));
    layout.ok_or_else(|| {
        let said = match answer.into_iter().next() {
            Some(::redis::Value::ServerError(error)) => super::reply::words(&error),
            _ => "no server has any slot".to_owned(),
        };
        let message = format!("{address} tells of no cluster: {said}");
        Error::new(ErrorKind::Unavailable, "redis", message)
    })
}

fn shut() -> Error {
    Error::new(ErrorKind::Shutdown, "redis", "the provider was shut down")
}
