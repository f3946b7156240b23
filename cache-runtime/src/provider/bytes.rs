//! The bytes of a cell, owned by whoever had them first.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// What a cell holds, shared with the store or taken from its answer, without a copy either way.
#[derive(Clone)]
pub struct CellBytes(Holder);

#[derive(Clone)]
enum Holder {
    Owned(Vec<u8>),
    Shared(Arc<[u8]>),
}

impl From<Vec<u8>> for CellBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Holder::Owned(bytes))
    }
}

impl From<&[u8]> for CellBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl From<Arc<[u8]>> for CellBytes {
    fn from(bytes: Arc<[u8]>) -> Self {
        Self(Holder::Shared(bytes))
    }
}

impl Deref for CellBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Holder::Owned(bytes) => bytes,
            Holder::Shared(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for CellBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for CellBytes {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for CellBytes {}

/// Tells the length alone: what is cached may be nobody else's business.
impl fmt::Debug for CellBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellBytes({} bytes)", self.len())
    }
}
