//! The error sink: every mistake of one expansion is told in one run.

use std::fmt::Display;
use std::ops::Range;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::LitStr;

use crate::template::{TemplateError, suggest};

/// Collects errors until the expansion ends.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// An error underlining all of `place`.
    pub(crate) fn at(&mut self, place: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn at_span(&mut self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// An error about `range` of the literal's value.
    pub(crate) fn in_literal(
        &mut self,
        literal: &LitStr,
        range: Range<usize>,
        message: &str,
        help: Option<&str>,
    ) {
        self.push(literal_error(literal, range, message, help));
    }

    /// All that is wrong with the template in `literal`.
    pub(crate) fn in_template(&mut self, literal: &LitStr, errors: Vec<TemplateError>) {
        for error in errors {
            self.in_literal(literal, error.range, &error.message, error.help.as_deref());
        }
    }

    /// The value, or its error kept.
    pub(crate) fn keep<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// One `compile_error!` for each.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// `` : did you mean `id` ``, or nothing where no candidate is near.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> String {
    suggest(name, candidates).map_or_else(String::new, |near| format!(": did you mean `{near}`"))
}

/// Stable rustc cannot underline a part of a literal, so the message draws the caret line.
fn literal_error(
    literal: &LitStr,
    range: Range<usize>,
    message: &str,
    help: Option<&str>,
) -> syn::Error {
    let text = literal.value();
    let mut message = message.to_owned();
    let one_line = !text.is_empty() && !text.contains(|each: char| each.is_control());
    if let (true, Some(before), Some(marked)) =
        (one_line, text.get(..range.start), text.get(range.clone()))
    {
        let (indent, width) = (before.chars().count(), marked.chars().count().max(1));
        message.push_str(&format!("\n  {text}\n  {:indent$}{:^<width$}", "", ""));
    }
    if let Some(help) = help {
        message.push_str(&format!("\nhelp: {help}"));
    }
    syn::Error::new(literal_part(literal, range), message)
}

/// The place inside the literal where the compiler can tell it, else the literal.
fn literal_part(literal: &LitStr, range: Range<usize>) -> Span {
    let token = literal.token();
    let written = token.to_string();
    // Only where the value is written as it is: no escapes, and one quote on each side.
    if written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        == Some(literal.value().as_str())
    {
        return token.subspan(range.start + 1..range.end + 1).unwrap_or_else(|| literal.span());
    }
    literal.span()
}
