//! The bytes of a cell, owned by whoever had them first.

use std::fmt;
use std::ops::Deref;
#[cfg(feature = "redis")]
use std::ops::Range;
use std::sync::Arc;

/// What a cell holds, shared with the store or taken from its answer, without a copy either way.
#[derive(Clone)]
pub struct CellBytes(Holder);

#[derive(Clone)]
enum Holder {
    Owned(Vec<u8>),
    /// A part of what a server answered.
    #[cfg(feature = "redis")]
    Part(Vec<u8>, Range<usize>),
    Shared(Arc<[u8]>),
}

impl CellBytes {
    /// The bytes that lie there in an answer, which is kept.
    ///
    /// # Panics
    ///
    /// Where the answer is shorter.
    #[cfg(feature = "redis")]
    pub(crate) fn part(answer: Vec<u8>, place: Range<usize>) -> Self {
        assert!(place.start <= place.end && place.end <= answer.len(), "no part of the answer");
        Self(Holder::Part(answer, place))
    }
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
            #[cfg(feature = "redis")]
            Holder::Part(bytes, place) => &bytes[place.clone()],
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
