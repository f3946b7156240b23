//! How values become bytes, by name and by the number that an entry stores.

use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind, Result};

/// How a value is written.
///
/// Every codec has its name and number in every build, and can be used where its feature is on
/// ([`is_available`](Self::is_available)). An entry that a build cannot read is a miss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON, in every build: any other program and any person can read it.
    #[default]
    Json,
    /// MessagePack with named fields (feature `msgpack`): smaller and faster than JSON, and any
    /// type that JSON can hold.
    MessagePack,
    /// postcard (feature `postcard`): the smallest and fastest, for types that say all of their
    /// shape. No `untagged`, `flatten` or internally tagged enums, and no fields left out.
    Postcard,
}

impl Codec {
    /// Every codec that this version has a number for.
    pub const ALL: [Self; 3] = [Self::Json, Self::MessagePack, Self::Postcard];

    /// The number that an entry stores.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Json => 0,
            Self::MessagePack => 1,
            Self::Postcard => 2,
        }
    }

    /// The codec with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.number() == number)
    }

    /// Whether this build can read and write it.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::Json => true,
            Self::MessagePack => cfg!(feature = "msgpack"),
            Self::Postcard => cfg!(feature = "postcard"),
        }
    }

    /// The name, as configurations spell it: also that of the feature, where there is one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::MessagePack => "msgpack",
            Self::Postcard => "postcard",
        }
    }
}

/// How a value's bytes are made smaller.
///
/// As with [`Codec`], every one has its name and number in every build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// Zstandard (feature `zstd`): small.
    Zstd,
    /// LZ4 (feature `lz4`): fast, and without C code.
    Lz4,
}

impl Compression {
    /// Every compression that this version has a number for.
    pub const ALL: [Self; 3] = [Self::None, Self::Zstd, Self::Lz4];

    /// The number that an entry stores.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Zstd => 1,
            Self::Lz4 => 2,
        }
    }

    /// The compression with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| compression.number() == number)
    }

    /// Whether this build can read and write it.
    #[must_use]
    pub const fn is_available(self) -> bool {
        match self {
            Self::None => true,
            Self::Zstd => cfg!(feature = "zstd"),
            Self::Lz4 => cfg!(feature = "lz4"),
        }
    }

    /// The name, as configurations spell it: also that of the feature, where there is one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Codec {
    type Err = Error;

    /// Reads a [name](Self::name); `messagepack` is understood too.
    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "messagepack" => Ok(Self::MessagePack),
            name => find(&Self::ALL, Self::name, name, "codec", text),
        }
    }
}

impl FromStr for Compression {
    type Err = Error;

    /// Reads a [name](Self::name); `off` is `none`.
    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "off" => Ok(Self::None),
            name => find(&Self::ALL, Self::name, name, "compression", text),
        }
    }
}

/// The error of a setting whose feature is off.
pub(super) fn unavailable(what: &str, name: &str) -> Error {
    let message = format!(
        "the {what} `{name}` is not in this build: add the feature `{name}` to `cache-runtime`, \
         or choose another {what}"
    );
    Error::new(ErrorKind::Config, "configure", message)
}

fn find<T: Copy>(
    all: &[T],
    name_of: fn(T) -> &'static str,
    name: &str,
    what: &str,
    text: &str,
) -> Result<T> {
    all.iter().copied().find(|one| name_of(*one) == name).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(|one| format!("`{}`", name_of(*one))).collect();
        let message = format!("unknown {what} `{text}`; there are {}", names.join(", "));
        Error::new(ErrorKind::Config, "configure", message)
    })
}
