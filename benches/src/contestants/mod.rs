//! Everyone who serves hits, behind one face.

mod by_hand;
mod cached_crate;
mod moka_cache;
mod ours;
mod papaya_map;
mod quick;

use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;

use crate::timing::block_on;
use crate::workload::{ENTRIES, Random, shuffled};

/// What a hit is asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arguments {
    /// A number.
    Number,
    /// A text that the caller lends.
    Text,
    /// A text that the caller gives away.
    OwnedText,
    /// A number and a lent text.
    Two,
}

/// What a hit hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// An `Arc<User>`.
    Shared,
    /// A deep copy of the `User`.
    Cloned,
}

/// One row of the table of hits.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// A short name without blanks, for the command line and for finding the row.
    pub id: &'static str,
    /// What the row says.
    pub label: &'static str,
    /// What a hit is asked with.
    pub arguments: Arguments,
    /// What a hit hands out.
    pub value: Value,
    /// Fills a cache with every entry and gives a way to hit it.
    pub build: fn() -> Hits,
}

/// The row that every ratio is taken against.
pub const REFERENCE: &str = "quick-u64";

/// All rows, in the order of the table.
#[must_use]
pub fn all() -> Vec<Contestant> {
    [by_hand::ROWS, quick::ROWS, papaya_map::ROWS, moka_cache::ROWS, cached_crate::ROWS, ours::ROWS]
        .concat()
}

/// The row with this short name.
#[must_use]
pub fn find(id: &str) -> Option<Contestant> {
    all().into_iter().find(|row| row.id == id)
}

/// Says that there is no row with this short name, and which there are.
#[must_use]
pub fn unknown(id: &str) -> String {
    let known: Vec<&str> = all().iter().map(|row| row.id).collect();
    format!("no contestant is called `{id}`; there are {}", known.join(", "))
}

type Calls = dyn Fn(&[u32]) + Send + Sync;
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Hits a filled cache once for each step.
///
/// The virtual call is made once for a whole slice of steps; the loop over them is compiled for
/// each contestant, as it would be in a service.
#[derive(Clone)]
pub enum Hits {
    /// By plain calls.
    Plain(Arc<Calls>),
    /// By calls that are awaited.
    Awaited(Arc<dyn Fn(&'static [u32]) -> Task + Send + Sync>),
}

impl Hits {
    /// Hits by a plain call.
    pub fn plain<V>(hit: impl Fn(u32) -> V + Send + Sync + 'static) -> Self {
        Self::Plain(Arc::new(move |steps| {
            for &step in steps {
                black_box(hit(black_box(step)));
            }
        }))
    }

    /// Hits by an awaited call.
    pub fn awaited<H, F>(hit: H) -> Self
    where
        H: Fn(u32) -> F + Clone + Send + Sync + 'static,
        F: Future<Output: Send> + Send + 'static,
    {
        Self::Awaited(Arc::new(move |steps| {
            let hit = hit.clone();
            Box::pin(async move {
                for &step in steps {
                    black_box(hit(black_box(step)).await);
                }
            })
        }))
    }

    /// Makes the hits on this thread.
    pub fn run(&self, steps: &'static [u32]) {
        match self {
            Self::Plain(run) => run(steps),
            Self::Awaited(run) => block_on(run(steps)),
        }
    }

    /// The hits as a task of a runtime.
    #[must_use]
    pub fn task(&self, steps: &'static [u32]) -> Task {
        match self {
            Self::Plain(run) => {
                let run = Arc::clone(run);
                Box::pin(async move { run(steps) })
            }
            Self::Awaited(run) => run(steps),
        }
    }
}

/// Hits every entry once within a runtime, so that what loads through is full afterwards.
fn filled(hits: Hits) -> Hits {
    let every: &'static [u32] = Vec::leak(shuffled(ENTRIES, &mut Random::new(7)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(hits.task(every));
    hits
}
