//! The trait and its `#[key(..)]` attributes. One that cannot be read spoils no other.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, ItemTrait, LitStr, Path, Token, TraitItem, TraitItemFn};

use super::model::{RawKey, RawKeys, RawSpec};
use crate::diagnostics::{Errors, did_you_mean};

/// What stands beside the template, for suggestions.
const KEY_ARGUMENTS: [&str; 2] = ["ttl", "tags"];
const KEY_HELP: &str = "write `#[key(\"user:<id>\", ttl = 1800, tags = [\"users\"])]`";

pub(super) fn parse(args: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<RawKeys> {
    let root = errors.keep(parse_arguments.parse2(args)).flatten();
    let mut item: ItemTrait = match syn::parse2(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let is_trait = item.into_iter().any(|token| token.to_string() == "trait");
            let place = "`#[cache_keys]` goes on a trait";
            let message = if is_trait {
                format!("{place}: {error}")
            } else {
                format!("{place}: write `trait CacheKeys {{ .. }}` with one function per key")
            };
            errors.at_span(error.span(), message);
            return None;
        }
    };
    let mut keys = Vec::new();
    for inner in std::mem::take(&mut item.items) {
        match inner {
            TraitItem::Fn(function) => keys.push(parse_key(function, errors)),
            other => {
                errors.at(other, "a trait of keys holds functions only: move this out of the trait")
            }
        }
    }
    Some(RawKeys { item, keys, root })
}

/// `crate = path`, or nothing.
fn parse_arguments(input: ParseStream<'_>) -> syn::Result<Option<Path>> {
    if input.is_empty() {
        return Ok(None);
    }
    let name = input.call(Ident::parse_any)?;
    if name != "crate" {
        let near = did_you_mean(&name.to_string(), ["crate"]);
        let fix =
            if near.is_empty() { ": `#[cache_keys]` takes only `crate = path`" } else { &near };
        return Err(syn::Error::new(name.span(), format!("unknown argument `{name}`{fix}")));
    }
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style)?;
    input.parse::<Option<Token![,]>>()?;
    Ok(Some(path))
}

fn parse_key(mut function: TraitItemFn, errors: &mut Errors) -> RawKey {
    let (keys, others): (Vec<Attribute>, Vec<Attribute>) = std::mem::take(&mut function.attrs)
        .into_iter()
        .partition(|attr| attr.path().is_ident("key"));
    function.attrs = others;
    let name = &function.sig.ident;
    let mut keys = keys.into_iter();
    let Some(first) = keys.next() else {
        errors.at(name, format!("`{name}` has no key: put `#[key(\"{name}:<id>\")]` above it"));
        return RawKey { function, spec: None };
    };
    for again in keys {
        errors.at(again, format!("`{name}` has two keys: keep one `#[key(..)]`"));
    }
    let spec = parse_attribute(&first, errors);
    RawKey { function, spec }
}

fn parse_attribute(attr: &Attribute, errors: &mut Errors) -> Option<RawSpec> {
    let Ok(list) = attr.meta.require_list() else {
        errors.at(attr, format!("`#[key]` needs a template: {KEY_HELP}"));
        return None;
    };
    if list.tokens.is_empty() {
        errors.at(attr, format!("`#[key]` needs a template: {KEY_HELP}"));
        return None;
    }
    let parsed = (|input: ParseStream<'_>| parse_spec(input, errors)).parse2(list.tokens.clone());
    errors.keep(parsed)
}

fn parse_spec(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<RawSpec> {
    let template: LitStr = input.parse().map_err(|error| {
        syn::Error::new(error.span(), format!("expected the key's template: {KEY_HELP}"))
    })?;
    let mut spec = RawSpec { template, ttl: None, tags: Vec::new() };
    let mut seen: Vec<String> = Vec::new();
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        if input.is_empty() {
            break;
        }
        let name = input.call(Ident::parse_any)?;
        let text = name.to_string();
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(name.span(), format!("`{name}` has no value: {KEY_HELP}")));
        }
        input.parse::<Token![=]>()?;
        let value: Expr = input.parse()?;
        if seen.contains(&text) {
            errors.at(&name, format!("`{name}` is given twice: keep one"));
            continue;
        }
        match text.as_str() {
            "ttl" => spec.ttl = Some(value),
            "tags" => spec.tags = list(value, errors),
            other => {
                let near = did_you_mean(other, KEY_ARGUMENTS);
                let fix = if near.is_empty() { ": a key takes `ttl` and `tags`" } else { &near };
                errors.at(&name, format!("unknown argument `{name}`{fix}"));
            }
        }
        seen.push(text);
    }
    Ok(spec)
}

/// The elements of `[..]`.
fn list(value: Expr, errors: &mut Errors) -> Vec<Expr> {
    match value {
        Expr::Array(array) => array.elems.into_iter().collect(),
        other => {
            errors.at_span(other.span(), "`tags` is a list: write `tags = [\"users\"]`");
            Vec::new()
        }
    }
}
