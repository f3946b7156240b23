//! What can go wrong, with what.

use std::time::Duration;

/// One thing that goes wrong with one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The operation begins later, by so much at most.
    Delay(Duration),
    /// It fails with [`Unavailable`](crate::ErrorKind::Unavailable), and surely was not done.
    Refuse,
    /// It is done, and fails with [`Unknown`](crate::ErrorKind::Unknown) (a read with `Unavailable`).
    LoseAnswer,
    /// It fails with `Unknown`, and was not done.
    LoseCommand,
    /// It is done, and there never is an answer.
    Hang,
    /// One bit of each cell that is read is wrong. Other operations are left alone.
    FlipBit,
    /// Each cell that is read is cut short. Other operations are left alone.
    Truncate,
    /// What the operation names is gone before it, as if the store had evicted it. Marks that are
    /// held stay.
    Forget,
}

/// The operations of a provider that faults can happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// [`read`](crate::provider::Provider::read)
    Read,
    /// [`acquire`](crate::provider::Provider::acquire)
    Acquire,
    /// [`fill`](crate::provider::Provider::fill)
    Fill,
    /// [`renew`](crate::provider::Provider::renew)
    Renew,
    /// [`release`](crate::provider::Provider::release)
    Release,
    /// [`ensure_marks`](crate::provider::Provider::ensure_marks)
    EnsureMarks,
    /// [`hold_marks`](crate::provider::Provider::hold_marks)
    HoldMarks,
    /// [`release_marks`](crate::provider::Provider::release_marks)
    ReleaseMarks,
    /// [`remove`](crate::provider::Provider::remove)
    Remove,
    /// [`remove_matching`](crate::provider::Provider::remove_matching)
    RemoveMatching,
    /// [`clear`](crate::provider::Provider::clear)
    Clear,
    /// [`ping`](crate::provider::Provider::ping)
    Ping,
}

impl Operation {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Acquire => "acquire",
            Self::Fill => "fill",
            Self::Renew => "renew",
            Self::Release => "release",
            Self::EnsureMarks => "ensure_marks",
            Self::HoldMarks => "hold_marks",
            Self::ReleaseMarks => "release_marks",
            Self::Remove => "remove",
            Self::RemoveMatching => "remove_matching",
            Self::Clear => "clear",
            Self::Ping => "ping",
        }
    }

    /// Whether nothing changes by it, so that a failure leaves no doubt.
    pub(super) const fn only_reads(self) -> bool {
        matches!(self, Self::Read | Self::Ping)
    }
}
