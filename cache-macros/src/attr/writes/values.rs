//! The values that effects need: made before the body, or kept for after it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, Ident, LitStr, Signature};

use super::bindings::{SelfKind, mentioned, result_in, self_kind, without_self};
use super::model::{Effect, What};
use super::target::Arguments;
use super::validate::plain;
use crate::attr::pieces::{self, Pieces};
use crate::template::{Segment, Template};

/// What effects are made from.
pub(super) struct Scope<'a> {
    /// The path of the runtime's support module.
    pub(super) ms: &'a TokenStream,
    pub(super) sig: &'a Signature,
    /// The names that the parameters bind.
    pub(super) bindings: &'a [Ident],
}

/// The call on `Effects` for what is known before the body.
pub(super) fn before(scope: &Scope<'_>, effect: &Effect) -> TokenStream {
    let ms = scope.ms;
    match &effect.what {
        What::Key(target, arguments) => {
            let key = target.key();
            let key = call(&key, arguments, scope.bindings);
            quote!(.target(#ms::Target::key(#key)))
        }
        What::Function(target) => {
            let site = target.site();
            quote!(.target(#ms::Target::site(#site())))
        }
        What::Tag(literal, template) => tag(ms, template, |path| scope.value(literal, path)),
        What::TagExpression(expression) => quote!(.tags([#expression])),
    }
}

impl Scope<'_> {
    /// A placeholder's place, and where errors about its type stand: at the parameter, or at the
    /// literal where the type is not the parameter's.
    fn value(&self, literal: &LitStr, path: &[Segment]) -> (TokenStream, Span) {
        let name = path.first().map_or("", Segment::plain);
        let parameter = self.bindings.iter().find(|binding| plain(binding) == name);
        let receiver = self.sig.receiver().map(|receiver| receiver.self_token);
        let root = match parameter {
            Some(parameter) => parameter.to_token_stream(),
            None => receiver.to_token_stream(),
        };
        let span = match (parameter, fields(path)) {
            (Some(parameter), []) => parameter.span(),
            _ => literal.span(),
        };
        (pieces::place(root, fields(path), span), span)
    }
}

/// `callee(arguments)` with the user's parentheses, so that rustc points into the call.
pub(super) fn call(callee: &TokenStream, arguments: &Arguments, bindings: &[Ident]) -> TokenStream {
    let mut tokens = callee.clone();
    arguments.paren.surround(&mut tokens, |tokens| {
        let values = arguments.values.iter().map(|argument| owned(argument, bindings));
        tokens.extend(quote!(#(#values),*));
    });
    tokens
}

/// A place in a parameter is cloned, since the body may want to move it; other expressions stay.
fn owned(argument: &Expr, bindings: &[Ident]) -> TokenStream {
    let Some(root) = place_root(argument) else { return argument.to_token_stream() };
    let is_parameter = bindings.contains(&root);
    if !is_parameter && root != "self" && root != "result" {
        return argument.to_token_stream();
    }
    let span = Span::mixed_site().located_at(root.span());
    // `result` is a reference to the value that is meant.
    let reference = match argument {
        Expr::Path(_) if root == "result" && !is_parameter => argument.to_token_stream(),
        _ => quote_spanned!(span=> &#argument),
    };
    // In a block, so that the clone is of the argument's own type and only then coerced.
    quote_spanned!(span=> { let owned = ::core::clone::Clone::clone(#reference); owned })
}

/// What effects need that are known only after the body.
pub(super) struct After {
    kept: Vec<Kept>,
    renames_self: bool,
    borrows_self: bool,
}

/// A value cloned before the body.
struct Kept {
    /// Our name of it.
    local: Ident,
    value: TokenStream,
    source: Source,
}

#[derive(PartialEq)]
enum Source {
    /// The user's tokens name it so.
    Name(Ident),
    /// A template's placeholder.
    Placeholder(String),
    Receiver,
}

impl After {
    pub(super) fn new(scope: &Scope<'_>, effects: &[&Effect]) -> Self {
        let mut after = After { kept: Vec::new(), renames_self: false, borrows_self: false };
        for effect in effects {
            match &effect.what {
                What::Tag(literal, template) => {
                    after.keep_placeholders(scope, literal, template);
                }
                what => {
                    let tokens = what_tokens(what);
                    after.keep_names(scope, tokens);
                }
            }
        }
        after
    }

    pub(super) fn names(&self) -> Vec<&Ident> {
        self.kept.iter().map(|kept| &kept.local).collect()
    }

    pub(super) fn values(&self) -> Vec<&TokenStream> {
        self.kept.iter().map(|kept| &kept.value).collect()
    }

    /// Whether `self` itself is asked after the body.
    pub(super) fn borrows_self(&self) -> bool {
        self.borrows_self
    }

    /// An expression that adds the late effects to `effects`.
    pub(super) fn finish(&self, scope: &Scope<'_>, late: &[&Effect]) -> TokenStream {
        let ms = scope.ms;
        let here = Span::mixed_site();
        if late.is_empty() {
            return quote_spanned!(here=> { let _ = value; effects });
        }
        let effects = late.iter().map(|effect| self.late(scope, effect));
        quote_spanned! {here=>
            match #ms::Found(value).found() {
                ::core::option::Option::Some(value) => effects #(#effects)*,
                ::core::option::Option::None => effects,
            }
        }
    }

    fn late(&self, scope: &Scope<'_>, effect: &Effect) -> TokenStream {
        let ms = scope.ms;
        let (method, expression) = match &effect.what {
            What::Tag(literal, template) => {
                return tag(ms, template, |path| self.placeholder(scope, literal, path));
            }
            What::Function(target) => {
                let site = target.site();
                (format_ident!("target"), quote!(#ms::Target::site(#site())))
            }
            What::Key(target, arguments) => {
                let key = target.key();
                let key = call(&key, arguments, scope.bindings);
                (format_ident!("target"), quote!(#ms::Target::key(#key)))
            }
            What::TagExpression(expression) => (format_ident!("tags"), quote!([#expression])),
        };
        let lets = self.rebound(&what_tokens(&effect.what));
        let expression = match self.receiver() {
            Some(receiver) if self.renames_self => without_self(expression, receiver),
            _ => expression,
        };
        quote!(.#method({ #lets #expression }))
    }

    /// `result` and the kept names, as the user's tokens call them.
    fn rebound(&self, tokens: &TokenStream) -> TokenStream {
        let value = local("value");
        let result = result_in(tokens.clone()).map(|result| quote!(let #result = #value;));
        let names = mentioned(tokens.clone());
        let kept = self.kept.iter().filter_map(|kept| match &kept.source {
            Source::Name(name) if names.contains(name) => {
                let local = &kept.local;
                Some(quote!(let #name = ::core::clone::Clone::clone(&#local);))
            }
            _ => None,
        });
        quote!(#result #(#kept)*)
    }

    fn receiver(&self) -> Option<&Ident> {
        self.kept.iter().find(|kept| kept.source == Source::Receiver).map(|kept| &kept.local)
    }

    fn placeholder(
        &self,
        scope: &Scope<'_>,
        literal: &LitStr,
        path: &[Segment],
    ) -> (TokenStream, Span) {
        if is_result(path) {
            let span = Span::mixed_site().located_at(literal.span());
            let value = Ident::new("value", span);
            return (pieces::place(quote_spanned!(span=> (*#value)), fields(path), span), span);
        }
        let source = Source::Placeholder(dotted(path));
        let (place, span) = scope.value(literal, path);
        match self.kept.iter().find(|kept| kept.source == source) {
            Some(kept) => (kept.local.to_token_stream(), span),
            None => (place, span),
        }
    }

    fn keep_placeholders(&mut self, scope: &Scope<'_>, literal: &LitStr, template: &Template) {
        for path in pieces::values(template).into_iter().filter(|path| !is_result(path)) {
            let (place, span) = scope.value(literal, path);
            self.keep(Source::Placeholder(dotted(path)), &place, span);
        }
    }

    fn keep_names(&mut self, scope: &Scope<'_>, tokens: TokenStream) {
        for name in mentioned(tokens) {
            if name == "self" {
                self.borrows_self = true;
                if self_kind(scope.sig) == SelfKind::Owned {
                    self.renames_self = true;
                    let span = name.span();
                    self.keep(Source::Receiver, &name.to_token_stream(), span);
                }
            } else if scope.bindings.contains(&name) {
                let (tokens, span) = (name.to_token_stream(), name.span());
                self.keep(Source::Name(name), &tokens, span);
            }
        }
    }

    fn keep(&mut self, source: Source, place: &TokenStream, span: Span) {
        if self.kept.iter().any(|kept| kept.source == source) {
            return;
        }
        let local = local(&format!("kept_{}", self.kept.len()));
        let span = Span::mixed_site().located_at(span);
        let value = quote_spanned!(span=> ::core::clone::Clone::clone(&#place));
        self.kept.push(Kept { local, value, source });
    }
}

/// A name of ours that the user's tokens cannot see.
pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn tag(
    ms: &TokenStream,
    template: &Template,
    value: impl Fn(&[Segment]) -> (TokenStream, Span),
) -> TokenStream {
    let Pieces { pieces, args, .. } = pieces::pieces(ms, template, value, str::to_owned);
    quote!(.tag(&[#(#pieces),*], #args))
}

/// The variable that a place expression such as `patch.id` begins with.
fn place_root(expression: &Expr) -> Option<Ident> {
    match expression {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().cloned(),
        Expr::Field(field) => place_root(&field.base),
        Expr::Index(index) => place_root(&index.expr),
        Expr::Paren(inner) => place_root(&inner.expr),
        Expr::Group(inner) => place_root(&inner.expr),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => place_root(&unary.expr),
        _ => None,
    }
}

/// All of an effect that the user wrote.
fn what_tokens(what: &What) -> TokenStream {
    match what {
        What::Key(target, arguments) => {
            let (receiver, values) = (target.receiver(), &arguments.values);
            quote!(#receiver, #(#values),*)
        }
        What::TagExpression(expression) => expression.to_token_stream(),
        What::Function(_) | What::Tag(..) => TokenStream::new(),
    }
}

fn is_result(path: &[Segment]) -> bool {
    path.first().is_some_and(|first| first.plain() == "result")
}

fn fields(path: &[Segment]) -> &[Segment] {
    path.get(1..).unwrap_or_default()
}

fn dotted(path: &[Segment]) -> String {
    path.iter().map(Segment::plain).collect::<Vec<_>>().join(".")
}
