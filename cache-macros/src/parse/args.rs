//! The arguments of `#[cached]`, each with its spans. One that cannot be read spoils no other.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Lit, Path, Token, parenthesized, token};

use crate::diagnostics::{Errors, did_you_mean};
use crate::model::{RawCached, Setting};

/// Every argument, in the order in which messages list them.
const NAMES: [&str; 13] = [
    "key",
    "ttl",
    "tags",
    "skip",
    "stale",
    "stale_if_error",
    "none_ttl",
    "cache_if",
    "early",
    "jitter",
    "timeout",
    "policy",
    "crate",
];

/// What other caches call an argument.
const SYNONYMS: [(&str, &str); 14] = [
    ("time", "ttl"),
    ("expire", "ttl"),
    ("expires", "ttl"),
    ("expiry", "ttl"),
    ("max_age", "ttl"),
    ("time_to_live", "ttl"),
    ("stale_while_revalidate", "stale"),
    ("swr", "stale"),
    ("condition", "cache_if"),
    ("when", "cache_if"),
    ("ignore", "skip"),
    ("exclude", "skip"),
    ("convert", "key"),
    ("beta", "early"),
];

/// Reads the arguments; what is wrong goes to `errors`.
pub(crate) fn parse_cached(tokens: TokenStream, errors: &mut Errors) -> RawCached {
    let mut raw = RawCached::default();
    let parsed = Parser::parse2(
        |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = parse_one(input, &mut raw, errors) {
                    errors.push(error);
                    skip_to_next(input)?;
                }
            }
            Ok(())
        },
        tokens,
    );
    errors.keep(parsed);
    raw
}

/// One argument and the comma after it.
fn parse_one(input: ParseStream<'_>, raw: &mut RawCached, errors: &mut Errors) -> syn::Result<()> {
    if let Ok(literal) = input.fork().parse::<Lit>() {
        return Err(syn::Error::new(
            literal.span(),
            "expected a named argument: write `key = \"..\"`",
        ));
    }
    let name = input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), format!("expected an argument: one of {}", list()))
    })?;
    parse_value(input, &name, raw, errors)?;
    if input.is_empty() {
        return Ok(());
    }
    input.parse::<Token![,]>().map(|_| ()).map_err(|error| {
        syn::Error::new(error.span(), format!("expected `,` after the value of `{name}`"))
    })
}

fn parse_value(
    input: ParseStream<'_>,
    name: &Ident,
    raw: &mut RawCached,
    errors: &mut Errors,
) -> syn::Result<()> {
    match name.to_string().as_str() {
        "key" => set(&mut raw.key, name, expression(input, name)?, errors),
        "ttl" => set(&mut raw.ttl, name, expression(input, name)?, errors),
        "tags" => set(&mut raw.tags, name, expressions(input, name)?, errors),
        "skip" => set(&mut raw.skip, name, names(input, name)?, errors),
        "stale" => set(&mut raw.stale, name, expression(input, name)?, errors),
        "stale_if_error" => set(&mut raw.stale_if_error, name, expression(input, name)?, errors),
        "none_ttl" => set(&mut raw.none_ttl, name, expression(input, name)?, errors),
        "cache_if" => set(&mut raw.cache_if, name, expression(input, name)?, errors),
        "early" => set(&mut raw.early, name, expression(input, name)?, errors),
        "jitter" => set(&mut raw.jitter, name, expression(input, name)?, errors),
        "timeout" => set(&mut raw.timeout, name, expression(input, name)?, errors),
        "policy" => set(&mut raw.policy, name, path(input, name)?, errors),
        "crate" => set(&mut raw.root, name, path(input, name)?, errors),
        unknown => {
            let hint = SYNONYMS.iter().find(|(other, _)| *other == unknown).map_or_else(
                || did_you_mean(unknown, NAMES),
                |(_, ours)| format!(": did you mean `{ours}`"),
            );
            let message = if hint.is_empty() {
                format!("unknown argument `{unknown}`: there are {}", list())
            } else {
                format!("unknown argument `{unknown}`{hint}")
            };
            return Err(syn::Error::new(name.span(), message));
        }
    }
    Ok(())
}

fn set<T>(slot: &mut Option<Setting<T>>, name: &Ident, value: T, errors: &mut Errors) {
    if slot.is_some() {
        errors.at(name, format!("`{name}` is given twice: keep one"));
        return;
    }
    *slot = Some(Setting { name: name.clone(), value });
}

/// `= expression`
fn expression(input: ParseStream<'_>, name: &Ident) -> syn::Result<Expr> {
    equals(input, name)?;
    let value = input.parse::<Expr>().map_err(|error| {
        syn::Error::new(error.span(), format!("`{name}` needs a value: {error}"))
    })?;
    Ok(ungrouped(value))
}

/// `= [expression, ..]`
fn expressions(input: ParseStream<'_>, name: &Ident) -> syn::Result<Vec<Expr>> {
    match expression(input, name)? {
        Expr::Array(array) => Ok(array.elems.into_iter().map(ungrouped).collect()),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{name}` needs a list: write `{name} = [\"users\", \"org:<org>\"]`"),
        )),
    }
}

/// `(name, ..)`, with or without `=` before it, or `= name`
fn names(input: ParseStream<'_>, name: &Ident) -> syn::Result<Vec<Ident>> {
    if !input.peek(token::Paren) {
        equals(input, name)?;
    }
    if !input.peek(token::Paren) {
        return Ok(vec![parameter_name(input)?]);
    }
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, parameter_name)?
        .into_iter()
        .collect())
}

fn parameter_name(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any).map_err(|error| {
        syn::Error::new(error.span(), "`skip` needs parameter names: write `skip(db, ctx)`")
    })
}

/// `= path`
fn path(input: ParseStream<'_>, name: &Ident) -> syn::Result<Path> {
    match expression(input, name)? {
        Expr::Path(path) if path.qself.is_none() => Ok(path.path),
        other => {
            let example = if name == "crate" { "my_cache" } else { "policy::APPLICATION" };
            Err(syn::Error::new_spanned(
                other,
                format!("`{name}` needs a path: write `{name} = {example}`"),
            ))
        }
    }
}

fn equals(input: ParseStream<'_>, name: &Ident) -> syn::Result<()> {
    if input.parse::<Option<Token![=]>>()?.is_some() {
        return Ok(());
    }
    let place: Span = if input.is_empty() { name.span() } else { input.span() };
    Err(syn::Error::new(place, format!("expected `=`: write `{name} = ..`")))
}

/// `macro_rules` wraps what it passes on in groups without delimiters.
fn ungrouped(mut value: Expr) -> Expr {
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    value
}

/// Goes behind the next comma that an argument's name follows.
fn skip_to_next(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() {
        let comma = input.peek(Token![,]);
        input.parse::<TokenTree>()?;
        let ahead = input.fork();
        let starts = ahead.call(Ident::parse_any).is_ok()
            && (ahead.peek(Token![=]) || ahead.peek(token::Paren));
        if comma && (starts || input.is_empty()) {
            break;
        }
    }
    Ok(())
}

fn list() -> String {
    NAMES.map(|name| format!("`{name}`")).join(", ")
}
