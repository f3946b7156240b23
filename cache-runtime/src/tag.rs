//! Tags: names under which many entries are invalidated at once.

use std::fmt;
use std::sync::Arc;

/// A name that entries carry, so that one command invalidates them all.
///
/// A tag such as `org:7` belongs to the family `org`, the text before its first `:`.
/// Clones are cheap: they share the text.
///
/// # Examples
/// ```
/// use cache_runtime::Tag;
///
/// let tag = Tag::new("org:7");
/// assert_eq!(tag.as_str(), "org:7");
/// assert_eq!(tag.family(), "org");
/// assert_eq!(Tag::from("users").family(), "users");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Creates a tag from its text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The tag's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text before the first `:`, or the whole text where there is none.
    #[must_use]
    pub fn family(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(family, _)| family)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tag({:?})", &*self.0)
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Tag {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Tag {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Tag {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}

impl From<Arc<str>> for Tag {
    fn from(text: Arc<str>) -> Self {
        Self(text)
    }
}

impl From<&Tag> for Tag {
    fn from(tag: &Tag) -> Self {
        tag.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Tag;

    #[test]
    fn the_family_ends_at_the_first_colon() {
        for (text, family) in
            [("org:7", "org"), ("org:7:x", "org"), ("users", "users"), (":x", ""), ("", "")]
        {
            assert_eq!(Tag::new(text).family(), family);
        }
    }

    #[test]
    fn tags_come_from_text() {
        let all = [
            Tag::from("a"),
            Tag::from("a".to_owned()),
            Tag::from(&"a".to_owned()),
            Tag::from(&Tag::new("a")),
        ];
        assert!(all.iter().all(|tag| *tag == Tag::new("a")));
        assert_eq!(format!("{0}|{0:>2}|{0:?}", all[0]), "a| a|Tag(\"a\")");
    }
}
