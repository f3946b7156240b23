//! Parts back to text.

use std::fmt;

use super::{Part, Template};

/// The canonical form: `<x>` for every placeholder, doubled brackets in text. Parsing it again
/// gives the same parts.
impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| part.fmt(out))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        match self {
            Part::Text { text, .. } => text.chars().try_for_each(|each| {
                if matches!(each, '<' | '>' | '{' | '}') {
                    out.write_char(each)?;
                }
                out.write_char(each)
            }),
            Part::Placeholder { path, .. } => {
                out.write_char('<')?;
                for (position, segment) in path.iter().enumerate() {
                    if position > 0 {
                        out.write_char('.')?;
                    }
                    out.write_str(&segment.name)?;
                }
                out.write_char('>')
            }
        }
    }
}
