//! Glob patterns: against a matcher that is right by inspection, and with their steps counted.

use cache_runtime::Pattern;
use cache_runtime::fuzzing::matches_counted;

use crate::Target;
use crate::source::beginning;

/// A pattern and a text, with a line break between.
pub const TARGET: Target = Target {
    name: "patterns",
    body,
    seeds,
    words: &[
        b"*",
        b"?",
        b"[",
        b"]",
        b"[^",
        b"[a-c]",
        b"\\",
        b"-",
        b"^",
        b"a",
        b"b",
        b"a*",
        b"*a*b",
        b"\n",
        "é".as_bytes(),
        "日".as_bytes(),
        b"**",
    ],
    runs: 25_000,
    long_runs: 1_500_000,
};

/// The longest pattern and text: the matcher to compare with looks at each pair of places.
const LONGEST: usize = 256;

fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "user:*\nuser:42:profile",
        "user:[0-9]*:profile\nuser:42:profile",
        "h[^e]l?o\nhallo",
        "\\*\\[a\\]\n*[a]",
        "[a-]x\n_",
        "[\\]-z]*\n]a",
        "a*a*a*a*a*a*b\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "*a*a*a*b\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
        "?*?*?é*\nabcé日",
        "[\nx",
        "\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

/// A pattern never panics, agrees with the reference, and takes no more steps than it says.
pub fn body(data: &[u8]) {
    let data = String::from_utf8_lossy(data);
    let (pattern, text) = data.split_once('\n').unwrap_or((&data, ""));
    let (pattern, text) = (beginning(pattern, LONGEST), beginning(text, LONGEST));
    let compiled = Pattern::from(pattern);
    let (matches, steps) = matches_counted(&compiled, text);
    assert_eq!(matches, compiled.matches(text));
    let expected = reference(pattern.as_bytes(), text.as_bytes());
    assert_eq!(matches, expected, "`{pattern}` on `{text}`");
    // The promise, where an empty pattern or text counts as one byte.
    let most = (pattern.len() + 1) * (text.len() + 1);
    assert!(steps <= most, "`{pattern}` on `{text}`: {steps} steps, {most} are allowed");
    assert_eq!(compiled.as_str(), pattern);
    assert_eq!(Pattern::from(compiled.to_string()), compiled);
    if let Some(literal) = compiled.as_literal() {
        assert!(compiled.matches(&literal), "`{pattern}` is `{literal}`");
        assert_eq!(compiled.matches(text), literal == text, "`{pattern}` is `{literal}`");
    }
    let escaped = Pattern::from(Pattern::escape(text));
    assert!(escaped.matches(text) && escaped.as_literal().as_deref() == Some(text));
    assert!(!escaped.matches(&format!("{text}x")));
    assert!(Pattern::starting_with(text).matches(&format!("{text}{pattern}")));
}

/// Which beginnings of the pattern fit which beginnings of the text: a table of all pairs, row by
/// row.
fn reference(pattern: &[u8], text: &[u8]) -> bool {
    let mut fits = vec![false; text.len() + 1];
    fits[0] = true;
    let mut rest = pattern;
    while let Some((&first, behind)) = rest.split_first() {
        let mut next = vec![false; text.len() + 1];
        if first == b'*' {
            let mut any = false;
            for (place, fits) in fits.iter().enumerate() {
                any |= fits;
                next[place] = any;
            }
            rest = behind;
        } else {
            let (accepted, behind) = one_byte(rest);
            for (place, byte) in text.iter().enumerate() {
                next[place + 1] = fits[place] && accepted.contains(byte);
            }
            rest = behind;
        }
        fits = next;
    }
    fits[text.len()]
}

/// The bytes that the first element of a pattern fits, and what follows it.
fn one_byte(pattern: &[u8]) -> (Vec<u8>, &[u8]) {
    match pattern {
        [b'?', rest @ ..] => ((0..=u8::MAX).collect(), rest),
        [b'[', b'^', rest @ ..] => {
            let (class, rest) = class(rest);
            ((0..=u8::MAX).filter(|byte| !class.contains(byte)).collect(), rest)
        }
        [b'[', rest @ ..] => class(rest),
        [b'\\', one, rest @ ..] | [one, rest @ ..] => (vec![*one], rest),
        [] => (Vec::new(), pattern),
    }
}

fn class(pattern: &[u8]) -> (Vec<u8>, &[u8]) {
    let (mut bytes, mut rest) = (Vec::new(), pattern);
    loop {
        rest = match rest {
            [] => return (bytes, rest),
            [b']', rest @ ..] => return (bytes, rest),
            [b'\\', one, rest @ ..] => {
                bytes.push(*one);
                rest
            }
            [from, b'-', to, rest @ ..] => {
                bytes.extend(*from.min(to)..=*from.max(to));
                rest
            }
            [one, rest @ ..] => {
                bytes.push(*one);
                rest
            }
        };
    }
}
