//! Names: those that parameters bind, and those that expressions mention.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{
    Expr, ExprAsync, ExprAwait, ExprClosure, ExprReturn, ExprTry, FnArg, Pat, PatIdent,
    ReceiverKind, Signature, Type,
};

/// What a body leaves of `self`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SelfKind {
    None,
    /// `&self`: usable after the body too.
    Shared,
    /// `&mut self`: usable again once the body has ended.
    Exclusive,
    /// `self`, `self: Arc<Self>`: the body may take it.
    Owned,
}

pub(super) fn self_kind(sig: &Signature) -> SelfKind {
    let Some(receiver) = sig.receiver() else { return SelfKind::None };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => by_mutability(mutability.is_some()),
        ReceiverKind::Typed(_, ty) => match &**ty {
            Type::Reference(reference) => by_mutability(reference.mutability.is_some()),
            _ => SelfKind::Owned,
        },
        _ => SelfKind::Owned,
    }
}

fn by_mutability(mutable: bool) -> SelfKind {
    if mutable { SelfKind::Exclusive } else { SelfKind::Shared }
}

/// Every name that the parameters bind, patterns included.
pub(super) fn bound_names(sig: &Signature) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            self.0.push(pattern.ident.clone());
            if let Some((_, inner)) = &pattern.subpat {
                self.visit_pat(inner);
            }
        }
    }
    let mut names = Names(Vec::new());
    for input in &sig.inputs {
        if let FnArg::Typed(typed) = input {
            let pattern: &Pat = &typed.pat;
            names.visit_pat(pattern);
        }
    }
    names.0
}

/// Names of parameters that are declared `mut`, with `self`.
pub(super) fn mutable_names(sig: &Signature) -> Vec<Ident> {
    struct Names(Vec<Ident>);
    impl<'ast> Visit<'ast> for Names {
        fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
            if pattern.mutability.is_some() && pattern.by_ref.is_none() {
                self.0.push(pattern.ident.clone());
            }
            if let Some((_, inner)) = &pattern.subpat {
                self.visit_pat(inner);
            }
        }
    }
    let mut names = Names(Vec::new());
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) if receiver.mutability.is_some() => {
                let word = receiver.self_token;
                names.0.push(Ident::new("self", word.span));
            }
            FnArg::Receiver(_) => {}
            FnArg::Typed(typed) => names.visit_pat(&typed.pat),
        }
    }
    names.0
}

/// Variables that the tokens may read, each at its first place; names in format strings too.
pub(super) fn mentioned(tokens: TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    collect(tokens, &mut found);
    found
}

/// `result` where the tokens read it.
pub(super) fn result_in(tokens: TokenStream) -> Option<Ident> {
    mentioned(tokens).into_iter().find(|name| name == "result")
}

fn collect(tokens: TokenStream, found: &mut Vec<Ident>) {
    let mut before = ' ';
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Ident(name) if before != '.' && before != ':' => {
                let names_path =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                if !names_path {
                    remember(name.clone(), found);
                }
            }
            TokenTree::Literal(literal) => captured(&literal.to_string(), literal.span(), found),
            TokenTree::Group(group) => collect(group.stream(), found),
            _ => {}
        }
        before = match &token {
            TokenTree::Punct(punct) => punct.as_char(),
            _ => ' ',
        };
    }
}

/// `"{name}"` and `"{name:>5}"` as `format!` reads them.
fn captured(literal: &str, span: Span, found: &mut Vec<Ident>) {
    if !literal.contains('"') {
        return;
    }
    for part in literal.split('{').skip(1) {
        let end =
            part.find(|each: char| !each.is_alphanumeric() && each != '_').unwrap_or(part.len());
        if let Ok(name) = syn::parse_str::<Ident>(&part[..end]) {
            remember(Ident::new(&name.to_string(), span), found);
        }
    }
}

fn remember(name: Ident, found: &mut Vec<Ident>) {
    if !found.contains(&name) {
        found.push(name);
    }
}

/// The same tokens with another name for `self`.
pub(super) fn without_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Ident(word) if word == "self" => {
                let mut name = name.clone();
                name.set_span(name.span().located_at(word.span()));
                TokenTree::Ident(name)
            }
            TokenTree::Group(group) => {
                let mut renamed = Group::new(group.delimiter(), without_self(group.stream(), name));
                renamed.set_span(group.span());
                TokenTree::Group(renamed)
            }
            other => other,
        })
        .collect()
}

/// `?`, `return` or `.await` that would leave or suspend the function between body and effect.
pub(super) fn way_out(expression: &Expr) -> Option<Span> {
    struct WayOut(Option<Span>);
    impl<'ast> Visit<'ast> for WayOut {
        fn visit_expr_try(&mut self, each: &'ast ExprTry) {
            self.0.get_or_insert(each.question_token.span);
        }
        fn visit_expr_return(&mut self, each: &'ast ExprReturn) {
            self.0.get_or_insert(each.return_token.span);
        }
        fn visit_expr_await(&mut self, each: &'ast ExprAwait) {
            self.0.get_or_insert(each.await_token.span);
        }
        fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
        fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    }
    let mut found = WayOut(None);
    found.visit_expr(expression);
    found.0
}
