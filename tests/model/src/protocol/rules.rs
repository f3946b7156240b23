//! Which rules hold, what goes wrong, and who takes part.

use super::state::{EPOCH, MARKS, RESULT, TAG};

/// When a fill goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Only if the cell still holds what the load started from (`lua/fill.lua`).
    Compares,
    /// Always, as a plain `SET`.
    Always,
}

/// When the marks are read whose nonces an entry carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// Before the load, except for tags that only its result names (rule A2).
    BeforeLoad,
    /// After it, as Symfony's tag-aware adapter does.
    AfterLoad,
}

/// Who may take the result of a load of the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// Join rule J (`Landing::may_take`, `Flight::join`).
    RuleJ,
    /// Whoever comes while it is under way: ordinary single flight.
    Everybody,
    /// As rule J, but a fill that was stored counts as exact whatever the tags are by then.
    WithoutTagCheck,
    /// As rule J, but a load can be joined until it has ended.
    UntilTheEnd,
    /// Nobody: each caller asks the store.
    Nobody,
}

/// When a lease ends without being given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseEnds {
    /// At any time: renewals may fail, and processes may stand still for as long as they like.
    AtAnyTime,
    /// Only when nobody renews it: its holder died, stands still, or is done with it (`Renewal`).
    Unrenewed,
    /// Never.
    Never,
}

/// What renewing a lease does to the cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It sets the TTL of a cell that still holds the lease (`lua/renew.lua`).
    Compares,
    /// It puts the lease there, whatever the cell holds.
    PutsBack,
}

/// What an expired entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Nothing; it leaves the store when it expires.
    Nothing,
    /// It is served while it is renewed in the background (`stale`, `Look::Hit` with `refresh`).
    ServedWhileRefreshed,
    /// It is served if the load fails (`fail_safe`, `Look::Kept`).
    ServedIfLoadFails,
}

/// In which order a result tag and the epoch of its family are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In one step where both lie together (`Steps::unlink`), else both are held, and then released
    /// (`Steps::unlink_apart`).
    HeldFirst,
    /// The epoch first, without holding anything: enough for functions that call no others.
    EpochFirst,
    /// The tag first.
    TagFirst,
    /// The tag alone.
    TagAlone,
}

/// What somebody does who changes the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Commits, then invalidates the key (`Remote::remove`).
    InvalidatesKey,
    /// Commits, then invalidates a tag that readers know before the read (`Remote::remove_all`).
    InvalidatesTag,
    /// Commits, then invalidates a tag that only the loaded value names.
    InvalidatesResultTag,
    /// Claims the key, commits, then stores what it wrote (`RemoteWrite`).
    WritesThrough,
    /// Holds the tag, commits, then releases it (`WriteGuard`): counts from the commit on.
    GuardsTag,
}

/// What a writer does whose claim on the key is gone when it wants to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overtaken {
    /// It removes the key before it returns (decision 0005).
    Removes,
    /// It leaves the key as it is.
    Leaves,
}

/// A configuration: rules, bounds and faults.
#[derive(Clone, Debug)]
pub struct Rules {
    /// For each caller, its process and how many reads it makes.
    pub callers: Vec<(u8, u8)>,
    pub writers: Vec<Change>,
    /// Whether the request names a tag.
    pub has_tag: bool,
    /// Whether the loaded value names a tag.
    pub has_result_tag: bool,
    /// Which marks lie on another server than the cell (Cluster).
    pub away: [bool; MARKS],
    /// Whether the store starts with a valid entry.
    pub starts_filled: bool,

    pub fill: Fill,
    pub stamps: Stamps,
    pub join: Join,
    pub order: Order,
    /// Whether a load takes a lease.
    pub leases: bool,
    /// Whether a fill compares the epochs of result tags.
    pub guards: bool,
    /// Whether entries and fills carry the server's incarnation.
    pub fence: bool,
    pub absent_mark_is_valid: bool,
    pub marks_from_replica: bool,
    pub renewal: Renewal,
    /// Whether a refresh in the background stores whatever the cell holds by then.
    pub refresh_always_fills: bool,
    /// Whether an invalidated entry is served if the load fails.
    pub serves_invalidated: bool,
    pub claims_before_write: bool,
    pub overtaken: Overtaken,
    /// Whether an invalidation is acknowledged only when the replica has it (`WAIT`).
    pub waits_for_replica: bool,

    pub lease_ends: LeaseEnds,
    pub expired: Expired,
    pub evicts: bool,
    /// Whether a caller may lose patience with a load of another process.
    pub impatient: bool,
    /// How many callers may be dropped in the middle, their leases left to end by themselves.
    pub drops: u8,
    /// How many commands may time out, and be done later or never.
    pub late: u8,
    /// How many loads may fail.
    pub failures: u8,
    /// How many loads may stand still until others have given them up.
    pub stalls: u8,
    /// How often the server of cells, or the one of marks elsewhere, may be replaced by its replica.
    pub failovers: [u8; 2],
    /// Whether the first process goes on with the old server.
    pub splits: bool,
    /// More loads than this break promise P2; 0 counts none.
    pub most_loads: u8,
}

impl Rules {
    /// The protocol as it is, on one server, with a tag that is known before the read.
    pub fn implemented() -> Self {
        Self {
            callers: vec![(0, 1), (0, 1), (1, 1)],
            writers: vec![Change::InvalidatesKey],
            has_tag: true,
            has_result_tag: false,
            away: [false; MARKS],
            starts_filled: false,
            fill: Fill::Compares,
            stamps: Stamps::BeforeLoad,
            join: Join::RuleJ,
            order: Order::HeldFirst,
            leases: true,
            guards: true,
            fence: true,
            absent_mark_is_valid: false,
            marks_from_replica: false,
            renewal: Renewal::Compares,
            refresh_always_fills: false,
            serves_invalidated: false,
            claims_before_write: true,
            overtaken: Overtaken::Removes,
            waits_for_replica: false,
            lease_ends: LeaseEnds::AtAnyTime,
            expired: Expired::Nothing,
            evicts: true,
            impatient: true,
            drops: 0,
            late: 0,
            failures: 0,
            stalls: 0,
            failovers: [0; 2],
            splits: false,
            most_loads: 0,
        }
    }

    /// The marks that the request names.
    pub(super) fn asked(&self, mark: usize) -> bool {
        mark == TAG && self.has_tag
    }

    /// The marks that an entry carries.
    pub(super) fn carried(&self, mark: usize) -> bool {
        self.asked(mark) || (mark == RESULT && self.has_result_tag)
    }

    /// The marks that are read or created before a load: the request's, and the epochs of the
    /// families that its result's tags may belong to.
    pub(super) fn before_load(&self, mark: usize) -> bool {
        let is_epoch = mark == EPOCH && self.has_result_tag && self.guards;
        (self.asked(mark) && self.stamps == Stamps::BeforeLoad) || is_epoch
    }

    /// The marks that are read or created after it.
    pub(super) fn after_load(&self, mark: usize) -> bool {
        self.carried(mark) && !self.before_load(mark)
    }

    /// The number of the server that a mark lies on.
    pub(super) fn server_of(&self, mark: usize) -> usize {
        usize::from(self.away[mark])
    }

    /// The number of the server on which a change removes its last name.
    pub(super) fn server_of_change(&self, change: Change) -> usize {
        match change {
            Change::InvalidatesKey | Change::WritesThrough => 0,
            Change::InvalidatesTag | Change::GuardsTag => self.server_of(TAG),
            Change::InvalidatesResultTag => self.server_of(RESULT),
        }
    }

    pub(super) fn has_replicas(&self) -> bool {
        self.failovers != [0; 2] || self.marks_from_replica || self.waits_for_replica
    }
}
