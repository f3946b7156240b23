//! Nonces as entries remember them, fenced by the life of the server that held them.

use std::fmt;

/// A mark's nonce, mixed with the incarnation of the server that holds it.
///
/// Two equal stamps of one mark mean that in between nobody removed it, it was not evicted or
/// expired, and its server did not come back with an older state. A provider makes a stamp as
/// `nonce xor incarnation` and takes it apart again for guards, so nobody above it can forget the
/// fence. Nonces are 8 random bytes: a counter that restarts after an eviction would make old
/// entries valid again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp([u8; 8]);

impl Stamp {
    /// The stamp of a nonce that a server in this incarnation holds.
    pub const fn new(nonce: [u8; 8], incarnation: Incarnation) -> Self {
        Self((u64::from_le_bytes(nonce) ^ incarnation.0).to_le_bytes())
    }

    /// The nonce that this stamp was made of, if the incarnation is the same.
    pub const fn nonce(self, incarnation: Incarnation) -> [u8; 8] {
        (u64::from_le_bytes(self.0) ^ incarnation.0).to_le_bytes()
    }

    /// A stamp read back from where [`to_bytes`](Self::to_bytes) was stored.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// The stamp as an entry stores it.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stamp({:016x})", u64::from_be_bytes(self.0))
    }
}

/// One life of the server that answered.
///
/// It changes when the server restarts or another takes over, so that what was stored in a former
/// life, and may lack the last invalidations, is recognised. [`Incarnation::UNKNOWN`] where it
/// cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation(u64);

impl Incarnation {
    /// The incarnation of a store that cannot tell: always the same, so there is no fence.
    pub const UNKNOWN: Self = Self(0);

    /// An incarnation with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}
