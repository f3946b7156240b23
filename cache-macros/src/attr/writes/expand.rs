//! The function around its body: what is known before is made before, the rest after a success.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Attribute, Ident, ReturnType, Type};

use super::bindings::{SelfKind, mentioned, mutable_names, self_kind};
use super::model::{Effect, Invalidates, OnError, What, WriteThrough};
use super::values::{After, Scope, before, call, local};
use crate::expand::support_path;
use crate::parse::Function;

pub(super) fn invalidates(function: &Function, valid: &Invalidates) -> TokenStream {
    let ms = support_path(valid.root.as_ref());
    let scope = Scope { ms: &ms, sig: &function.sig, bindings: &valid.bindings };
    let site = writer_site(&ms, function, valid);
    let (late, early): (Vec<&Effect>, Vec<&Effect>) =
        valid.effects.iter().partition(|effect| effect.after);
    let early = early.into_iter().map(|effect| before(&scope, effect));
    let after = After::new(&scope, &late);
    let (kept, kept_values) = (after.names(), after.values());
    let returned = run_body(function, after.borrows_self());
    let finish = after.finish(&scope, &late);
    let uses_found = (!late.is_empty()).then(|| quote!(AnyFound as _,));
    let settle = settle(&ms, &valid.on_error);
    // Names of ours that the user's tokens cannot see.
    let body = quote_spanned! {Span::mixed_site()=>
        { #site }
        let effects = #ms::Effects::new();
        #(let effects = effects #early;)*
        #(let #kept = #kept_values;)*
        let returned = #returned;
        let effects = {
            #[allow(unused_imports)]
            use #ms::{AnyReturned as _, #uses_found};
            match #ms::Returned(&returned).success() {
                ::core::option::Option::Some(value) => ::core::option::Option::Some(#finish),
                ::core::option::Option::None => {
                    effects.abandon();
                    ::core::option::Option::None
                }
            }
        };
        if let ::core::option::Option::Some(effects) = effects {
            #settle
        }
        returned
    };
    let doc = cache_doc(&function.attrs, &invalidated(valid));
    emit(function, doc, body)
}

pub(super) fn write_through(function: &Function, valid: &WriteThrough) -> TokenStream {
    let ms = support_path(valid.root.as_ref());
    let writes: Vec<Ident> =
        (0..valid.targets.len()).map(|index| local(&format!("write_{index}"))).collect();
    let begins = valid.targets.iter().map(|(target, arguments)| {
        let plan = target.plan();
        let plan = call(&plan, arguments, &valid.bindings);
        quote!(#ms::begin_write(#plan).await)
    });
    let finishes = writes.iter().zip(&valid.targets).map(|(write, (target, _))| {
        // A value of the wrong type is an error at the function that it should be written to.
        let span =
            Span::mixed_site().located_at(target.name().map_or_else(Span::call_site, Ident::span));
        quote_spanned!(span=> #ms::finish_write(#write, value).await;)
    });
    let returned = run_body(function, false);
    // Names of ours that the user's tokens cannot see.
    let body = quote_spanned! {Span::mixed_site()=>
        #(let #writes = #begins;)*
        let returned = #returned;
        {
            #[allow(unused_imports)]
            use #ms::{AnyFound as _, AnyReturned as _};
            match #ms::Returned(&returned).success() {
                ::core::option::Option::Some(value) => match #ms::Found(value).found() {
                    ::core::option::Option::Some(value) => { #(#finishes)* }
                    ::core::option::Option::None => { #(#ms::forget_write(#writes).await;)* }
                },
                ::core::option::Option::None => { #(#writes.abandon();)* }
            }
        }
        returned
    };
    let names: Vec<String> =
        valid.targets.iter().filter_map(|(target, _)| target.name()).map(code).collect();
    let doc = cache_doc(
        &function.attrs,
        &format!("A success is written to the cache of {}.", names.join(", ")),
    );
    emit(function, doc, body)
}

/// The user's body in a future of its own, so that `return` and `?` end it and not the effects.
fn run_body(function: &Function, borrows_self: bool) -> TokenStream {
    let body = &function.body;
    let fake = expected_type(&function.sig.output);
    // `&mut self` must be back after the body where an effect asks it something.
    let keep_self = borrows_self && self_kind(&function.sig) == SelfKind::Exclusive;
    let capture = (!keep_self).then(|| quote!(move));
    // Captured as a whole: of a part that is overwritten rustc would say that it is never read.
    let whole = mutable_names(&function.sig);
    let whole = (!whole.is_empty()).then(|| quote!(let _ = (#(&#whole,)*);));
    quote!(async #capture { #fake #whole #body }.await)
}

/// Tells rustc the type that the block returns, as a function's signature does: without it
/// coercions in the body would fail and errors would stand at the block instead of in it.
fn expected_type(output: &ReturnType) -> TokenStream {
    let (ty, span) = match output {
        ReturnType::Default => (quote!(()), Span::mixed_site()),
        ReturnType::Type(_, ty) if is_nameless(ty) => return TokenStream::new(),
        ReturnType::Type(_, ty) => {
            let first = ty.to_token_stream().into_iter().next();
            (ty.to_token_stream(), first.map_or_else(Span::call_site, |token| token.span()))
        }
    };
    let never = Ident::new("never", span);
    quote! {
        #[allow(unreachable_code, unused_variables, clippy::all, clippy::pedantic)]
        if false {
            let #never: #ty = loop {};
            return #never;
        }
    }
}

/// `impl Trait` has no name outside the signature.
fn is_nameless(ty: &Type) -> bool {
    matches!(ty, Type::Never(_))
        || mentioned(ty.to_token_stream()).iter().any(|word| word == "impl")
}

fn settle(ms: &TokenStream, on_error: &OnError) -> TokenStream {
    match on_error {
        OnError::Retry => quote_spanned! {Span::mixed_site()=>
            let _ = #ms::after_write(effects, #ms::OnError::Retry).await;
        },
        OnError::Return(span) => {
            let span = Span::mixed_site().located_at(*span);
            let failed = quote_spanned! {span=>
                return ::core::result::Result::Err(::core::convert::From::from(error));
            };
            quote_spanned! {Span::mixed_site()=>
                if let ::core::result::Result::Err(error) = #ms::after_write(effects, #ms::OnError::Return).await {
                    #failed
                }
            }
        }
    }
}

/// Makes the writer known to the registry.
fn writer_site(ms: &TokenStream, function: &Function, valid: &Invalidates) -> TokenStream {
    let name = function.sig.ident.to_string();
    let tags = valid.effects.iter().filter_map(|effect| match &effect.what {
        What::Tag(literal, _) => Some(literal.value()),
        _ => None,
    });
    quote! {
        static SITE: #ms::Site = #ms::Site::new(#ms::SiteSpec {
            name: #name,
            module: ::core::module_path!(),
            file: ::core::file!(),
            line: ::core::line!(),
            key: "",
            pieces: &[],
            tags: &[],
            invalidates: &[#(#tags),*],
            policy: #ms::Policy::new(),
            value_type: || "",
        });
        #ms::submit!(&SITE);
    }
}

fn emit(function: &Function, doc: Option<TokenStream>, body: TokenStream) -> TokenStream {
    let Function { attrs, vis, sig, .. } = function;
    quote!(#(#attrs)* #doc #vis #sig { #body })
}

/// Documented functions tell what they do to the cache; on others the lint stays.
fn cache_doc(attrs: &[Attribute], text: &str) -> Option<TokenStream> {
    let documented = attrs.iter().any(|attr| attr.path().is_ident("doc"));
    documented.then(|| {
        let doc = format!("\n# Cache\n{text}");
        quote!(#[doc = #doc])
    })
}

fn invalidated(valid: &Invalidates) -> String {
    let list: Vec<String> = valid
        .effects
        .iter()
        .map(|effect| match &effect.what {
            What::Key(target, _) => target.name().map_or_else(String::new, code),
            What::Function(target) => {
                format!("all of {}", target.name().map_or_else(String::new, code))
            }
            What::Tag(literal, _) => format!("tag `{}`", literal.value()),
            What::TagExpression(expression) => format!("tag `{}`", expression.to_token_stream()),
        })
        .collect();
    format!("A success invalidates {}.", list.join(", "))
}

fn code(name: &Ident) -> String {
    format!("`{name}`")
}
