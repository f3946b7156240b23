//! Text to parts. Goes on after a mistake, so that one run tells all of them.

use std::ops::Range;

use super::{Part, Segment, TemplateError};

/// Reads the whole text.
pub(super) fn parse(text: &str) -> Result<Vec<Part>, Vec<TemplateError>> {
    let mut parser = Parser { source: text, at: 0, parts: Vec::new(), errors: Vec::new() };
    if text.is_empty() {
        parser.error(
            0..0,
            "the template is empty",
            "write text that tells entries apart, such as `user:<id>`",
        );
    }
    while let Some(next) = parser.peek() {
        parser.step(next);
    }
    parser.refuse_neighbours();
    if parser.errors.is_empty() { Ok(parser.parts) } else { Err(parser.errors) }
}

struct Parser<'a> {
    source: &'a str,
    at: usize,
    parts: Vec<Part>,
    errors: Vec<TemplateError>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.source[self.at..].chars().next()
    }

    fn error(&mut self, range: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.errors.push(TemplateError { message: message.into(), range, help: Some(help.into()) });
    }

    fn step(&mut self, next: char) {
        let doubled = self.source[self.at + next.len_utf8()..].starts_with(next);
        match next {
            '<' | '{' | '>' | '}' if doubled => self.literal(next, 2),
            '<' | '{' => self.placeholder(next),
            '>' | '}' => {
                let open = partner(next);
                self.error(
                    self.at..self.at + 1,
                    format!("`{next}` closes nothing"),
                    format!("open the placeholder with `{open}`, or write `{next}{next}` for a literal `{next}`"),
                );
                self.literal(next, 1);
            }
            _ => self.literal(next, next.len_utf8()),
        }
    }

    fn literal(&mut self, shown: char, written: usize) {
        let end = self.at + written;
        if let Some(Part::Text { text, range }) = self.parts.last_mut() {
            text.push(shown);
            range.end = end;
        } else {
            self.parts.push(Part::Text { text: shown.to_string(), range: self.at..end });
        }
        self.at = end;
    }

    /// Reads from an opening bracket to the first bracket of any kind, or to the end.
    fn placeholder(&mut self, open: char) {
        let start = self.at;
        let inside = start + 1;
        let length = self.source[inside..].find(['<', '>', '{', '}']);
        let end = length.map_or(self.source.len(), |length| inside + length);
        let close = self.source[end..].chars().next();
        let written = &self.source[start..end];
        match close {
            Some(close @ ('>' | '}')) => {
                self.at = end + 1;
                if close != partner(open) {
                    let wanted = partner(open);
                    self.error(
                        start..self.at,
                        format!("`{written}` is opened with `{open}` and closed with `{close}`"),
                        format!("close it with `{wanted}`"),
                    );
                }
                let path = self.path(inside, end, start..self.at);
                self.parts.push(Part::Placeholder { path, range: start..self.at });
            }
            // What it holds is anybody's guess.
            _ => {
                self.at = end;
                let wanted = partner(open);
                self.error(
                    start..end,
                    format!("`{written}` is never closed"),
                    format!(
                        "close it with `{wanted}`, or write `{open}{open}` for a literal `{open}`"
                    ),
                );
            }
        }
    }

    fn path(&mut self, start: usize, end: usize, whole: Range<usize>) -> Vec<Segment> {
        let content = &self.source[start..end];
        if content.trim().is_empty() {
            self.error(
                whole,
                "this placeholder is empty",
                "name a parameter in it, such as `<id>`",
            );
            return Vec::new();
        }
        let mut path = Vec::new();
        let mut at = start;
        for name in content.split('.') {
            let range = at..at + name.len();
            at = range.end + 1;
            if let Err((message, help)) = check_segment(name, path.is_empty(), content) {
                self.error(
                    if name.is_empty() { whole.clone() } else { range.clone() },
                    message,
                    help,
                );
            }
            path.push(Segment { name: name.to_owned(), range });
        }
        path
    }

    /// Without something between them `1`, `23` and `12`, `3` would give one key.
    fn refuse_neighbours(&mut self) {
        let mut found = Vec::new();
        for pair in self.parts.windows(2) {
            if let [Part::Placeholder { range: left, .. }, Part::Placeholder { range: right, .. }] =
                pair
            {
                let (first, second) = (&self.source[left.clone()], &self.source[right.clone()]);
                found.push(TemplateError {
                    message: format!(
                        "nothing stands between `{first}` and `{second}`, so that different arguments would give one key"
                    ),
                    range: left.start..right.end,
                    help: Some(format!("put a separator between them: `{first}:{second}`")),
                });
            }
        }
        // After a mistake in a bracket the neighbours are mostly its echo.
        if self.errors.is_empty() {
            self.errors = found;
        }
    }
}

fn partner(bracket: char) -> char {
    match bracket {
        '<' => '>',
        '>' => '<',
        '{' => '}',
        _ => '{',
    }
}

fn check_segment(name: &str, first: bool, content: &str) -> Result<(), (String, String)> {
    if is_identifier(name) || (!first && is_index(name)) {
        return Ok(());
    }
    let trimmed: String = content.split('.').map(str::trim).collect::<Vec<_>>().join(".");
    if trimmed != content && trimmed.split('.').all(|name| is_identifier(name) || is_index(name)) {
        return Err((
            format!("spaces stand inside the placeholder `{content}`"),
            format!("write `<{trimmed}>`"),
        ));
    }
    if let Some((path, spec)) = content.split_once(':') {
        return Err((
            format!("a placeholder takes no format: `:{spec}`"),
            format!("write `<{path}>`: a value has one text in keys, which `KeyPart` gives"),
        ));
    }
    let help = "a placeholder is a parameter or a path into one, such as `<id>`, `<user.id>` or `<pair.0>`";
    if name.is_empty() {
        return Err((format!("a name is missing in the placeholder `{content}`"), help.to_owned()));
    }
    if first && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((
            format!("`{name}` is a position, and parameters go by name"),
            help.to_owned(),
        ));
    }
    Err((format!("`{name}` is not a name"), help.to_owned()))
}

fn is_identifier(name: &str) -> bool {
    let (raw, plain) = match name.strip_prefix("r#") {
        Some(plain) => (true, plain),
        None => (false, name),
    };
    if plain == "_" || (raw && matches!(plain, "self" | "Self" | "super" | "crate")) {
        return false;
    }
    let mut chars = plain.chars();
    chars.next().is_some_and(|first| first == '_' || unicode_ident::is_xid_start(first))
        && chars.all(unicode_ident::is_xid_continue)
}

fn is_index(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
        && (name == "0" || !name.starts_with('0'))
        && name.parse::<u32>().is_ok()
}
