//! The function's place in the registry: one static, known at link time.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::context::Context;
use super::plan::{has_generics, policy_tokens};
use crate::model::{Key, ValueType};
use crate::text::compact;
use crate::validate::plain;

/// `__site`
pub(crate) fn site_function(context: &Context<'_>) -> TokenStream {
    let ms = &context.ms;
    let ident = context.helper("__site");
    let vis = &context.cached.function.vis;
    let name = plain(context.name());
    let (key, pieces) = key_tokens(context);
    let tags = &context.cached.tags;
    let tags = tags
        .from_arguments
        .iter()
        .chain(tags.from_result.iter().map(|tag| &tag.text))
        .map(|text| &text.source);
    let policy = policy_tokens(context);
    let value_type = value_type(context);
    let quiet = context.cached.associated.then(|| quote!(#[allow(dead_code)]));
    quote_spanned!(Span::mixed_site()=>
        #[doc(hidden)]
        #[inline]
        #quiet
        #vis fn #ident() -> &'static #ms::Site {
            static SITE: #ms::Site = #ms::Site::new(#ms::SiteSpec {
                name: #name,
                module: ::core::module_path!(),
                file: ::core::file!(),
                line: ::core::line!(),
                key: #key,
                pieces: #pieces,
                tags: &[#(#tags),*],
                invalidates: &[],
                policy: #policy,
                value_type: #value_type,
            });
            #ms::submit!(&SITE);
            &SITE
        }
    )
}

/// The key as written, and its pieces.
fn key_tokens(context: &Context<'_>) -> (TokenStream, TokenStream) {
    match &context.cached.key {
        Key::Template(text) => {
            let source = &text.source;
            (quote!(#source), context.pieces(text))
        }
        Key::Whole(text) => {
            let tail = format!("::{}{}", plain(context.name()), text.source);
            (quote!(::core::concat!(::core::module_path!(), #tail)), context.pieces(text))
        }
        Key::Expression(expression) => {
            let text = compact(expression);
            (quote!(#text), quote!(&[]))
        }
    }
}

/// The name of the stored type. A static cannot name the parameters of an impl, so a method's is
/// the text that the user wrote.
fn value_type(context: &Context<'_>) -> TokenStream {
    if !context.cached.associated && !has_generics(context) {
        let value = &context.value;
        return quote!(::core::any::type_name::<#value>);
    }
    let text = match &context.cached.returned.value {
        ValueType::Written(ty) => compact(ty),
        _ => compact(&context.cached.returned.whole),
    };
    quote!(|| #text)
}
