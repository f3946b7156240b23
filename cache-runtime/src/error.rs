//! The one error type of the crate.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// What [`Result`](core::result::Result) looks like in this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, in the few classes that a program can act on.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The configuration cannot work: a variable or a builder setting holds a wrong value.
    Config,
    /// The store could not be reached, and the operation did not happen.
    Unavailable,
    /// The operation was sent, but its outcome is not known: it may have happened.
    Unknown,
    /// The operation's time budget ran out.
    Timeout,
    /// A value could not be encoded, or stored bytes could not be decoded.
    Codec,
    /// The removal took effect, but fewer replicas than were asked for are known to have it.
    TooFewReplicas,
    /// The value is larger than the store takes.
    TooLarge,
    /// The key cannot be stored, for instance because it is empty.
    InvalidKey,
    /// The cache was closed.
    Shutdown,
    /// The provider, or this build, has no such operation.
    Unsupported,
}

impl ErrorKind {
    /// Whether the same operation may succeed when it is tried again later.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable | Self::Unknown | Self::Timeout | Self::TooFewReplicas)
    }
}

/// An error of the cache: its kind, the operation that failed, and why.
///
/// It displays as `operation: message`, followed by its context in parentheses. The cause, if there
/// is one, is its [`source`](StdError::source). Secrets such as connection strings are in none of these.
///
/// # Examples
/// ```
/// use cache_runtime::{Error, ErrorKind};
///
/// let error = Error::new(ErrorKind::Timeout, "get", "no answer within 50 ms").with_context("key `user:42`");
/// assert_eq!(error.to_string(), "get: no answer within 50 ms (key `user:42`)");
/// assert_eq!(error.operation(), "get");
/// assert!(error.is_retryable());
/// ```
#[derive(Clone)]
pub struct Error {
    // Boxed, so that a `Result` with a small value stays small.
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    message: String,
    context: Vec<String>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Creates an error of a kind: `operation` says what was tried, `message` why it failed.
    pub fn new(kind: ErrorKind, operation: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            inner: Box::new(Inner { kind, operation, message, context: Vec::new(), source: None }),
        }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner.source = Some(Arc::from(error.into()));
        self
    }

    /// Adds what the operation was about, such as a key or a provider.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.inner.context.push(context.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// What was tried, such as `get`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.inner.operation
    }

    /// Whether the same operation may succeed when it is tried again later.
    ///
    /// A retried write whose outcome is [unknown](ErrorKind::Unknown) may happen twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.inner.kind.is_retryable()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        write!(formatter, "{}: {}", inner.operation, inner.message)?;
        if !inner.context.is_empty() {
            write!(formatter, " ({})", inner.context.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        let mut debug = formatter.debug_struct("Error");
        debug.field("kind", &inner.kind);
        debug.field("operation", &inner.operation);
        debug.field("message", &inner.message);
        if !inner.context.is_empty() {
            debug.field("context", &inner.context);
        }
        if let Some(source) = &inner.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.inner.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, ErrorKind};
    use std::error::Error as _;

    #[test]
    fn an_error_keeps_what_it_is_told() {
        let error = Error::new(ErrorKind::Unavailable, "set", "connection refused")
            .with_source(std::io::Error::from(std::io::ErrorKind::ConnectionRefused))
            .with_context("redis")
            .with_context("key `a`");
        assert_eq!(error.to_string(), "set: connection refused (redis, key `a`)");
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unavailable, "set"));
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
        assert_eq!(error.clone().source().unwrap().to_string(), "connection refused");
        assert!(format!("{error:?}").contains("ConnectionRefused"));
    }

    #[test]
    fn a_retry_helps_where_the_store_may_come_back() {
        use ErrorKind::{
            Codec, Config, InvalidKey, Shutdown, Timeout, TooFewReplicas, TooLarge, Unavailable,
            Unknown, Unsupported,
        };
        for kind in [Unavailable, Unknown, Timeout, TooFewReplicas] {
            assert!(Error::new(kind, "get", "no answer").is_retryable());
        }
        for kind in [Config, Codec, TooLarge, InvalidKey, Shutdown, Unsupported] {
            assert!(!Error::new(kind, "get", "no").is_retryable());
        }
    }
}
