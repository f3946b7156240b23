//! Keys: two argument lists give one key only if they are equal.
//!
//! Random templates over random types are in `tests/keys.rs`; here the fuzzer looks for two lists
//! that meet, over a few templates and types that are hard to tell apart.

use std::fmt::Debug;

use cache_runtime::{ArgBytes, Args, KeyPart, Piece, render};

use crate::Target;
use crate::source::Source;

/// A template, a list of types, and two argument lists.
pub const TARGET: Target = Target {
    name: "keys",
    body,
    seeds,
    words: &[
        b"%",
        b":",
        b"%3A",
        b"%25",
        b"%none",
        b"%some",
        b"%empty",
        b"%2",
        b",",
        b"(",
        b")",
        b"-",
        b"n",
        b"0",
        b"\0",
        "é".as_bytes(),
        "\u{85}".as_bytes(),
        b"*",
        b"\x02%3",
        b"\x01:",
    ],
    runs: 20_000,
    long_runs: 1_000_000,
};

/// What stands between two arguments, and behind the last one.
const TEMPLATES: [[&str; 2]; 8] = [
    [":", ""],
    ["%", ""],
    ["-", "-"],
    ["n", "e"],
    ["0", "2"],
    [",", ")"],
    ["é", ":"],
    ["::", "%25"],
];

type Deep = (Option<Option<String>>, Vec<(String, String)>);

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for types in 0..5 {
        for template in 0..TEMPLATES.len() as u8 {
            let mut seed = vec![template, types];
            seed.extend_from_slice(b"\x02a:\x01b\x03%3A\x02\x01,\x01a\x03b:b\x00\x01(\x02%n");
            seeds.push(seed);
        }
    }
    seeds
}

/// Equal lists give equal keys, others give others, both as text and as bytes.
pub fn body(data: &[u8]) {
    let mut source = Source::new(data);
    let [between, behind] = *source.pick(&TEMPLATES);
    let pieces = [
        Piece::Text("k:"),
        Piece::Arg(0),
        Piece::Text(between),
        Piece::Arg(1),
        Piece::Text(behind),
    ];
    match source.byte() % 5 {
        0 => compare(&pieces, &mut source, |source| (source.text(), source.text())),
        1 => compare(&pieces, &mut source, |source| (maybe(source), source.text())),
        2 => compare(&pieces, &mut source, |source| (list(source), list(source))),
        3 => compare(&pieces, &mut source, |source| {
            (i32::from_le_bytes(source.array()), char::from(source.byte()))
        }),
        _ => compare(&pieces, &mut source, deep),
    }
}

fn compare<A: KeyPart + PartialEq + Debug, B: KeyPart + PartialEq + Debug>(
    pieces: &[Piece],
    source: &mut Source<'_>,
    arguments: impl Fn(&mut Source<'_>) -> (A, B),
) {
    let (first, second) = (arguments(source), arguments(source));
    let rendered = |(a, b): &(A, B)| rendered(pieces, &(a, b));
    let (one, other) = (rendered(&first), rendered(&second));
    assert_eq!(first == second, one.0 == other.0, "{pieces:?}: {first:?} and {second:?}: {one:?}");
    assert_eq!(first == second, one.1 == other.1, "{pieces:?}: {first:?} and {second:?}: {one:?}");
    assert_eq!(one, rendered(&first));
    let text = one.0.strip_prefix("k:").expect("the template begins so");
    assert!(!text.contains(['*', '?', '[', ']', '\\']) && !text.contains(char::is_control));
}

fn rendered(pieces: &[Piece], arguments: &impl Args) -> (String, Vec<u8>) {
    let (mut text, mut bytes) = (String::new(), ArgBytes::new());
    render(pieces, arguments, &mut text);
    arguments.encode(&mut bytes);
    (text, bytes.as_slice().to_vec())
}

fn maybe(source: &mut Source<'_>) -> Option<String> {
    (!source.byte().is_multiple_of(4)).then(|| source.text())
}

fn list(source: &mut Source<'_>) -> Vec<String> {
    (0..source.byte() % 4).map(|_| source.text()).collect()
}

fn deep(source: &mut Source<'_>) -> Deep {
    let maybe = (!source.byte().is_multiple_of(4)).then(|| maybe(source));
    (maybe, (0..source.byte() % 4).map(|_| (source.text(), source.text())).collect())
}
