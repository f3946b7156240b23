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
    let Some(function) = read_function(parse::INVALIDATES, &item, &mut errors) else {
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
    let Some(function) = read_function(parse::WRITE_THROUGH, &item, &mut errors) else {
        return errors_and(errors, item);
    };
    let valid = validate::write_through(raw, &function, &mut errors);
    if errors.is_empty() {
        return expand::write_through(&function, &valid);
    }
    errors_and(errors, untouched(&function))
}

fn read_function(
    grammar: parse::Grammar,
    item: &TokenStream,
    errors: &mut Errors,
) -> Option<Function> {
    let read = syn::parse2::<Function>(item.clone()).map_err(|error| {
        let message =
            format!("`#[{}]` goes on an async function with a body: {error}", grammar.name);
        syn::Error::new(error.span(), message)
    });
    errors.keep(read)
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
