//! Names of cells and marks that outlive the call that named them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use hashbrown::Equivalent;

use crate::provider::{Mark, MarkKind};

/// The name of a cell, or of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// `None` for a cell.
    pub(super) kind: Option<MarkKind>,
    pub(super) text: Arc<str>,
}

impl Name {
    /// Its place among what is removed: families' epochs (0) come before other marks (1), since a
    /// tag must not be seen renewed while the epoch of its family still is the old one. Cells (2)
    /// depend on nothing.
    pub(super) fn rank(&self) -> u8 {
        match self.kind {
            Some(MarkKind::Epoch) => 0,
            Some(_) => 1,
            None => 2,
        }
    }
}

/// The same, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct NameRef<'a> {
    pub(super) kind: Option<MarkKind>,
    pub(super) text: &'a str,
}

impl<'a> NameRef<'a> {
    pub(super) const fn cell(key: &'a str) -> Self {
        Self { kind: None, text: key }
    }

    pub(super) const fn mark(mark: &Mark<'a>) -> Self {
        Self { kind: Some(mark.kind), text: mark.name }
    }

    pub(super) fn to_owned(self) -> Name {
        Name { kind: self.kind, text: Arc::from(self.text) }
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        NameRef { kind: self.kind, text: &self.text }.hash(state);
    }
}

impl Equivalent<Name> for NameRef<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        self.kind == name.kind && *self.text == *name.text
    }
}
