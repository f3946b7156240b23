//! From a URL and options to a provider.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::RedisProvider;
use super::lane::Settings;
use super::link::RedisLink;
use super::tls::{Certificates, Tls};
use super::url::Target;
use crate::provider::commands::Steps;
use crate::{Error, ErrorKind, Result, Secret};

/// How long one attempt to connect may take where nothing else is said.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Options of a [`RedisProvider`].
///
/// # Examples
///
/// ```
/// use cache_runtime::provider::RedisProvider;
///
/// let provider = RedisProvider::builder("rediss://app:secret@redis.internal:6380/2")
///     .namespace("shop")
///     .connections(2)
///     .build()?;
/// assert!(!format!("{provider:?}").contains("secret"));
/// # Ok::<(), cache_runtime::Error>(())
/// ```
#[must_use]
#[derive(Clone)]
pub struct RedisProviderBuilder {
    url: Secret,
    namespace: String,
    connections: usize,
    connect_timeout: Duration,
    certificates: Certificates,
}

/// Without the URL, which may hold a password.
impl fmt::Debug for RedisProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisProviderBuilder")
            .field("namespace", &self.namespace)
            .field("connections", &self.connections)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl RedisProviderBuilder {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: Secret::new(url),
            namespace: String::new(),
            connections: 1,
            connect_timeout: CONNECT_TIMEOUT,
            certificates: Certificates::default(),
        }
    }

    /// The prefix of every key and mark; nothing outside it is touched. Empty by default.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How many connections to each server are used in turn; 1 by default.
    ///
    /// All tasks share them. One is enough for some hundred thousand commands a second; more help
    /// where large values would keep small ones waiting, and on many cores.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// How long one attempt to connect may take, name lookup, TLS and login included; half a second
    /// by default. Attempts are repeated until one succeeds.
    ///
    /// Longer than this nobody waits for the first attempt, and one that began while the network
    /// swallowed everything delays the next one by as much.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts these root certificates, in PEM, instead of the public ones.
    pub fn roots_pem(mut self, roots: impl Into<Vec<u8>>) -> Self {
        self.certificates.roots = Some(roots.into());
        self
    }

    /// Shows this certificate chain to servers that want to know their clients, and proves it by
    /// the key; both in PEM.
    pub fn client_pem(mut self, chain: impl Into<Vec<u8>>, key: impl Into<String>) -> Self {
        self.certificates.client = Some((chain.into(), Secret::new(key)));
        self
    }

    /// Makes the provider. It connects when it is used first.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) if the URL or an option cannot work. The message holds nothing
    /// of the URL.
    pub fn build(self) -> Result<RedisProvider> {
        let target = Target::parse(self.url.expose())?;
        if self.connections == 0 || self.connect_timeout.is_zero() {
            let message = "the number of connections and the time to connect have to be above zero";
            return Err(Error::new(ErrorKind::Config, "redis", message));
        }
        let tls = if target.tls { Some(Tls::new(&self.certificates)?) } else { None };
        let settings = Settings {
            login: target.login,
            database: target.database,
            tls,
            connect_timeout: self.connect_timeout,
            is_fenced: AtomicBool::new(true),
            pushes: None,
        };
        let link = RedisLink::new(target.topology, settings, self.connections);
        Ok(RedisProvider::over(Steps::new(link, &self.namespace)))
    }
}
