//! Compressed payloads: four bytes that say how many bytes they become (little-endian), and the
//! frame or block.

use super::{Compression, Undecodable};

/// What says how many bytes there will be.
const LENGTH: usize = 4;

/// The bytes made smaller, or `None` if they don't become smaller.
pub(super) fn compress(compression: Compression, bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok()?.to_le_bytes();
    let smaller: Option<Vec<u8>> = match compression {
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstandard::compress(length, bytes),
        #[cfg(feature = "lz4")]
        Compression::Lz4 => Some(block::compress(length, bytes)),
        _ => {
            let _ = length;
            None
        }
    };
    smaller.filter(|smaller| smaller.len() < bytes.len())
}

/// The bytes as they were. Claims are looked at before anything is allocated for them.
pub(super) fn decompress(
    compression: Compression,
    bytes: &[u8],
    most: usize,
) -> Result<Vec<u8>, Undecodable> {
    if !compression.is_available() {
        return Err(Undecodable::CompressionUnavailable(compression));
    }
    let (length, body) = bytes.split_first_chunk::<LENGTH>().ok_or(Undecodable::Compression)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > most {
        return Err(Undecodable::TooLarge);
    }
    let whole: Option<Vec<u8>> = match compression {
        #[cfg(feature = "zstd")]
        Compression::Zstd => zstandard::decompress(body, length),
        #[cfg(feature = "lz4")]
        Compression::Lz4 => block::decompress(body, length),
        _ => {
            let _ = body;
            None
        }
    };
    whole.filter(|whole| whole.len() == length).ok_or(Undecodable::Compression)
}

#[cfg(feature = "zstd")]
mod zstandard {
    use std::cell::RefCell;

    use super::LENGTH;

    /// Past this level time grows much faster than size shrinks.
    const LEVEL: i32 = 3;

    thread_local! {
        // A context takes longer to make than a small value takes to decompress.
        static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
            const { RefCell::new(None) };
    }

    pub(super) fn compress(length: [u8; LENGTH], bytes: &[u8]) -> Option<Vec<u8>> {
        let frame = zstd::bulk::compress(bytes, LEVEL).ok()?;
        Some([&length[..], &frame].concat())
    }

    pub(super) fn decompress(frame: &[u8], length: usize) -> Option<Vec<u8>> {
        DECOMPRESSOR.with_borrow_mut(|kept| {
            let decompressor = match kept {
                Some(decompressor) => decompressor,
                None => kept.insert(zstd::bulk::Decompressor::new().ok()?),
            };
            // The capacity bounds what is written.
            let mut whole = Vec::with_capacity(length);
            decompressor.decompress_to_buffer(frame, &mut whole).ok()?;
            Some(whole)
        })
    }
}

#[cfg(feature = "lz4")]
mod block {
    use super::LENGTH;

    /// No block of LZ4 becomes more than 255 times as long.
    const MOST_RATIO: usize = 255;

    pub(super) fn compress(length: [u8; LENGTH], bytes: &[u8]) -> Vec<u8> {
        [&length[..], &lz4_flex::block::compress(bytes)].concat()
    }

    pub(super) fn decompress(block: &[u8], length: usize) -> Option<Vec<u8>> {
        if length > block.len().saturating_mul(MOST_RATIO) {
            return None;
        }
        let mut whole = vec![0; length];
        let written = lz4_flex::block::decompress_into(block, &mut whole).ok()?;
        (written == length).then_some(whole)
    }
}
