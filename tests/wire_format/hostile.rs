//! Payloads that somebody wrote on purpose: no panic, no endless loop, no stack that ends, no
//! allocation without bound.

use cache_runtime::entry::{
    Codec, Compression, Encoding, Format, Limits, Undecodable, decode_payload,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct List {
    next: Option<Box<List>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Box<Tree>),
    Many(Vec<Tree>),
    Named { tree: Box<Tree> },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Chain(Option<Box<Chain>>);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Loose {
    Number(u64),
    Many(Vec<Loose>),
}

fn encoding(codec: Codec) -> Encoding {
    Encoding { codec: codec.number(), compression: 0 }
}

#[track_caller]
fn assert_refused<T: serde::de::DeserializeOwned>(codec: Codec, bytes: &[u8]) {
    let read = decode_payload::<T>(encoding(codec), bytes, &Limits::default());
    assert_eq!(read.map(drop), Err(Undecodable::Value), "{codec}");
}

const DEEP: usize = 1_000_000;

#[test]
fn deep_nesting_ends_before_the_stack() {
    let deep = "[".repeat(DEEP);
    assert_refused::<serde_json::Value>(Codec::Json, deep.as_bytes());
    assert_refused::<Loose>(Codec::Json, deep.as_bytes());
    assert_refused::<Tree>(Codec::Json, "{\"Node\":".repeat(DEEP).as_bytes());
    assert_refused::<List>(Codec::Json, "{\"next\":".repeat(DEEP).as_bytes());

    // Lists of one, maps of one, and enums as maps of one.
    assert_refused::<serde_json::Value>(Codec::MessagePack, &[0x91].repeat(DEEP));
    assert_refused::<Loose>(Codec::MessagePack, &[0x91].repeat(DEEP));
    assert_refused::<serde::de::IgnoredAny>(Codec::MessagePack, &[0x91].repeat(DEEP));
    assert_refused::<List>(Codec::MessagePack, &b"\x81\xa4next".repeat(DEEP));
    assert_refused::<Tree>(Codec::MessagePack, &b"\x81\xa4Node".repeat(DEEP));
    assert_refused::<Tree>(Codec::MessagePack, &b"\x81\xa5Named\x81\xa4tree".repeat(DEEP));
    assert_refused::<Chain>(Codec::MessagePack, &[1]);

    assert_refused::<List>(Codec::Postcard, &[1].repeat(DEEP));
    assert_refused::<Chain>(Codec::Postcard, &[1].repeat(DEEP));
    assert_refused::<Tree>(Codec::Postcard, &[1].repeat(DEEP));
    assert_refused::<Tree>(Codec::Postcard, &[2, 1].repeat(DEEP));
    assert_refused::<Tree>(Codec::Postcard, &[3].repeat(DEEP));
}

#[test]
fn as_deep_as_is_allowed_is_read() {
    let nest = |depth: usize| (0..depth).fold(Tree::Leaf, |tree, _| Tree::Node(Box::new(tree)));
    for codec in Codec::ALL {
        let format = Format::new(codec);
        let payload = format.encode(&nest(100)).expect("it can be written");
        let read = decode_payload::<Tree>(payload.encoding, &payload.bytes, &format.limits);
        assert_eq!(read, Ok(nest(100)), "{codec}");
    }
}

#[test]
fn lists_of_nothing_are_as_long_as_a_value_may_be() {
    // Ten bytes that claim 2^64 - 1 elements of no bytes.
    let claim = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let mut limits = Limits::default();
    limits.max_value_bytes = 100_000;
    let read = decode_payload::<Vec<()>>(encoding(Codec::Postcard), &claim, &limits);
    assert_eq!(read, Err(Undecodable::Value));
    assert_refused::<Vec<u8>>(Codec::Postcard, &claim);
    assert_refused::<String>(Codec::Postcard, &claim);
    assert_refused::<Vec<Vec<u64>>>(Codec::MessagePack, &[0xdd, 0xff, 0xff, 0xff, 0xff]);
    assert_refused::<String>(Codec::MessagePack, &[0xdb, 0xff, 0xff, 0xff, 0xff]);
    assert_refused::<Vec<u8>>(Codec::MessagePack, &[0xc6, 0xff, 0xff, 0xff, 0xff]);
    assert_refused::<std::collections::HashMap<u8, ()>>(
        Codec::MessagePack,
        &[0xdf, 0xff, 0xff, 0xff, 0xff],
    );
}

#[test]
fn decompression_bombs_are_told_by_their_claim() {
    for compression in [Compression::Zstd, Compression::Lz4] {
        let format = Format::new(Codec::Json).compression(compression);
        let payload = format.encode(&"a".repeat(1_000_000)).expect("it is small");
        assert!(payload.bytes.len() < 10_000);
        let read = |bytes: &[u8], limits: &Limits| {
            decode_payload::<String>(payload.encoding, bytes, limits).map(|text| text.len())
        };
        let mut limits = Limits::default();
        assert_eq!(read(&payload.bytes, &limits), Ok(1_000_000));
        limits.max_value_bytes = 1_000_001;
        assert_eq!(read(&payload.bytes, &limits), Err(Undecodable::TooLarge));
        limits.max_value_bytes = 1_000_002;
        assert_eq!(read(&payload.bytes, &limits), Ok(1_000_000));
        // A claim that is too small, or too large, is no way around the limit.
        for claim in [0_u32, 1, 999_999, 1_000_001, 1_000_003, 30_000_000] {
            let bytes = [&claim.to_le_bytes()[..], &payload.bytes[4..]].concat();
            let expected = Err(Undecodable::Compression);
            assert_eq!(read(&bytes, &Limits::default()), expected, "{compression} {claim}");
        }
        let bytes = [&u32::MAX.to_le_bytes()[..], &payload.bytes[4..]].concat();
        assert_eq!(read(&bytes, &Limits::default()), Err(Undecodable::TooLarge));
        for short in 0..4 {
            let expected = Err(Undecodable::Compression);
            assert_eq!(read(&payload.bytes[..short], &Limits::default()), expected);
        }
    }
}

#[test]
fn what_is_left_over_is_refused() {
    for codec in Codec::ALL {
        let payload = Format::new(codec).encode(&(7_u32, "text")).expect("it can be written");
        let read = |bytes: &[u8]| {
            decode_payload::<(u32, String)>(encoding(codec), bytes, &Limits::default())
        };
        assert_eq!(read(&payload.bytes), Ok((7, "text".to_owned())));
        for more in [0_u8, 1, b']', 0x90, 0xc0, 0xc1, 0xff] {
            let bytes = [&payload.bytes[..], &[more]].concat();
            assert_eq!(read(&bytes), Err(Undecodable::Value), "{codec} {more:02x}");
        }
        assert_eq!(read(b""), Err(Undecodable::Value));
    }
}

#[test]
fn numbers_of_a_newer_version_are_told() {
    for number in 3..=255 {
        let limits = Limits::default();
        let newer = Encoding { codec: number, compression: 0 };
        let read = decode_payload::<u32>(newer, b"1", &limits);
        assert_eq!(read, Err(Undecodable::UnknownCodec(number)));
        let newer = Encoding { codec: 0, compression: number };
        let read = decode_payload::<u32>(newer, b"1", &limits);
        assert_eq!(read, Err(Undecodable::UnknownCompression(number)));
    }
}

#[test]
fn no_payload_makes_a_codec_panic() {
    type Shape = Vec<(Tree, List, Chain, Option<String>, [u16; 2], f32, char, Vec<u8>)>;

    let mut random = fastrand::Rng::with_seed(11);
    let value: Shape = vec![(
        Tree::Many(vec![Tree::Leaf, Tree::Named { tree: Box::new(Tree::Leaf) }]),
        List { next: Some(Box::new(List { next: None })) },
        Chain(None),
        Some("text".to_owned()),
        [1, 2],
        0.5,
        'x',
        vec![1, 2, 3],
    )];
    for codec in Codec::ALL {
        for compression in Compression::ALL {
            let format = Format::new(codec).compression(compression).compress_above(0);
            let whole = format.encode(&value).expect("it can be written").bytes;
            let limits = Limits::default();
            let encoding = Encoding { codec: codec.number(), compression: compression.number() };
            for _ in 0..20_000 {
                let mut bytes = whole.clone();
                for _ in 0..random.usize(1..5) {
                    let at = random.usize(..bytes.len());
                    match random.u8(..3) {
                        0 => bytes[at] = random.u8(..),
                        1 => bytes.insert(at, random.u8(..)),
                        _ => drop(bytes.remove(at)),
                    }
                }
                // Whatever comes out, it comes out.
                let _ = decode_payload::<Shape>(encoding, &bytes, &limits);
                let _ = decode_payload::<serde_json::Value>(encoding, &bytes, &limits);
            }
        }
    }
}
