//! Payloads of entries: codecs and compressions, under limits.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use cache_runtime::entry::{
    Codec, Compression, Encoding, Format, Limits, Undecodable, decode_payload,
};
use serde::de::DeserializeOwned;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::Target;
use crate::source::Source;

/// A codec, a compression, a limit, a type, and the bytes of a payload.
pub const TARGET: Target = Target {
    name: "payloads",
    body,
    seeds,
    words: &[
        b"[",
        b"]",
        b"{",
        b"}",
        b"null",
        b"\"a\":",
        b"1e999",
        b"-0.0",
        b"\\u0000",
        b"{\"Node\":",
        b"\x91",
        b"\x92",
        b"\x81",
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc0",
        b"\xca",
        b"\xff\xff\x03",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x01\x01\x01\x01",
    ],
    runs: 30_000,
    long_runs: 2_500_000,
};

const LIMITS: [usize; 4] = [48, 300, 4_096, 100_000];

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shape {
    id: u64,
    name: Option<String>,
    pairs: Vec<(u8, u8)>,
    lists: Vec<Vec<u8>>,
    map: BTreeMap<String, i64>,
    kind: Kind,
    number: f64,
    small: f32,
    letter: char,
    array: [u16; 2],
    unit: (),
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
enum Kind {
    #[default]
    Plain,
    Of(i32),
    Pair(bool, i8),
    Named {
        deep: Option<(u8, (u8, u8))>,
    },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Node(Box<Tree>),
    Many(Vec<Tree>),
    Named { tree: Option<Box<Tree>> },
}

fn seeds() -> Vec<Vec<u8>> {
    let shape = Shape {
        id: 7,
        name: Some("Ada".to_owned()),
        pairs: vec![(1, 2), (3, 4)],
        lists: vec![vec![], vec![1], vec![]],
        map: BTreeMap::from([("a".to_owned(), -1), ("b".to_owned(), i64::MAX)]),
        kind: Kind::Named { deep: Some((1, (2, 3))) },
        number: 0.1,
        small: 1.5,
        letter: 'é',
        array: [1, 2],
        unit: (),
    };
    let tree = Tree::Many(vec![
        Tree::Leaf,
        Tree::Node(Box::new(Tree::Named { tree: Some(Box::new(Tree::Leaf)) })),
    ]);
    let mut seeds = Vec::new();
    for codec in Codec::ALL {
        for compression in Compression::ALL {
            let format = Format::new(codec).compression(compression).compress_above(0);
            let empties = vec![Vec::<u8>::new(); 40];
            let payloads = [
                (0, format.encode(&shape)),
                (1, format.encode(&tree)),
                (2, format.encode(&vec![(1_u8, 2_u8); 20])),
                (3, format.encode(&empties)),
                (4, format.encode(&serde_json::json!({"a": [1, -2.5, null, "text"]}))),
                (5, format.encode(&"a".repeat(100))),
                (6, format.encode(&vec![(); 30])),
                (7, format.encode(&empties)),
            ];
            for (which, payload) in payloads {
                let payload = payload.expect("it can be written");
                let Encoding { codec, compression } = payload.encoding;
                seeds.push([&[codec, compression, 2, which], &payload.bytes[..]].concat());
            }
        }
    }
    seeds
}

/// No payload makes a codec panic or reserve more memory than the limits allow, and a value that can
/// be written under the limits can be read under them, and is the same.
pub fn body(data: &[u8]) {
    let mut source = Source::new(data);
    let encoding = Encoding { codec: source.byte(), compression: source.byte() };
    let mut limits = Limits::default();
    limits.max_value_bytes = *source.pick(&LIMITS);
    let which = source.byte();
    let payload = source.rest();
    match which % 8 {
        0 => every_codec::<Shape>(encoding, payload, &limits),
        1 => same_codec::<Tree>(encoding, payload, &limits),
        2 => every_codec::<Vec<(u8, u8)>>(encoding, payload, &limits),
        3 => every_codec::<Vec<Vec<u8>>>(encoding, payload, &limits),
        4 => same_codec::<serde_json::Value>(encoding, payload, &limits),
        5 => every_codec::<String>(encoding, payload, &limits),
        6 => {
            if let Ok(list) = decode_payload::<Vec<()>>(encoding, payload, &limits) {
                assert!(list.len() <= limits.max_value_bytes, "{} elements", list.len());
            }
        }
        _ => {
            let (read, most) = reserved(|| decode_payload::<Greedy>(encoding, payload, &limits));
            assert!(most <= ELEMENT * limits.max_value_bytes, "{read:?}: {most} bytes reserved");
        }
    }
}

fn read<T: DeserializeOwned>(encoding: Encoding, payload: &[u8], limits: &Limits) -> Option<T> {
    match decode_payload::<T>(encoding, payload, limits) {
        Ok(value) => return Some(value),
        Err(Undecodable::UnknownCodec(number)) => {
            assert_eq!((number, Codec::from_number(number)), (encoding.codec, None));
        }
        Err(Undecodable::UnknownCompression(number)) => {
            assert_eq!((number, Compression::from_number(number)), (encoding.compression, None));
        }
        Err(Undecodable::TooLarge) => {
            assert!(encoding.compression > 0 || payload.len() > limits.max_value_bytes);
        }
        Err(Undecodable::Compression) => assert!(encoding.compression > 0),
        Err(Undecodable::Value) => {}
        Err(other) => panic!("{other:?}, and every feature is on"),
    }
    None
}

/// For types that every codec can hold.
fn every_codec<T: Serialize + DeserializeOwned>(
    encoding: Encoding,
    payload: &[u8],
    limits: &Limits,
) {
    let Some(value) = read::<T>(encoding, payload, limits) else { return };
    for codec in Codec::ALL {
        for compression in Compression::ALL {
            again(&value, Format::new(codec).compression(compression), limits);
        }
    }
}

/// For types that some codecs can hold less deep than others, or not at all.
fn same_codec<T: Serialize + DeserializeOwned>(
    encoding: Encoding,
    payload: &[u8],
    limits: &Limits,
) {
    let Some(value) = read::<T>(encoding, payload, limits) else { return };
    let codec = Codec::from_number(encoding.codec).expect("it was read");
    again(&value, Format::new(codec), limits);
}

/// Writes a value, reads it, and writes it once more.
fn again<T: Serialize + DeserializeOwned>(value: &T, format: Format, limits: &Limits) {
    let format = format.compress_above(0).limits(*limits);
    let Ok(payload) = format.encode(value) else { return };
    let read = decode_payload::<T>(payload.encoding, &payload.bytes, limits);
    let Ok(read) = read else { panic!("what was written as {payload:02x?} cannot be read") };
    assert_eq!(format.encode(&read).expect("it was written before"), payload);
}

/// A list of lists that reserves memory for as many elements as it is told of, as `Vec` does.
#[derive(Debug)]
struct Greedy;

/// What an element takes.
const ELEMENT: usize = 16;

/// For more than so many bytes at once, no list reserves memory before it has the elements.
const MOST_AT_ONCE: usize = 1 << 20;

thread_local! {
    static RESERVED: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// What `read` gives, and how many bytes its lists had reserved at most.
fn reserved<T>(read: impl FnOnce() -> T) -> (T, usize) {
    RESERVED.set((0, 0));
    let read = read();
    (read, RESERVED.get().1)
}

impl<'de> Deserialize<'de> for Greedy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(GreedyVisitor)
    }
}

struct GreedyVisitor;

impl<'de> Visitor<'de> for GreedyVisitor {
    type Value = Greedy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Greedy, A::Error> {
        let told = items.size_hint().unwrap_or(0).saturating_mul(ELEMENT).min(MOST_AT_ONCE);
        let (before, most) = RESERVED.get();
        RESERVED.set((before + told, most.max(before + told)));
        while let Some(Greedy) = items.next_element()? {}
        RESERVED.set((before, RESERVED.get().1));
        Ok(Greedy)
    }
}
