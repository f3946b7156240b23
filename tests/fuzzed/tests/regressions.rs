//! What the fuzz targets found, each as the shortest case that shows it.

use std::time::Duration;

use cache_fuzzed::{entries, environment, payloads, replies, urls};
use cache_runtime::entry::{
    Codec, Encoding, Format, Limits, TagsHash, Undecodable, decode_payload,
};
use cache_runtime::fuzzing::{rest_provider, rest_url};
use cache_runtime::{Config, ErrorKind, Near};

fn limits(bytes: usize) -> Limits {
    let mut limits = Limits::default();
    limits.max_value_bytes = bytes;
    limits
}

/// A list inside a list inside a list, each of which claims 65,535 elements, made each of them
/// reserve memory: three hundred bytes gave 100 MB.
#[test]
fn lists_in_lists_reserve_no_more_than_there_are_bytes() {
    payloads::body(&[&[2, 0, 3, 7][..], &[0xff, 0xff, 3].repeat(100)].concat());
    payloads::body(&[&[1, 0, 3, 7][..], &[0xdc, 0xff, 0xff].repeat(100)].concat());
}

/// The end of each list counted as an element, so that many empty lists were more elements than a
/// value may have bytes.
#[test]
fn empty_lists_can_be_read_where_they_can_be_written() {
    let value = vec![Vec::<u8>::new(); 90];
    for codec in [Codec::MessagePack, Codec::Postcard] {
        let format = Format::new(codec).limits(limits(100));
        let payload = format.encode(&value).expect("it is small enough");
        let read = decode_payload(payload.encoding, &payload.bytes, &format.limits);
        assert_eq!(read.as_ref(), Ok(&value), "{codec}");
    }
}

/// The members of a tuple counted as elements, of which the bytes decide nothing.
#[test]
fn tuples_can_be_read_where_they_can_be_written() {
    let value = vec![(1_u8, ((2_u8, ()), ())); 49];
    let format = Format::new(Codec::Postcard).limits(limits(100));
    let payload = format.encode(&value).expect("it is small enough");
    assert_eq!(payload.bytes.len(), 99);
    assert_eq!(decode_payload(payload.encoding, &payload.bytes, &format.limits), Ok(value));
    // Elements without bytes are still bounded.
    let encoding = Encoding { codec: Codec::Postcard.number(), compression: 0 };
    let read = decode_payload::<Vec<((), ())>>(encoding, &[101], &format.limits);
    assert_eq!(read, Err(Undecodable::Value));
    let read = decode_payload::<Vec<((), ())>>(encoding, &[100], &format.limits);
    assert_eq!(read.map(|list| list.len()), Ok(100));
}

/// A body that is other JSON than an answer was cited in the error, values included and at any length.
#[test]
fn an_answer_that_is_no_answer_is_not_cited() {
    replies::body(b"\x01\0\0[\"aHVudGVyMg==\"]");
    for body in
        [format!("\"{}\"", "hunter2".repeat(10_000)), "{\"result\":\"hunter2!\"}".to_owned()]
    {
        let provider = rest_provider(vec![(200, body.into_bytes())], false);
        let asked = replies::ready(provider.ping());
        let error = asked.expect_err("it is no answer");
        let shown = format!("{error:?}");
        assert!(!shown.contains("hunter2") && shown.len() < 300, "{shown}");
        assert!(shown.contains("line 1"), "{shown}");
    }
}

/// A number with a sign, one too large for a unit, or the beginning of a long one was proposed with a
/// unit, and refused again.
#[test]
fn only_times_that_are_accepted_are_proposed() {
    environment::body(b"\0\0\0\0\0\x02+5");
    let read =
        |value: &str| Config::from_vars(|name| (name == "CACHE_NEAR").then(|| value.to_owned()));
    let text = |value| read(value).expect_err("it has no unit").to_string();
    assert!(text("+5").ends_with("(did you mean `5ms` or `5s`?)"), "{}", text("+5"));
    assert!(text("0").ends_with("(the units are `ms`, `s`, `m`, `h` and `d`)"), "{}", text("0"));
    // Of a long value the beginning is shown, and so it was in what was proposed.
    let zeros = format!("{}5", "0".repeat(60));
    assert!(text(&zeros).ends_with("(did you mean `5ms` or `5s`?)"), "{}", text(&zeros));
    let long = "9000000000";
    assert!(text(long).ends_with("(did you mean `9000000000ms`?)"), "{}", text(long));
    let near = read("9000000000ms").expect("it is accepted").near;
    assert_eq!(near, Near::Bound(Duration::from_secs(9_000_000)));
}

/// A slash in a password ended it, and the rest went to the path, past the check for logins.
#[test]
fn a_login_with_a_slash_is_no_rest_url() {
    urls::body(b"\0\x0chttp://127C0rediredis://:p@w@1:8079/redis/%2F0");
    for url in ["https://hunter2/x@name.upstash.io", "https://name.io/a@b"] {
        let error = rest_url(url, false).expect_err("it holds a login").to_string();
        assert!(
            error.contains("holds a user or a password") && !error.contains("hunter2"),
            "{error}"
        );
    }
    assert!(rest_url("https://name.io/a%40b", false).is_ok());
}

/// A cursor that is no text was sent back, where JSON cannot carry it, and failed as a value would.
#[test]
fn a_cursor_that_is_no_number_is_no_answer() {
    replies::body(b"\x0a\0\0{\"result\":[\"mQ==\",[]]}\x1e\0{\"result\":1}");
    for cursor in ["\"mQ==\"", "\"\"", "\"YQ==\"", "-1"] {
        let answer = format!("{{\"result\":[{cursor},[]]}}");
        let provider = rest_provider(vec![(200, answer.into_bytes())], false);
        let error = replies::ready(provider.clear()).expect_err("it is no cursor");
        assert_eq!(error.kind(), ErrorKind::Unknown, "{cursor}: {error}");
    }
}

/// Of any entry the fuzzer learns the hashes that it is compared with, and makes one that has them.
#[test]
fn an_entry_is_compared_with_what_it_cannot_know() {
    let hash = format!("{:?}", TagsHash::of(["another tag"]));
    let digits = hash.trim_start_matches("TagsHash(").trim_end_matches(')');
    let hash = u64::from_str_radix(digits, 16).expect("it is hexadecimal");
    let mut bytes = vec![1, b'V'];
    bytes.resize(1 + 93, 0);
    bytes[1 + 17] = 1;
    bytes[1 + 53..1 + 61].copy_from_slice(&hash.to_le_bytes());
    entries::body(&bytes);
}
