//! What a shard remembers of keys that it no longer holds: that they were evicted, and why a read
//! finds nothing.

use crate::stats::MissReason;

/// Why a slot left its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Another slot took its place: the key is still there.
    Replaced,
    Expired,
    Invalidated,
    Evicted,
    TooLarge,
}

impl From<Option<Gone>> for MissReason {
    fn from(gone: Option<Gone>) -> Self {
        match gone {
            None | Some(Gone::Replaced) => Self::Absent,
            Some(Gone::Expired) => Self::Expired,
            Some(Gone::Invalidated) => Self::Invalidated,
            Some(Gone::Evicted) => Self::Evicted,
            Some(Gone::TooLarge) => Self::TooLarge,
        }
    }
}

const REASONS: usize = 256;

/// Both tables forget by overwriting: they hold hints for the eviction and the statistics.
#[derive(Default)]
pub(crate) struct Memories {
    /// The ghost queue of S3-FIFO as a table of hashes; empty until the first eviction.
    evicted: Box<[u32]>,
    /// A part of the hash with the reason in its lowest bits; empty until the first removal.
    reasons: Box<[u32]>,
}

impl Memories {
    pub(crate) fn remember(&mut self, hash: u64, why: Gone) {
        if why == Gone::Replaced {
            return;
        }
        if self.reasons.is_empty() {
            self.reasons = vec![0; REASONS].into_boxed_slice();
        }
        self.reasons[hash as usize % REASONS] = (hash >> 32) as u32 & !7 | why as u32;
    }

    /// Why the key is not there, where that is still known.
    pub(crate) fn reason(&self, hash: u64) -> Option<Gone> {
        let entry = *self.reasons.get(hash as usize % REASONS)?;
        if entry & !7 != (hash >> 32) as u32 & !7 {
            return None;
        }
        [Gone::Expired, Gone::Invalidated, Gone::Evicted, Gone::TooLarge]
            .into_iter()
            .find(|why| *why as u32 == entry & 7)
    }

    /// Remembers an evicted key among about as many as the shard holds entries.
    pub(crate) fn remember_evicted(&mut self, hash: u64, entries: usize) {
        let wanted = entries.next_power_of_two().max(16);
        if self.evicted.len() < wanted {
            self.evicted = vec![0; wanted].into_boxed_slice();
        }
        let place = self.place(hash);
        self.evicted[place] = fingerprint(hash);
    }

    /// Whether the key was evicted lately; forgets it.
    pub(crate) fn was_evicted(&mut self, hash: u64) -> bool {
        if self.evicted.is_empty() {
            return false;
        }
        let place = self.place(hash);
        let found = self.evicted[place] == fingerprint(hash);
        if found {
            self.evicted[place] = 0;
        }
        found
    }

    fn place(&self, hash: u64) -> usize {
        hash as usize & (self.evicted.len() - 1)
    }
}

fn fingerprint(hash: u64) -> u32 {
    (hash >> 32) as u32 | 1
}
