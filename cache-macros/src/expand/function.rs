//! The function that callers see: look, and on a miss run the body.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Ident, Pat, PatIdent, Signature, Type};

use super::context::{By, Context, support_path_at};
use super::docs::cache_section;
use super::generics::turbofish;
use super::plan::{dynamic_settings, plan_by_value};
use crate::model::{Key, Lending, Parameter, Run, Shape};
use crate::validate::{receiver_lending, ungrouped};

/// The user's signature around a look into the cache.
pub(crate) fn outer_function(context: &Context<'_>) -> TokenStream {
    let function = &context.cached.function;
    let (attrs, vis) = (function.attrs.iter().map(expectation_allowed), &function.vis);
    let docs = cache_section(context);
    let sig = outer_signature(context);
    let (ms, shape, site) = (&context.ms, &context.shape, context.site());
    let alias = alias_check(context);
    let used = [context.names_in_key(), context.names_in_plan()].concat();
    let prelude = context.prelude(By::Value, |_| true, &used);
    let (probe, plan) = match &context.cached.key {
        Key::Expression(expression) => {
            let value = &context.value;
            (
                quote_spanned!(Span::mixed_site()=>
                    let key: #ms::Key<#value> = #expression;
                    if let ::core::option::Option::Some(hit) = #ms::probe_key::<#shape>(#site, &key) {
                        return hit;
                    }
                ),
                plan_by_value(context, Some(quote_spanned!(Span::mixed_site()=> key))),
            )
        }
        Key::Template(text) | Key::Whole(text) => {
            let args = context.args(text, By::Value);
            let probe = support_path_at(context.cached.root.as_ref(), context.at_key());
            let probe = quote_spanned!(context.at_key()=> #probe::probe::<#shape, _>(#site, #args));
            (
                quote_spanned!(Span::mixed_site()=>
                    if let ::core::option::Option::Some(hit) = #probe {
                        return hit;
                    }
                ),
                plan_by_value(context, None),
            )
        }
    };
    let settings = dynamic_settings(context);
    let run = run(context);
    quote_spanned!(Span::mixed_site()=>
        #(#attrs)*
        #docs
        #vis #sig {
            #alias
            #prelude
            #probe
            #ms::on_miss(move || {
                let plan = #plan #settings;
                #run
            })
            .await
        }
    )
}

/// The user's body under its own name, with all that the user wrote.
pub(crate) fn uncached_function(context: &Context<'_>) -> TokenStream {
    let function = &context.cached.function;
    let (vis, body) = (&function.vis, &function.body);
    let lints = function.attrs.iter().filter_map(lint_attribute);
    let mut sig = function.sig.clone();
    let mut ident = context.helper("uncached");
    ident.set_span(sig.ident.span());
    sig.ident = ident;
    let doc = format!("Runs the body of `{}`, without the cache.", context.name());
    quote_spanned!(Span::mixed_site()=>
        #[doc = #doc]
        // What is to be said about the signature is said about the user's function.
        #[allow(
            dead_code,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            clippy::must_use_candidate,
            clippy::too_many_arguments,
            clippy::type_complexity,
            clippy::unused_async,
            clippy::wrong_self_convention
        )]
        #(#lints)*
        #vis #sig #body
    )
}

/// `__boxed`: the body behind a pointer, for a function that calls itself.
pub(crate) fn boxed_function(context: &Context<'_>) -> Option<TokenStream> {
    if context.cached.run != Run::BackgroundBoxed {
        return None;
    }
    let sig = &context.cached.function.sig;
    let whole = &context.cached.returned.whole;
    let (ident, generics) = (context.helper("__boxed"), &sig.generics);
    let clause = &generics.where_clause;
    let this = Ident::new("this", Span::mixed_site());
    let receiver = sig.receiver().map(|receiver| {
        let ty = match receiver_lending(receiver, true) {
            Lending::Lent(ty) => quote!(<#ty as ::std::borrow::ToOwned>::Owned),
            _ => receiver_type(receiver),
        };
        quote!(#this: #ty,)
    });
    let params = context.cached.parameters.iter().map(|each| {
        let (name, ty) = (&each.ident, super::context::seen_type(each));
        match &each.lending {
            Lending::Lent(elem) => quote!(#name: <#elem as ::std::borrow::ToOwned>::Owned),
            _ => quote!(#name: #ty),
        }
    });
    let names: Vec<&Ident> = context.cached.parameters.iter().map(|each| &each.ident).collect();
    let body = lent_call(context, &names, sig.receiver().map(|_| this.clone()));
    Some(quote_spanned!(Span::mixed_site()=>
        #[doc(hidden)]
        fn #ident #generics (#receiver #(#params),*)
            -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = #whole> + ::core::marker::Send>>
        #clause
        {
            ::std::boxed::Box::pin(async move { #body.await })
        }
    ))
}

/// A call of the body with every argument as it came.
pub(crate) fn plain_call(context: &Context<'_>) -> TokenStream {
    let sig = &context.cached.function.sig;
    let target = context.call("uncached", context.self_token());
    let generics = turbofish(&sig.generics);
    let names = context.cached.parameters.iter().map(|each| &each.ident);
    quote_spanned!(Span::mixed_site()=> #target #generics (#(#names),*))
}

/// The future that loads, for a closure that makes it only on a miss.
fn run(context: &Context<'_>) -> TokenStream {
    let (ms, shape) = (&context.ms, &context.shape);
    if context.cached.run == Run::Inline {
        let body = plain_call(context);
        return quote_spanned!(Span::mixed_site()=> #ms::run_inline::<#shape, _>(plan, #body));
    }
    if context.cached.run == Run::Lent {
        let body = plain_call(context);
        return quote_spanned!(Span::mixed_site()=> #ms::run_lent!(#shape, plan, #body));
    }
    let Owning { statements, names, lent_self } = owning(context);
    if context.cached.run == Run::BackgroundBoxed {
        let target = context.path_to("__boxed");
        let generics = turbofish(&context.cached.function.sig.generics);
        let this = lent_self.map(ToTokens::into_token_stream).or_else(|| context.self_token());
        let this = this.into_iter();
        return quote_spanned!(Span::mixed_site()=>
            #statements
            #ms::run_boxed::<#shape>(plan, #target #generics (#(#this,)* #(#names),*))
        );
    }
    let body = if statements.is_empty() {
        plain_call(context)
    } else {
        let call = lent_call(context, &names.iter().collect::<Vec<_>>(), lent_self);
        quote_spanned!(Span::mixed_site()=> async move { #call.await })
    };
    let run = match context.cached.run {
        Run::Background => {
            quote_spanned!(Span::mixed_site()=> #ms::run_detached::<#shape, _>(plan, #body))
        }
        _ => quote_spanned!(Span::mixed_site()=> #ms::run_owned!(#shape, plan, #body)),
    };
    quote_spanned!(Span::mixed_site()=> #statements #run)
}

/// How a detached body comes to own what its caller only lends.
struct Owning {
    statements: TokenStream,
    /// The arguments' names from then on.
    names: Vec<Ident>,
    /// The receiver's name, where it is lent.
    lent_self: Option<Ident>,
}

fn owning(context: &Context<'_>) -> Owning {
    let cached = context.cached;
    let mut owning = Owning { statements: TokenStream::new(), names: Vec::new(), lent_self: None };
    if let Some(receiver) = cached.function.sig.receiver()
        && let Lending::Lent(ty) = receiver_lending(receiver, cached.run != Run::Owned)
    {
        let owned = Ident::new("owned_self", Span::mixed_site());
        let this = context.self_token().unwrap_or_default();
        owning.statements.extend(own(context, &ty, &this, &owned, receiver.self_token.span()));
        owning.lent_self = Some(owned);
    }
    for (index, parameter) in cached.parameters.iter().enumerate() {
        let Lending::Lent(ty) = &parameter.lending else {
            owning.names.push(parameter.ident.clone());
            continue;
        };
        let owned = quote::format_ident!("owned{index}", span = Span::mixed_site());
        let borrowed = parameter.ident.to_token_stream();
        owning.statements.extend(own(context, ty, &borrowed, &owned, parameter.ty.span()));
        owning.names.push(owned);
    }
    owning
}

/// `let owned = own::<T>(borrowed);`, located at the parameter, where it says what `T` lacks.
fn own(
    context: &Context<'_>,
    ty: &Type,
    borrowed: &TokenStream,
    owned: &Ident,
    place: Span,
) -> TokenStream {
    let place = Span::mixed_site().located_at(place);
    let ms = support_path_at(context.cached.root.as_ref(), place);
    quote_spanned!(place=> let #owned = #ms::own::<#ty>(#borrowed);)
}

/// A call of the body where some arguments are lent out of what `names` own.
fn lent_call(context: &Context<'_>, names: &[&Ident], owned_self: Option<Ident>) -> TokenStream {
    let ms = &context.ms;
    let sig = &context.cached.function.sig;
    let receiver =
        sig.receiver().map(|receiver| match (receiver_lending(receiver, true), owned_self) {
            (Lending::Lent(ty), Some(owned)) => {
                quote_spanned!(Span::mixed_site()=> #ms::lend::<#ty>(&#owned))
            }
            (_, Some(owned)) => owned.to_token_stream(),
            (_, None) => context.self_token().unwrap_or_default(),
        });
    let target = context.call("uncached", receiver);
    let generics = turbofish(&sig.generics);
    let arguments = context.cached.parameters.iter().zip(names).map(|(parameter, name)| {
        match &parameter.lending {
            Lending::Lent(ty) => quote_spanned!(Span::mixed_site()=> #ms::lend::<#ty>(&#name)),
            _ => name.to_token_stream(),
        }
    });
    quote_spanned!(Span::mixed_site()=> #target #generics (#(#arguments),*))
}

fn receiver_type(receiver: &syn::Receiver) -> TokenStream {
    match &receiver.kind {
        syn::ReceiverKind::Typed(_, ty) => ty.to_token_stream(),
        _ => quote!(Self),
    }
}

/// The user's signature with a plain name for each parameter.
pub(crate) fn outer_signature(context: &Context<'_>) -> Signature {
    let mut sig = context.cached.function.sig.clone();
    let mut parameters = context.cached.parameters.iter();
    for input in &mut sig.inputs {
        match input {
            FnArg::Receiver(receiver) => receiver.mutability = None,
            FnArg::Typed(typed) => {
                if let Some(parameter) = parameters.next() {
                    *typed.pat = named(parameter);
                }
            }
        }
    }
    sig
}

fn named(parameter: &Parameter) -> Pat {
    Pat::Ident(PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident: parameter.ident.clone(),
        subpat: None,
    })
}

/// Refuses a type that turns out to be a `Result` or an `Option` under another name.
fn alias_check(context: &Context<'_>) -> Option<TokenStream> {
    let returned = &context.cached.returned;
    if returned.shape != Shape::Plain || !may_be_alias(&returned.whole) {
        return None;
    }
    let whole = &returned.whole;
    let ms = support_path_at(context.cached.root.as_ref(), context.at_value);
    Some(quote_spanned!(context.at_value=> {
        use #ms::KindFallback as _;
        #ms::require_plain(#ms::Kind::<#whole>::new().kind());
    }))
}

/// Whether a path may stand for another type; the commonest names do not, and cost compile time.
fn may_be_alias(ty: &Type) -> bool {
    const KNOWN: [&str; 20] = [
        "String", "Vec", "Arc", "Box", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "bool",
        "char", "u8", "u16", "u32", "u64", "u128", "usize", "i32", "i64", "f32", "f64",
    ];
    match ungrouped(ty) {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| !KNOWN.contains(&last.ident.to_string().as_str())),
        Type::Macro(_) => true,
        _ => false,
    }
}

/// Lint levels hold for the body, too.
fn lint_attribute(attribute: &Attribute) -> Option<TokenStream> {
    let levels = ["allow", "warn", "deny", "forbid", "expect"];
    levels
        .iter()
        .any(|level| attribute.path().is_ident(level))
        .then(|| expectation_allowed(attribute))
}

/// What is allowed in the signature is allowed in the helpers that repeat it.
pub(crate) fn allowance(attribute: &Attribute) -> Option<TokenStream> {
    let levels = ["allow", "expect"];
    levels
        .iter()
        .any(|level| attribute.path().is_ident(level))
        .then(|| expectation_allowed(attribute))
}

/// `expect` would be met by the body or by the signature, and missed by the other: it allows.
fn expectation_allowed(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("expect") => {
            let lints = &list.tokens;
            quote_spanned!(Span::mixed_site()=> #[allow(#lints)])
        }
        _ => attribute.to_token_stream(),
    }
}
