//! `#[invalidates]` and `#[write_through]`: what a function that changes data does to the cache.

mod bindings;
mod expand;
mod model;
mod parse;
mod target;
mod validate;
mod values;

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostics::Errors;
use crate::parse::Function;

pub(crate) fn invalidates(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let raw = parse::parse(parse::INVALIDATES, args, &mut errors);
    let Some(function) = errors.keep(syn::parse2::<Function>(item.clone())) else {
        return errors_and(errors, item);
    };
    match validate::invalidates(raw, &function, &mut errors) {
        Some(valid) if errors.is_empty() => expand::invalidates(&function, &valid),
        _ => errors_and(errors, untouched(&function)),
    }
}

pub(crate) fn write_through(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::new();
    let raw = parse::parse(parse::WRITE_THROUGH, args, &mut errors);
    let Some(function) = errors.keep(syn::parse2::<Function>(item.clone())) else {
        return errors_and(errors, item);
    };
    match validate::write_through(raw, &function, &mut errors) {
        Some(valid) if errors.is_empty() => expand::write_through(&function, &valid),
        _ => errors_and(errors, untouched(&function)),
    }
}

/// The user's function stays as it is, so that its uses give no errors of their own.
fn errors_and(errors: Errors, item: TokenStream) -> TokenStream {
    let mut tokens = errors.into_tokens();
    tokens.extend(item);
    tokens
}

fn untouched(function: &Function) -> TokenStream {
    let Function { attrs, vis, sig, body } = function;
    quote!(#(#attrs)* #vis #sig #body)
}
