//! `#[cache_keys]`

mod expand;
mod model;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;

/// Expands the attribute; on error the keys stay as signatures, so that their uses compile.
pub(crate) fn cache_keys(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let Some(raw) = parse::parse(args, item.clone(), &mut errors) else {
        let mut tokens = errors.into_tokens();
        tokens.extend(item);
        return tokens;
    };
    let keys = validate::validate(&raw, &mut errors);
    if errors.is_empty() {
        return expand::expand(&keys);
    }
    let mut tokens = errors.into_tokens();
    tokens.extend(expand::fallback(&raw));
    tokens
}
