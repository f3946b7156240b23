//! The kinds of faults, and which of them happen to which store.

use std::time::Duration;

use super::store::Topology;

/// Something that happens to a store or to a process during a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A server stands still, and goes on.
    Stop,
    /// A server dies, and comes back at once without what it had in memory.
    Kill,
    /// All connections of a server are ended.
    DropClients,
    /// The connections over which a server tells what changes are ended, and no others.
    DropListeners,
    /// A server forgets everything.
    Flush,
    /// A server, or the process's own store, has less room than it needs.
    Evict,
    /// One process hears nothing of what the others do.
    Deafen,
    /// Replication is cut, and what is acknowledged then is lost with the primary.
    Promote,
    /// A primary that was alive was replaced, since it was not heard for too long: never planned.
    /// Who is with it then is cut off together with an old primary.
    Unasked,
    /// A server dies, and the end of its log is lost.
    Truncate,
    /// Keys move to another server while they are used.
    MoveSlot,
    /// A process stands still for longer than the bound of its near cache.
    Pause,
    /// A process stands still for longer than a lease lives without being renewed.
    LongPause,
    /// A process dies that holds leases, writes and installs.
    KillWorker,
    /// A process dies that has announced and committed a change, and not invalidated.
    KillWriter,
    /// Upstash refuses: too many requests.
    Throttle,
    /// Upstash fails before it has run a command.
    Fail,
    /// Upstash fails after it has run a command.
    FailAfter,
    /// Upstash answers late.
    Delay,
    /// Upstash runs a command, and the connection is reset.
    Reset,
    /// Upstash runs a command, and half of its answer is lost.
    CutBody,
    /// Upstash runs a command and answers with what is no JSON.
    Malform,
}

/// Those that only happen to processes.
const OF_PROCESSES: [Kind; 4] = [Kind::Pause, Kind::LongPause, Kind::KillWorker, Kind::KillWriter];

/// Those that each server of its own goes on after.
const OF_SERVERS: [Kind; 5] = [Kind::Stop, Kind::Kill, Kind::DropClients, Kind::Flush, Kind::Evict];

/// Those of Upstash alone.
const OF_UPSTASH: [Kind; 7] = [
    Kind::Throttle,
    Kind::Fail,
    Kind::FailAfter,
    Kind::Delay,
    Kind::Reset,
    Kind::CutBody,
    Kind::Malform,
];

impl Kind {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Stop,
        Self::Kill,
        Self::DropClients,
        Self::DropListeners,
        Self::Flush,
        Self::Evict,
        Self::Deafen,
        Self::Promote,
        Self::Unasked,
        Self::Truncate,
        Self::MoveSlot,
        Self::Pause,
        Self::LongPause,
        Self::KillWorker,
        Self::KillWriter,
        Self::Throttle,
        Self::Fail,
        Self::FailAfter,
        Self::Delay,
        Self::Reset,
        Self::CutBody,
        Self::Malform,
    ];

    /// What the command line and the table call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stop => "server-stopped",
            Self::Kill => "server-killed",
            Self::DropClients => "client-kill",
            Self::DropListeners => "listeners-killed",
            Self::Flush => "flushall",
            Self::Evict => "eviction",
            Self::Deafen => "one-hears-nothing",
            Self::Promote => "cut-then-promotion",
            Self::Unasked => "promotion-unasked",
            Self::Truncate => "log-truncated",
            Self::MoveSlot => "slot-moved",
            Self::Pause => "stopped-beyond-bound",
            Self::LongPause => "stopped-beyond-lease",
            Self::KillWorker => "killed-at-work",
            Self::KillWriter => "writer-killed",
            Self::Throttle => "http-429",
            Self::Fail => "http-500",
            Self::FailAfter => "http-500-after",
            Self::Delay => "late-answers",
            Self::Reset => "reset-after",
            Self::CutBody => "cut-body",
            Self::Malform => "no-json",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// How long it takes on a busy machine, the pause before it included.
    #[must_use]
    pub const fn takes(self) -> Duration {
        let millis = match self {
            Self::Promote => 12_000,
            Self::LongPause => 3_000,
            Self::Kill | Self::Pause | Self::KillWriter | Self::KillWorker => 1_500,
            // The pause alone: slots move between the other faults.
            Self::MoveSlot => 1_000,
            _ => 1_200,
        };
        Duration::from_millis(millis)
    }
}

/// What is to happen to a store; `tracks` says whether it tells near caches of changes.
pub(super) fn planned(topology: Topology, tracks: bool) -> Vec<Kind> {
    let of_this: &[Kind] = match topology {
        Topology::Memory => return vec![Kind::Evict, Kind::Pause, Kind::LongPause],
        Topology::Standalone | Topology::Valkey => &[Kind::Deafen],
        Topology::Log => &[Kind::Truncate],
        Topology::Sentinel => &[Kind::Promote],
        Topology::Cluster => &[Kind::Promote, Kind::MoveSlot],
        Topology::Upstash | Topology::UpstashLagging => {
            let of_the_store = [Kind::Flush, Kind::Evict];
            return [&OF_UPSTASH[..], &of_the_store, &OF_PROCESSES].concat();
        }
    };
    let listeners: &[Kind] = if tracks { &[Kind::DropListeners] } else { &[] };
    [of_this, &OF_SERVERS, listeners, &OF_PROCESSES].concat()
}
