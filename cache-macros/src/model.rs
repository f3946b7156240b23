//! What `#[cached]` was told: raw as written, and valid as expansion may rely on it. Spans are kept.

use std::time::Duration;

use proc_macro2::{Group, Span};
use syn::{Attribute, Expr, Ident, Pat, Path, Signature, Type, Visibility};

/// An annotated function.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces and all that is in them, unparsed, so that its errors stay rustc's.
    pub(crate) body: Group,
}

/// An argument's name, for messages, and its value.
pub(crate) struct Setting<T> {
    pub(crate) name: Ident,
    pub(crate) value: T,
}

/// The arguments as written.
#[derive(Default)]
pub(crate) struct RawCached {
    pub(crate) key: Option<Setting<Expr>>,
    pub(crate) ttl: Option<Setting<Expr>>,
    pub(crate) tags: Option<Setting<Vec<Expr>>>,
    pub(crate) skip: Option<Setting<Vec<Ident>>>,
    pub(crate) stale: Option<Setting<Expr>>,
    pub(crate) stale_if_error: Option<Setting<Expr>>,
    pub(crate) none_ttl: Option<Setting<Expr>>,
    pub(crate) cache_if: Option<Setting<Expr>>,
    pub(crate) early: Option<Setting<Expr>>,
    pub(crate) jitter: Option<Setting<Expr>>,
    pub(crate) timeout: Option<Setting<Expr>>,
    pub(crate) policy: Option<Setting<Path>>,
    pub(crate) root: Option<Setting<Path>>,
}

/// A valid annotated function.
pub(crate) struct Cached {
    pub(crate) function: Function,
    /// The runtime's path, where `crate = path` gives one.
    pub(crate) root: Option<Path>,
    /// In an impl: helpers are siblings. Else they hang on an enum of the function's name.
    pub(crate) associated: bool,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returned: Returned,
    pub(crate) key: Key,
    /// Where the key is written; the function's name where it is left out.
    pub(crate) key_place: Span,
    pub(crate) tags: Tags,
    pub(crate) policy: PolicyArgs,
    pub(crate) run: Run,
}

/// A parameter but the receiver.
pub(crate) struct Parameter {
    /// Its name outside the body: the user's, or a generated one for a pattern.
    pub(crate) ident: Ident,
    /// The pattern that binds by reference, for all but plain names.
    pub(crate) pattern: Option<Pat>,
    pub(crate) ty: Type,
    pub(crate) bindings: Vec<Ident>,
    pub(crate) lending: Lending,
    pub(crate) adapt: Adapt,
    /// Which helpers take it: `key` and `invalidate`, and those that also tag and store.
    pub(crate) in_key: bool,
    pub(crate) in_put: bool,
}

/// How an argument reaches a body that runs detached from its caller.
pub(crate) enum Lending {
    /// As it is.
    Moved,
    /// `&T` of this `T` is made owned before and lent to the body.
    Lent(Box<Type>),
    /// Not at all.
    Borrowed,
}

/// What the key makes of an argument whose type says only how to convert it.
pub(crate) enum Adapt {
    Nothing,
    /// `impl Into<T>`: converted before key and body see it.
    Into(Type),
    /// `impl AsRef<T>`: the key reads the `T`.
    AsRef(Type),
}

/// The return type, taken apart.
pub(crate) struct Returned {
    pub(crate) whole: Type,
    pub(crate) shape: Shape,
    /// What is stored.
    pub(crate) value: ValueType,
    pub(crate) error: Option<ValueType>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Plain,
    Fallible,
    Optional,
    FallibleOptional,
}

/// A type as written, or read out of one by a trait where an alias hides it.
#[derive(Clone)]
pub(crate) enum ValueType {
    Written(Type),
    Ok(Type),
    Err(Type),
    Some(Box<ValueType>),
}

pub(crate) enum Key {
    Template(Text),
    /// Left out: function name and every parameter.
    Whole(Text),
    Expression(Expr),
}

/// A template whose placeholders are resolved.
pub(crate) struct Text {
    /// As the user wrote it.
    pub(crate) source: String,
    pub(crate) pieces: Vec<TextPiece>,
    /// Each once, in order of first use.
    pub(crate) args: Vec<Access>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TextPiece {
    Text(String),
    Arg(usize),
    /// The function's path.
    FunctionName,
}

/// Where a placeholder's value comes from.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) root: AccessRoot,
    pub(crate) fields: Vec<String>,
    /// Where errors about it belong; the root's own place where none.
    pub(crate) place: Option<Span>,
}

#[derive(Clone, PartialEq)]
pub(crate) enum AccessRoot {
    /// The parameter's index, and the binding's token.
    Parameter(usize, Ident),
    Receiver,
    /// The returned value.
    Result,
    TypeName(Ident),
    /// The name of `Self`.
    SelfName,
    Const(Ident),
}

#[derive(Default)]
pub(crate) struct Tags {
    pub(crate) from_arguments: Vec<Text>,
    pub(crate) from_result: Vec<ResultTag>,
    pub(crate) expressions: Vec<Expr>,
}

/// A tag that the returned value completes.
pub(crate) struct ResultTag {
    /// The text before its first `:`, known at compile time.
    pub(crate) family: String,
    pub(crate) text: Text,
}

#[derive(Default)]
pub(crate) struct PolicyArgs {
    pub(crate) base: Option<Path>,
    pub(crate) ttl: Option<Time>,
    pub(crate) stale: Option<Time>,
    pub(crate) stale_if_error: Option<Time>,
    pub(crate) none_ttl: Option<Time>,
    pub(crate) timeout: Option<Time>,
    pub(crate) early: Option<Expr>,
    pub(crate) jitter: Option<f64>,
    pub(crate) cache_if: Option<Expr>,
}

pub(crate) enum Time {
    Literal(Duration),
    Expression(Expr),
    Closure(Expr),
}

/// Where the body runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// Detached where its future is `Send`.
    Owned,
    /// Detached, and an error where its future is not `Send`.
    Background,
    /// The same for a body that calls its own function.
    BackgroundBoxed,
    /// In the caller, as a future that is `Send` if the body's is.
    Lent,
    /// In the caller, and nobody asks whether its future is `Send`.
    Inline,
}
