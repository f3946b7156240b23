//! Keys: their text, the parts that may be in it, and the arguments as bytes.
//!
//! A key exists in two forms. Its *text* (`user:42`) is its identity in the store; it is readable, and
//! injective: two different argument lists never give one text. Its arguments as *bytes*
//! ([`ArgBytes`]) are what a hit hashes and compares; they cost no rendering and are injective too.

mod args;
mod compound;
mod foreign;
mod part;
mod writer;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use args::usual_len;
pub use args::{ArgBytes, Args, Piece, render, shape};
pub use part::KeyPart;
pub use writer::PartWriter;

use crate::tag::Tag;

/// A key's text together with the type of the value that lies under it.
///
/// `#[cache_keys]` and the `key` helper of an annotated function make keys; [`Key::new`] makes one from
/// text. Two keys are equal if their texts are: TTL and tags say how to store, not where.
///
/// # Examples
/// ```
/// use cache_runtime::Key;
/// use std::time::Duration;
///
/// let key: Key<String> = Key::new("greeting:en").with_ttl(Duration::from_secs(60)).with_tags(["greetings"]);
/// assert_eq!(key.as_str(), "greeting:en");
/// assert_eq!(key.ttl(), Some(Duration::from_secs(60)));
/// assert_eq!(key.tags()[0].as_str(), "greetings");
/// assert_eq!(key, Key::new("greeting:en"));
/// ```
pub struct Key<T> {
    text: String,
    ttl: Option<Duration>,
    tags: Vec<Tag>,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// Creates a key from its text, taken as it is: nothing is escaped.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ttl: None, tags: Vec::new(), value: PhantomData }
    }

    /// Stores values under this key for `ttl`, unless the request says otherwise.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Adds tags that values stored under this key carry.
    #[must_use]
    pub fn with_tags(mut self, tags: impl IntoIterator<Item: Into<Tag>>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// The key's text, without the namespace.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The TTL that the key brings along.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The tags that the key brings along.
    #[must_use]
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// The key's text, taken out.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// The same key for a value of another type.
    #[must_use]
    pub fn cast<U>(self) -> Key<U> {
        Key { text: self.text, ttl: self.ttl, tags: self.tags, value: PhantomData }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), ttl: self.ttl, tags: self.tags.clone(), value: PhantomData }
    }
}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<T> Eq for Key<T> {}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<T> fmt::Display for Key<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Key");
        debug.field("text", &self.text);
        if let Some(ttl) = &self.ttl {
            debug.field("ttl", ttl);
        }
        if !self.tags.is_empty() {
            debug.field("tags", &self.tags);
        }
        debug.finish()
    }
}

/// What a request takes as a key: a [`Key<T>`], or text, which goes with any `T`.
///
/// # Examples
/// ```
/// use cache_runtime::{IntoKey, Key};
///
/// fn text_of<T>(key: impl IntoKey<T>) -> String {
///     key.into_key().into_string()
/// }
/// assert_eq!(text_of::<u64>("visits:today"), "visits:today");
/// assert_eq!(text_of(Key::<u64>::new("visits:today")), "visits:today");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key of a `{T}`",
    label = "expected a `Key<{T}>`, or text",
    note = "a `Key<U>` fits only where the value is a `U`; text (`&str`, `String`) fits every type"
)]
pub trait IntoKey<T> {
    /// Makes the key.
    fn into_key(self) -> Key<T>;
}

impl<T> IntoKey<T> for Key<T> {
    fn into_key(self) -> Key<T> {
        self
    }
}

impl<T> IntoKey<T> for &Key<T> {
    fn into_key(self) -> Key<T> {
        self.clone()
    }
}

impl<T> IntoKey<T> for &str {
    fn into_key(self) -> Key<T> {
        Key::new(self)
    }
}

impl<T> IntoKey<T> for String {
    fn into_key(self) -> Key<T> {
        Key::new(self)
    }
}

impl<T> IntoKey<T> for &String {
    fn into_key(self) -> Key<T> {
        Key::new(self.as_str())
    }
}

impl<T> IntoKey<T> for Cow<'_, str> {
    fn into_key(self) -> Key<T> {
        Key::new(self.into_owned())
    }
}

impl<T> IntoKey<T> for Arc<str> {
    fn into_key(self) -> Key<T> {
        Key::new(&*self)
    }
}

#[cfg(test)]
mod tests;
