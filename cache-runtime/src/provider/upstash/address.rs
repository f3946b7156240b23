//! What a REST URL and a token may be. No error shows any part of them but the scheme.

use std::net::IpAddr;

use reqwest::Url;
use reqwest::header::HeaderValue;

use crate::{Error, ErrorKind, Result};

/// The variables that the URL and the token come from, or would.
pub(super) type Names = (&'static str, &'static str);

/// Where requests go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// For a command alone.
    pub(super) single: Url,
    /// For several.
    pub(super) pipeline: Url,
    /// Whether it is this machine.
    pub(super) is_loopback: bool,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config), with the fix.
    pub(super) fn parse(url: &str, allow_plain_http: bool, names: Names) -> Result<Self> {
        let wrong_url = |what: &str| wrong_url(names, what);
        check_text(url).map_err(wrong_url)?;
        let base = Url::parse(url).map_err(|_| wrong_url("is no URL"))?;
        match base.scheme() {
            "http" | "https" => {}
            "redis" | "rediss" => {
                return Err(wrong_url(
                    "is an address of Redis over TCP, for `CACHE_PROVIDER=redis` and `REDIS_URL`",
                ));
            }
            _ => return Err(wrong_url("does not begin with `https://`")),
        }
        let host = base.host_str().unwrap_or_default();
        if host.is_empty() {
            return Err(wrong_url("names no host"));
        }
        // A `/` that is not percent-encoded ends the login early, and leaves its `@` to the path.
        let holds_login = base.path().contains('@');
        if holds_login || !base.username().is_empty() || base.password().is_some() {
            let token = names.1;
            return Err(wrong_url(&format!(
                "holds a user or a password; the token goes to `{token}`"
            )));
        }
        if base.query().is_some() || base.fragment().is_some() {
            let token = names.1;
            return Err(wrong_url(&format!(
                "has a query or a fragment; the token goes to `{token}`"
            )));
        }
        let is_loopback = is_loopback(host);
        if base.scheme() == "http" && !is_loopback && !allow_plain_http {
            let message = "begins with `http://`, which would send the token readable to everybody \
                 on the way; begin it with `https://`, or allow it with \
                 `UpstashProvider::builder(..).allow_plain_http(true)`";
            return Err(config(format!("`{}` {message}", names.0)));
        }
        let below = |name: &str| {
            let mut url = base.clone();
            let path = base.path().trim_end_matches('/').to_owned();
            url.set_path(&format!("{path}/{name}"));
            url
        };
        Ok(Self { single: below(""), pipeline: below("pipeline"), is_loopback })
    }
}

/// What people paste along with a URL; what is wrong as an error.
fn check_text(url: &str) -> std::result::Result<(), &'static str> {
    if url.trim().is_empty() {
        return Err("is empty");
    }
    if url != url.trim() || url.contains(char::is_whitespace) {
        return Err("holds white space");
    }
    if url.contains(['"', '\'']) {
        return Err("holds quotation marks");
    }
    if !url.contains("://") {
        return Err("does not begin with `https://`");
    }
    Ok(())
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    address.map_or_else(
        |_| host == "localhost" || host.ends_with(".localhost"),
        |address| address.to_canonical().is_loopback(),
    )
}

/// The header that tells who asks.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config), with the fix.
pub(super) fn authorisation(token: &str, names: Names) -> Result<HeaderValue> {
    let wrong = |what: &str| {
        config(format!("`{}` {what}; set it to the REST token of the database", names.1))
    };
    if token.trim().is_empty() {
        return Err(wrong("is empty"));
    }
    if token.contains(char::is_whitespace) {
        return Err(wrong("holds white space"));
    }
    if token.contains(['"', '\'']) {
        return Err(wrong("holds quotation marks"));
    }
    let value = token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = value.then(|| HeaderValue::from_str(&format!("Bearer {token}")));
    match value {
        Some(Ok(mut value)) => {
            value.set_sensitive(true);
            Ok(value)
        }
        _ => Err(wrong("holds characters that a token never has")),
    }
}

fn wrong_url(names: Names, what: &str) -> Error {
    config(format!(
        "`{}` {what}; set it to the REST URL of the database, such as `https://name.upstash.io`",
        names.0
    ))
}

pub(super) fn config(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, "upstash", message)
}

#[cfg(test)]
mod tests {
    use super::{Address, authorisation};
    use crate::ErrorKind;
    use crate::config::REST_NAMES;

    #[test]
    fn requests_go_below_the_url() {
        for url in ["https://name.upstash.io", "https://name.upstash.io/"] {
            let address = Address::parse(url, false, REST_NAMES).unwrap();
            assert_eq!(address.single.as_str(), "https://name.upstash.io/");
            assert_eq!(address.pipeline.as_str(), "https://name.upstash.io/pipeline");
        }
        let address = Address::parse("https://gateway/redis/", false, REST_NAMES).unwrap();
        assert_eq!(address.pipeline.as_str(), "https://gateway/redis/pipeline");
    }

    #[test]
    fn plain_http_is_for_this_machine_unless_asked_for() {
        for url in
            ["http://127.0.0.1:8079", "http://localhost", "http://[::1]:1", "http://127.9.9.9"]
        {
            assert!(Address::parse(url, false, REST_NAMES).unwrap().is_loopback, "{url}");
        }
        for url in ["http://name.upstash.io", "http://10.0.0.1", "http://localhost.example.com"] {
            let error = Address::parse(url, false, REST_NAMES).unwrap_err();
            assert!(error.to_string().contains("allow_plain_http"), "{url}");
            assert!(!Address::parse(url, true, REST_NAMES).unwrap().is_loopback, "{url}");
        }
    }

    #[test]
    fn wrong_urls_are_named_with_the_fix_and_not_shown() {
        for url in [
            "",
            "  ",
            "hunter2",
            "hunter2.upstash.io",
            "ftp://hunter2.io",
            "https://",
            "https://user:hunter2@name.io",
            "https://name.io/?_token=hunter2",
            "https://name.io#hunter2",
            " https://hunter2.io",
            "\"https://hunter2.io\"",
            "redis://:hunter2@name.io:6379",
            "rediss://default:hunter2@name.io",
            "https://hunter2 .io",
            "https://[hunter2]",
        ] {
            let error = Address::parse(url, true, REST_NAMES).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{url}");
            let text = format!("{error} {error:?}");
            assert!(text.contains("`REDIS_REST_URL`") && text.contains("https://"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn wrong_tokens_are_named_and_not_shown() {
        for token in ["", " ", "hunter2\n", "hunter 2", "\"hunter2\"", "hunter2\u{0}", "hünter2"] {
            let error = authorisation(token, REST_NAMES).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(text.contains("`REDIS_REST_TOKEN`"), "{text}");
            assert!(!text.contains("hunter") && !text.contains("hünter"), "{text}");
        }
        assert!(
            !format!("{:?}", authorisation("hunter2", REST_NAMES).unwrap()).contains("hunter2")
        );
    }
}
