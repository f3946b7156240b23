//! The `# Cache` section of a function's documentation.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote;

use super::context::Context;
use crate::model::{Key, Parameter, Time};
use crate::text::compact;
use crate::validate::plain;

/// One `doc` attribute that names key, time and helpers.
pub(crate) fn cache_section(context: &Context<'_>) -> TokenStream {
    let cached = context.cached;
    let name = plain(context.name());
    let key = match &cached.key {
        Key::Template(text) => format!("under `{}`", text.source),
        Key::Whole(_) => "under its path and arguments".to_owned(),
        Key::Expression(expression) => format!("under `{}`", compact(expression)),
    };
    let time = match &cached.policy.ttl {
        Some(Time::Literal(duration)) => format!(" for {}", spoken(*duration)),
        _ => String::new(),
    };
    let call = |helper: &str, wanted: fn(&Parameter) -> bool, more: &str| {
        let mut names: Vec<String> = cached
            .parameters
            .iter()
            .filter(|each| wanted(each))
            .map(|each| plain(&each.ident))
            .collect();
        if !more.is_empty() {
            names.push(more.to_owned());
        }
        let path = match (cached.associated, context.has_receiver()) {
            (false, _) => format!("{name}::{helper}"),
            (true, true) => format!("self.{name}_{helper}"),
            (true, false) => format!("Self::{name}_{helper}"),
        };
        format!("`{path}({})`", names.join(", "))
    };
    let all = if cached.associated {
        format!("`Self::{name}_invalidate_all()`")
    } else {
        format!("`{name}::invalidate_all()`")
    };
    let text = format!(
        "\n\n# Cache\n\nThe returned value is cached {key}{time}.\n\n- {} removes it, {all} everything that this \
         function cached\n- {} runs the body now and stores the value, {} runs it without the cache\n- {} is what is \
         cached, {} stores a value, {} is the key",
        call("invalidate", |each| each.in_key, ""),
        call("refresh", |_| true, ""),
        call("uncached", |_| true, ""),
        call("peek", |each| each.in_put, ""),
        call("put", |each| each.in_put, "&value"),
        call("key", |each| each.in_key, ""),
    );
    quote!(#[doc = #text])
}

/// `30 minutes`
fn spoken(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, name) in
        [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second")]
    {
        if millis >= unit && millis.is_multiple_of(unit) {
            let count = millis / unit;
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    format!("{millis} ms")
}
