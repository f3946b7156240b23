//! The key grammar: text to parts with byte ranges. Knows neither `syn` nor tokens.
//!
//! A template is literal text and placeholders. `<x>` and `{x}` mean the same, a placeholder is a
//! path of names and tuple indices (`<user.id>`, `<pair.0>`), and a doubled bracket (`<<`, `>>`,
//! `{{`, `}}`) is a literal one.

mod collide;
mod parse;
mod print;
mod suggest;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(crate) use collide::{ValueText, may_collide};
pub(crate) use suggest::suggest;

/// A parsed key or tag template.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// Literal text and placeholders in order; two texts never touch, nor do two placeholders.
    pub(crate) parts: Vec<Part>,
    text: String,
}

/// One stretch of a template. Ranges are bytes in the text that was parsed.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// Literal text, with doubled brackets already single.
    Text {
        /// What the key holds.
        text: String,
        /// Where it was written.
        range: Range<usize>,
    },
    /// `<path>` or `{path}`.
    Placeholder {
        /// At least one segment.
        path: Vec<Segment>,
        /// Where it was written, brackets included.
        range: Range<usize>,
    },
}

/// One name (or tuple index, never first) of a placeholder's path.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// As written, with `r#` where the user wrote it.
    pub(crate) name: String,
    /// Where it was written.
    pub(crate) range: Range<usize>,
}

/// What is wrong with a template, where, and the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemplateError {
    /// Lower case, without the fix.
    pub(crate) message: String,
    /// Bytes in the text that was parsed.
    pub(crate) range: Range<usize>,
    /// How to mend it.
    pub(crate) help: Option<String>,
}

impl Template {
    /// Reads `text`; on failure tells every mistake in it, in order.
    pub(crate) fn parse(text: &str) -> Result<Template, Vec<TemplateError>> {
        parse::parse(text).map(|parts| Template { parts, text: text.to_owned() })
    }

    /// The template as the user wrote it; `Display` prints the canonical form with `<x>`.
    pub(crate) fn source(&self) -> &str {
        &self.text
    }

    /// Path and range of every placeholder, in order.
    pub(crate) fn placeholders(&self) -> impl Iterator<Item = (&[Segment], &Range<usize>)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder { path, range } => Some((path.as_slice(), range)),
            Part::Text { .. } => None,
        })
    }

    /// The text before the first `:`, where no argument can change it.
    pub(crate) fn family(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Text { text, .. }] => Some(text.split(':').next().unwrap_or(text)),
            [Part::Text { text, .. }, ..] => text.split_once(':').map(|(family, _)| family),
            _ => None,
        }
    }
}

impl Segment {
    /// The name without `r#`, as parameters and fields are compared.
    pub(crate) fn plain(&self) -> &str {
        self.name.strip_prefix("r#").unwrap_or(&self.name)
    }
}
