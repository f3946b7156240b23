//! The plan of a load: key, tags and times of one call.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, GenericParam, Type};

use super::context::{By, Context, result_ident, seen_type, support_path_at};
use super::generics::{subset, turbofish};
use super::time::duration_tokens;
use crate::model::{Access, AccessRoot, Key, Parameter, Text, Time};
use crate::validate::{reads_arguments, ungrouped};

/// An expression for the plan in a function that has its parameters by value. `key` is the key
/// expression's value, where it was evaluated already.
pub(crate) fn plan_by_value(context: &Context<'_>, key: Option<TokenStream>) -> TokenStream {
    match &context.cached.key {
        Key::Expression(expression) => {
            let (ms, value, site) = (&context.ms, &context.value, context.site());
            let key = key.unwrap_or_else(|| expression.to_token_stream());
            let settings = fixed_settings(context, By::Value);
            quote_spanned!(Span::mixed_site()=> #ms::Plan::<#value>::from_key(#site, #key) #settings)
        }
        Key::Template(_) | Key::Whole(_) => {
            let target = context.call("__make", context.self_token());
            let turbofish = turbofish(&subset(&context.cached.function.sig, &mentioned(context)));
            let arguments =
                context.cached.parameters.iter().filter(|each| each.in_put).map(|each| &each.ident);
            quote_spanned!(Span::mixed_site()=> #target #turbofish (#(&#arguments),*))
        }
    }
}

/// `__make`: the plan out of references, for all who need one.
pub(crate) fn make_function(context: &Context<'_>) -> Option<TokenStream> {
    let (Key::Template(text) | Key::Whole(text)) = &context.cached.key else { return None };
    let (ms, value, site) = (&context.ms, &context.value, context.site());
    let ident = context.helper("__make");
    let generics = subset(&context.cached.function.sig, &mentioned(context));
    let clause = context.storable(generics.where_clause.as_ref());
    let receiver = context.self_token().map(|this| quote_spanned!(Span::mixed_site()=> &#this,));
    let params = context.cached.parameters.iter().filter(|each| each.in_put).map(|each| {
        let (name, ty) = (&each.ident, referenced(seen_type(each)));
        quote_spanned!(Span::mixed_site()=> #name: #ty)
    });
    let prelude = context.prelude(
        By::Reference,
        |_| true,
        &[context.names_in_key(), context.names_in_tags()].concat(),
    );
    let args = context.args(text, By::Reference);
    let settings = fixed_settings(context, By::Reference);
    let new = support_path_at(context.cached.root.as_ref(), context.at_key());
    let new = quote_spanned!(context.at_key()=> #new::Plan::<#value>::new(#site, #args));
    Some(quote_spanned!(Span::mixed_site()=>
        #[doc(hidden)]
        #[allow(unused_variables)]
        fn #ident #generics (#receiver #(#params),*) -> #ms::Plan<#value> #clause {
            #prelude
            #new #settings
        }
    ))
}

/// Tags, and the settings that read no argument.
fn fixed_settings(context: &Context<'_>, by: By) -> TokenStream {
    let tags = &context.cached.tags;
    let mut tokens = TokenStream::new();
    for text in &tags.from_arguments {
        let (pieces, args) = (context.pieces(text), context.args(text, by));
        tokens.extend(quote_spanned!(Span::mixed_site()=> .tag(#pieces, #args)));
    }
    tokens.extend(result_tags(context, by));
    tokens.extend(settings(context, false));
    tokens
}

/// The settings that read arguments, for a function that has them by value.
pub(crate) fn dynamic_settings(context: &Context<'_>) -> TokenStream {
    settings(context, true)
}

fn settings(context: &Context<'_>, reads: bool) -> TokenStream {
    let policy = &context.cached.policy;
    let mut tokens = TokenStream::new();
    let picked = |expression: &Expr| reads_arguments(expression, context.cached) == reads;
    for tag in context.cached.tags.expressions.iter().filter(|each| picked(each)) {
        tokens.extend(quote_spanned!(Span::mixed_site()=> .tags([#tag])));
    }
    let times = [
        ("ttl", &policy.ttl),
        ("stale", &policy.stale),
        ("stale_if_error", &policy.stale_if_error),
        ("none_ttl", &policy.none_ttl),
        ("timeout", &policy.timeout),
    ];
    for (name, time) in times {
        let method = format_ident!("{name}", span = Span::mixed_site());
        match time {
            Some(Time::Expression(expression)) if picked(expression) => {
                tokens.extend(quote_spanned!(Span::mixed_site()=> .#method(#expression)));
            }
            Some(Time::Closure(closure)) if picked(closure) => {
                tokens.extend(quote_spanned!(Span::mixed_site()=> .ttl_with(#closure)));
            }
            _ => {}
        }
    }
    if let Some(condition) = policy.cache_if.as_ref().filter(|each| picked(each)) {
        tokens.extend(quote_spanned!(Span::mixed_site()=> .cache_if(#condition)));
    }
    tokens
}

/// One closure for all tags that the returned value completes. What they need of the arguments
/// is owned by it, since it outlives the call.
fn result_tags(context: &Context<'_>, by: By) -> Option<TokenStream> {
    let tags = &context.cached.tags.from_result;
    if tags.is_empty() {
        return None;
    }
    let (ms, value, result) = (&context.ms, &context.value, result_ident());
    let families = tags.iter().map(|tag| &tag.family);
    let mut owning = TokenStream::new();
    let mut calls = TokenStream::new();
    for (tag_index, tag) in tags.iter().enumerate() {
        let mut args = TokenStream::new();
        for (index, access) in tag.text.args.iter().enumerate() {
            if access.root == AccessRoot::Result {
                args.extend(context.part(access, context.argument(access, by)));
            } else {
                let owned = format_ident!("part{tag_index}_{index}", span = Span::mixed_site());
                let borrowed = unreferenced(context, access, by);
                owning
                    .extend(quote_spanned!(Span::mixed_site()=> let #owned = #ms::own(#borrowed);));
                args.extend(context.part(access, quote_spanned!(Span::mixed_site()=> &#owned)));
            }
            args.extend(quote!(,));
        }
        let pieces = context.pieces(&tag.text);
        calls.extend(quote_spanned!(Span::mixed_site()=> tags.tag(#pieces, &(#args));));
    }
    Some(quote_spanned!(Span::mixed_site()=>
        .result_tags(&[#(#families),*], {
            #owning
            move |#result: &#value, tags: &mut #ms::ResultTags| { #calls }
        })
    ))
}

/// A reference to what is no reference itself, so that owning it ends all borrowing.
fn unreferenced(context: &Context<'_>, access: &Access, by: By) -> TokenStream {
    if let (AccessRoot::Parameter(index, ident), true) = (&access.root, access.fields.is_empty()) {
        let parameter = &context.cached.parameters[*index];
        let reference =
            matches!(ungrouped(&parameter.ty), Type::Reference(_)) && parameter.pattern.is_none();
        if reference {
            return if by == By::Reference {
                quote_spanned!(ident.span()=> *#ident)
            } else {
                quote!(#ident)
            };
        }
    }
    context.argument(access, by)
}

/// What decides the generics of `__make`.
pub(crate) fn mentioned(context: &Context<'_>) -> TokenStream {
    let mut tokens = context.value.clone();
    for parameter in context.cached.parameters.iter().filter(|each| each.in_put) {
        seen_type(parameter).to_tokens(&mut tokens);
    }
    if let Key::Template(text) | Key::Whole(text) = &context.cached.key {
        tokens.extend(named_generics(text));
    }
    tokens
}

/// The generic parameters that are part of a key.
pub(crate) fn named_generics(text: &Text) -> TokenStream {
    text.args
        .iter()
        .filter_map(|access| match &access.root {
            AccessRoot::TypeName(ident) | AccessRoot::Const(ident) => Some(quote!(#ident)),
            _ => None,
        })
        .collect()
}

/// `&T`, with parentheses where bounds would read on.
fn referenced(ty: &Type) -> TokenStream {
    match ungrouped(ty) {
        Type::ImplTrait(bounds) if bounds.bounds.len() > 1 => quote!(&(#ty)),
        Type::TraitObject(bounds) if bounds.bounds.len() > 1 => quote!(&(#ty)),
        _ => quote!(&#ty),
    }
}

/// The literal times and what else is constant: goes to the site.
pub(crate) fn policy_tokens(context: &Context<'_>) -> TokenStream {
    let (ms, policy) = (&context.ms, &context.cached.policy);
    let mut tokens = match &policy.base {
        Some(path) => path.to_token_stream(),
        None => quote!(#ms::Policy::new()),
    };
    let times = [
        ("ttl", &policy.ttl),
        ("stale", &policy.stale),
        ("stale_if_error", &policy.stale_if_error),
        ("none_ttl", &policy.none_ttl),
        ("timeout", &policy.timeout),
    ];
    for (name, time) in times {
        if let Some(Time::Literal(duration)) = time {
            let method = format_ident!("{name}", span = Span::mixed_site());
            let duration = duration_tokens(*duration, ms);
            tokens.extend(quote!(.#method(#duration)));
        }
    }
    if let Some(early) = &policy.early {
        tokens.extend(quote!(.early(#early)));
    }
    if let Some(jitter) = policy.jitter {
        tokens.extend(quote!(.jitter(#jitter)));
    }
    tokens
}

/// Whether a helper for `wanted` parameters has all generics of the function.
pub(crate) fn generics_for(
    context: &Context<'_>,
    wanted: impl Fn(&Parameter) -> bool,
    also: &TokenStream,
) -> syn::Generics {
    let mut tokens = also.clone();
    for parameter in context.cached.parameters.iter().filter(|each| wanted(each)) {
        parameter.ty.to_tokens(&mut tokens);
    }
    if let Key::Whole(text) = &context.cached.key {
        tokens.extend(named_generics(text));
    }
    subset(&context.cached.function.sig, &tokens)
}

/// The type parameters and constants of the function, for text.
pub(crate) fn has_generics(context: &Context<'_>) -> bool {
    context
        .cached
        .function
        .sig
        .generics
        .params
        .iter()
        .any(|param| !matches!(param, GenericParam::Lifetime(_)))
}
