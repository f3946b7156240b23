//! Counts what the cache warns of in this process.
//!
//! A function that writes through returns what its body returned, also when the store did not
//! acknowledge the rest: only a warning tells.

use std::sync::atomic::{AtomicU64, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

static WARNINGS: AtomicU64 = AtomicU64::new(0);

/// How often the cache has warned so far.
pub(super) fn warnings() -> u64 {
    WARNINGS.load(Ordering::SeqCst)
}

/// Begins to count.
///
/// # Panics
///
/// If the process has a subscriber already.
pub(super) fn count_warnings() {
    tracing::subscriber::set_global_default(Warnings).expect("the first subscriber");
}

struct Warnings;

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "cache" && *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        WARNINGS.fetch_add(1, Ordering::SeqCst);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
