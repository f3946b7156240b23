//! `#[derive(KeyPart)]`

mod expand;
mod validate;

use proc_macro2::TokenStream;
use syn::DeriveInput;

use crate::diagnostics::Errors;

/// Expands the derive; on error an impl without a body stays, so that uses of the type compile.
pub(crate) fn key_part(input: TokenStream) -> TokenStream {
    let input: DeriveInput = match syn::parse2(input) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::new();
    let part = validate::validate(&input, &mut errors);
    match part {
        Some(part) if errors.is_empty() => expand::expand(&part),
        _ => {
            let mut tokens = errors.into_tokens();
            tokens.extend(expand::fallback(&input));
            tokens
        }
    }
}
