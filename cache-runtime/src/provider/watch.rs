//! Hearing of changes: what a store tells those who keep copies of what they read.

use std::fmt::Debug;
use std::sync::Weak;
use std::time::Duration;

use super::Mark;

/// Hears what changes in a store, for copies that are kept elsewhere: a near cache.
///
/// Its methods are called from the task that reads the connection, in the order in which the store
/// told things. They must be quick, and must not block.
pub trait Watcher: Debug + Send + Sync + 'static {
    /// Something was written, removed, evicted or has expired. It may be told more often than it
    /// happened.
    fn changed(&self, what: Changed<'_>);

    /// Called right before the store is asked for a sign of life, or before all its servers are.
    fn asking(&self) -> Sign;

    /// The sign of life came: whatever the store had acknowledged to anybody before it was asked
    /// has been told by [`changed`](Self::changed) by now.
    fn alive(&self, asked: Sign);
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Changed<'a> {
    /// The cell of a key.
    Cell(&'a str),
    /// A mark.
    Mark(Mark<'a>),
    /// Perhaps everything: the namespace was cleared, or the connection was lost and changes with
    /// it, or other servers are in charge.
    Everything,
}

/// When a sign of life was asked for, on the watcher's own clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sign {
    life: u64,
    moment: u64,
    unix_millis: u64,
}

impl Sign {
    /// A moment, on a monotonic clock and in milliseconds since 1970, and in which life of the
    /// connection that is.
    pub const fn new(life: u64, moment: u64, unix_millis: u64) -> Self {
        Self { life, moment, unix_millis }
    }

    /// In which life of the connection it was asked for: a number that changes with every
    /// [`Changed::Everything`].
    pub const fn life(self) -> u64 {
        self.life
    }

    /// The moment on the monotonic clock.
    pub const fn moment(self) -> u64 {
        self.moment
    }

    /// The moment in milliseconds since 1970.
    pub const fn unix_millis(self) -> u64 {
        self.unix_millis
    }
}

/// Who is to be told, and how often a sign of life is wanted.
#[derive(Clone, Debug)]
pub struct Watch {
    /// Told for as long as it exists.
    pub watcher: Weak<dyn Watcher>,
    /// The time between two signs of life.
    pub every: Duration,
}
