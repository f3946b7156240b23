//! The arguments of both attributes. One that cannot be read spoils no other.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Path, Token};

use super::model::RawWrite;
use crate::diagnostics::{Errors, did_you_mean};

/// One of the two attributes, as far as its arguments go.
#[derive(Clone, Copy)]
pub(super) struct Grammar {
    /// For messages.
    pub(super) name: &'static str,
    arguments: &'static [&'static str],
}

pub(super) const INVALIDATES: Grammar =
    Grammar { name: "invalidates", arguments: &["tags", "on_error", "crate"] };
pub(super) const WRITE_THROUGH: Grammar = Grammar { name: "write_through", arguments: &["crate"] };

pub(super) fn parse(grammar: Grammar, args: TokenStream, errors: &mut Errors) -> RawWrite {
    let mut raw = RawWrite::default();
    let parsed = Parser::parse2(
        |input: ParseStream<'_>| {
            let mut seen = Vec::new();
            while !input.is_empty() {
                if let Err(error) = parse_one(grammar, input, &mut raw, &mut seen, errors) {
                    errors.push(error);
                    skip_to_comma(input)?;
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        },
        args,
    );
    errors.keep(parsed);
    raw
}

fn parse_one(
    grammar: Grammar,
    input: ParseStream<'_>,
    raw: &mut RawWrite,
    seen: &mut Vec<Ident>,
    errors: &mut Errors,
) -> syn::Result<()> {
    if !(input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==])) {
        raw.targets.push(ungrouped(input.parse()?));
        return expect_end(input);
    }
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    if seen.contains(&name) {
        errors.at(&name, format!("`{name}` is given twice: keep one"));
    }
    match name.to_string().as_str() {
        known if !grammar.arguments.contains(&known) => {
            input.parse::<Expr>()?;
            errors.at(&name, unknown(grammar, known));
        }
        "tags" => match ungrouped(input.parse()?) {
            Expr::Array(array) => raw.tags = Some(array.elems.into_iter().map(ungrouped).collect()),
            other => errors.at(other, "`tags` is a list: write `tags = [\"org:<org>\"]`"),
        },
        "on_error" => raw.on_error = Some(ungrouped(input.parse()?)),
        _ => raw.root = Some(input.call(Path::parse_mod_style)?),
    }
    seen.push(name);
    expect_end(input)
}

fn unknown(grammar: Grammar, name: &str) -> String {
    if INVALIDATES.arguments.contains(&name) {
        return format!(
            "`{name}` belongs to `#[invalidates(..)]`: put that above the function too"
        );
    }
    let near = did_you_mean(name, grammar.arguments.iter().copied());
    if near.is_empty() {
        let list: Vec<String> = grammar.arguments.iter().map(|each| format!("`{each}`")).collect();
        return format!(
            "unknown argument `{name}`: `#[{}]` takes calls and {}",
            grammar.name,
            list.join(", ")
        );
    }
    format!("unknown argument `{name}`{near}")
}

fn expect_end(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error("expected `,` before the next argument"))
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// `macro_rules` wraps what it passes on in groups without delimiters.
fn ungrouped(mut value: Expr) -> Expr {
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    value
}
