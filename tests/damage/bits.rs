//! Bytes of an entry are others, missing, or too many.

use cache_runtime::entry::{Codec, Compression};

use super::world::{World, cell};

/// How long the header is, the checksum included.
const HEADER: usize = 93;

/// Flips these bits of every byte, one at a time.
async fn flip(world: &World, bits: impl Fn(usize) -> Vec<u32>) {
    let mut flips = 0;
    let mut at = 0;
    // The entry's length differs from load to load, by the digits of a time.
    while at < world.stored(1).await.len() {
        for bit in bits(at) {
            let mut bytes = world.stored(1).await;
            let Some(byte) = bytes.get_mut(at) else { break };
            *byte ^= 1 << bit;
            world.put(&cell(1), &bytes);
            world.undecodable(1, &format!("bit {bit} of byte {at}")).await;
            flips += 1;
        }
        at += 1;
    }
    println!("{flips} bits flipped in {at} bytes");
}

async fn cut(world: &World) {
    for length in 1..world.stored(1).await.len() {
        let bytes = world.stored(1).await;
        world.put(&cell(1), &bytes[..length]);
        world.undecodable(1, &format!("{length} of {} bytes", bytes.len())).await;
    }
    let longer = [world.stored(1).await.as_slice(), b"A"].concat();
    world.put(&cell(1), &longer);
    world.undecodable(1, "a byte too many").await;
}

/// All of the header, and one in each byte behind it.
fn all_of_the_header(at: usize) -> Vec<u32> {
    if at < HEADER { (0..8).collect() } else { one_of_each(at) }
}

fn one_of_each(at: usize) -> Vec<u32> {
    vec![at as u32 % 8]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_a_miss_wherever_it_is() {
    flip(&World::plain().await, all_of_the_header).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_is_a_miss_over_rest() {
    flip(&World::rest().await, one_of_each).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_another_length_is_a_miss() {
    cut(&World::plain().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_of_another_length_is_a_miss_over_rest() {
    cut(&World::rest().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_codec_and_no_compression_is_shown_damaged_bytes() {
    for codec in [Codec::Json, Codec::MessagePack, Codec::Postcard] {
        for compression in [Compression::None, Compression::Zstd, Compression::Lz4] {
            if (codec, compression) == (Codec::Json, Compression::None) {
                continue;
            }
            let world = World::redis(codec, compression).await;
            // The bytes 18 and 19 of the header name the two.
            let bytes = world.stored(1).await;
            assert_eq!(bytes[18..20], [codec.number(), compression.number()]);
            flip(&world, one_of_each).await;
        }
    }
}
