//! The configuration as the environment gives it.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

mod read;

/// What the environment says about the cache.
///
/// | variable | default | meaning |
/// |---|---|---|
/// | `CACHE_PROVIDER` | `in-memory` | `in-memory`, `redis`, `upstash`, `none` |
/// | `CACHE_DEFAULT_TTL` | `3600` | seconds, more than 0 |
/// | `CACHE_NAMESPACE` | empty | prefix of every key and tag |
/// | `CACHE_MAX_ENTRIES`, `CACHE_MAX_BYTES` | 100,000 entries | bound of the in-memory provider and of the near cache |
/// | `CACHE_NEAR` | `off` | `off`, `validated`, or a staleness bound such as `500ms` |
/// | `CACHE_TIMEOUT` | `50ms` redis, `500ms` upstash | budget of one store operation |
/// | `REDIS_URL` | none | `redis://`, `rediss://`, `redis+sentinel://`, `redis+cluster://` |
/// | `REDIS_REST_URL`, `REDIS_REST_TOKEN` | none | Upstash; `UPSTASH_REDIS_REST_URL`, `UPSTASH_REDIS_REST_TOKEN`, `KV_REST_API_URL` and `KV_REST_API_TOKEN` are read too |
///
/// A variable that is empty counts as unset. Times are a whole number and a unit: `ms`, `s`, `m`, `h` or `d`.
/// Of the names for Upstash the first whose URL is set wins, and the token must be of the same names, so
/// that a token is never sent to another's host. What connects to a store that was not chosen is not checked.
///
/// # Examples
/// ```
/// use cache_runtime::{Config, ProviderChoice};
/// use std::time::Duration;
///
/// let config = Config::from_vars(|name| (name == "CACHE_DEFAULT_TTL").then(|| "60".to_owned()))?;
/// assert_eq!(config.default_ttl, Duration::from_secs(60));
/// assert_eq!(config.provider, ProviderChoice::InMemory);
/// assert_eq!(config.max_entries, Some(100_000));
/// # Ok::<(), cache_runtime::Error>(())
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which store to use.
    pub provider: ProviderChoice,
    /// How long entries live where nothing else says so.
    pub default_ttl: Duration,
    /// Prefix of every key and tag; empty for none.
    pub namespace: String,
    /// How many entries the process holds at most. Unset if only `max_bytes` is given.
    pub max_entries: Option<u64>,
    /// How many bytes the process holds at most.
    pub max_bytes: Option<u64>,
    /// Whether there is a near cache in front of a remote store.
    pub near: Near,
    /// Budget of one store operation; unset for the store's own default.
    pub timeout: Option<Duration>,
    /// Where Redis is. The URL may hold a password.
    pub redis_url: Option<Secret>,
    /// Where Upstash is.
    pub rest_url: Option<Secret>,
    /// What Upstash is asked with.
    pub rest_token: Option<Secret>,
    /// The variables that the URL and the token of Upstash were looked for in, for messages.
    pub(crate) rest_names: (&'static str, &'static str),
}

/// The usual variables for Upstash's URL and token.
pub(crate) const REST_NAMES: (&str, &str) = ("REDIS_REST_URL", "REDIS_REST_TOKEN");

/// The store that the environment chose.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProviderChoice {
    /// `in-memory`: in this process.
    #[default]
    InMemory,
    /// `redis`: Redis over TCP.
    Redis,
    /// `upstash`: Redis over HTTP.
    Upstash,
    /// `none`: nothing is cached, every call loads.
    None,
}

/// The near cache: entries of a remote store, kept in this process as well.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Near {
    /// `off`: every read asks the store.
    #[default]
    Off,
    /// `validated`: every read asks the store whether the near entry is still the current one.
    Validated,
    /// A time such as `500ms`: a read may be stale for at most this long.
    Bound(Duration),
}

/// Text that is shown to nobody: its `Debug` is `Secret(***)`, and it has no `Display`.
///
/// # Examples
/// ```
/// use cache_runtime::Secret;
///
/// let url = Secret::new("redis://:hunter2@localhost/");
/// assert_eq!(format!("{url:?}"), "Secret(***)");
/// assert_eq!(url.expose(), "redis://:hunter2@localhost/");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Default for Config {
    fn default() -> Self {
        Self {
            provider: ProviderChoice::InMemory,
            default_ttl: Duration::from_secs(3600),
            namespace: String::new(),
            max_entries: Some(100_000),
            max_bytes: None,
            near: Near::Off,
            timeout: None,
            redis_url: None,
            rest_url: None,
            rest_token: None,
            rest_names: REST_NAMES,
        }
    }
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// An error of kind [`Config`](ErrorKind::Config) that names every wrong variable, what it holds and
    /// what it may hold. Values that may be secret are not shown.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(&|name| std::env::var_os(name))
    }

    /// Reads variables from `lookup`, which gets a variable's name.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Self::from_lookup(&|name| lookup(name).map(OsString::from))
    }

    pub(crate) fn from_lookup(lookup: &dyn Fn(&str) -> Option<OsString>) -> Result<Self> {
        let mut problems = Vec::new();
        let config = read::Reader::new(lookup, &mut problems).config();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(Error::new(ErrorKind::Config, "read environment", problems.join("; ")))
        }
    }
}

impl ProviderChoice {
    /// Every choice.
    pub(crate) const ALL: [Self; 4] = [Self::InMemory, Self::Redis, Self::Upstash, Self::None];

    /// The choice as `CACHE_PROVIDER` names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InMemory => "in-memory",
            Self::Redis => "redis",
            Self::Upstash => "upstash",
            Self::None => "none",
        }
    }
}

impl fmt::Display for ProviderChoice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one who connects with it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests;
