//! The first bytes of a cell, which name what lies in it.

use std::fmt;

use super::unique_bytes;

/// The first bytes of a cell: one for the kind and sixteen random ones.
///
/// Steps that depend on what somebody saw compare prefixes and nothing else. A cell that something
/// else wrote may be shorter than a prefix; then the prefix is all of it. The prefix of an absent
/// cell is empty, and so a cell without bytes counts as absent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    // Zero beyond `length`, so that equality may look at all of it.
    bytes: [u8; Prefix::LENGTH],
    length: u8,
}

/// What a cell can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CellKind {
    /// An entry: the prefix, the rest of the header, the payload.
    Value,
    /// Somebody is loading the value and will fill it in.
    Lease,
    /// Somebody is changing what the value is made of: readers load, and store nothing.
    Write,
}

impl Prefix {
    /// How many bytes a whole prefix has.
    pub const LENGTH: usize = 17;

    /// The prefix of a cell that does not exist.
    pub const ABSENT: Self = Self { bytes: [0; Self::LENGTH], length: 0 };

    /// The prefix of this kind with this id.
    pub fn new(kind: CellKind, id: [u8; 16]) -> Self {
        let mut bytes = [0; Self::LENGTH];
        bytes[0] = kind.byte();
        bytes[1..].copy_from_slice(&id);
        Self { bytes, length: Self::LENGTH as u8 }
    }

    /// A prefix that nobody has had before.
    pub fn unique(kind: CellKind) -> Self {
        Self::new(kind, unique_bytes())
    }

    /// The prefix of a cell with these bytes.
    pub fn of(cell: &[u8]) -> Self {
        let length = cell.len().min(Self::LENGTH);
        let mut bytes = [0; Self::LENGTH];
        bytes[..length].copy_from_slice(&cell[..length]);
        Self { bytes, length: length as u8 }
    }

    /// The bytes, as they stand in the cell.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// What lies in the cell, where it is of this version's making.
    pub fn kind(&self) -> Option<CellKind> {
        if usize::from(self.length) < Self::LENGTH {
            return None;
        }
        CellKind::from_byte(self.bytes[0])
    }

    /// Whether there is no such cell.
    pub const fn is_absent(&self) -> bool {
        self.length == 0
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_absent() {
            return f.write_str("Prefix(absent)");
        }
        write!(f, "Prefix({:?} ", self.kind())?;
        self.as_bytes().iter().skip(1).take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

impl CellKind {
    const fn byte(self) -> u8 {
        match self {
            CellKind::Value => b'V',
            CellKind::Lease => b'L',
            CellKind::Write => b'W',
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'V' => Some(CellKind::Value),
            b'L' => Some(CellKind::Lease),
            b'W' => Some(CellKind::Write),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CellKind, Prefix};

    #[test]
    fn a_prefix_is_what_the_cell_begins_with() {
        let prefix = Prefix::new(CellKind::Lease, [7; 16]);
        let mut cell = prefix.as_bytes().to_vec();
        assert_eq!(Prefix::of(&cell), prefix);
        cell.extend_from_slice(b"and the rest");
        assert_eq!(Prefix::of(&cell), prefix);
        assert_eq!(prefix.kind(), Some(CellKind::Lease));
        assert_ne!(prefix, Prefix::new(CellKind::Value, [7; 16]));
    }

    #[test]
    fn short_and_foreign_cells_have_prefixes_too() {
        assert_eq!(Prefix::of(b""), Prefix::ABSENT);
        assert!(!Prefix::of(b"\0").is_absent());
        assert_ne!(Prefix::of(b"\0"), Prefix::of(b"\0\0"));
        assert_eq!(Prefix::of(b"V").kind(), None);
        assert_eq!(Prefix::of(b"hello, this is foreign text").kind(), None);
        assert_eq!(Prefix::of(b"hello").as_bytes(), b"hello");
    }

    #[test]
    fn unique_prefixes_differ() {
        let made: std::collections::HashSet<_> =
            (0..10_000).map(|_| Prefix::unique(CellKind::Value)).collect();
        assert_eq!(made.len(), 10_000);
    }
}
