//! What a worker is told, and what it answers.

use serde::{Deserialize, Serialize};

use super::checker::Verdict;
use super::watch::{Sight, Watch};

/// One line of a worker's input.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Call the function [`item`](super::item) in so many tasks at once.
    Load {
        /// The item.
        key: String,
        /// How long a load takes, if there is one.
        delay_ms: u64,
        /// How many tasks.
        tasks: u64,
    },
    /// Invalidate items.
    Invalidate(What),
    /// Read and write rows, and check every read.
    Check {
        /// Through which cache.
        subject: SubjectKind,
        /// Different for each worker.
        seed: u64,
        /// How many reads, all tasks together.
        reads: u64,
        /// How many tasks.
        tasks: u64,
    },
    /// Read and write rows for a time, and judge every read.
    Watch(Watch),
    /// Announce a change of this row, commit it, and die before its invalidation.
    Die {
        /// The row.
        id: u64,
    },
}

/// What is invalidated, and how.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// One item by its key.
    Key(String),
    /// One item by its own tag.
    Tag(String),
    /// Everything that the function cached.
    Function,
    /// All items by a pattern.
    Pattern,
    /// All that there is.
    Clear,
}

/// Through which cache rows are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// Annotated functions.
    Annotated,
    /// Tag sets as people write them by hand, with the bare client.
    Naive,
    /// Cache-aside that deletes the key after the write.
    DeleteAfterWrite,
    /// Tags that hold the time of their last change, against the time at which an entry was stored.
    TimestampTags,
    /// Tags that hold a nonce, which is read after the load.
    NoncesAfterLoad,
}

/// One line of a worker's output.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The cache is there; the first line of all.
    Ready,
    /// The calls have returned.
    Loaded {
        /// What they returned, each value once.
        values: Vec<u64>,
        /// How long the slowest took.
        slowest_ms: u64,
        /// For how long the process was not run at a stretch.
        stalled_ms: u64,
    },
    /// The invalidation was acknowledged.
    Invalidated,
    /// The check is over.
    Checked(Verdict),
    /// The watch is over.
    Watched(Box<Sight>),
    /// What was ordered failed.
    Failed(String),
}
