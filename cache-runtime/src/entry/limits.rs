//! How large things may become before they are refused.

use crate::{Error, ErrorKind, Result};

/// The largest keys, tags and values that the cache takes.
///
/// What is larger is refused before anything is sent, with an error that names the limit: a store
/// slows down for everybody long before it refuses by itself.
///
/// # Examples
/// ```
/// use cache_runtime::ErrorKind;
/// use cache_runtime::entry::Limits;
///
/// let mut limits = Limits::default();
/// limits.max_key_bytes = 20;
/// let error = limits.check_key("report:a-very-long-query").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::InvalidKey);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of an encoded value, before it is compressed: 32 MiB. On reading it bounds what a
    /// compressed value may claim to become, and how many elements it may have.
    pub max_value_bytes: usize,
    /// Bytes of a key without its namespace: 16 KiB.
    pub max_key_bytes: usize,
    /// Tags of one entry: 256.
    pub max_tags: usize,
    /// Bytes of one tag: 4 KiB.
    pub max_tag_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_value_bytes: 32 * 1024 * 1024,
            max_key_bytes: 16 * 1024,
            max_tags: 256,
            max_tag_bytes: 4 * 1024,
        }
    }
}

impl Limits {
    /// Whether a key may be used.
    ///
    /// # Errors
    ///
    /// [`InvalidKey`](ErrorKind::InvalidKey) if it is too long. It shows the key's beginning only.
    pub fn check_key(&self, key: &str) -> Result<()> {
        let (length, most) = (key.len(), self.max_key_bytes);
        if length <= most {
            return Ok(());
        }
        let message = format!(
            "the key `{}` has {length} bytes, and `max_key_bytes` is {most}: put a hash of the \
             long part into the key, or raise the limit",
            beginning(key)
        );
        Err(Error::new(ErrorKind::InvalidKey, "check", message))
    }

    /// Whether an entry may carry these tags.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](ErrorKind::TooLarge) if there are too many, or one is too long.
    pub fn check_tags<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let mut count = 0_usize;
        for tag in tags {
            count += 1;
            let (length, most) = (tag.len(), self.max_tag_bytes);
            if length > most {
                let message = format!(
                    "the tag `{}` has {length} bytes, and `max_tag_bytes` is {most}: put a hash \
                     of the long part into the tag, or raise the limit",
                    beginning(tag)
                );
                return Err(Error::new(ErrorKind::TooLarge, "check", message));
            }
        }
        if count > self.max_tags {
            let message = format!(
                "the entry has {count} tags, and `max_tags` is {}: tag it with the groups that \
                 are invalidated together instead of with each member, or raise the limit",
                self.max_tags
            );
            return Err(Error::new(ErrorKind::TooLarge, "check", message));
        }
        Ok(())
    }

    /// Whether a value of so many encoded bytes may be stored.
    ///
    /// # Errors
    ///
    /// [`TooLarge`](ErrorKind::TooLarge) if it is too large.
    pub fn check_value(&self, bytes: usize) -> Result<()> {
        if bytes <= self.max_value_bytes {
            return Ok(());
        }
        let message = format!(
            "the value has {bytes} bytes, and `max_value_bytes` is {}: cache a smaller part of \
             it, or raise the limit",
            self.max_value_bytes
        );
        Err(Error::new(ErrorKind::TooLarge, "encode", message))
    }
}

/// So much of a long text that one recognises it.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}
