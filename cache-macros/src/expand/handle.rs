//! The helpers: on an enum of the function's name, or beside a method.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Generics};

use super::context::{By, Context, support_path_at};
use super::function::{allowance, boxed_function, outer_function, plain_call, uncached_function};
use super::generics::turbofish;
use super::plan::{dynamic_settings, generics_for, make_function, plan_by_value};
use super::site::site_function;
use crate::model::{Key, Parameter};

/// Everything that the attribute makes of a function.
pub(crate) fn items(context: &Context<'_>) -> TokenStream {
    let outer = outer_function(context);
    let uncached = uncached_function(context);
    let helpers = helpers(context);
    let conditions: Vec<&Attribute> =
        context.cached.function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
    let allowed: Vec<TokenStream> =
        context.cached.function.attrs.iter().filter_map(allowance).collect();
    if context.cached.associated {
        let mut tokens = outer;
        tokens.extend(quote!(#(#conditions)* #uncached));
        for helper in &helpers {
            tokens.extend(quote!(#(#conditions)* #(#allowed)* #helper));
        }
        return tokens;
    }
    let (vis, name) = (&context.cached.function.vis, context.name());
    // The body stands in an impl of its own, where the user's lint levels hold.
    quote_spanned!(Span::mixed_site()=>
        #outer
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #vis enum #name {}
        #(#conditions)*
        #[allow(dead_code, trivial_bounds, clippy::all, clippy::pedantic, clippy::nursery)]
        #(#allowed)*
        impl #name {
            #(#helpers)*
        }
        #(#conditions)*
        impl #name {
            #uncached
        }
    )
}

fn helpers(context: &Context<'_>) -> Vec<TokenStream> {
    let mut helpers = vec![site_function(context)];
    helpers.extend(make_function(context));
    helpers.extend(boxed_function(context));
    helpers.extend([
        key(context),
        plan(context),
        invalidate(context),
        invalidate_all(context),
        refresh(context),
        peek(context),
        put(context),
    ]);
    helpers
}

/// A helper's signature and what stands before it.
struct Head<'a> {
    name: &'a str,
    doc: String,
    asynchronous: bool,
    wanted: fn(&Parameter) -> bool,
    generics: Generics,
    also: TokenStream,
    output: TokenStream,
    /// Whether it stores, so that the value must be fit for it.
    stores: bool,
}

impl Head<'_> {
    fn tokens(&self, context: &Context<'_>, body: &TokenStream) -> TokenStream {
        let attributes = if self.name.starts_with("__") {
            quote!(#[doc(hidden)])
        } else {
            let doc = &self.doc;
            quote!(#[doc = #doc])
        };
        // Siblings stand among the user's own methods, so each says it for itself.
        let quiet = context.cached.associated.then(|| {
            quote!(#[allow(dead_code, trivial_bounds, clippy::all, clippy::pedantic, clippy::nursery)])
        });
        let ident = context.helper(self.name);
        let vis = &context.cached.function.vis;
        let asynchronous = self.asynchronous.then(|| quote!(async));
        let generics = &self.generics;
        let clause = match &self.generics.where_clause {
            clause if self.stores => context.storable(clause.as_ref()),
            clause => quote!(#clause),
        };
        let receiver =
            context.self_token().map(|this| quote_spanned!(Span::mixed_site()=> &#this,));
        let params =
            context.cached.parameters.iter().filter(|each| (self.wanted)(each)).map(|each| {
                let (name, ty) = (&each.ident, &each.ty);
                quote_spanned!(Span::mixed_site()=> #name: #ty,)
            });
        let (also, output) = (&self.also, &self.output);
        quote_spanned!(Span::mixed_site()=>
            #attributes
            #quiet
            #vis #asynchronous fn #ident #generics (#receiver #(#params)* #also) -> #output #clause { #body }
        )
    }
}

fn in_key(parameter: &Parameter) -> bool {
    parameter.in_key
}

fn in_put(parameter: &Parameter) -> bool {
    parameter.in_put
}

fn key(context: &Context<'_>) -> TokenStream {
    let (ms, value, site) = (&context.ms, &context.value, context.site());
    let prelude = context.prelude(By::Value, in_key, &context.names_in_key());
    let body = match &context.cached.key {
        Key::Expression(expression) => quote_spanned!(Span::mixed_site()=> #prelude #expression),
        Key::Template(text) | Key::Whole(text) => {
            let args = context.args(text, By::Value);
            {
                let at = context.at_key();
                let ms = support_path_at(context.cached.root.as_ref(), at);
                let key = quote_spanned!(at=> #ms::key::<#value, _>(#site, #args));
                quote_spanned!(Span::mixed_site()=> #prelude #key)
            }
        }
    };
    let head = Head {
        name: "key",
        doc: format!(
            "The key under which `{}` keeps what it returns for these arguments.",
            context.name()
        ),
        asynchronous: false,
        wanted: in_key,
        generics: generics_for(context, in_key, value),
        also: TokenStream::new(),
        output: quote!(#ms::Key<#value>),
        stores: false,
    };
    head.tokens(context, &body)
}

/// `__plan`: what `put`, `peek` and `#[write_through]` store by.
fn plan(context: &Context<'_>) -> TokenStream {
    let (ms, value) = (&context.ms, &context.value);
    let prelude = context.prelude(By::Value, in_put, &context.names_in_plan());
    let (plan, settings) = (plan_by_value(context, None), dynamic_settings(context));
    let head = Head {
        name: "__plan",
        doc: String::new(),
        asynchronous: false,
        wanted: in_put,
        generics: generics_for(context, in_put, value),
        also: TokenStream::new(),
        output: quote!(#ms::Plan<#value>),
        stores: true,
    };
    head.tokens(context, &quote_spanned!(Span::mixed_site()=> #prelude #plan #settings))
}

fn plan_call(context: &Context<'_>) -> TokenStream {
    let target = context.call("__plan", context.self_token());
    let turbofish = turbofish(&generics_for(context, in_put, &context.value));
    let names = context.cached.parameters.iter().filter(|each| each.in_put).map(|each| &each.ident);
    quote_spanned!(Span::mixed_site()=> #target #turbofish (#(#names),*))
}

fn invalidate(context: &Context<'_>) -> TokenStream {
    let (ms, value, site) = (&context.ms, &context.value, context.site());
    let prelude = context.prelude(By::Value, in_key, &context.names_in_key());
    let (body, generics) = match &context.cached.key {
        Key::Expression(expression) => (
            quote_spanned!(Span::mixed_site()=>
                let key: #ms::Key<#value> = #expression;
                #ms::invalidate_key(#site, key).await
            ),
            generics_for(context, in_key, value),
        ),
        Key::Template(text) | Key::Whole(text) => {
            let args = context.args(text, By::Value);
            (
                {
                    let at = context.at_key();
                    let ms = support_path_at(context.cached.root.as_ref(), at);
                    quote_spanned!(at=> #ms::invalidate(#site, #args).await)
                },
                generics_for(context, in_key, &TokenStream::new()),
            )
        }
    };
    let head = Head {
        name: "invalidate",
        doc: format!(
            "Removes what `{}` returned for these arguments from the cache.",
            context.name()
        ),
        asynchronous: true,
        wanted: in_key,
        generics,
        also: TokenStream::new(),
        output: quote!(#ms::Result<()>),
        stores: false,
    };
    head.tokens(context, &quote_spanned!(Span::mixed_site()=> #prelude #body))
}

fn invalidate_all(context: &Context<'_>) -> TokenStream {
    let (ms, site, vis) = (&context.ms, context.site(), &context.cached.function.vis);
    let ident = context.helper("invalidate_all");
    let doc = format!("Removes everything that `{}` ever returned from the cache.", context.name());
    let quiet = context.cached.associated.then(|| {
        quote!(#[allow(dead_code, trivial_bounds, clippy::all, clippy::pedantic, clippy::nursery)])
    });
    quote_spanned!(Span::mixed_site()=>
        #[doc = #doc]
        #quiet
        #vis async fn #ident() -> #ms::Result<()> { #ms::invalidate_site(#site).await }
    )
}

fn refresh(context: &Context<'_>) -> TokenStream {
    let (ms, shape) = (&context.ms, &context.shape);
    let function = &context.cached.function;
    let mut sig = super::function::outer_signature(context);
    sig.ident = context.helper("refresh");
    let prelude = context.prelude(By::Value, |_| true, &context.names_in_plan());
    let (plan, settings, body) =
        (plan_by_value(context, None), dynamic_settings(context), plain_call(context));
    let doc = format!("Runs the body of `{}` now and stores what it returns.", context.name());
    let quiet = context.cached.associated.then(|| {
        quote!(#[allow(dead_code, trivial_bounds, clippy::all, clippy::pedantic, clippy::nursery)])
    });
    let vis = &function.vis;
    let clause = context.storable(sig.generics.where_clause.take().as_ref());
    quote_spanned!(Span::mixed_site()=>
        #[doc = #doc]
        #quiet
        #vis #sig #clause {
            #prelude
            let plan = #plan #settings;
            #ms::refresh::<#shape, _>(plan, #body).await
        }
    )
}

fn peek(context: &Context<'_>) -> TokenStream {
    let (ms, value) = (&context.ms, &context.value);
    let plan = plan_call(context);
    let head = Head {
        name: "peek",
        doc: format!(
            "What the cache holds of `{}` for these arguments; never runs its body.",
            context.name()
        ),
        asynchronous: true,
        wanted: in_put,
        generics: generics_for(context, in_put, value),
        also: TokenStream::new(),
        output: quote!(::core::option::Option<#value>),
        stores: true,
    };
    head.tokens(context, &quote_spanned!(Span::mixed_site()=> #ms::peek::<#value>(#plan).await))
}

fn put(context: &Context<'_>) -> TokenStream {
    let (ms, value) = (&context.ms, &context.value);
    let plan = plan_call(context);
    let head = Head {
        name: "put",
        doc: format!("Stores a value in the cache as if `{}` had returned it.", context.name()),
        asynchronous: true,
        wanted: in_put,
        generics: generics_for(context, in_put, value),
        also: quote_spanned!(Span::mixed_site()=> value: &#value),
        output: quote!(#ms::Result<()>),
        stores: true,
    };
    head.tokens(
        context,
        &quote_spanned!(Span::mixed_site()=> #ms::put::<#value>(#plan, value).await),
    )
}
