//! An annotated function, named as one calls it, and its generated helpers.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    AngleBracketedGenericArguments, Expr, ExprPath, Ident, Member, Path, PathArguments, QSelf,
    Token, token,
};

use crate::diagnostics::Errors;

/// Where a function's helpers are found.
#[derive(Clone)]
pub(super) enum Target {
    /// `path::get_user`: helpers hang on the enum of the same name.
    Free { path: Path, generics: Option<AngleBracketedGenericArguments> },
    /// `self.get_user`: helpers are sibling methods.
    Method { receiver: Expr, name: Ident, generics: Option<AngleBracketedGenericArguments> },
    /// `Repo::get_user`: helpers are sibling functions.
    Associated { qself: Option<QSelf>, path: Path },
}

/// The arguments of a call, within the user's parentheses.
pub(super) struct Arguments {
    pub(super) paren: token::Paren,
    pub(super) values: Vec<Expr>,
}

impl Target {
    /// The function's own name.
    pub(super) fn name(&self) -> Option<&Ident> {
        match self {
            Target::Method { name, .. } => Some(name),
            Target::Free { path, .. } | Target::Associated { path, .. } => {
                path.segments.last().map(|last| &last.ident)
            }
        }
    }

    /// What the method is called on.
    pub(super) fn receiver(&self) -> Option<&Expr> {
        match self {
            Target::Method { receiver, .. } => Some(receiver),
            _ => None,
        }
    }

    /// The helper that makes the key.
    pub(super) fn key(&self) -> TokenStream {
        self.helper("key", |name| format_ident!("{name}_key", span = name.span()))
    }

    /// The helper that makes the plan of a put.
    pub(super) fn plan(&self) -> TokenStream {
        self.helper("__plan", |name| format_ident!("__{name}_plan", span = name.span()))
    }

    /// The helper that names the whole function. It takes no receiver, so a method stands under `Self`.
    pub(super) fn site(&self) -> TokenStream {
        let sibling = |name: &Ident| format_ident!("__{name}_site", span = name.span());
        match self {
            Target::Method { name, .. } => {
                let site = sibling(name);
                quote!(Self::#site)
            }
            _ => self.helper("__site", sibling),
        }
    }

    fn helper(&self, inner: &str, sibling: impl Fn(&Ident) -> Ident) -> TokenStream {
        match self {
            Target::Free { path, generics } => {
                let inner = match self.name() {
                    Some(name) => Ident::new(inner, name.span()),
                    None => format_ident!("{inner}"),
                };
                let generics = generics.as_ref().map(turbofish);
                quote!(#path::#inner #generics)
            }
            Target::Method { receiver, name, generics } => {
                let name = sibling(name);
                let generics = generics.as_ref().map(turbofish);
                quote!(#receiver.#name #generics)
            }
            Target::Associated { qself, path } => {
                let mut path = path.clone();
                if let Some(last) = path.segments.last_mut() {
                    last.ident = sibling(&last.ident);
                }
                ExprPath { attrs: Vec::new(), qself: qself.clone(), path }.into_token_stream()
            }
        }
    }
}

/// The function that `expression` names, and its arguments where it is a call.
pub(super) fn read(expression: Expr, errors: &mut Errors) -> Option<(Target, Option<Arguments>)> {
    const EXAMPLE: &str =
        "name an annotated function as you call it, such as `get_user(id)` or `self.get_user(id)`";
    match expression {
        Expr::Paren(inner) => read(*inner.expr, errors),
        Expr::Path(path) => Some((of_path(path, errors)?, None)),
        Expr::Call(call) => {
            let arguments = arguments(call.paren_token, call.args);
            match *call.func {
                Expr::Path(path) => Some((of_path(path, errors)?, Some(arguments))),
                other => {
                    errors.at(other, format!("this is not a function's name: {EXAMPLE}"));
                    None
                }
            }
        }
        Expr::MethodCall(call) => {
            let target = Target::Method {
                receiver: *call.receiver,
                name: call.method,
                generics: call.turbofish,
            };
            Some((target, Some(arguments(call.paren_token, call.args))))
        }
        Expr::Field(field) => match (&*field.base, &field.member) {
            (Expr::Path(base), Member::Named(name)) if base.path.is_ident("self") => Some((
                Target::Method {
                    receiver: *field.base.clone(),
                    name: name.clone(),
                    generics: None,
                },
                None,
            )),
            _ => {
                errors.at(field, "a whole method is named by its type: write `Repo::get_user`");
                None
            }
        },
        Expr::Await(waits) => {
            errors.at(
                waits.await_token,
                "the function is named here and not called: remove `.await`",
            );
            None
        }
        Expr::Lit(literal) => {
            errors.at(literal, "expected a function: tags go into `tags = [\"org:<org>\"]`");
            None
        }
        other => {
            errors.at(other, format!("expected a function: {EXAMPLE}"));
            None
        }
    }
}

fn arguments(paren: token::Paren, values: Punctuated<Expr, Token![,]>) -> Arguments {
    Arguments { paren, values: values.into_iter().collect() }
}

/// A function belongs to a type where the name before it says so: `Repo::get_user`, `Self::get_user`.
fn of_path(path: ExprPath, errors: &mut Errors) -> Option<Target> {
    let ExprPath { qself, mut path, .. } = path;
    if let Some(name) = path.get_ident().filter(|name| *name == "tags" || *name == "on_error") {
        let example =
            if name == "tags" { "tags = [\"org:<org>\"]" } else { "on_error = \"return\"" };
        errors.at(name, format!("`{name}` is an argument: write `{example}`"));
        return None;
    }
    let of_type = path.segments.iter().rev().nth(1).is_some_and(|before| {
        !before.arguments.is_empty() || before.ident.to_string().starts_with(char::is_uppercase)
    });
    if qself.is_some() || of_type {
        return Some(Target::Associated { qself, path });
    }
    let last = path.segments.last_mut()?;
    let generics = match std::mem::take(&mut last.arguments) {
        PathArguments::AngleBracketed(generics) => Some(generics),
        _ => None,
    };
    Some(Target::Free { path, generics })
}

fn turbofish(generics: &AngleBracketedGenericArguments) -> TokenStream {
    let arguments = &generics.args;
    quote!(::<#arguments>)
}
