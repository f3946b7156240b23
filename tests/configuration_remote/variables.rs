//! Each variable, with each mistake.

use super::{SECRET, refuses, takes};

const REDIS: (&str, &str) = ("CACHE_PROVIDER", "redis");
const UPSTASH: (&str, &str) = ("CACHE_PROVIDER", "upstash");

/// The names under which Upstash's URL and token may stand.
const NAMES: [(&str, &str); 3] = [
    ("REDIS_REST_URL", "REDIS_REST_TOKEN"),
    ("UPSTASH_REDIS_REST_URL", "UPSTASH_REDIS_REST_TOKEN"),
    ("KV_REST_API_URL", "KV_REST_API_TOKEN"),
];

fn refuses_redis(url: &str, parts: &[&str]) {
    refuses(&[REDIS, ("REDIS_URL", url)], &[&["`REDIS_URL`"], parts].concat());
}

#[test]
fn a_missing_url_of_redis() {
    let fix = ["`REDIS_URL` is not set", "set it to a URL", "`redis://", "`redis+cluster://`"];
    refuses(&[REDIS], &fix);
    for empty in ["", " ", "\t\n"] {
        refuses_redis(empty, &fix);
    }
}

#[test]
fn what_is_no_url_of_redis() {
    for url in [
        SECRET,
        "localhost:6379",
        "redis:hunter2@host",
        "redis:/host",
        "redis-cluster://:hunter2@host",
        "redis+tls://:hunter2@host",
        "unix:///run/hunter2.sock",
        "redis://",
        "redis+cluster://",
        "://hunter2",
    ] {
        refuses_redis(url, &["set it to a URL", "`redis://`", "`redis+sentinel://`"]);
    }
    for url in ["https://hunter2.upstash.io", "http://:hunter2@host"] {
        refuses_redis(url, &["`CACHE_PROVIDER=upstash`", "`REDIS_REST_URL`"]);
    }
}

#[test]
fn urls_of_one_server_that_cannot_work() {
    for (url, parts) in [
        ("redis:///0", ["names no host", "`redis://<host>:<port>`"]),
        ("redis://:hunter2@", ["names no host", "`redis://<host>:<port>`"]),
        ("redis://:hunter2@host:65536", ["port", "from 1 to 65535"]),
        ("redis://:hunter2@host:0", ["port", "from 1 to 65535"]),
        ("redis://hunter2@host", ["user but no password", "`redis://:<password>@<host>`"]),
        ("redis://:hunter2/x@host", ["percent-encoded", "`%2F`"]),
        ("redis://:hunter2#x@host", ["percent-encoded", "`%2F`"]),
        ("redis://:hunter2%zz@host", ["hexadecimal digits", "`%25`"]),
        ("redis://:hunter2@host/hunter2", ["database number", "percent-encoded"]),
        ("redis://:hunter2@host/0#hunter2", ["fragment", "leave it out"]),
        ("redis://:hunter2@host?password=hunter2", ["option after `?`", "leave it out"]),
        ("redis://:hunter2@one,two", ["several hosts", "`redis+cluster://`"]),
        ("redis://:hunter2@[host]", ["IPv6 address", "`[::1]`"]),
        ("redis://:hunter2@ho st", ["a host that is neither a name nor", "percent-encoded"]),
    ] {
        refuses_redis(url, &parts);
    }
}

#[test]
fn urls_of_sentinel_and_cluster_that_cannot_work() {
    for (url, parts) in [
        ("redis+sentinel://:hunter2@one,two", ["names no service", "`mymaster`"]),
        ("redis+sentinel://:hunter2@one,,two/main", ["names no host", "<host>"]),
        ("redis+sentinel://:hunter2@one/main/first", ["database number", "percent-encoded"]),
        ("redis+sentinel://one/main?password=hunter2", ["unknown option", "`sentinel_password`"]),
        (
            "redis+sentinel://one/main?sentinel_username=hunter2",
            ["no `sentinel_password`", "add it"],
        ),
        ("redis+sentinel://one/main?tls=hunter2", ["`tls`", "`true` or `false`"]),
        ("redis+cluster://:hunter2@one,two/1", ["database number", "leave it out"]),
        ("redis+cluster://:hunter2@one,two?x=hunter2", ["unknown option", "`tls`"]),
        ("redis+cluster://one?tls=true&tls=true", ["twice", "leave one out"]),
    ] {
        refuses_redis(url, &parts);
    }
}

#[test]
fn urls_of_redis_that_can_work() {
    for url in [
        "redis://localhost",
        "redis://user:hunter2@localhost:6379/3",
        "rediss://:hunter2@host/",
        " redis://host\n",
        "REDIS://host",
        "valkey://host",
        "valkeys://host",
        "redis+sentinel://:hunter2@one,two:26380/main/2?sentinel_password=hunter2",
        "rediss+sentinel://one/main",
        "redis+cluster://:hunter2@one,two:7001",
        "rediss+cluster://one",
        "valkeys+cluster://one",
    ] {
        takes(&[REDIS, ("REDIS_URL", url)]);
    }
}

#[test]
fn a_missing_url_or_token_of_upstash() {
    let both = ["`REDIS_REST_URL` is not set", "`https://`", "`REDIS_REST_TOKEN` is not set"];
    refuses(&[UPSTASH], &both);
    for (url, token) in NAMES {
        // A token alone does not say whose it is.
        refuses(&[UPSTASH, (token, SECRET)], &["`REDIS_REST_URL` is not set"]);
        let fix = [&format!("`{token}` is not set or empty"), "token of the database"];
        refuses(&[UPSTASH, (url, "https://name.upstash.io")], &fix);
        for empty in ["", "  "] {
            refuses(&[UPSTASH, (url, "https://name.upstash.io"), (token, empty)], &fix);
        }
        takes(&[UPSTASH, (url, "https://name.upstash.io"), (token, SECRET)]);
    }
}

#[test]
fn urls_of_upstash_that_cannot_work_are_named_by_their_variable() {
    for (name, token) in NAMES {
        let (quoted, quoted_token) = (format!("`{name}`"), format!("`{token}`"));
        let refuses = |url: &str, parts: &[&str]| {
            let variables = [UPSTASH, (name, url), (token, SECRET)];
            refuses(&variables, &[&[quoted.as_str()], parts].concat());
        };
        for url in [SECRET, "name.upstash.io", "ftp://name", "https://", "\"https://name\""] {
            refuses(url, &["REST interface", "`https://`"]);
        }
        for url in ["redis://:hunter2@name.upstash.io:6379", "rediss://default:hunter2@name"] {
            refuses(url, &["`CACHE_PROVIDER=redis`", "`REDIS_URL`"]);
        }
        for url in ["http://name.upstash.io", "http://10.0.0.1:8080", "http://localhost.io"] {
            refuses(url, &["`http://`", "begin it with `https://`", "allow_plain_http"]);
        }
        refuses("https://user:hunter2@name", &["a user or a password", &quoted_token]);
        refuses("https://name?_token=hunter2", &["a query", &quoted_token]);
        refuses("https://name hunter2", &["white space", "`https://name.upstash.io`"]);
        refuses("https://[hunter2]", &["is no URL", "`https://name.upstash.io`"]);
        takes(&[UPSTASH, (name, "http://127.0.0.1:8079"), (token, SECRET)]);
    }
}

#[test]
fn tokens_that_cannot_work_are_named_by_their_variable() {
    for (name, token) in NAMES {
        for (value, what) in [
            ("hunter 2", "white space"),
            ("\"hunter2\"", "quotation marks"),
            ("hünter2", "characters that a token never has"),
        ] {
            let variables = [UPSTASH, (name, "https://name.upstash.io"), (token, value)];
            refuses(&variables, &[&format!("`{token}`"), what, "set it to the REST token"]);
        }
    }
}

#[test]
fn unknown_stores_and_times_are_named_beside_the_rest() {
    for meant in ["redis", "upstash"] {
        let wrong = meant.replacen('s', "z", 1);
        refuses(
            &[("CACHE_PROVIDER", &wrong)],
            &["`CACHE_PROVIDER`", &format!("did you mean `{meant}`?")],
        );
    }
    refuses(
        &[REDIS, ("REDIS_URL", SECRET), ("CACHE_TIMEOUT", "50"), ("CACHE_NEAR", "soon")],
        &["`REDIS_URL`", "`CACHE_TIMEOUT` is `50`", "did you mean `50ms`", "`CACHE_NEAR`"],
    );
}
