//! The names by which entries are invalidated, as the provider knows them.

use std::time::Duration;

use super::MARK_MARGIN;
use crate::cache::core::kind;
use crate::provider::{Mark, MarkState, Stamp};

/// The mark of a whole name.
pub(super) fn mark(name: &str) -> Mark<'_> {
    if let Some(tag) = name.strip_prefix(kind::TAG) {
        Mark::tag(tag)
    } else if let Some(family) = name.strip_prefix(kind::FAMILY) {
        Mark::epoch(family)
    } else {
        Mark::scope(name.strip_prefix(kind::FUNCTION).unwrap_or(name))
    }
}

pub(super) fn marks<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<Mark<'a>> {
    names.into_iter().map(|name| mark(name)).collect()
}

/// The stamps of marks that are all live; `None` where one is not.
pub(super) fn stamps(states: &[MarkState]) -> Option<Vec<Stamp>> {
    states.iter().map(|state| state.stamp()).collect()
}

/// How long the marks of an entry live that lives this long.
pub(super) fn mark_ttl(ttl: Duration) -> Duration {
    ttl.saturating_mul(2).saturating_add(MARK_MARGIN)
}

/// The cell that says that a key's value is being renewed while it is still served. It saves work
/// and carries no safety. The first character keeps it away from keys that users choose.
pub(super) fn refresh_key(text: &str) -> String {
    format!("\u{1}refresh:{text}")
}
