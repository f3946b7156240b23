//! All annotated functions and typed keys of the program, and a check of them for a unit test.
//!
//! The list is put together by the linker, so it is complete before anything was called.

use std::collections::HashSet;
use std::fmt;

use crate::key::Piece;
use crate::policy::Policy;
use crate::site::{Site, registered};

/// One annotated function, or one key of a `#[cache_keys]` trait.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its path.
    pub name: String,
    /// The template of its keys; empty for a function that only invalidates.
    pub key: &'static str,
    /// The templates of the tags that its entries carry.
    pub tags: &'static [&'static str],
    /// The templates of the tags that it invalidates.
    pub invalidates: &'static [&'static str],
    /// What its attribute says of times; what is an expression there is not known here.
    pub policy: Policy,
    /// The type of its values.
    pub value_type: &'static str,
    /// The file it is written in.
    pub file: &'static str,
    /// The line it is written at.
    pub line: u32,
}

impl Entry {
    fn of(site: &Site) -> Self {
        let spec = &site.spec;
        Self {
            name: site.path(),
            key: spec.key,
            tags: spec.tags,
            invalidates: spec.invalidates,
            policy: spec.policy,
            value_type: (spec.value_type)(),
            file: spec.file,
            line: spec.line,
        }
    }
}

/// All entries, in the order of files and lines.
///
/// # Examples
///
/// ```
/// for entry in cache_runtime::registry::entries() {
///     println!("{}:{} {} caches {} under {}", entry.file, entry.line, entry.name, entry.value_type, entry.key);
/// }
/// ```
#[must_use]
pub fn entries() -> Vec<Entry> {
    let mut entries: Vec<_> = registered().map(Entry::of).collect();
    entries.sort_by(|one, other| {
        (one.file, one.line, &one.name).cmp(&(other.file, other.line, &other.name))
    });
    entries
}

/// One thing that is wrong with the program's keys or tags.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Problem {
    /// Two templates can produce one key, for values of different types.
    SameKey(Box<Entry>, Box<Entry>),
    /// A tag is invalidated that no entry carries.
    NeverAttached(Box<Entry>, &'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameKey(one, other) => write!(
                formatter,
                "{}:{}: `{}` and {}:{}: `{}` can produce the same key (`{}`, `{}`) for values of different \
                 types (`{}`, `{}`): begin one of the keys with another word",
                one.file,
                one.line,
                one.name,
                other.file,
                other.line,
                other.name,
                one.key,
                other.key,
                one.value_type,
                other.value_type,
            ),
            Self::NeverAttached(entry, tag) => write!(
                formatter,
                "{}:{}: `{}` invalidates the tag `{tag}`, which nothing carries: correct its name, or add it to \
                 the `tags` of what it is to invalidate",
                entry.file, entry.line, entry.name,
            ),
        }
    }
}

/// What [`check`] found.
#[derive(Clone, Debug)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, in the order of files and lines.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { "\n" };
            write!(formatter, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Checks the whole program's keys and tags against each other; meant for a unit test.
///
/// # Errors
///
/// [`Problems`], each with file and line: two templates that can produce one key for values of
/// different types, and tags that `#[invalidates]` names and nothing carries.
///
/// # Examples
///
/// ```
/// // In a function with `#[test]`:
/// cache_runtime::registry::check().unwrap_or_else(|problems| panic!("{problems}"));
/// ```
pub fn check() -> Result<(), Problems> {
    let mut sites: Vec<_> = registered().collect();
    sites.sort_by_key(|site| (site.spec.file, site.spec.line, site.spec.name));
    let mut problems = Vec::new();
    for (at, one) in sites.iter().enumerate() {
        let later = sites[at + 1..].iter();
        problems.extend(
            later.filter(|other| collide(one, other)).map(|other| {
                Problem::SameKey(Box::new(Entry::of(one)), Box::new(Entry::of(other)))
            }),
        );
    }
    let attached: Vec<_> =
        sites.iter().flat_map(|site| site.spec.tags).map(|tag| of_template(tag)).collect();
    for site in &sites {
        let lost = site.spec.invalidates.iter().filter(|tag| {
            let tag = of_template(tag);
            !attached.iter().any(|attached| meet(attached, &tag))
        });
        problems.extend(lost.map(|tag| Problem::NeverAttached(Box::new(Entry::of(site)), tag)));
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
}

fn collide(one: &Site, other: &Site) -> bool {
    differ((one.spec.value_type)(), (other.spec.value_type)())
        && !one.spec.pieces.is_empty()
        && !other.spec.pieces.is_empty()
        && meet(&of_pieces(one.spec.pieces), &of_pieces(other.spec.pieces))
}

/// Whether two names of types cannot mean one type. Of a method's type only what its author wrote
/// is known (`Vec<User>` for `alloc::vec::Vec<shop::User>`), so where one is written without paths,
/// the other's are left out of the comparison.
fn differ(one: &str, other: &str) -> bool {
    let (short_one, short_other) = (without_paths(one), without_paths(other));
    let comparable = one == short_one || other == short_other;
    one != other && !(comparable && short_one == short_other)
}

/// `alloc::vec::Vec<shop::User>` as `Vec<User>`.
fn without_paths(name: &str) -> String {
    let mut short = String::new();
    for part in
        name.split_inclusive(|char: char| !char.is_alphanumeric() && char != '_' && char != ':')
    {
        short.push_str(part.rsplit_once("::").map_or(part, |(_, last)| last));
    }
    short.retain(|char| char != ' ');
    short
}

/// A character of a template, or a value that may have any text without a `:`.
#[derive(Clone, Copy, PartialEq)]
enum Symbol {
    Char(char),
    Value,
}

fn of_pieces(pieces: &[Piece]) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => symbols.extend(text.chars().map(Symbol::Char)),
            Piece::TypeName(name) => symbols.extend(name().chars().map(Symbol::Char)),
            Piece::Arg(_) => symbols.push(Symbol::Value),
        }
    }
    symbols
}

/// Reads a template that the compiler has accepted: what is in `<..>` or `{..}` is a value.
fn of_template(template: &str) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    let mut chars = template.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '<' | '{' | '>' | '}' if chars.peek() == Some(&char) => {
                chars.next();
                symbols.push(Symbol::Char(char));
            }
            '<' | '{' => {
                let end = if char == '<' { '>' } else { '}' };
                chars.by_ref().find(|inner| *inner == end);
                symbols.push(Symbol::Value);
            }
            char => symbols.push(Symbol::Char(char)),
        }
    }
    symbols
}

/// Whether two templates can produce one text.
fn meet(one: &[Symbol], other: &[Symbol]) -> bool {
    let mut open = vec![(0, 0)];
    let mut seen = HashSet::new();
    while let Some((i, j)) = open.pop() {
        if !seen.insert((i, j)) {
            continue;
        }
        match (one.get(i), other.get(j)) {
            (None, None) => return true,
            (Some(Symbol::Char(a)), Some(Symbol::Char(b))) if a == b => open.push((i + 1, j + 1)),
            (Some(Symbol::Value), held) => {
                open.push((i + 1, j));
                if held.is_some_and(|held| *held != Symbol::Char(':')) {
                    open.push((i, j + 1));
                }
            }
            (held, Some(Symbol::Value)) => {
                open.push((i, j + 1));
                if held.is_some_and(|held| *held != Symbol::Char(':')) {
                    open.push((i + 1, j));
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{differ, meet, of_template};

    fn can_meet(one: &str, other: &str) -> bool {
        let (one, other) = (of_template(one), of_template(other));
        assert_eq!(meet(&one, &other), meet(&other, &one));
        meet(&one, &other)
    }

    #[test]
    fn a_type_is_itself_with_or_without_its_path() {
        assert!(!differ("alloc::vec::Vec<shop::User>", "Vec<User>"));
        assert!(!differ("(u32, u64)", "(u32,u64)"));
        assert!(!differ("u64", "u64"));
        assert!(differ("shop::User", "team::User"));
        assert!(differ("shop::User", "Users"));
        assert!(differ("u64", "u32"));
    }

    #[test]
    fn templates_meet_where_a_text_fits_both() {
        assert!(can_meet("user:<id>", "user:{name}"));
        assert!(can_meet("user:<id>", "user:me"));
        assert!(can_meet("<kind>:<id>", "user:<id>"));
        assert!(can_meet("a<x>c", "ab<y>"));
        assert!(!can_meet("user:<id>", "team:<id>"));
        assert!(!can_meet("user:<id>", "user:<id>:posts"));
        assert!(!can_meet("user:<id>", "users:<id>"));
        assert!(can_meet("a<<b", "a<<b"));
        assert!(!can_meet("a<<b", "a"));
    }
}
