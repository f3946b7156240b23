//! A trait of keys: raw as written, and valid as expansion may rely on it.

use std::time::Duration;

use syn::{Attribute, Expr, Ident, ItemTrait, LitStr, Path, TraitItemFn, Type, Visibility};

use crate::template::{Segment, Template};

/// The trait with its `#[key(..)]` attributes read and taken off.
pub(super) struct RawKeys {
    pub(super) item: ItemTrait,
    pub(super) keys: Vec<RawKey>,
    pub(super) root: Option<Path>,
}

pub(super) struct RawKey {
    pub(super) function: TraitItemFn,
    /// `None` where the attribute is missing or could not be read; either is told already.
    pub(super) spec: Option<RawSpec>,
}

/// What `#[key(..)]` says.
pub(super) struct RawSpec {
    pub(super) template: LitStr,
    pub(super) ttl: Option<Expr>,
    pub(super) tags: Vec<Expr>,
}

/// A valid trait of keys.
pub(super) struct Keys<'a> {
    pub(super) attrs: &'a [Attribute],
    pub(super) vis: &'a Visibility,
    pub(super) ident: &'a Ident,
    pub(super) root: Option<&'a Path>,
    pub(super) keys: Vec<Key<'a>>,
}

pub(super) struct Key<'a> {
    pub(super) attrs: &'a [Attribute],
    pub(super) ident: &'a Ident,
    pub(super) parameters: Vec<Parameter<'a>>,
    /// The type of what lies under the key.
    pub(super) value: &'a Type,
    pub(super) literal: &'a LitStr,
    pub(super) template: Template,
    pub(super) ttl: Option<Ttl<'a>>,
    pub(super) tags: Vec<Tag<'a>>,
}

#[derive(Clone, Copy)]
pub(super) struct Parameter<'a> {
    pub(super) ident: &'a Ident,
    pub(super) ty: &'a Type,
}

impl Parameter<'_> {
    /// The name without `r#`.
    pub(super) fn name(&self) -> String {
        let name = self.ident.to_string();
        name.strip_prefix("r#").map_or_else(|| name.clone(), str::to_owned)
    }

    pub(super) fn is_named(&self, segment: &Segment) -> bool {
        self.name() == segment.plain()
    }
}

pub(super) enum Ttl<'a> {
    Fixed(Duration),
    /// Of type `Duration`.
    Expression(&'a Expr),
}

pub(super) enum Tag<'a> {
    Template(&'a LitStr, Template),
    /// Of type `Tag`.
    Expression(&'a Expr),
}
