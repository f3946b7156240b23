//! Values through every codec and compression, and back.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use cache_runtime::ErrorKind;
use cache_runtime::entry::{
    Codec, Compression, Encoding, Format, Limits, Undecodable, decode_payload,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    #[serde(rename = "customer")]
    name: String,
    lines: Vec<Line>,
    note: Option<String>,
    state: State,
    totals: BTreeMap<u32, i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line(u32, f64);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
enum State {
    #[default]
    Open,
    Paid(u64),
    Sent {
        at: Duration,
        by: (char, u8),
    },
}

/// What needs a codec that names what it writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loose {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u8>,
    #[serde(flatten)]
    rest: HashMap<String, Choice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Choice {
    Number(u64),
    Text(String),
    Tagged(Tagged),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Circle { radius: f64 },
    Nothing,
}

fn order() -> Order {
    Order {
        id: u64::MAX,
        name: "Ä \u{1F980} \0 \"quoted\"".to_owned(),
        lines: vec![Line(1, 0.1), Line(2, -1e300)],
        note: Some(String::new()),
        state: State::Sent { at: Duration::new(5, 7), by: ('ß', 255) },
        totals: BTreeMap::from([(0, i64::MIN), (9, i64::MAX)]),
    }
}

fn formats() -> impl Iterator<Item = Format> {
    Codec::ALL.into_iter().flat_map(|codec| {
        Compression::ALL
            .into_iter()
            .map(move |compression| Format::new(codec).compression(compression).compress_above(0))
    })
}

#[track_caller]
fn assert_returns<T: Serialize + DeserializeOwned + PartialEq + Debug>(format: Format, value: &T) {
    let payload = format.encode(value).unwrap_or_else(|error| panic!("{format:?}: {error}"));
    let back = decode_payload::<T>(payload.encoding, &payload.bytes, &format.limits);
    assert_eq!(back.as_ref(), Ok(value), "{format:?}");
}

#[test]
fn values_come_back_from_every_codec_and_compression() {
    for format in formats() {
        assert_returns(format, &order());
        assert_returns(format, &Order::default());
        assert_returns(format, &vec![order(); 100]);
        assert_returns(format, &(1_u8, -1_i128, u128::MAX, 'x', (), [1.5_f32; 3]));
        assert_returns(format, &IpAddr::from([127, 0, 0, 1]));
        assert_returns(format, &vec![Some(1), None]);
        assert_returns(format, &HashMap::from([("a".to_owned(), vec![State::Open])]));
        assert_returns(format, &uuid::Uuid::from_u128(7));
        assert_returns(format, &chrono::DateTime::from_timestamp(1, 5));
        assert_returns(format, &time::OffsetDateTime::UNIX_EPOCH);
        assert_returns(format, &vec![(); 70_000]);
    }
}

#[test]
fn loose_values_come_back_from_codecs_with_names() {
    let rest = [
        ("a", Choice::Number(1)),
        ("b", Choice::Text("x".to_owned())),
        ("c", Choice::Tagged(Tagged::Circle { radius: 0.5 })),
        ("d", Choice::Tagged(Tagged::Nothing)),
    ];
    let rest = rest.map(|(key, choice)| (key.to_owned(), choice)).into();
    let value = vec![Loose { first: None, rest }, Loose { first: Some(1), rest: HashMap::new() }];
    for format in formats().filter(|format| format.codec != Codec::Postcard) {
        assert_returns(format, &value);
        assert_returns(format, &serde_json::json!({"a": [1, -1, 0.5, null, true, {"b": "c"}]}));
    }
}

#[test]
fn every_float_comes_back_to_the_last_bit() {
    let mut random = fastrand::Rng::with_seed(7);
    for format in [Format::default(), Format::new(Codec::MessagePack), Format::new(Codec::Postcard)]
    {
        let wide = (0..200_000).map(|_| f64::from_bits(random.u64(..)));
        let wide: Vec<f64> = wide.filter(|number| number.is_finite()).collect();
        let narrow = (0..200_000).map(|_| f32::from_bits(random.u32(..)));
        let narrow: Vec<f32> = narrow.filter(|number| number.is_finite()).collect();
        let near: Vec<f64> = (0..200_000).map(|_| random.f64() * 1e6).collect();
        assert_returns(format, &(wide, narrow, near, -0.0_f64));
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrapped(Option<u8>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Left {
    Out {
        #[serde(skip_serializing_if = "Option::is_none")]
        hidden: Option<u8>,
        seen: u8,
    },
}

/// The message of the error that refuses a value.
#[track_caller]
fn refusal<T: Serialize>(codec: Codec, value: &T) -> String {
    let error = Format::new(codec).encode(value).expect_err("it would not come back");
    assert_eq!(error.kind(), ErrorKind::Codec);
    error.to_string()
}

#[test]
fn what_would_come_back_as_something_else_is_refused() {
    use Codec::{Json, MessagePack, Postcard};

    assert!(refusal(Json, &vec![1.0, f64::NAN]).contains("NaN"));
    assert!(refusal(Json, &Some(f32::INFINITY)).contains("msgpack"));
    for codec in [Json, MessagePack] {
        assert!(refusal(codec, &vec![Some(None::<u8>)]).contains("`Some` of nothing"));
        refusal(codec, &Some(()));
        refusal(codec, &BTreeMap::from([("a", Some(Wrapped(None)))]));
        refusal(codec, &Some(serde_json::Value::Null));
    }
    refusal(Json, &Some(Unit));
    assert_returns(Format::new(MessagePack), &Some(Unit));
    let left = Left::Out { hidden: None, seen: 1 };
    assert!(refusal(Postcard, &left).contains("`hidden`"));
    assert_returns(Format::new(Postcard), &Left::Out { hidden: Some(1), seen: 1 });
    for codec in [Json, MessagePack] {
        assert_returns(Format::new(codec), &left);
    }
    assert_returns(Format::new(Postcard), &(Some(None::<u8>), Some(()), Some(Unit)));
    for codec in [MessagePack, Postcard] {
        let payload = Format::new(codec).encode(&f64::NAN).expect("it has a NaN");
        let back = decode_payload::<f64>(payload.encoding, &payload.bytes, &Limits::default());
        assert!(back.expect("a number").is_nan());
    }
}

#[test]
fn an_error_of_the_value_itself_is_told() {
    let keys = HashMap::from([((1, 2), 3)]);
    assert!(refusal(Codec::Json, &keys).contains("cannot be written as json"));
}

#[test]
fn values_are_compressed_where_it_helps() {
    let long = "a".repeat(10_000);
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(4_000).collect();
    for compression in [Compression::Zstd, Compression::Lz4] {
        let format = Format::new(Codec::Postcard).compression(compression);
        let payload = format.encode(&long).expect("it is small");
        assert_eq!(payload.encoding.compression, compression.number());
        assert!(payload.bytes.len() < 200, "{}", payload.bytes.len());
        // Below the size, and where it would grow.
        for (name, payload) in
            [("short", format.encode(&long[..900])), ("noise", format.encode(&noise))]
        {
            assert_eq!(payload.expect("it is small").encoding.compression, 0, "{name}");
        }
    }
}

#[test]
fn a_value_over_the_limit_is_refused_with_the_fix() {
    let mut limits = Limits::default();
    limits.max_value_bytes = 100;
    let format = Format::default().limits(limits).compression(Compression::Zstd).compress_above(0);
    assert!(format.encode(&"a".repeat(98)).is_ok());
    let error = format.encode(&"a".repeat(99)).expect_err("it is 101 bytes");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let text = error.to_string();
    assert!(text.contains("101") && text.contains("`max_value_bytes` is 100"), "{text}");
    // On reading too: another process may have other limits.
    let payload = Format::default().encode(&"a".repeat(99)).expect("it is small");
    let read = decode_payload::<String>(payload.encoding, &payload.bytes, &limits);
    assert_eq!(read, Err(Undecodable::TooLarge));
}

#[test]
fn keys_and_tags_over_the_limit_are_refused_with_the_fix() {
    let limits = Limits::default();
    assert!(limits.check_key(&"k".repeat(limits.max_key_bytes)).is_ok());
    let error = limits.check_key(&"ä".repeat(limits.max_key_bytes)).expect_err("it is too long");
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    let text = error.to_string();
    assert!(text.contains("`max_key_bytes` is 16384") && text.len() < 300, "{text}");

    let long = "t".repeat(limits.max_tag_bytes + 1);
    let error = limits.check_tags(["a", &long]).expect_err("it is too long");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("`max_tag_bytes` is 4096"), "{error}");
    assert!(limits.check_tags(["a"; 256]).is_ok());
    let error = limits.check_tags(["a"; 257]).expect_err("they are too many");
    assert!(error.to_string().contains("257 tags, and `max_tags` is 256"), "{error}");
}

#[test]
fn names_and_numbers_lead_back() {
    for codec in Codec::ALL {
        assert_eq!(codec.name().parse::<Codec>().ok(), Some(codec));
        assert_eq!(Codec::from_number(codec.number()), Some(codec));
        assert!(codec.is_available(), "these tests need all features");
    }
    for compression in Compression::ALL {
        assert_eq!(compression.name().parse::<Compression>().ok(), Some(compression));
        assert_eq!(Compression::from_number(compression.number()), Some(compression));
        assert!(compression.is_available(), "these tests need all features");
    }
    assert_eq!("MessagePack".parse::<Codec>().ok(), Some(Codec::MessagePack));
    let error = "bson".parse::<Codec>().expect_err("there is no such codec");
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("`json`, `msgpack`, `postcard`"), "{error}");
    assert_eq!(Encoding::default(), Format::default().encode(&1).expect("a number").encoding);
}
