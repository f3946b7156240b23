//! What a writer does to the cache: raw as written, and valid as expansion may rely on it.

use proc_macro2::Span;
use syn::{Expr, Ident, LitStr, Path};

use super::target::{Arguments, Target};
use crate::template::Template;

/// The arguments as written.
#[derive(Default)]
pub(super) struct RawWrite {
    /// Everything that is not `name = value`.
    pub(super) targets: Vec<Expr>,
    pub(super) tags: Option<Vec<Expr>>,
    pub(super) on_error: Option<Expr>,
    pub(super) root: Option<Path>,
}

/// A valid `#[invalidates(..)]`.
pub(super) struct Invalidates {
    pub(super) root: Option<Path>,
    pub(super) effects: Vec<Effect>,
    pub(super) on_error: OnError,
    /// The names that the parameters bind.
    pub(super) bindings: Vec<Ident>,
}

/// One thing to invalidate.
pub(super) struct Effect {
    pub(super) what: What,
    /// Mentions `result`, so that it is known only after the body.
    pub(super) after: bool,
}

pub(super) enum What {
    /// One key of a function.
    Key(Target, Arguments),
    /// All that a function cached.
    Function(Target),
    Tag(LitStr, Template),
    /// An expression of type `Tag`.
    TagExpression(Expr),
}

/// What becomes of an invalidation that failed.
pub(super) enum OnError {
    Retry,
    /// The caller gets the error; the span is the word's.
    Return(Span),
}

/// A valid `#[write_through(..)]`.
pub(super) struct WriteThrough {
    pub(super) root: Option<Path>,
    pub(super) targets: Vec<(Target, Arguments)>,
    /// The names that the parameters bind.
    pub(super) bindings: Vec<Ident>,
}
