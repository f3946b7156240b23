//! Random bytes that no other process draws.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that nobody else draws, in this process or in another.
///
/// A counter put through keyed SipHash. The standard library seeds the keys from the operating
/// system, and once per process is enough: under one key, different counts never repeat a pattern
/// that another process, with another key, could be expected to meet. The process is in it too,
/// since a fork copies keys and counter.
pub(crate) fn unique_bytes<const N: usize>() -> [u8; N] {
    static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let keys = KEYS.get_or_init(|| [RandomState::new(), RandomState::new()]);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    let mut bytes = [0; N];
    for (index, chunk) in bytes.chunks_mut(8).enumerate() {
        let word = keys[index % keys.len()].hash_one((count, index, process)).to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::unique_bytes;

    #[test]
    fn every_draw_differs_in_every_part() {
        let draws: Vec<[u8; 16]> = (0..10_000).map(|_| unique_bytes()).collect();
        for part in [0..8, 8..16] {
            let parts: std::collections::HashSet<_> =
                draws.iter().map(|draw| &draw[part.clone()]).collect();
            assert_eq!(parts.len(), draws.len());
        }
    }
}
