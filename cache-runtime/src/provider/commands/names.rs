//! Where keys and marks lie: physical names, and back from these to keys.
//!
//! | link | cell | tag | epoch | scope |
//! |---|---|---|---|---|
//! | one bucket | `app:k:user:42` | `app:t:users` | `app:e:users` | `app:s:fn:get_user` |
//! | several | `app:k:{17}:user:42` | `app:t:{3}:users` | `app:e:{3}:users` | `app:s:{17}:fn:get_user` |
//!
//! The namespace is percent-escaped where it holds a character that means something here, in a
//! cluster's hash tags or in a glob pattern, so it ends at the first colon: no two namespaces meet,
//! and the pattern `app:*` is right in an access list and in a `SCAN`.
//!
//! Names of one bucket lie on one node. A cell, a tag and an epoch lie in the bucket that their own
//! text hashes to. A scope has a copy in every bucket, and what is read beside a cell is the copy
//! in the cell's bucket.

use std::io::Write as _;

use xxhash_rust::xxh3::xxh3_64;

use super::link::Bucket;
use crate::provider::{Changed, Mark, MarkKind};
use crate::{Error, ErrorKind, Pattern, Result};

/// How many stars a pattern may have to be matched by the server, which tries each of them again
/// for every character and serves nobody else meanwhile.
const MOST_STARS: usize = 4;

/// What lies under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Cell,
    Tag,
    Epoch,
    Scope,
}

impl Kind {
    const fn piece(self) -> &'static [u8; 2] {
        match self {
            Kind::Cell => b"k:",
            Kind::Tag => b"t:",
            Kind::Epoch => b"e:",
            Kind::Scope => b"s:",
        }
    }
}

impl From<MarkKind> for Kind {
    fn from(kind: MarkKind) -> Self {
        match kind {
            MarkKind::Tag => Kind::Tag,
            MarkKind::Epoch => Kind::Epoch,
            MarkKind::Scope => Kind::Scope,
        }
    }
}

/// The physical names of one namespace.
#[derive(Clone, Debug)]
pub(super) struct Names {
    namespace: String,
    /// What each name begins with: the escaped namespace and a colon.
    head: Vec<u8>,
    buckets: u16,
    /// How long the text of a key or a mark may be.
    longest: usize,
}

impl Names {
    /// Names of at most `longest` bytes each.
    pub(super) fn new(namespace: &str, buckets: u16, longest: usize) -> Self {
        let mut head = escaped(namespace).into_bytes();
        head.push(b':');
        let around = head.len() + b"k:{65535}:".len();
        let longest = longest.saturating_sub(around);
        Self { namespace: namespace.to_owned(), head, buckets: buckets.max(1), longest }
    }

    /// The namespace as it was given.
    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether everything lies in one bucket.
    pub(super) const fn is_single(&self) -> bool {
        self.buckets == 1
    }

    /// All buckets.
    pub(super) fn buckets(&self) -> impl Iterator<Item = Bucket> + use<> {
        (0..self.buckets).map(Bucket)
    }

    /// The bucket of a cell.
    pub(super) fn bucket_of(&self, text: &str) -> Bucket {
        if self.is_single() {
            return Bucket(0);
        }
        Bucket((xxh3_64(text.as_bytes()) % u64::from(self.buckets)) as u16)
    }

    /// The bucket of a mark, or of its copy beside this key.
    pub(super) fn bucket_of_mark(&self, key: &str, mark: &Mark<'_>) -> Bucket {
        match mark.kind {
            MarkKind::Scope => self.bucket_of(key),
            MarkKind::Tag | MarkKind::Epoch => self.bucket_of(mark.name),
        }
    }

    /// Writes the name of a cell in place of what the buffer holds.
    pub(super) fn write_cell(
        &self,
        step: &'static str,
        bucket: Bucket,
        key: &str,
        name: &mut Vec<u8>,
    ) -> Result<()> {
        self.write(step, Kind::Cell, bucket, key, name)
    }

    /// Writes the name of a mark in place of what the buffer holds.
    pub(super) fn write_mark(
        &self,
        step: &'static str,
        bucket: Bucket,
        mark: &Mark<'_>,
        name: &mut Vec<u8>,
    ) -> Result<()> {
        self.write(step, mark.kind.into(), bucket, mark.name, name)
    }

    fn write(
        &self,
        step: &'static str,
        kind: Kind,
        bucket: Bucket,
        text: &str,
        name: &mut Vec<u8>,
    ) -> Result<()> {
        let [head, kind, text] = self.pieces(step, kind, text)?;
        name.clear();
        name.extend_from_slice(head);
        name.extend_from_slice(kind);
        if !self.is_single() {
            // Writing to a vector cannot fail.
            let _ = write!(name, "{{{}}}:", bucket.0);
        }
        name.extend_from_slice(text);
        Ok(())
    }

    /// What a name consists of where there is one bucket; with several, the bucket's number stands
    /// before the last piece.
    fn pieces<'n>(
        &'n self,
        step: &'static str,
        kind: Kind,
        text: &'n str,
    ) -> Result<[&'n [u8]; 3]> {
        if text.len() > self.longest {
            let message = format!(
                "a key or a mark's name has {} bytes; at most {} fit in this namespace",
                text.len(),
                self.longest
            );
            return Err(Error::new(ErrorKind::InvalidKey, step, message));
        }
        Ok([&self.head, kind.piece(), text.as_bytes()])
    }

    /// The pieces of a cell's name where there is one bucket.
    pub(super) fn cell_pieces<'n>(
        &'n self,
        step: &'static str,
        key: &'n str,
    ) -> Result<[&'n [u8]; 3]> {
        debug_assert!(self.is_single());
        self.pieces(step, Kind::Cell, key)
    }

    /// The pieces of a mark's name where there is one bucket.
    pub(super) fn mark_pieces<'n>(
        &'n self,
        step: &'static str,
        mark: &'n Mark<'n>,
    ) -> Result<[&'n [u8]; 3]> {
        debug_assert!(self.is_single());
        self.pieces(step, mark.kind.into(), mark.name)
    }

    /// What every name of the namespace begins with.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// A glob pattern that leaves out no name of the namespace.
    pub(super) fn everything(&self) -> Vec<u8> {
        let mut glob = self.head.clone();
        glob.push(b'*');
        glob
    }

    /// A glob pattern of names that leaves out no cell whose key fits `pattern`.
    ///
    /// Only what every server understands alike goes into it, stars and plain characters; the rest
    /// is for [`key_in`](Self::key_in) and the pattern itself to decide.
    pub(super) fn cells_like(&self, pattern: &Pattern) -> Vec<u8> {
        let text = pattern.as_str();
        let mut glob = self.head.clone();
        glob.extend_from_slice(if self.is_single() { b"k:" } else { b"k:{*}:" });
        let stars = text.bytes().filter(|byte| *byte == b'*').count();
        match text.find(['?', '[', ']', '\\']) {
            None if stars <= MOST_STARS => glob.extend_from_slice(text.as_bytes()),
            _ => {
                let plain = text.find(['*', '?', '[', ']', '\\']).unwrap_or(text.len());
                glob.extend_from_slice(&text.as_bytes()[..plain]);
                glob.push(b'*');
            }
        }
        glob
    }

    /// The bucket and the key of a cell, if this is the name of one.
    pub(super) fn key_in<'n>(&self, name: &'n [u8]) -> Option<(Bucket, &'n str)> {
        let (kind, bucket, text) = self.take_apart(name)?;
        (kind == Kind::Cell).then_some((bucket, text))
    }

    /// The bucket of a name, if it is one of this namespace.
    pub(super) fn bucket_in(&self, name: &[u8]) -> Option<Bucket> {
        self.take_apart(name).map(|(_, bucket, _)| bucket)
    }

    /// What has changed when something under this name has, if it is one of this namespace. All
    /// copies of a scope are the same mark.
    pub(super) fn changed_in<'n>(&self, name: &'n [u8]) -> Option<Changed<'n>> {
        let (kind, _, text) = self.take_apart(name)?;
        Some(match kind {
            Kind::Cell => Changed::Cell(text),
            Kind::Tag => Changed::Mark(Mark::tag(text)),
            Kind::Epoch => Changed::Mark(Mark::epoch(text)),
            Kind::Scope => Changed::Mark(Mark::scope(text)),
        })
    }

    fn take_apart<'n>(&self, name: &'n [u8]) -> Option<(Kind, Bucket, &'n str)> {
        let (piece, rest) = name.strip_prefix(self.head.as_slice())?.split_first_chunk()?;
        let kind = [Kind::Cell, Kind::Tag, Kind::Epoch, Kind::Scope]
            .into_iter()
            .find(|kind| kind.piece() == piece)?;
        let text = std::str::from_utf8(rest).ok()?;
        if self.is_single() {
            return Some((kind, Bucket(0), text));
        }
        let (number, text) = text.strip_prefix('{')?.split_once("}:")?;
        let bucket: u16 = number.parse().ok().filter(|bucket| *bucket < self.buckets)?;
        (bucket.to_string() == number).then_some((kind, Bucket(bucket), text))
    }
}

/// The namespace without any character that ends it, opens a hash tag or means more in a glob.
fn escaped(namespace: &str) -> String {
    let mut text = String::with_capacity(namespace.len());
    for character in namespace.chars() {
        match character {
            '%' | ':' | '{' | '}' | '*' | '?' | '[' | ']' | '\\' => {
                text.push_str(&format!("%{:02X}", u32::from(character)));
            }
            plain => text.push(plain),
        }
    }
    text
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
