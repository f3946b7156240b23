//! What Upstash answers: any status and body, under every step of the contract.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cache_runtime::entry::{CellKind, Incarnation, Prefix, Stamp};
use cache_runtime::fuzzing::rest_provider;
use cache_runtime::provider::{
    Acquire, Acquired, Baseline, Extent, Fill, Filled, Lookup, Mark, Provider, Removal,
};
use cache_runtime::{Error, ErrorKind, Pattern, Result};

use crate::Target;
use crate::source::Source;

/// A step, whether the life is asked for, and answers: a status and a body each, with a record
/// separator between.
pub const TARGET: Target = Target {
    name: "replies",
    body,
    seeds,
    words: &[
        b"{\"result\":",
        b"{\"error\":\"",
        b"}",
        b"[",
        b"]",
        b",",
        b"null",
        b"\"OK\"",
        b"\"aGVsZA==\"",
        b"-1",
        b"18446744073709551615",
        b"1e400",
        b"true",
        b"\"NOSCRIPT \"",
        b"LOADING ",
        b"OOM ",
        b"\x1e",
        b"[[[[[[[[",
        b"\\u0000",
        b"\"MA==\"",
        b"\"aHVudGVyMg==\"",
        b"\"NOPERM\"}",
        b"max requests limit exceeded",
    ],
    runs: 3_000,
    long_runs: 400_000,
};

const STATUSES: [u16; 20] = [
    200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 405, 408, 413, 429, 500, 502, 503, 599, 999,
    7,
];

/// Between two answers.
const SEPARATOR: u8 = 0x1e;

/// A cached value as it travels, which no error may repeat.
const SECRET: &str = "aHVudGVyMg";

const KEYS: [&str; 2] = ["user:1", "user:2"];
const MARKS: [Mark<'static>; 3] = [Mark::tag("users"), Mark::epoch("users"), Mark::scope("fn:f")];
const LIFE: Incarnation = Incarnation::new(7);
const MINUTE: Duration = Duration::from_secs(60);

fn seeds() -> Vec<Vec<u8>> {
    let value =
        STANDARD.encode(URL_SAFE_NO_PAD.encode(Prefix::new(CellKind::Value, [7; 16]).as_bytes()));
    let nonce = STANDARD.encode(URL_SAFE_NO_PAD.encode([1_u8; 8]));
    let info = STANDARD.encode("run_id:a\r\nmaster_replid:b\r\n");
    let cells =
        format!("[\"{value}\",\"{nonce}\",null,\"{}\",\"{value}\"]", STANDARD.encode("held"));
    let bodies = [
        format!("{{\"result\":\"{value}\"}}"),
        format!("{{\"result\":{cells}}}"),
        format!("[{{\"result\":\"{info}\"}},{{\"result\":{cells}}}]"),
        format!("{{\"result\":[1,\"{value}\",[\"{nonce}\",\"{nonce}\",\"{nonce}\"]]}}"),
        format!(
            "{{\"result\":[\"MA==\",[\"{}\"]]}}\x1e\0{{\"result\":1}}",
            STANDARD.encode("app:k:a")
        ),
        "{\"result\":\"OK\"}".to_owned(),
        "{\"result\":1}".to_owned(),
        "{\"result\":[1,2,3]}".to_owned(),
        "{\"result\":null}\x1e\0{\"result\":0}".to_owned(),
        "{\"error\":\"NOSCRIPT No matching script\"}\x1e\0{\"result\":1}".to_owned(),
        "{\"error\":\"LOADING Redis is loading\"}".to_owned(),
        "[{\"result\":\"OK\"},{\"error\":\"ERR no\"}]".to_owned(),
        format!("[\"{SECRET}==\"]"),
        "<html>".to_owned(),
    ];
    let mut seeds = Vec::new();
    for (number, body) in bodies.iter().enumerate() {
        for step in 0..11 {
            let status = if number % 5 == 4 { (number % STATUSES.len()) as u8 } else { 0 };
            seeds.push([&[step, (number % 2) as u8, status], body.as_bytes()].concat());
        }
    }
    seeds
}

/// No answer makes a step panic: it is a value of the right shape, or an error of a kind that a store
/// may have, and shows no value.
pub fn body(data: &[u8]) {
    let mut source = Source::new(data);
    let (step, asks_for_life) = (source.byte(), source.byte() % 2 == 1);
    let answers: Vec<(u16, Vec<u8>)> =
        source.rest().split(|byte| *byte == SEPARATOR).map(answer).collect();
    let says_why = answers.iter().any(|(_, body)| body.windows(5).any(|part| part == b"error"));
    let provider = rest_provider(answers, asks_for_life);
    if let Err(error) = carry_out(&*provider, step) {
        check(&error, says_why);
    }
    let described = provider.describe();
    assert_eq!((described.name, described.namespace.as_str()), ("upstash", "app"));
    assert!(asks_for_life || !described.fenced);
}

fn answer(bytes: &[u8]) -> (u16, Vec<u8>) {
    let mut source = Source::new(bytes);
    (*source.pick(&STATUSES), source.rest().to_vec())
}

fn carry_out(provider: &dyn Provider, step: u8) -> Result<()> {
    let prefix = Prefix::new(CellKind::Lease, [7; 16]);
    match step % 11 {
        0 => look_up(provider, &[Lookup::new(KEYS[0])]),
        1 => look_up(
            provider,
            &[
                Lookup::new(KEYS[0]).marks(&MARKS),
                Lookup::new(KEYS[1]).extent(Extent::Prefix),
                Lookup::new(KEYS[1]).extent(Extent::Nothing).marks(&MARKS[..1]),
            ],
        ),
        2 => {
            let request = Acquire::new(KEYS[0], prefix, MINUTE).marks(&MARKS, MINUTE);
            if let Acquired::Granted(baseline) = ready(provider.acquire(request))? {
                check_baseline(&baseline);
            }
            Ok(())
        }
        3 => {
            let guards = [(MARKS[1], Stamp::new([1; 8], LIFE))];
            let value = Prefix::new(CellKind::Value, [8; 16]);
            let request = Fill::new(KEYS[0], value.as_bytes(), MINUTE)
                .expected(prefix)
                .incarnation(LIFE)
                .marks(&MARKS, MINUTE)
                .guards(&guards);
            check_filled(ready(provider.fill(request))?);
            Ok(())
        }
        4 => {
            let value = Prefix::new(CellKind::Value, [8; 16]);
            let request = Fill::new(KEYS[0], value.as_bytes(), MINUTE).marks(&MARKS, MINUTE);
            check_filled(ready(provider.fill(request))?);
            Ok(())
        }
        5 => ready(provider.renew(KEYS[0], prefix, MINUTE)).map(drop),
        6 => ready(provider.release(KEYS[0], prefix)).map(drop),
        7 => ready(provider.ensure_marks(KEYS[0], &MARKS, MINUTE))
            .map(|found| check_baseline(&found)),
        8 => ready(provider.hold_marks(&MARKS, MINUTE)),
        9 => {
            ready(provider.remove(Removal::of_keys(&KEYS).and_marks(&MARKS)))?;
            ready(provider.ping()).map(drop)
        }
        _ => {
            ready(provider.remove_matching(&Pattern::from("*")))?;
            ready(provider.clear())
        }
    }
}

fn look_up(provider: &dyn Provider, lookups: &[Lookup<'_>]) -> Result<()> {
    let observed = ready(provider.read(lookups))?;
    assert_eq!(observed.len(), lookups.len());
    for (observed, lookup) in observed.iter().zip(lookups) {
        assert_eq!(observed.marks.len(), lookup.marks.len());
        let length = observed.cell.as_ref().map(|cell| cell.len());
        match lookup.extent {
            Extent::Whole => assert_ne!(length, Some(0)),
            Extent::Prefix => assert_ne!(length, Some(0)),
            Extent::Nothing => assert_eq!(length, None),
        }
    }
    Ok(())
}

fn check_baseline(baseline: &Baseline) {
    assert_eq!(baseline.marks.len(), MARKS.len());
}

fn check_filled(filled: Filled) {
    if let Filled::Stored(marks) = filled {
        assert_eq!(marks.len(), MARKS.len());
    }
}

fn check(error: &Error, says_why: bool) {
    use ErrorKind::{Config, InvalidKey, TooLarge, Unavailable, Unknown, Unsupported};

    let kinds = [Config, InvalidKey, TooLarge, Unavailable, Unknown, Unsupported];
    assert!(kinds.contains(&error.kind()), "{error:?}");
    let shown = format!("{error} {error:?}");
    // The server's own words are shown, and these shortened.
    assert!(says_why || !shown.contains(SECRET), "{shown}");
    assert!(shown.chars().count() < 2_500, "{shown}");
}

/// What a future gives that never waits.
///
/// # Panics
///
/// If it does.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a step waits, and all its answers are there"),
    }
}
