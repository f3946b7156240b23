//! The impl of `KeyPart`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Generics, Ident, Type};

use super::validate::{KeyPart, PartField, Shape};
use crate::expand::support_path;

pub(super) fn expand(part: &KeyPart<'_>) -> TokenStream {
    let ms = support_path(part.root.as_ref());
    let (write, encode) = match &part.shape {
        Shape::Newtype(field) => (call(&ms, field, "write_part"), call(&ms, field, "encode_part")),
        Shape::Compound(fields) => {
            let writes = fields.iter().map(|field| call(&ms, field, "write_part"));
            let encodes = fields.iter().map(|field| call(&ms, field, "encode_part"));
            let separators =
                (0..fields.len()).map(|index| (index > 0).then(|| quote!(out.separator();)));
            (quote!(out.open(); #(#separators #writes)* out.close();), quote!(#(#encodes)*))
        }
        Shape::Enum(variants) => (enum_text(variants), enum_index(variants)),
    };
    let fields: &[PartField<'_>] = match &part.shape {
        Shape::Newtype(field) => std::slice::from_ref(field),
        Shape::Compound(fields) => fields,
        Shape::Enum(_) => &[],
    };
    let ident = part.ident;
    let shape = shape(&ms, ident, &part.shape);
    let generics = bounded(&ms, part.generics, fields);
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #impl_generics #ms::KeyPart for #ident #type_generics #where_clause {
            const SHAPE: u64 = #shape;
            fn write_part(&self, out: &mut #ms::PartWriter<'_>) { #write }
            #[inline]
            fn encode_part(&self, out: &mut #ms::ArgBytes) { #encode }
        }
    }
}

/// Stands in where the type was refused, so that its uses give no errors of their own.
pub(super) fn fallback(input: &DeriveInput) -> TokenStream {
    let ms = support_path(None);
    let ident = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #ms::KeyPart for #ident #type_generics #where_clause {
            fn write_part(&self, _: &mut #ms::PartWriter<'_>) { ::core::unreachable!() }
        }
    }
}

/// The field's type has the span of errors: `f64` itself is underlined.
fn call(ms: &TokenStream, field: &PartField<'_>, method: &str) -> TokenStream {
    let (member, ty) = (&field.member, field.ty);
    // Located at the type, resolved as the rest: the type may come out of another macro.
    let span = Span::call_site().located_at(ty.span());
    let method = Ident::new(method, span);
    quote_spanned!(span=> <#ty as #ms::KeyPart>::#method(&self.#member, out);)
}

fn enum_text(variants: &[(&Ident, String)]) -> TokenStream {
    let arms = variants.iter().map(|(variant, text)| quote!(Self::#variant { .. } => #text,));
    quote!(out.write_str(match self { #(#arms)* });)
}

/// Tells this type's bytes from those of others: a newtype is as its field, the rest is by name.
fn shape(ms: &TokenStream, ident: &Ident, shape: &Shape<'_>) -> TokenStream {
    let of = |field: &PartField<'_>| {
        let (ty, span) = (field.ty, Span::call_site().located_at(field.ty.span()));
        quote_spanned!(span=> <#ty as #ms::KeyPart>::SHAPE)
    };
    let name = ident.to_string();
    let own = quote!(#ms::shape::of(::core::concat!(::core::module_path!(), "::", #name)));
    match shape {
        Shape::Newtype(field) => of(field),
        Shape::Compound(fields) => {
            fields.iter().map(of).fold(own, |outer, inner| quote!(#ms::shape::with(#outer, #inner)))
        }
        Shape::Enum(_) => own,
    }
}

/// The position, in as few bytes as the number of variants allows.
fn enum_index(variants: &[(&Ident, String)]) -> TokenStream {
    if variants.len() <= 1 << 8 {
        let arms = variants.iter().enumerate().map(|(index, (variant, _))| {
            let index = u8::try_from(index).unwrap_or(u8::MAX);
            quote!(Self::#variant { .. } => #index,)
        });
        quote!(out.push_u8(match self { #(#arms)* });)
    } else {
        let arms = variants.iter().enumerate().map(|(index, (variant, _))| {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            quote!(Self::#variant { .. } => #index,)
        });
        quote!(out.push_u32(match self { #(#arms)* });)
    }
}

/// A field whose type depends on a type parameter becomes a bound; of the others rustc knows.
fn bounded(ms: &TokenStream, generics: &Generics, fields: &[PartField<'_>]) -> Generics {
    let parameters: Vec<String> =
        generics.type_params().map(|parameter| parameter.ident.to_string()).collect();
    let mut generics = generics.clone();
    for field in fields.iter().filter(|field| mentions_any(field.ty, &parameters)) {
        let ty = field.ty;
        generics.make_where_clause().predicates.push(syn::parse_quote!(#ty: #ms::KeyPart));
    }
    generics
}

fn mentions_any(ty: &Type, names: &[String]) -> bool {
    fn search(tokens: TokenStream, names: &[String]) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => names.iter().any(|name| ident == name),
            TokenTree::Group(group) => search(group.stream(), names),
            _ => false,
        })
    }
    search(ty.to_token_stream(), names)
}
