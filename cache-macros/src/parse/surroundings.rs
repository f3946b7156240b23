//! Where a function stands: free, in an inherent impl, or in a trait or its impl.
//!
//! An attribute on a method sees the method alone. A receiver or `Self` gives it away; an associated
//! function without either is told from a free one by reading the source up to the attribute, and
//! so is an impl of a trait. Where the source cannot be read, nothing is known and rustc decides.

/// What encloses a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surroundings {
    Unknown,
    /// A module or a block.
    Free,
    Impl,
    TraitImpl,
    Trait,
}

/// What encloses the attribute that is being expanded.
pub(crate) fn surroundings_of_caller() -> Surroundings {
    let span = proc_macro::Span::call_site();
    // What stands at the margin is in nothing, and most functions do.
    if span.column() == 1 && span.line() > 0 {
        return Surroundings::Free;
    }
    span.local_file()
        .and_then(|path| std::fs::read_to_string(path).ok())
        .map_or(Surroundings::Unknown, |source| {
            surroundings_at(&source, span.line(), span.column())
        })
}

/// What encloses the place at `line` and `column`, both counted from 1 as rustc does.
pub(crate) fn surroundings_at(source: &str, line: usize, column: usize) -> Surroundings {
    let Some(offset) = offset_of(source, line, column) else {
        return Surroundings::Unknown;
    };
    let code = blank_text(&source[..offset]);
    // Every bracket that is open: what it is, where the item around it begins, where it stands.
    let mut open: Vec<(u8, usize, usize)> = Vec::new();
    let mut start = 0;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => {
                open.push((byte, start, at));
                if byte == b'{' {
                    start = at + 1;
                }
            }
            b')' | b']' | b'}' => {
                start = open.pop().map_or(start, |(_, begin, _)| begin);
                if byte == b'}' {
                    start = at + 1;
                }
            }
            b';' => start = at + 1,
            _ => {}
        }
    }
    match open.iter().rfind(|(byte, ..)| *byte == b'{') {
        Some((_, begin, end)) => classify(&code[*begin..*end]),
        None => Surroundings::Free,
    }
}

/// What kind of item a header such as `pub unsafe impl<T> Trait for Type<T> where ..` begins.
fn classify(header: &str) -> Surroundings {
    let words = words(header);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match *word {
            "pub" | "unsafe" | "default" | "const" | "auto" | "#" | "!" => at += 1,
            "(" | "[" => at += group_len(&words[at..]),
            "impl" => return classify_impl(&words[at + 1..]),
            "trait" => return Surroundings::Trait,
            _ => return Surroundings::Free,
        }
    }
    Surroundings::Free
}

/// An impl of a trait has a `for` that does not bind lifetimes.
fn classify_impl(words: &[&str]) -> Surroundings {
    let of_trait = words.iter().enumerate().any(|(index, word)| {
        *word == "for" && words.get(index + 1).is_some_and(|next| *next != "<")
    });
    if of_trait { Surroundings::TraitImpl } else { Surroundings::Impl }
}

/// The number of words from a bracket to the one that closes it.
fn group_len(words: &[&str]) -> usize {
    let mut depth = 0_usize;
    for (index, word) in words.iter().enumerate() {
        match *word {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    words.len()
}

/// Identifiers, and every other character but blanks as a word of its own.
fn words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let mut end = start + first.len_utf8();
        if is_word(first) {
            while let Some((at, _)) = chars.next_if(|(_, each)| is_word(*each)) {
                end = at + text[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
        if !first.is_whitespace() {
            words.push(&text[start..end]);
        }
    }
    words
}

fn is_word(each: char) -> bool {
    each.is_alphanumeric() || each == '_' || each == '\''
}

fn offset_of(source: &str, line: usize, column: usize) -> Option<usize> {
    let before: usize = source.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let text = source.get(before..)?;
    let inside = text.char_indices().nth(column.checked_sub(1)?).map(|(at, _)| at);
    Some(before + inside.unwrap_or(text.len()))
}

/// The source with comments, strings and characters replaced by blanks of the same length.
fn blank_text(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = text_end(bytes, at);
        if end > at {
            for byte in &mut code[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else {
            at += 1;
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// Where the comment or the literal that begins at `at` ends; `at` where none begins.
fn text_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest, b'"'),
        [b'\'', ..] => at + character(rest),
        [b'r' | b'b' | b'c', ..] if !in_word => at + raw_string(rest),
        _ => at,
    }
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// A character literal; a lifetime is none.
fn character(rest: &[u8]) -> usize {
    match rest {
        [_, b'\\', ..] => quoted(rest, b'\''),
        [_, first, ..] => {
            let width = match first {
                0..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
        }
        _ => 0,
    }
}

/// `r"..", r#".."#`, `br"..", cr"..", b"..", b'.'`; nothing else.
fn raw_string(rest: &[u8]) -> usize {
    let letters = rest.iter().take_while(|byte| matches!(byte, b'r' | b'b' | b'c')).count();
    let raw = rest[..letters].ends_with(b"r");
    let hashes = rest[letters..].iter().take_while(|byte| **byte == b'#').count();
    let body = &rest[letters + hashes..];
    match body.first() {
        Some(b'"') if raw => {
            let mut close = vec![b'"'];
            close.resize(1 + hashes, b'#');
            let found =
                body[1..].windows(close.len()).position(|window| window == close.as_slice());
            found.map_or(rest.len(), |found| letters + hashes + 1 + found + close.len())
        }
        Some(b'"') if hashes == 0 => letters + quoted(body, b'"'),
        _ => 0,
    }
}

#[cfg(test)]
#[path = "surroundings_tests.rs"]
mod tests;
