//! What a writer returned, asked of its type, and small pieces that generated code builds on.

use crate::key::{Args, KeyPart, Piece, render};
use crate::pattern::Pattern;
use crate::tag::Tag;

/// Asks a returned value whether it is a success. Inherent methods come before a trait's, which is
/// how a `Result` is told from all other types, whatever alias names it.
pub struct Returned<'a, R>(pub &'a R);

impl<'a, T, E> Returned<'a, Result<T, E>> {
    /// The value of `Ok`.
    pub fn success(self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

/// The answer for what is no `Result`.
pub trait AnyReturned<'a> {
    /// What was returned.
    type Value;
    /// Always a success.
    fn success(self) -> Option<&'a Self::Value>;
}

impl<'a, R> AnyReturned<'a> for Returned<'a, R> {
    type Value = R;

    fn success(self) -> Option<&'a R> {
        Some(self.0)
    }
}

/// Asks a successful value whether there is one, in the same way.
pub struct Found<'a, T>(pub &'a T);

impl<'a, T> Found<'a, Option<T>> {
    /// The value of `Some`.
    pub fn found(self) -> Option<&'a T> {
        self.0.as_ref()
    }
}

/// The answer for what is no `Option`.
pub trait AnyFound<'a> {
    /// What was returned.
    type Value;
    /// Always there.
    fn found(self) -> Option<&'a Self::Value>;
}

impl<'a, T> AnyFound<'a> for Found<'a, T> {
    type Value = T;

    fn found(self) -> Option<&'a T> {
        Some(self.0)
    }
}

/// Requires, at the span of the call, that a value can be part of a key. The result does not name
/// the type, so that one that cannot is reported once.
#[inline]
pub const fn part<T: KeyPart + ?Sized>(value: &T) -> &(impl KeyPart + ?Sized) {
    value
}

/// A tag made from a template.
pub fn tag<A: Args>(pieces: &'static [Piece], args: &A) -> Tag {
    let mut text = String::new();
    render(pieces, args, &mut text);
    Tag::new(text)
}

/// A pattern made from a template whose own glob characters are escaped already.
pub fn pattern<A: Args>(pieces: &'static [Piece], args: &A) -> Pattern {
    let mut text = String::new();
    render(pieces, args, &mut text);
    Pattern::from(text)
}
