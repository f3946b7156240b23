//! What is asked of a provider, and what it answers.

use std::time::Duration;

use super::{CellBytes, Incarnation, Mark, MarkState, Prefix, Stamp};

/// A TTL in whole milliseconds, as stores want it: rounded up, at least 1, at most a hundred years.
pub fn ttl_millis(ttl: Duration) -> u64 {
    const HUNDRED_YEARS: u128 = 100 * 366 * 24 * 3_600 * 1_000;
    let millis = ttl.as_nanos().div_ceil(1_000_000).clamp(1, HUNDRED_YEARS);
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// One question to [`Provider::read`](super::Provider::read).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Lookup<'a> {
    /// The cell's key; also says which copy of a scope mark is meant.
    pub key: &'a str,
    /// How much of the cell is wanted.
    pub extent: Extent,
    /// The marks whose states are wanted.
    pub marks: &'a [Mark<'a>],
}

impl<'a> Lookup<'a> {
    /// Asks for the whole cell and no marks.
    pub const fn new(key: &'a str) -> Self {
        Self { key, extent: Extent::Whole, marks: &[] }
    }

    /// Asks for these marks too.
    #[must_use]
    pub const fn marks(self, marks: &'a [Mark<'a>]) -> Self {
        Self { marks, ..self }
    }

    /// Asks for so much of the cell.
    #[must_use]
    pub const fn extent(self, extent: Extent) -> Self {
        Self { extent, ..self }
    }
}

/// How much of a cell to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its prefix: enough to tell whether a copy held elsewhere is still the current one.
    Prefix,
    /// Nothing: only the marks matter.
    Nothing,
}

/// The answer to one [`Lookup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// The bytes asked for; `None` if there is no such cell, or none were asked for.
    pub cell: Option<CellBytes>,
    /// The incarnation of the server that answered for the cell.
    pub incarnation: Incarnation,
    /// The marks' states, in the order asked.
    pub marks: Vec<MarkState>,
}

impl Observed {
    /// The prefix of the cell, or of its absence: what to expect in the step that follows.
    pub fn prefix(&self) -> Prefix {
        self.cell.as_deref().map_or(Prefix::ABSENT, Prefix::of)
    }
}

/// What a cell has to hold for a step to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This prefix; [`Prefix::ABSENT`] for no cell at all.
    Prefix(Prefix),
    /// Anything or nothing.
    Anything,
}

impl Expected {
    /// No cell.
    pub const ABSENT: Self = Self::Prefix(Prefix::ABSENT);

    /// Whether a cell with this prefix fits.
    pub fn accepts(&self, found: Prefix) -> bool {
        match self {
            Expected::Prefix(prefix) => *prefix == found,
            Expected::Anything => true,
        }
    }
}

impl From<Prefix> for Expected {
    fn from(prefix: Prefix) -> Self {
        Self::Prefix(prefix)
    }
}

/// The request of [`Provider::acquire`](super::Provider::acquire).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Acquire<'a> {
    /// The cell's key.
    pub key: &'a str,
    /// What the caller saw in the cell. A writer that puts itself in place of whatever there is
    /// expects [`Anything`](Expected::Anything).
    pub expected: Expected,
    /// The lease: what the cell is to hold.
    pub lease: Prefix,
    /// How long the lease lives unless it is renewed.
    pub lease_ttl: Duration,
    /// The marks that the entry will carry.
    pub marks: &'a [Mark<'a>],
    /// How long a mark lives that has to be created: longer than the entry to come.
    pub mark_ttl: Duration,
}

impl<'a> Acquire<'a> {
    /// Asks for a lease on a cell that is absent, with no marks.
    pub const fn new(key: &'a str, lease: Prefix, lease_ttl: Duration) -> Self {
        let expected = Expected::ABSENT;
        Self { key, expected, lease, lease_ttl, marks: &[], mark_ttl: Duration::ZERO }
    }

    /// Expects this in the cell.
    #[must_use]
    pub fn expected(self, expected: impl Into<Expected>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    /// Reads these marks, and creates those that are absent.
    #[must_use]
    pub const fn marks(self, marks: &'a [Mark<'a>], mark_ttl: Duration) -> Self {
        Self { marks, mark_ttl, ..self }
    }
}

/// The answer of [`Provider::acquire`](super::Provider::acquire).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The caller holds the lease.
    Granted(Baseline),
    /// The cell holds something else than expected: this.
    Busy(Prefix),
}

/// What a load starts from: remembered before it begins, stored with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The marks' states in the order asked: live, or held. If any is held, store nothing.
    pub marks: Vec<MarkState>,
    /// The incarnation of the server that holds the cell.
    pub incarnation: Incarnation,
}

/// The request of [`Provider::fill`](super::Provider::fill).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fill<'a> {
    /// The cell's key.
    pub key: &'a str,
    /// What the cell is to hold; begins with a prefix that nobody has had before.
    pub value: &'a [u8],
    /// How long the cell lives, the time in which it may be served stale included.
    pub ttl: Duration,
    /// What the cell has to hold now: the lease, or the entry that is being refreshed.
    pub expected: Expected,
    /// The incarnation in which the load began; `None` does not compare it.
    pub incarnation: Option<Incarnation>,
    /// The marks that the entry carries: reported, and kept alive.
    pub marks: &'a [Mark<'a>],
    /// How long they live at least: longer than `ttl`.
    pub mark_ttl: Duration,
    /// Marks that must be live with these stamps: the epochs of families whose tags became known
    /// only by the load.
    pub guards: &'a [(Mark<'a>, Stamp)],
    /// What becomes of the cell if the fill is refused.
    pub on_refused: OnRefused,
}

impl<'a> Fill<'a> {
    /// Stores the value whatever the cell holds.
    pub const fn new(key: &'a str, value: &'a [u8], ttl: Duration) -> Self {
        Self {
            key,
            value,
            ttl,
            expected: Expected::Anything,
            incarnation: None,
            marks: &[],
            mark_ttl: Duration::ZERO,
            guards: &[],
            on_refused: OnRefused::Keep,
        }
    }

    /// Stores only if the cell holds this.
    #[must_use]
    pub fn expected(self, expected: impl Into<Expected>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    /// Stores only in this incarnation.
    #[must_use]
    pub const fn incarnation(self, incarnation: Incarnation) -> Self {
        Self { incarnation: Some(incarnation), ..self }
    }

    /// Reports these marks and keeps them alive.
    #[must_use]
    pub const fn marks(self, marks: &'a [Mark<'a>], mark_ttl: Duration) -> Self {
        Self { marks, mark_ttl, ..self }
    }

    /// Stores only if these marks are live with these stamps.
    #[must_use]
    pub const fn guards(self, guards: &'a [(Mark<'a>, Stamp)]) -> Self {
        Self { guards, ..self }
    }

    /// Does this with the cell if the fill is refused.
    #[must_use]
    pub const fn on_refused(self, on_refused: OnRefused) -> Self {
        Self { on_refused, ..self }
    }
}

/// What becomes of the cell if a fill is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefused {
    /// It stays as it is.
    Keep,
    /// It is removed, whatever it holds: of two writers at once nobody knows who was the last, so
    /// the next reader has to load.
    Remove,
}

/// The answer of [`Provider::fill`](super::Provider::fill).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The value is stored. The marks' states, in the order asked.
    Stored(Vec<MarkState>),
    /// It is not.
    Refused(Refusal),
}

impl Filled {
    /// Whether the value is stored.
    pub const fn is_stored(&self) -> bool {
        matches!(self, Filled::Stored(_))
    }
}

/// Why a fill was refused. Where several reasons hold, any of them may be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The cell does not hold what was expected: it was invalidated, or somebody else has it.
    Cell,
    /// A guard does not hold: a tag of its family was invalidated during the load.
    Guard,
    /// The server is in another incarnation than when the load began.
    Incarnation,
}

/// The request of [`Provider::remove`](super::Provider::remove).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Removal<'a> {
    /// The keys of cells.
    pub keys: &'a [&'a str],
    /// The marks. Held ones stay held.
    pub marks: &'a [Mark<'a>],
}

impl<'a> Removal<'a> {
    /// Removes these cells.
    pub const fn of_keys(keys: &'a [&'a str]) -> Self {
        Self { keys, marks: &[] }
    }

    /// Removes these marks.
    pub const fn of_marks(marks: &'a [Mark<'a>]) -> Self {
        Self { keys: &[], marks }
    }

    /// Removes these marks too.
    #[must_use]
    pub const fn and_marks(self, marks: &'a [Mark<'a>]) -> Self {
        Self { marks, ..self }
    }
}

/// What a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// The sort of store: `in-memory`, `redis`, ..
    pub name: &'static str,
    /// The namespace of all keys and marks.
    pub namespace: String,
    /// Whether other processes see the same cells.
    pub shared: bool,
    /// Whether a server that came back with an older state is recognised ([`Incarnation`]).
    pub fenced: bool,
}

impl Description {
    /// A store of one process, which needs no fence.
    pub fn in_process(name: &'static str, namespace: impl Into<String>) -> Self {
        Self { name, namespace: namespace.into(), shared: false, fenced: true }
    }

    /// A store that several processes share.
    pub fn shared(name: &'static str, namespace: impl Into<String>, fenced: bool) -> Self {
        Self { name, namespace: namespace.into(), shared: true, fenced }
    }
}

/// How much a namespace holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// How many cells, if the store can tell.
    pub cells: Option<u64>,
    /// How many bytes of keys and cells, if the store can tell.
    pub bytes: Option<u64>,
}

impl Usage {
    /// So many cells and bytes.
    pub const fn new(cells: Option<u64>, bytes: Option<u64>) -> Self {
        Self { cells, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::ttl_millis;
    use std::time::Duration;

    #[test]
    fn a_ttl_is_rounded_up_and_stays_in_bounds() {
        assert_eq!(ttl_millis(Duration::ZERO), 1);
        assert_eq!(ttl_millis(Duration::from_nanos(1)), 1);
        assert_eq!(ttl_millis(Duration::from_micros(1_001)), 2);
        assert_eq!(ttl_millis(Duration::from_secs(3_600)), 3_600_000);
        assert!(ttl_millis(Duration::MAX) > 99 * 365 * 86_400_000);
        assert!(ttl_millis(Duration::MAX) < i64::MAX as u64 / 2);
    }
}
