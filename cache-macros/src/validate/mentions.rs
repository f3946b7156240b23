//! Which names tokens mention: parameters in expressions, generics in types, a function in its body.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::Visit;
use syn::{Expr, PatIdent, ReturnType, Signature, Type};

/// Names that occur.
#[derive(Default)]
pub(crate) struct Mentions {
    names: HashSet<String>,
    /// All that the rest of a signature mentions, where this is about types.
    elsewhere: HashSet<String>,
}

impl Mentions {
    /// The names in `kept` and in the return type, and those that only the other parameters have.
    pub(crate) fn of_types<'a>(kept: impl Iterator<Item = &'a Type>, sig: &Signature) -> Self {
        let mut mentions = Self::default();
        for ty in kept {
            words(ty.to_token_stream(), &mut mentions.names);
        }
        if let ReturnType::Type(_, ty) = &sig.output {
            words(ty.to_token_stream(), &mut mentions.names);
        }
        words(sig.inputs.to_token_stream(), &mut mentions.elsewhere);
        mentions
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether the type parameter has a say: it is kept, or nothing else mentions it.
    pub(crate) fn decides(&self, name: &str) -> bool {
        self.names.contains(name) || !self.elsewhere.contains(name)
    }
}

/// The variables that an expression may read, also within format strings.
pub(crate) fn mentions_in(expression: &Expr) -> Mentions {
    let mut mentions = Mentions::default();
    variables(expression.to_token_stream(), &mut mentions.names);
    if let Expr::Closure(closure) = expression {
        let mut bound = Bound(HashSet::new());
        for input in &closure.inputs {
            bound.visit_pat(input);
        }
        mentions.names.retain(|name| !bound.0.contains(name));
    }
    mentions
}

/// Whether `body` may call `name`: as `name(..)`, `Self::name(..)` or, in a method, `self.name(..)`.
pub(crate) fn calls(body: TokenStream, name: &Ident, method: bool) -> bool {
    let mut after_dot = false;
    for token in body {
        match &token {
            TokenTree::Ident(ident) if ident == name && (method || !after_dot) => return true,
            TokenTree::Group(group) if calls(group.stream(), name, method) => return true,
            _ => {}
        }
        after_dot = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    false
}

/// Every identifier in the tokens.
pub(crate) fn words(tokens: TokenStream, names: &mut HashSet<String>) {
    let mut after_quote = false;
    for token in tokens {
        match &token {
            // The quote tells a lifetime from a type of the same name.
            TokenTree::Ident(ident) if after_quote => {
                names.insert(format!("'{ident}"));
            }
            TokenTree::Ident(ident) => {
                names.insert(ident.to_string());
            }
            TokenTree::Group(group) => words(group.stream(), names),
            _ => {}
        }
        after_quote = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\'');
    }
}

fn variables(tokens: TokenStream, names: &mut HashSet<String>) {
    let mut before = ' ';
    for token in tokens {
        match &token {
            TokenTree::Ident(ident) if before != '.' && before != ':' => {
                let text = ident.to_string();
                names.insert(text.strip_prefix("r#").map_or(text.clone(), str::to_owned));
            }
            TokenTree::Literal(literal) => captured(&literal.to_string(), names),
            TokenTree::Group(group) => variables(group.stream(), names),
            _ => {}
        }
        before = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
    }
}

/// `"{name}"` and `"{name:>5}"` as `format!` reads them.
fn captured(literal: &str, names: &mut HashSet<String>) {
    if !literal.contains('"') {
        return;
    }
    for part in literal.split('{').skip(1) {
        let name: String =
            part.chars().take_while(|each| each.is_alphanumeric() || *each == '_').collect();
        if !name.is_empty() {
            names.insert(name);
        }
    }
}

struct Bound(HashSet<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, each: &'ast PatIdent) {
        self.0.insert(each.ident.to_string());
        if let Some((_, inner)) = &each.subpat {
            self.visit_pat(inner);
        }
    }
}
