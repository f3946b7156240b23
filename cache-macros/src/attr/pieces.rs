//! A template as the runtime wants it: pieces, and references to the values that fill them.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Ident, Index};

use crate::template::{Part, Segment, Template};

/// How many values one template may hold, as the runtime's argument lists go.
pub(crate) const MAX_VALUES: usize = 12;

/// Pieces and arguments of one template.
pub(crate) struct Pieces {
    /// `ms::Piece::Text(..)`, `ms::Piece::Arg(0)`, ..
    pub(crate) pieces: Vec<TokenStream>,
    /// `&(ms::part(&id),)`
    pub(crate) args: TokenStream,
}

/// Distinct placeholders in order of their first use.
pub(crate) fn values(template: &Template) -> Vec<&[Segment]> {
    let mut found: Vec<&[Segment]> = Vec::new();
    for (path, _) in template.placeholders() {
        if !found.iter().any(|known| same_path(known, path)) {
            found.push(path);
        }
    }
    found
}

/// `value` gives each distinct placeholder's place expression and the span for its errors.
pub(crate) fn pieces(
    ms: &TokenStream,
    template: &Template,
    value: impl Fn(&[Segment]) -> (TokenStream, Span),
    text: impl Fn(&str) -> String,
) -> Pieces {
    let paths = values(template);
    let pieces = template.parts.iter().map(|part| match part {
        Part::Text { text: literal, .. } => {
            let literal = text(literal);
            quote!(#ms::Piece::Text(#literal))
        }
        Part::Placeholder { path, .. } => {
            let index = paths.iter().position(|known| same_path(known, path)).unwrap_or(0);
            let index = u8::try_from(index).unwrap_or(u8::MAX);
            quote!(#ms::Piece::Arg(#index))
        }
    });
    let pieces = pieces.collect();
    let args = paths.iter().map(|path| {
        let (place, span) = value(path);
        quote_spanned!(span=> #ms::part(&#place))
    });
    Pieces { args: quote!(&(#(#args,)*)), pieces }
}

/// `root.field.0`. Errors about the fields stand at `span`, and as the macro's own tokens: rustc
/// would offer to replace the user's by a field's name.
pub(crate) fn place(root: impl ToTokens, fields: &[Segment], span: Span) -> TokenStream {
    let span = span.resolved_at(Span::mixed_site());
    let fields = fields.iter().map(|segment| match segment.plain().parse::<u32>() {
        Ok(index) => Index { index, span }.to_token_stream(),
        Err(_) => field(segment, span).to_token_stream(),
    });
    quote!(#root #(.#fields)*)
}

/// A keyword needs `r#` to be a field, whether or not the template wrote it.
fn field(segment: &Segment, span: Span) -> Ident {
    let plain = segment.plain();
    let is_keyword = syn::parse_str::<Ident>(plain).is_err();
    if is_keyword && !matches!(plain, "self" | "Self" | "super" | "crate") {
        Ident::new_raw(plain, span)
    } else {
        Ident::new(plain, span)
    }
}

fn same_path(a: &[Segment], b: &[Segment]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.plain() == b.plain())
}
