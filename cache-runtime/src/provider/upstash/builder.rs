//! From a URL, a token and options to a provider.

use std::fmt;
use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;

use super::UpstashProvider;
use super::address::{Address, Names, authorisation, config};
use super::link::Rest;
use super::post::{Post, headers};
use super::tls;
use crate::config::REST_NAMES;
use crate::provider::commands::Steps;
use crate::{Result, Secret};

/// How long opening a connection may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// After how long a request is given up, whoever still waits for it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// What Upstash takes in one request unless the plan says otherwise: 10 MB.
const LARGEST_REQUEST: usize = 10 * 1_000 * 1_000;

/// Options of an [`UpstashProvider`].
///
/// # Examples
///
/// ```
/// use cache_runtime::provider::UpstashProvider;
///
/// let provider = UpstashProvider::builder("https://name.upstash.io", "secret")
///     .namespace("shop")
///     .build()?;
/// assert!(!format!("{provider:?}").contains("secret"));
/// # Ok::<(), cache_runtime::Error>(())
/// ```
#[must_use]
#[derive(Clone)]
pub struct UpstashProviderBuilder {
    url: Secret,
    token: Secret,
    namespace: String,
    allow_plain_http: bool,
    connect_timeout: Duration,
    request_timeout: Duration,
    largest_request: usize,
    roots_pem: Option<Vec<u8>>,
    names: Names,
}

/// Without the URL and the token.
impl fmt::Debug for UpstashProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstashProviderBuilder")
            .field("namespace", &self.namespace)
            .field("allow_plain_http", &self.allow_plain_http)
            .field("connect_timeout", &self.connect_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("largest_request", &self.largest_request)
            .finish_non_exhaustive()
    }
}

impl UpstashProviderBuilder {
    pub(super) fn new(url: &str, token: &str) -> Self {
        Self {
            url: Secret::new(url),
            token: Secret::new(token),
            namespace: String::new(),
            allow_plain_http: false,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            largest_request: LARGEST_REQUEST,
            roots_pem: None,
            names: REST_NAMES,
        }
    }

    /// The prefix of every key and mark; nothing outside it is touched. Empty by default.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Whether `http://` may lead to another machine, where the token is readable to everybody on
    /// the way; no by default. To this machine it is always allowed.
    pub fn allow_plain_http(mut self, allow: bool) -> Self {
        self.allow_plain_http = allow;
        self
    }

    /// How long opening a connection may take, name lookup and TLS included; two seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// After how long a request is given up, whoever still waits for it; ten seconds by default.
    ///
    /// This only keeps requests from piling up: how long a call may take is decided above the
    /// provider (`CACHE_TIMEOUT`).
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How many bytes one request may have; 10 MB by default, which is what Upstash takes.
    pub fn largest_request(mut self, bytes: usize) -> Self {
        self.largest_request = bytes;
        self
    }

    /// Trusts these root certificates, in PEM, instead of the public ones.
    pub fn roots_pem(mut self, roots: impl Into<Vec<u8>>) -> Self {
        self.roots_pem = Some(roots.into());
        self
    }

    /// The variables that the URL and the token were read from, so that messages name them.
    pub(crate) fn named(mut self, names: (&'static str, &'static str)) -> Self {
        self.names = names;
        self
    }

    /// Makes the provider. It connects when it is used first.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) if the URL, the token or an option cannot work. The
    /// message says which and how to mend it, and holds neither.
    pub fn build(self) -> Result<UpstashProvider> {
        let address = Address::parse(self.url.expose(), self.allow_plain_http, self.names)?;
        let headers = headers(authorisation(self.token.expose(), self.names)?);
        for (name, time) in
            [("connect_timeout", self.connect_timeout), ("request_timeout", self.request_timeout)]
        {
            if time.is_zero() {
                return Err(config(format!("`{name}` is zero; give it a time, or leave it out")));
            }
        }
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls::client(self.roots_pem.as_deref())?)
            .default_headers(headers)
            .user_agent(concat!("cache-runtime/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.connect_timeout)
            .timeout(self.request_timeout)
            // The token goes where it was meant to go.
            .redirect(Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .pool_idle_timeout(Duration::from_secs(90))
            // A connection that leads nowhere any more is noticed while requests wait on it.
            .http2_keep_alive_interval(Duration::from_secs(1))
            .http2_keep_alive_timeout(Duration::from_secs(2))
            .http2_adaptive_window(true);
        if address.is_loopback {
            // No proxy leads to this machine.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| {
            config("the HTTP client cannot be set up").with_source(error.without_url())
        })?;
        let link = Rest::new(Post::new(client, address), self.largest_request);
        Ok(UpstashProvider::over(Steps::new(link, &self.namespace)))
    }
}
