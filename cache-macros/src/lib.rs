//! The macros of `cache-runtime`, which re-exports them: users depend on that crate alone.

mod attr;
mod diagnostics;
mod expand;
mod model;
mod parse;
mod template;
mod text;
mod validate;

use proc_macro::TokenStream;

/// Serves an async function from the cache. See `cache_runtime::cached`.
#[proc_macro_attribute]
pub fn cached(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attr::cached(arguments.into(), item.into(), parse::surroundings_of_caller).into()
}

/// Turns a trait into typed cache keys. See `cache_runtime::cache_keys`.
#[proc_macro_attribute]
pub fn cache_keys(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attr::cache_keys(arguments.into(), item.into()).into()
}

/// Invalidates after a success of the function. See `cache_runtime::invalidates`.
#[proc_macro_attribute]
pub fn invalidates(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attr::invalidates(arguments.into(), item.into()).into()
}

/// Writes what the function returns to the cache. See `cache_runtime::write_through`.
#[proc_macro_attribute]
pub fn write_through(arguments: TokenStream, item: TokenStream) -> TokenStream {
    attr::write_through(arguments.into(), item.into()).into()
}

/// Lets a type be part of a cache key. See `cache_runtime::KeyPart`.
#[proc_macro_derive(KeyPart, attributes(key_part))]
pub fn key_part(input: TokenStream) -> TokenStream {
    attr::key_part(input.into()).into()
}
