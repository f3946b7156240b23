use std::time::Duration;

use super::{Config, Near, ProviderChoice};
use crate::error::ErrorKind;

fn read(variables: &[(&str, &str)]) -> crate::error::Result<Config> {
    Config::from_vars(|name| {
        let found = variables.iter().find(|(variable, _)| *variable == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn message(variables: &[(&str, &str)]) -> String {
    let error = read(variables).expect_err("the configuration is wrong");
    assert_eq!(error.kind(), ErrorKind::Config);
    error.to_string()
}

#[test]
fn an_empty_environment_gives_the_defaults() {
    let config = read(&[]).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.provider, ProviderChoice::InMemory);
    assert_eq!(config.default_ttl, Duration::from_secs(3600));
    assert_eq!(config.max_entries, Some(100_000));
    assert_eq!(config.near, Near::Off);
}

#[test]
fn empty_variables_count_as_unset() {
    let all = [
        "CACHE_PROVIDER",
        "CACHE_DEFAULT_TTL",
        "CACHE_NAMESPACE",
        "CACHE_MAX_ENTRIES",
        "CACHE_NEAR",
        "REDIS_URL",
    ];
    let variables = all.map(|name| (name, " "));
    assert_eq!(read(&variables).unwrap(), Config::default());
}

#[test]
fn every_variable_is_read() {
    let config = read(&[
        ("CACHE_PROVIDER", "redis"),
        ("CACHE_DEFAULT_TTL", "60"),
        ("CACHE_NAMESPACE", "app"),
        ("CACHE_MAX_ENTRIES", "10"),
        ("CACHE_MAX_BYTES", "4096"),
        ("CACHE_NEAR", "500ms"),
        ("CACHE_TIMEOUT", "2s"),
        ("REDIS_URL", "redis://localhost/"),
        ("REDIS_REST_URL", "https://db.example"),
        ("REDIS_REST_TOKEN", "token"),
    ])
    .unwrap();
    assert_eq!(config.provider, ProviderChoice::Redis);
    assert_eq!(config.default_ttl, Duration::from_secs(60));
    assert_eq!(config.namespace, "app");
    assert_eq!((config.max_entries, config.max_bytes), (Some(10), Some(4096)));
    assert_eq!(config.near, Near::Bound(Duration::from_millis(500)));
    assert_eq!(config.timeout, Some(Duration::from_secs(2)));
    assert_eq!(config.redis_url.unwrap().expose(), "redis://localhost/");
    assert_eq!(config.rest_url.unwrap().expose(), "https://db.example");
    assert_eq!(config.rest_token.unwrap().expose(), "token");
}

#[test]
fn providers_and_near_caches_are_named() {
    for choice in ProviderChoice::ALL {
        let connect = [
            ("REDIS_URL", "rediss://h"),
            ("KV_REST_API_URL", "https://h"),
            ("KV_REST_API_TOKEN", "t"),
        ];
        let variables: Vec<_> =
            connect.into_iter().chain([("CACHE_PROVIDER", choice.as_str())]).collect();
        assert_eq!(read(&variables).unwrap().provider, choice);
    }
    assert_eq!(read(&[("CACHE_NEAR", "off")]).unwrap().near, Near::Off);
    assert_eq!(read(&[("CACHE_NEAR", "validated")]).unwrap().near, Near::Validated);
}

#[test]
fn bytes_alone_leave_the_entries_unbounded() {
    let config = read(&[("CACHE_MAX_BYTES", "4096")]).unwrap();
    assert_eq!((config.max_entries, config.max_bytes), (None, Some(4096)));
}

#[test]
fn times_have_units() {
    for (text, milliseconds) in
        [("1ms", 1), ("2s", 2_000), ("3m", 180_000), ("4h", 14_400_000), ("5d", 432_000_000)]
    {
        let config = read(&[("CACHE_TIMEOUT", text)]).unwrap();
        assert_eq!(config.timeout, Some(Duration::from_millis(milliseconds)));
    }
}

#[test]
fn a_wrong_provider_is_named_with_the_choices() {
    assert_eq!(
        message(&[("CACHE_PROVIDER", "nonsense")]),
        "read environment: `CACHE_PROVIDER` is `nonsense`, but may be `in-memory`, `redis`, `upstash` or `none`"
    );
    for (value, meant) in [
        ("Redis", "redis"),
        ("memory", "in-memory"),
        ("in_memory", "in-memory"),
        ("upsatsh", "upstash"),
    ] {
        let message = message(&[("CACHE_PROVIDER", value)]);
        assert!(message.ends_with(&format!("(did you mean `{meant}`?)")), "{message}");
    }
}

#[test]
fn a_wrong_ttl_is_named_with_what_it_may_be() {
    for value in ["0", "abc", "-1", "1.5", "+5", "30m", "99999999999999999999"] {
        let expected = format!(
            "read environment: `CACHE_DEFAULT_TTL` is `{value}`, but may be a whole number of seconds, from 1 to 3153600000"
        );
        assert_eq!(message(&[("CACHE_DEFAULT_TTL", value)]), expected);
    }
}

#[test]
fn wrong_times_are_refused() {
    for value in [
        "0ms",
        "ms",
        "5",
        "5 s",
        "1.5s",
        "-1s",
        "5y",
        "99999999999999999999d",
        "9999999999999999d",
        "٣s",
    ] {
        for name in ["CACHE_TIMEOUT", "CACHE_NEAR"] {
            let message = message(&[(name, value)]);
            assert!(message.contains(&format!("`{name}` is `{value}`, but may be ")), "{message}");
        }
    }
    assert!(message(&[("CACHE_TIMEOUT", "50")]).ends_with("(did you mean `50ms` or `50s`?)"));
}

#[test]
fn all_wrong_variables_are_in_one_error() {
    let message = message(&[
        ("CACHE_PROVIDER", "nonsense"),
        ("CACHE_DEFAULT_TTL", "0"),
        ("CACHE_NAMESPACE", "a*"),
        ("CACHE_MAX_ENTRIES", "0"),
        ("CACHE_MAX_BYTES", "1MB"),
        ("CACHE_NEAR", "on"),
        ("CACHE_TIMEOUT", "fast"),
    ]);
    for name in
        ["PROVIDER", "DEFAULT_TTL", "NAMESPACE", "MAX_ENTRIES", "MAX_BYTES", "NEAR", "TIMEOUT"]
    {
        assert!(message.contains(&format!("`CACHE_{name}` is `")), "{name}: {message}");
    }
}

#[test]
fn a_chosen_store_needs_its_address() {
    assert!(
        message(&[("CACHE_PROVIDER", "redis")])
            .contains("`REDIS_URL` is not set or empty, but `CACHE_PROVIDER` is `redis`")
    );
    let upstash = message(&[("CACHE_PROVIDER", "upstash")]);
    assert!(upstash.contains("`REDIS_REST_URL` is not set"), "{upstash}");
    assert!(upstash.contains("`REDIS_REST_TOKEN` is not set"), "{upstash}");
}

#[test]
fn a_token_is_not_sent_to_another_host() {
    let variables = [
        ("CACHE_PROVIDER", "upstash"),
        ("UPSTASH_REDIS_REST_URL", "https://one.example"),
        ("KV_REST_API_URL", "https://two.example"),
        ("KV_REST_API_TOKEN", "two"),
    ];
    assert!(message(&variables).contains("`UPSTASH_REDIS_REST_TOKEN` is not set"));
}

#[test]
fn addresses_of_other_stores_are_not_checked() {
    let config = read(&[("REDIS_URL", "unix:///tmp/socket")]).unwrap();
    assert_eq!(config.provider, ProviderChoice::InMemory);
}

#[test]
fn secrets_are_never_shown() {
    let held = "hunter2";
    let variables = [
        ("CACHE_PROVIDER", "redis"),
        ("REDIS_URL", "redis://:hunter2@localhost/"),
        ("REDIS_REST_URL", "https://u:hunter2@db.example"),
        ("REDIS_REST_TOKEN", "hunter2"),
    ];
    assert!(!format!("{:?}", read(&variables).unwrap()).contains(held));
    let wrong = [
        vec![("CACHE_PROVIDER", "redis"), ("REDIS_URL", "hunter2")],
        vec![("CACHE_PROVIDER", "redis"), ("REDIS_URL", "http://:hunter2@localhost/")],
        vec![
            ("CACHE_PROVIDER", "upstash"),
            ("REDIS_REST_URL", "hunter2"),
            ("REDIS_REST_TOKEN", "https://x"),
        ],
        vec![("CACHE_PROVIDER", "redis://:hunter2@localhost/")],
        vec![("CACHE_PROVIDER", ":hunter2@localhost")],
    ];
    for variables in wrong {
        let error = read(&variables).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(held), "{error}");
    }
}

#[test]
fn values_are_shown_on_one_short_line() {
    let long = "x".repeat(10_000);
    let message = message(&[("CACHE_PROVIDER", &long), ("CACHE_TIMEOUT", "a\nb\u{1b}[0m")]);
    assert!(message.len() < 500 && !message.contains(char::is_control), "{message}");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    let lookup = |name: &str| (name == "CACHE_NEAR").then(|| OsString::from_vec(vec![0xff]));
    let error = Config::from_lookup(&lookup).unwrap_err();
    assert_eq!(error.to_string(), "read environment: `CACHE_NEAR` is not valid UTF-8");
}
