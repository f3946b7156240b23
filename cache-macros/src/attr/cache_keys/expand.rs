//! The unit struct, its functions, and the registration of each key.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Attribute, FnArg, Ident, LitStr, ReturnType, Type, Visibility};

use super::model::{Key, Keys, RawKey, RawKeys, Tag, Ttl};
use crate::attr::pieces::{Pieces, pieces, place};
use crate::expand::{duration_tokens, support_path};
use crate::template::{Segment, Template};

pub(super) fn expand(keys: &Keys<'_>) -> TokenStream {
    let ms = support_path(keys.root);
    let functions = keys.keys.iter().map(|key| key_functions(&ms, keys.vis, key));
    let registrations = keys.keys.iter().map(|key| registration(&ms, keys.ident, key));
    let structure = unit_struct(keys.attrs, keys.vis, keys.ident);
    let ident = keys.ident;
    quote! {
        #structure
        impl #ident { #(#functions)* }
        #(#registrations)*
    }
}

/// The struct with every function that could be read, none with a body.
pub(super) fn fallback(raw: &RawKeys) -> TokenStream {
    let ms = support_path(raw.root.as_ref());
    let (vis, ident) = (&raw.item.vis, &raw.item.ident);
    let structure = unit_struct(&raw.item.attrs, vis, ident);
    let mut names = HashSet::new();
    let functions = raw.keys.iter().map(|key| fallback_functions(&ms, vis, key, &mut names));
    let functions: Vec<TokenStream> = functions.collect();
    quote! {
        #structure
        #[allow(dead_code, unused, clippy::all, clippy::pedantic)]
        impl #ident { #(#functions)* }
    }
}

fn unit_struct(attrs: &[Attribute], vis: &Visibility, ident: &Ident) -> TokenStream {
    quote! {
        #(#attrs)*
        #[allow(dead_code)]
        #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
        #vis struct #ident;
    }
}

fn key_functions(ms: &TokenStream, vis: &Visibility, key: &Key<'_>) -> TokenStream {
    let Key { attrs, ident, value, .. } = key;
    let inputs: Vec<TokenStream> = key
        .parameters
        .iter()
        .map(|parameter| {
            let (ident, ty) = (parameter.ident, parameter.ty);
            quote!(#ident: #ty)
        })
        .collect();
    let Pieces { pieces: key_pieces, args, .. } =
        rendered(ms, key, key.literal, &key.template, str::to_owned);
    let ttl = key.ttl.as_ref().map(|ttl| {
        let ttl = duration(ms, ttl);
        quote!(.with_ttl(#ttl))
    });
    let tags = key.tags.iter().map(|tag| match tag {
        Tag::Template(literal, template) => {
            let Pieces { pieces, args, .. } = rendered(ms, key, literal, template, str::to_owned);
            quote!(#ms::tag(&[#(#pieces),*], #args))
        }
        Tag::Expression(expression) => expression.to_token_stream(),
    });
    let tags = (!key.tags.is_empty()).then(|| quote!(.with_tags([#(#tags),*])));
    let key_doc = format!("\n# Key\n`{}`", key.template.source());
    let pattern = pattern_function(ms, vis, key, &inputs);
    quote! {
        #(#attrs)*
        #[doc = #key_doc]
        #[must_use]
        #[allow(clippy::all, clippy::pedantic)]
        #vis fn #ident(#(#inputs),*) -> #ms::Key<#value> {
            #ms::typed_key::<#value, _>(&[#(#key_pieces),*], #args) #ttl #tags
        }
        #pattern
    }
}

/// What lies below the key: its text, `:` and anything.
fn pattern_function(
    ms: &TokenStream,
    vis: &Visibility,
    key: &Key<'_>,
    inputs: &[TokenStream],
) -> TokenStream {
    let ident = pattern_ident(key.ident);
    let Pieces { pieces, args, .. } = rendered(ms, key, key.literal, &key.template, escape_glob);
    let doc = format!(
        "All that lies below [`{0}`](Self::{0}): `{1}:*`. Arguments stand for themselves, whatever they hold.",
        key.ident,
        key.template.source()
    );
    let shared = attrs_named(key.attrs, &["cfg", "cfg_attr", "allow", "deprecated"]);
    quote! {
        #(#shared)*
        #[doc = #doc]
        #[must_use]
        #[allow(dead_code, clippy::all, clippy::pedantic)]
        #vis fn #ident(#(#inputs),*) -> #ms::Pattern {
            #ms::pattern(&[#(#pieces,)* #ms::Piece::Text(":*")], #args)
        }
    }
}

fn registration(ms: &TokenStream, keys: &Ident, key: &Key<'_>) -> TokenStream {
    let name = format!("{keys}::{}", key.ident);
    let source = key.template.source();
    let Pieces { pieces, .. } = rendered(ms, key, key.literal, &key.template, str::to_owned);
    let tags = key.tags.iter().filter_map(|tag| match tag {
        Tag::Template(literal, _) => Some(literal.value()),
        Tag::Expression(_) => None,
    });
    let policy = match &key.ttl {
        Some(fixed @ Ttl::Fixed(_)) => {
            let ttl = duration(ms, fixed);
            quote!(.ttl(#ttl))
        }
        _ => TokenStream::new(),
    };
    let value = key.value;
    let conditions = conditions(key.attrs);
    quote! {
        #(#conditions)*
        const _: () = {
            static SITE: #ms::Site = #ms::Site::new(#ms::SiteSpec {
                name: #name,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                key: #source,
                pieces: &[#(#pieces),*],
                tags: &[#(#tags),*],
                invalidates: &[],
                policy: #ms::Policy::new()#policy,
                value_type: || ::core::any::type_name::<#value>(),
            });
            #ms::submit!(&SITE);
        };
    }
}

fn fallback_functions(
    ms: &TokenStream,
    vis: &Visibility,
    key: &RawKey,
    names: &mut HashSet<Ident>,
) -> TokenStream {
    let sig = &key.function.sig;
    let (ident, generics) = (&sig.ident, &sig.generics);
    let clause = &generics.where_clause;
    let inputs: Vec<&FnArg> =
        sig.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_))).collect();
    let value: TokenStream = match &sig.output {
        ReturnType::Type(_, ty) if !matches!(**ty, Type::ImplTrait(_) | Type::Reference(_)) => {
            ty.to_token_stream()
        }
        _ => quote!(()),
    };
    [(ident.clone(), quote!(#ms::Key<#value>)), (pattern_ident(ident), quote!(#ms::Pattern))]
        .into_iter()
        .filter(|(ident, _)| names.insert(ident.clone()))
        .map(|(ident, returned)| {
            quote!(#vis fn #ident #generics(#(#inputs),*) -> #returned #clause { ::core::unreachable!() })
        })
        .collect()
}

fn rendered(
    ms: &TokenStream,
    key: &Key<'_>,
    literal: &LitStr,
    template: &Template,
    text: impl Fn(&str) -> String,
) -> Pieces {
    pieces(ms, template, |path| value(key, literal, path), text)
}

/// A parameter or a path into one. Errors stand at the parameter, or at the literal where the type
/// is not the parameter's.
fn value(key: &Key<'_>, literal: &LitStr, path: &[Segment]) -> (TokenStream, Span) {
    let parameter = path
        .first()
        .and_then(|first| key.parameters.iter().find(|parameter| parameter.is_named(first)))
        .map(|parameter| parameter.ident);
    let fields = path.get(1..).unwrap_or_default();
    let span = match (parameter, fields) {
        (Some(parameter), []) => parameter.span(),
        _ => literal.span(),
    };
    (place(parameter, fields, literal.span()), span)
}

fn duration(ms: &TokenStream, ttl: &Ttl<'_>) -> TokenStream {
    match ttl {
        Ttl::Fixed(time) => duration_tokens(*time, ms),
        Ttl::Expression(expression) => expression.to_token_stream(),
    }
}

/// Values hold no glob character unescaped, so this is about the template's own text.
fn escape_glob(text: &str) -> String {
    let mut escaped = String::new();
    for each in text.chars() {
        if matches!(each, '*' | '?' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(each);
    }
    escaped
}

fn pattern_ident(key: &Ident) -> Ident {
    format_ident!("{key}_pattern", span = key.span())
}

/// `#[cfg]` holds for all that comes of a function.
fn conditions(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs_named(attrs, &["cfg", "cfg_attr"])
}

fn attrs_named<'a>(
    attrs: &'a [Attribute],
    names: &'a [&str],
) -> impl Iterator<Item = &'a Attribute> {
    attrs.iter().filter(|attr| names.iter().any(|name| attr.path().is_ident(name)))
}
