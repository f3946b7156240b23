//! The names by which entries are invalidated, as the provider knows them.

use std::ops::Deref;
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

/// How many marks a reader usually asks for at most.
const FEW: usize = 4;

/// The marks of a request: where they are few, without an allocation.
pub(super) enum Marks<'a> {
    Few([Mark<'a>; FEW], usize),
    Many(Vec<Mark<'a>>),
}

impl<'a> Marks<'a> {
    pub(super) fn of(names: &'a [String]) -> Self {
        if names.len() > FEW {
            return Self::Many(marks(names));
        }
        let mut few = [Mark::tag(""); FEW];
        for (place, name) in few.iter_mut().zip(names) {
            *place = mark(name);
        }
        Self::Few(few, names.len())
    }
}

impl<'a> Deref for Marks<'a> {
    type Target = [Mark<'a>];

    fn deref(&self) -> &[Mark<'a>] {
        match self {
            Self::Few(few, count) => &few[..*count],
            Self::Many(marks) => marks,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{FEW, Marks, marks};

    #[test]
    fn few_marks_are_the_same_as_many() {
        let names: Vec<String> =
            ["F:fn", "T:team:5", "E:team", "T:a", "T:b", "T:c"].map(str::to_owned).to_vec();
        for count in 0..names.len() {
            let found = Marks::of(&names[..count]);
            assert_eq!(*found, *marks(&names[..count]));
            assert_eq!(matches!(found, Marks::Few(..)), count <= FEW);
        }
    }
}
