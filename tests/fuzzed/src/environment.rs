//! The environment: any values for all variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use cache_runtime::fuzzing::config;
use cache_runtime::{Config, ErrorKind, Near, ProviderChoice, Result};

use crate::Target;
use crate::source::Source;

/// Values, each after its length, in the order of `NAMES`; those of no length are not set.
pub const TARGET: Target = Target {
    name: "environment",
    body,
    seeds,
    words: &[
        b"\x05redis",
        b"\x07upstash",
        b"\x09in-memory",
        b"\x04none",
        b"\x03off",
        b"\x09validated",
        b"\x05500ms",
        b"\x0250",
        b"\x02+5",
        b"\x020s",
        b"ms",
        b"s",
        b"d",
        b"://",
        b"@",
        b"redis://",
        b"https://",
        b"rediss+cluster://",
        b" ",
        b"\x00",
        b"\xff",
        b"99999999999999999999",
        b"\n",
        b"\x1b[0m",
        b"*",
        b"0",
        b"\x14http://u:hunter2@h/x",
    ],
    runs: 10_000,
    long_runs: 500_000,
};

/// Every variable, and whether its value may be secret.
const NAMES: [(&str, bool); 14] = [
    ("CACHE_PROVIDER", false),
    ("CACHE_DEFAULT_TTL", false),
    ("CACHE_NAMESPACE", false),
    ("CACHE_MAX_ENTRIES", false),
    ("CACHE_MAX_BYTES", false),
    ("CACHE_NEAR", false),
    ("CACHE_TIMEOUT", false),
    ("REDIS_URL", true),
    ("REDIS_REST_URL", true),
    ("REDIS_REST_TOKEN", true),
    ("UPSTASH_REDIS_REST_URL", true),
    ("UPSTASH_REDIS_REST_TOKEN", true),
    ("KV_REST_API_URL", true),
    ("KV_REST_API_TOKEN", true),
];

/// What is in every secret, and in nothing else.
const SECRET: &str = "hunter2";

type Variables = BTreeMap<&'static str, OsString>;

fn seeds() -> Vec<Vec<u8>> {
    let lists: [&[&str]; 8] = [
        &["redis", "60", "app", "10", "4096", "500ms", "2s", "redis://:hunter2@localhost/"],
        &["upstash", "", "", "", "", "off", "", "", "https://db.example", "hunter2"],
        &["upstash", "", "", "", "", "", "", "", "", "", "https://h", "", "https://i", "hunter2"],
        &["upsatsh", "0", "a*", "-1", "1MB", "on", "fast", "x"],
        &["in_memory", "99999999999999999999", "", "", "", "validated", "50"],
        &["none", "1.5", "é", "18446744073709551615", "", "0ms", "99999999999d"],
        &["redis", "", "", "", "", "", "", "http://:hunter2@localhost/"],
        &["redis://:x@localhost", "", "", "", "", "user@host", "5"],
    ];
    let seed = |list: &&[&str]| {
        list.iter().flat_map(|value| [&[value.len() as u8], value.as_bytes()].concat()).collect()
    };
    lists.iter().map(seed).collect()
}

/// No value makes the reader panic; an error names each wrong variable, shows no secret, and what it
/// proposes is accepted; what is accepted is in bounds.
pub fn body(data: &[u8]) {
    let variables = variables(&mut Source::new(data));
    let read = read(&variables);
    match &read {
        Ok(config) => check(config),
        Err(error) => {
            let text = refusal(error);
            assert!(!variables.is_empty(), "{text}");
            for (name, value) in &variables {
                // A provider may be right and only lack its address, and of the addresses and tokens
                // of Upstash one pair is read.
                let named = format!("`{name}`");
                let first = format!("read environment: {named}");
                let wrong =
                    alone(name, value).is_err_and(|error| error.to_string().starts_with(&first));
                assert!(
                    !wrong || name.contains("REST") || text.contains(&named),
                    "{named}: {text}"
                );
            }
        }
    }
    for (name, value) in &variables {
        if let Err(error) = alone(name, value) {
            let text = refusal(&error);
            // An address or a token may be missing for the provider that is chosen.
            let named = *name == "CACHE_PROVIDER" || text.contains(&format!("`{name}`"));
            assert!(named, "`{name}` is wrong: {text}");
            proposals(name, &text);
        }
    }
}

fn variables(source: &mut Source<'_>) -> Variables {
    let mut variables = Variables::new();
    for (name, is_secret) in NAMES {
        let bytes = source.bytes();
        if bytes.is_empty() {
            continue;
        }
        let value = match std::str::from_utf8(bytes) {
            Err(_) => no_text(bytes),
            Ok(text) if is_secret && !text.contains(SECRET) => format!("{text}{SECRET}").into(),
            Ok(text) if is_secret => text.into(),
            Ok(text) => text.replace(SECRET, "").into(),
        };
        variables.insert(name, value);
    }
    variables
}

#[cfg(unix)]
fn no_text(bytes: &[u8]) -> OsString {
    use std::os::unix::ffi::OsStringExt as _;

    OsString::from_vec(bytes.to_vec())
}

#[cfg(not(unix))]
fn no_text(bytes: &[u8]) -> OsString {
    String::from_utf8_lossy(bytes).into_owned().into()
}

fn read(variables: &Variables) -> Result<Config> {
    config(&|name| variables.get(name).cloned())
}

/// The configuration from one variable, beside which nothing is set.
fn alone(name: &str, value: &OsString) -> Result<Config> {
    config(&|asked| (asked == name).then(|| value.clone()))
}

/// The text of an error after what has to hold for each.
fn refusal(error: &cache_runtime::Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    let shown = format!("{text} {error:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(text.starts_with("read environment: `"), "{text}");
    assert!(!text.contains(char::is_control) && text.len() < 6_000, "{text}");
    text
}

/// What an error proposes instead of a wrong value is right.
fn proposals(name: &str, text: &str) {
    let Some((_, proposed)) = text.split_once("did you mean ") else { return };
    let proposed = proposed.split_once('?').map_or(proposed, |(proposed, _)| proposed);
    for value in proposed.split('`').skip(1).step_by(2) {
        let read = config(&|asked| match asked {
            "REDIS_URL" => Some("redis://h".into()),
            "REDIS_REST_URL" => Some("https://h".into()),
            "REDIS_REST_TOKEN" => Some("token".into()),
            asked => (asked == name).then(|| value.into()),
        });
        assert!(read.is_ok(), "`{name}`: {text}: `{value}` is refused as well");
    }
}

fn check(config: &Config) {
    const HUNDRED_YEARS: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    let time = |time: Duration| !time.is_zero() && time <= HUNDRED_YEARS;
    assert!(!format!("{config:?}").contains(SECRET), "{config:?}");
    assert!(time(config.default_ttl) && config.timeout.is_none_or(time), "{config:?}");
    assert!(!matches!(config.near, Near::Bound(bound) if !time(bound)), "{config:?}");
    assert!(config.max_entries != Some(0) && config.max_bytes != Some(0), "{config:?}");
    let namespace = &config.namespace;
    assert!(
        !namespace.contains(['*', '?', '[', ']', '\\']) && !namespace.contains(char::is_control)
    );
    match config.provider {
        ProviderChoice::Redis => assert!(config.redis_url.is_some()),
        ProviderChoice::Upstash => {
            assert!(config.rest_url.is_some() && config.rest_token.is_some());
        }
        _ => {}
    }
}
