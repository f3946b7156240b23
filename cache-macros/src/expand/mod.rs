//! Tokens, from valid specifications only.

mod context;
mod docs;
mod function;
mod generics;
mod handle;
mod plan;
mod site;
mod time;

use proc_macro2::TokenStream;

use self::context::Context;
use crate::model::Cached;

pub(crate) use self::context::support_path;
pub(crate) use self::time::duration_tokens;

/// The function and its helpers.
pub(crate) fn expand_cached(cached: &Cached) -> TokenStream {
    handle::items(&Context::new(cached))
}
