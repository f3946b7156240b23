//! The environment: what `init` makes of it, and what happens where it is broken.
//!
//! The environment belongs to the whole process, so each case runs in a process of its own: the
//! program `environment_probe`.

use std::process::Command;

use cache_runtime::{Cache, Clock, Config};
use cache_tests::fixture::seconds;

/// Runs the probe with these variables alone, and gives what it printed.
fn probe(mode: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_environment_probe"))
        .arg(mode)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the probe runs");
    let text = String::from_utf8(output.stdout).expect("the probe prints text");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn init_with_an_empty_environment_is_an_in_memory_cache() {
    let text = probe("init", &[]);
    assert!(text.contains("ok") && text.contains("provider: \"in-memory\""), "{text}");
}

#[test]
fn init_names_the_variable_what_it_held_and_what_it_may_hold() {
    for (name, value, allowed) in [
        ("CACHE_PROVIDER", "nonsense", "`in-memory`"),
        ("CACHE_DEFAULT_TTL", "0", "from 1 to"),
        ("CACHE_DEFAULT_TTL", "abc", "seconds"),
        ("CACHE_MAX_ENTRIES", "-1", "number"),
        ("CACHE_NEAR", "soon", "`validated`"),
    ] {
        let text = probe("init", &[(name, value)]);
        assert!(text.starts_with("error Config"), "{text}");
        for part in [name, value, allowed] {
            assert!(text.contains(part), "`{part}` in {text}");
        }
    }
}

#[test]
fn init_names_all_that_is_wrong_at_once() {
    let text = probe("init", &[("CACHE_PROVIDER", "nonsense"), ("CACHE_DEFAULT_TTL", "abc")]);
    assert!(text.contains("nonsense") && text.contains("abc"), "{text}");
}

#[test]
fn a_provider_without_its_url_is_an_error_and_no_panic() {
    let text = probe("init", &[("CACHE_PROVIDER", "redis")]);
    assert!(text.starts_with("error Config") && text.contains("REDIS_URL"), "{text}");
    let text = probe("init", &[("CACHE_PROVIDER", "upstash")]);
    assert!(text.starts_with("error Config") && text.contains("REDIS_REST_URL"), "{text}");
}

#[test]
fn first_use_without_init_makes_the_cache_from_the_environment() {
    let text = probe("first-use", &[("CACHE_NAMESPACE", "shop")]);
    assert!(text.contains("loads 1") && text.contains("namespace: \"shop\""), "{text}");
    assert!(!text.contains("ERROR"), "{text}");
    let text = probe("first-use", &[("CACHE_PROVIDER", "none")]);
    assert!(text.contains("loads 3") && !text.contains("ERROR"), "{text}");
}

#[test]
fn first_use_with_a_broken_environment_is_logged_once_and_runs_uncached() {
    let text = probe("first-use", &[("CACHE_DEFAULT_TTL", "abc")]);
    assert!(text.contains("loads 3"), "{text}");
    assert_eq!(text.matches("ERROR").count(), 1, "{text}");
    assert!(text.contains("CACHE_DEFAULT_TTL"), "{text}");
}

#[test]
fn nothing_is_said_to_be_changed_where_the_environment_is_broken() {
    let text = probe("first-use", &[("CACHE_PROVIDER", "redis")]);
    for what in ["key", "function", "tag", "pattern", "clear", "put", "set"] {
        let told = text.lines().find(|line| line.starts_with(&format!("{what}: Config ")));
        assert!(told.is_some_and(|line| line.contains("REDIS_URL")), "{what} in {text}");
    }
    for sound in [&[][..], &[("CACHE_PROVIDER", "none")]] {
        let text = probe("first-use", sound);
        assert_eq!(text.matches(": done").count(), 7, "{text}");
    }
}

#[test]
fn init_after_a_broken_first_use_repairs_it() {
    let text = probe("repair", &[("CACHE_DEFAULT_TTL", "abc")]);
    assert!(text.contains("loads before 2") && text.contains("loads after 1"), "{text}");
}

#[tokio::test]
async fn what_the_environment_says_holds() {
    let variables =
        [("CACHE_DEFAULT_TTL", "7"), ("CACHE_NAMESPACE", "shop"), ("CACHE_MAX_ENTRIES", "3")];
    let read = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    };
    let config = Config::from_vars(read).unwrap();
    let (clock, hand) = Clock::manual();
    let cache = Cache::builder().config(config).clock(clock).build().await.unwrap();
    for number in 0..10_u8 {
        cache.set(format!("k:{number}"), &number).await.unwrap();
    }
    assert_eq!(cache.stats().await.unwrap().entries, Some(3));
    cache.set("k", &1_u8).await.unwrap();
    hand.advance(seconds(6));
    assert!(cache.has("k").await.unwrap());
    hand.advance(seconds(1));
    assert!(!cache.has("k").await.unwrap());
    assert!(format!("{cache:?}").contains("shop"));
}
