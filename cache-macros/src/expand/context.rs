//! What all generated items share: names, types, and how a placeholder becomes an expression.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Index, Path, Type, WhereClause};

use crate::model::{
    Access, AccessRoot, Adapt, Cached, Key, Parameter, Shape, Text, TextPiece, ValueType,
};
use crate::validate::{names_read, only, plain};

/// The specification and what is derived from it once.
pub(crate) struct Context<'a> {
    pub(crate) cached: &'a Cached,
    /// The path of the runtime's support module.
    pub(crate) ms: TokenStream,
    /// What is stored.
    pub(crate) value: TokenStream,
    /// The shape with its types.
    pub(crate) shape: TokenStream,
    /// Hygienic, and located at the return type, where errors about the value belong.
    pub(crate) at_value: Span,
}

/// Whether a helper has its parameters by value, or references to them.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum By {
    Value,
    Reference,
}

impl<'a> Context<'a> {
    pub(crate) fn new(cached: &'a Cached) -> Self {
        let at_value = Span::mixed_site().located_at(cached.returned.whole.span());
        let ms = support_path(cached.root.as_ref());
        let shapes = support_path_at(cached.root.as_ref(), at_value);
        let value = type_tokens(&cached.returned.value, &ms);
        let error = cached.returned.error.as_ref().map(|error| type_tokens(error, &ms));
        let shape = match cached.returned.shape {
            Shape::Plain => quote_spanned!(at_value=> #shapes::Plain<#value>),
            Shape::Fallible => quote_spanned!(at_value=> #shapes::Fallible<#value, #error>),
            Shape::Optional => quote_spanned!(at_value=> #shapes::Optional<#value>),
            Shape::FallibleOptional => {
                quote_spanned!(at_value=> #shapes::FallibleOptional<#value, #error>)
            }
        };
        Self { cached, ms, value, shape, at_value }
    }

    pub(crate) fn name(&self) -> &'a Ident {
        &self.cached.function.sig.ident
    }

    pub(crate) fn has_receiver(&self) -> bool {
        self.cached.function.sig.receiver().is_some()
    }

    /// A helper's own name: `key`, or `get_user_key` beside a method.
    pub(crate) fn helper(&self, helper: &str) -> Ident {
        let hidden = helper.strip_prefix("__");
        let (name, span) = (self.name(), self.name().span().resolved_at(Span::mixed_site()));
        match (self.cached.associated, hidden) {
            (false, _) => format_ident!("{helper}", span = span),
            (true, None) => format_ident!("{}_{helper}", plain(name), span = span),
            (true, Some(hidden)) => format_ident!("__{}_{hidden}", plain(name), span = span),
        }
    }

    /// How the function's own code calls a helper that takes no receiver.
    pub(crate) fn path_to(&self, helper: &str) -> TokenStream {
        let ident = self.helper(helper);
        if self.cached.associated {
            return quote_spanned!(Span::mixed_site()=> Self::#ident);
        }
        let name = self.name();
        quote_spanned!(Span::mixed_site()=> #name::#ident)
    }

    /// How the function's own code calls a helper on `receiver`, where there is one.
    pub(crate) fn call(&self, helper: &str, receiver: Option<TokenStream>) -> TokenStream {
        match receiver {
            Some(receiver) => {
                let ident = self.helper(helper);
                quote_spanned!(Span::mixed_site()=> #receiver.#ident)
            }
            None => self.path_to(helper),
        }
    }

    /// `where V: Cacheable`, told once at the return type however many helpers need it.
    pub(crate) fn storable(&self, clause: Option<&WhereClause>) -> TokenStream {
        let (value, ms) = (&self.value, support_path_at(self.cached.root.as_ref(), self.at_value));
        let others = clause.map(|clause| clause.predicates.iter()).into_iter().flatten();
        quote_spanned!(self.at_value=> where #(#others,)* #value: #ms::Cacheable)
    }

    /// Where errors about the key as a whole belong.
    pub(crate) fn at_key(&self) -> Span {
        Span::mixed_site().located_at(self.cached.key_place)
    }

    /// The receiver's own token, which carries the hygiene that it is resolved by.
    pub(crate) fn self_token(&self) -> Option<TokenStream> {
        self.cached.function.sig.receiver().map(|receiver| receiver.self_token.to_token_stream())
    }

    pub(crate) fn site(&self) -> TokenStream {
        let path = self.path_to("__site");
        quote_spanned!(Span::mixed_site()=> #path())
    }

    /// `&(&org, &id)`, as the pieces of the same text number them.
    pub(crate) fn args(&self, text: &Text, by: By) -> TokenStream {
        let args = text.args.iter().map(|access| self.part(access, self.argument(access, by)));
        quote_spanned!(self.at_key()=> &(#(#args,)*))
    }

    /// The argument, asked at its own place whether it has a stable text.
    pub(crate) fn part(&self, access: &Access, argument: TokenStream) -> TokenStream {
        let span = self.place_of(access);
        let ms = support_path_at(self.cached.root.as_ref(), span);
        quote_spanned!(span=> #ms::part(#argument))
    }

    /// Where errors about a placeholder belong: its parameter, or the literal where it is a path.
    fn place_of(&self, access: &Access) -> Span {
        match (&access.root, access.place) {
            (_, Some(place)) => Span::mixed_site().located_at(place),
            // With the name's own hygiene, so that rustc tells one mistake there once.
            (AccessRoot::Parameter(_, ident), None) => ident.span(),
            _ => Span::mixed_site(),
        }
    }

    /// A reference to what a placeholder names.
    pub(crate) fn argument(&self, access: &Access, by: By) -> TokenStream {
        let ms = &self.ms;
        let fields = self.fields(access);
        match &access.root {
            AccessRoot::Parameter(index, ident) => {
                let parameter = &self.cached.parameters[*index];
                self.parameter(parameter, ident, &fields, access.place, by)
            }
            AccessRoot::Receiver => {
                let this = self.self_token();
                let span = access.place.unwrap_or_else(Span::mixed_site);
                quote_spanned!(span.resolved_at(Span::mixed_site())=> &#this #fields)
            }
            AccessRoot::Result => {
                let value = result_ident();
                let span =
                    access.place.unwrap_or_else(Span::mixed_site).resolved_at(Span::mixed_site());
                let value = Ident::new(&value.to_string(), span);
                if access.fields.is_empty() {
                    value.to_token_stream()
                } else {
                    quote_spanned!(span=> &#value #fields)
                }
            }
            AccessRoot::TypeName(ident) => {
                quote_spanned!(Span::mixed_site()=> &#ms::type_part::<#ident>())
            }
            AccessRoot::SelfName => quote_spanned!(Span::mixed_site()=> &#ms::type_part::<Self>()),
            AccessRoot::Const(ident) => quote_spanned!(Span::mixed_site()=> &#ident),
        }
    }

    fn parameter(
        &self,
        parameter: &Parameter,
        ident: &Ident,
        fields: &TokenStream,
        place: Option<Span>,
        by: By,
    ) -> TokenStream {
        // Located where the user would look, resolved where the user's name is bound.
        let span = place.map_or(ident.span(), |place| ident.span().located_at(place));
        let mut ident = ident.clone();
        ident.set_span(span);
        let is_reference = by == By::Reference || parameter.pattern.is_some();
        if let (Adapt::AsRef(ty), true) = (&parameter.adapt, fields.is_empty()) {
            let borrowed =
                if is_reference { quote!(#ident) } else { quote_spanned!(span=> &#ident) };
            return quote_spanned!(span=> ::core::convert::AsRef::<#ty>::as_ref(#borrowed));
        }
        if fields.is_empty() && is_reference {
            quote!(#ident)
        } else {
            quote_spanned!(span=> &#ident #fields)
        }
    }

    /// `.user.0`
    fn fields(&self, access: &Access) -> TokenStream {
        let place = Span::mixed_site().located_at(access.place.unwrap_or_else(Span::mixed_site));
        access
            .fields
            .iter()
            .map(|field| {
                let field = field_tokens(field, place);
                quote_spanned!(place=> .#field)
            })
            .collect()
    }

    /// `&[Piece::Text("user:"), Piece::Arg(0)]`
    pub(crate) fn pieces(&self, text: &Text) -> TokenStream {
        let ms = &self.ms;
        let name = self.name();
        let pieces = text.pieces.iter().map(|piece| match piece {
            TextPiece::Text(text) => quote!(#ms::Piece::Text(#text)),
            TextPiece::Arg(index) => {
                let index =
                    proc_macro2::Literal::u8_unsuffixed(u8::try_from(*index).unwrap_or(u8::MAX));
                quote!(#ms::Piece::Arg(#index))
            }
            TextPiece::FunctionName => {
                quote!(#ms::Piece::TypeName(::core::any::type_name::<#name>))
            }
        });
        quote!(&[#(#pieces),*])
    }

    /// Binds by reference what patterns name, and converts what only its type can: what `args`
    /// relies on, for the parameters that `wanted` picks and the names in `used`.
    pub(crate) fn prelude(
        &self,
        by: By,
        wanted: impl Fn(&Parameter) -> bool,
        used: &[&Ident],
    ) -> TokenStream {
        let mut tokens = TokenStream::new();
        for parameter in self.cached.parameters.iter().filter(|each| each.in_put && wanted(each)) {
            let ident = &parameter.ident;
            if let (Adapt::Into(ty), By::Value) = (&parameter.adapt, by) {
                tokens.extend(quote_spanned!(ident.span()=> let #ident: #ty = ::core::convert::Into::into(#ident);));
            }
            if let Some(pattern) = &parameter.pattern
                && parameter.bindings.iter().any(|name| used.contains(&name))
            {
                let pattern = only(pattern, used);
                let borrowed = if by == By::Value { quote!(&#ident) } else { quote!(#ident) };
                tokens.extend(quote_spanned!(Span::mixed_site()=> let #pattern = #borrowed;));
            }
        }
        tokens
    }

    /// The parameters' names that the key reads.
    pub(crate) fn names_in_key(&self) -> Vec<&'a Ident> {
        match &self.cached.key {
            Key::Template(text) | Key::Whole(text) => names_in(text).collect(),
            Key::Expression(expression) => names_read(expression, self.cached),
        }
    }

    /// Those that tag templates read.
    pub(crate) fn names_in_tags(&self) -> Vec<&'a Ident> {
        let tags = &self.cached.tags;
        let texts = tags.from_arguments.iter().chain(tags.from_result.iter().map(|tag| &tag.text));
        texts.flat_map(names_in).collect()
    }

    /// Those that the plan reads where the parameters are there by value: what `__make` cannot.
    pub(crate) fn names_in_plan(&self) -> Vec<&'a Ident> {
        let cached = self.cached;
        let expressions = cached.tags.expressions.iter().chain(cached.policy.expressions());
        let mut names: Vec<&Ident> =
            expressions.flat_map(|each| names_read(each, cached)).collect();
        if let Key::Expression(_) = &cached.key {
            names.extend(self.names_in_key());
            names.extend(self.names_in_tags());
        }
        names
    }
}

fn names_in(text: &Text) -> impl Iterator<Item = &Ident> {
    text.args.iter().filter_map(|access| match &access.root {
        AccessRoot::Parameter(_, ident) => Some(ident),
        _ => None,
    })
}

/// The name of the returned value in the closure that reads its tags.
pub(crate) fn result_ident() -> Ident {
    Ident::new("value", Span::mixed_site())
}

/// `::cache_runtime::macro_support`, or what `crate = path` says.
pub(crate) fn support_path(root: Option<&Path>) -> TokenStream {
    support_path_at(root, Span::mixed_site())
}

/// The same, located where errors about what follows belong.
pub(crate) fn support_path_at(root: Option<&Path>, span: Span) -> TokenStream {
    match root {
        Some(path) => {
            let mut tokens = TokenStream::new();
            for token in quote_spanned!(span=> #path::macro_support) {
                tokens.extend(respanned(token, span));
            }
            tokens
        }
        None => quote_spanned!(span=> ::cache_runtime::macro_support),
    }
}

/// The token at another place, resolved as before.
fn respanned(mut token: TokenTree, place: Span) -> Option<TokenTree> {
    token.set_span(token.span().located_at(place));
    Some(token)
}

/// The type that a helper sees for a parameter.
pub(crate) fn seen_type(parameter: &Parameter) -> &Type {
    match &parameter.adapt {
        Adapt::Into(ty) if parameter.in_put => ty,
        _ => &parameter.ty,
    }
}

fn type_tokens(ty: &ValueType, ms: &TokenStream) -> TokenStream {
    match ty {
        ValueType::Written(ty) => ty.to_token_stream(),
        ValueType::Ok(whole) => quote!(<#whole as #ms::ResultLike>::Ok),
        ValueType::Err(whole) => quote!(<#whole as #ms::ResultLike>::Err),
        ValueType::Some(inner) => {
            let inner = type_tokens(inner, ms);
            quote!(<#inner as #ms::OptionLike>::Some)
        }
    }
}

/// A field's name, raw where it is a keyword, or a tuple index.
fn field_tokens(name: &str, span: Span) -> TokenStream {
    if let Ok(index) = name.parse::<u32>() {
        return Index { index, span }.to_token_stream();
    }
    let mut ident = syn::parse_str::<Ident>(name).unwrap_or_else(|_| Ident::new_raw(name, span));
    ident.set_span(span);
    ident.to_token_stream()
}
