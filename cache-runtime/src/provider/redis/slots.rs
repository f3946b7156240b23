//! Where the buckets of keys lie among the slots of a cluster.

/// In how many parts a cluster's keys are divided. More than a cluster usually has primaries, so
/// that each serves its share; fewer than slots, since a scope mark has a copy in each.
pub(super) const BUCKETS: u16 = 64;

/// The slots of a cluster.
const SLOTS: u16 = 16_384;

/// The slot of all keys whose names hold the bucket's number in braces.
pub(super) fn slot(bucket: u16) -> u16 {
    crc16(bucket.to_string().as_bytes()) % SLOTS
}

/// CRC-16/XMODEM, by which Redis Cluster spreads keys.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{BUCKETS, crc16, slot};
    use std::collections::BTreeSet;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(crc16(b"123456789"), 0x31c3, "the example in the cluster's specification");
        assert_eq!(crc16(b"foo") % 16_384, 12_182, "`CLUSTER KEYSLOT foo`");
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn buckets_are_spread() {
        let slots: BTreeSet<u16> = (0..BUCKETS).map(slot).collect();
        assert_eq!(slots.len(), usize::from(BUCKETS));
        for primaries in [2_u16, 3, 4, 6, 8] {
            let mut shares = vec![0_u16; usize::from(primaries)];
            for slot in &slots {
                shares[usize::from(*slot) * usize::from(primaries) / 16_384] += 1;
            }
            let fair = BUCKETS / primaries;
            assert!(shares.iter().all(|share| *share * 2 >= fair), "{primaries}: {shares:?}");
        }
    }
}
