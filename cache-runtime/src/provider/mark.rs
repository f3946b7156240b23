//! Marks: what entries depend on, and how a provider names their state.

use crate::entry::Stamp;

/// The name of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mark<'a> {
    /// What sort of mark it is. Marks of different kinds never meet, whatever their names.
    pub kind: MarkKind,
    /// The text of the tag, the family, or the scope.
    pub name: &'a str,
}

impl<'a> Mark<'a> {
    /// The mark of a tag.
    pub const fn tag(name: &'a str) -> Self {
        Self { kind: MarkKind::Tag, name }
    }

    /// The epoch of a family of tags.
    pub const fn epoch(family: &'a str) -> Self {
        Self { kind: MarkKind::Epoch, name: family }
    }

    /// The mark of all that one function, or one declared prefix, has cached.
    pub const fn scope(name: &'a str) -> Self {
        Self { kind: MarkKind::Scope, name }
    }
}

/// The mark that is held while a scan removes what a pattern fits, or everything.
///
/// A scan takes its time: a load that begins after its cell was removed may still hit another cell
/// whose turn has not come, and would store what it made of that one. So every load names this mark
/// when it acquires its cell, and stores nothing if it is held. It is a scope, of which there is a
/// copy beside every cell, and no function has this name.
#[cfg(any(feature = "entry", feature = "conformance"))]
pub(crate) const SWEEP: Mark<'static> = Mark::scope("\u{1}sweep");

/// The sorts of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MarkKind {
    /// A tag that the user named.
    Tag,
    /// The epoch of a family of tags: changes whenever a tag of the family is invalidated.
    Epoch,
    /// An implicit tag of a function or a declared prefix. A store of several nodes keeps copies
    /// beside the cells that carry it; removing the mark removes every copy.
    Scope,
}

/// What a mark held when somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MarkState {
    /// Nothing: entries that carry the mark are invalid.
    Absent,
    /// Held by somebody: entries that carry the mark are invalid, and none may be stored.
    Held,
    /// Entries that remember this very stamp are valid, as far as this mark is concerned.
    Live(Stamp),
}

impl MarkState {
    /// The stamp of a live mark.
    pub const fn stamp(self) -> Option<Stamp> {
        match self {
            MarkState::Live(stamp) => Some(stamp),
            MarkState::Absent | MarkState::Held => None,
        }
    }
}
