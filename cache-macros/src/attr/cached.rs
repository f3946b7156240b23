//! `#[cached]`

use proc_macro2::TokenStream;

use crate::diagnostics::Errors;
use crate::expand::expand_cached;
use crate::parse::{Function, Surroundings, parse_cached};
use crate::validate::validate_cached;

/// The function and its helpers, or every mistake and the function as it was.
pub(crate) fn cached(
    arguments: TokenStream,
    item: TokenStream,
    surroundings: impl FnOnce() -> Surroundings,
) -> TokenStream {
    let mut errors = Errors::new();
    let raw = parse_cached(arguments, &mut errors);
    let Ok(function) = syn::parse2::<Function>(item.clone()) else {
        errors.at_span(
            proc_macro2::Span::call_site(),
            "`#[cached]` goes on an async function with a body: write it above `async fn`",
        );
        return fallback(errors, item);
    };
    match validate_cached(raw, function, surroundings(), &mut errors) {
        Some(cached) => expand_cached(&cached),
        None => fallback(errors, item),
    }
}

/// What the user wrote stays, so that nothing else seems to be missing.
fn fallback(errors: Errors, item: TokenStream) -> TokenStream {
    let mut tokens = errors.into_tokens();
    tokens.extend(item);
    tokens
}

#[cfg(test)]
#[path = "cached_tests.rs"]
mod tests;
