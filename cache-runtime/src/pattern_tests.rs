use super::Pattern;

fn matches(pattern: &str, text: &str) -> bool {
    Pattern::from(pattern).matches(text)
}

#[test]
fn each_form_matches_what_redis_matches() {
    let cases = [
        ("", "", true),
        ("", "a", false),
        ("a", "", false),
        ("*", "", true),
        ("*", "anything:at all", true),
        ("user:*", "user:", true),
        ("user:*", "user:1:posts", true),
        ("user:*", "users:1", false),
        ("user:*:posts", "user:1:posts", true),
        ("user:*:posts", "user:1:2:posts", true),
        ("user:*:posts", "user:1:posts:2", false),
        ("*:*", "a:b:c", true),
        ("a**b", "axxb", true),
        ("h?llo", "hello", true),
        ("h?llo", "hllo", false),
        ("h[ae]llo", "hallo", true),
        ("h[ae]llo", "hillo", false),
        ("h[^e]llo", "hallo", true),
        ("h[^e]llo", "hello", false),
        ("h[a-c]llo", "hbllo", true),
        ("h[c-a]llo", "hbllo", true),
        ("h[a-c]llo", "hdllo", false),
        ("[a-c0-9]", "7", true),
        (r"\*", "*", true),
        (r"\*", "a", false),
        (r"a\\b", r"a\b", true),
        (r"[\]]", "]", true),
        (r"[\^a]", "^", true),
        ("[a^]", "^", true),
        ("[a-]", "b", false),
        (r"a\", r"a\", true),
        ("[]", "a", false),
        ("[^]", "a", true),
        ("a[bc", "ab", true),
        ("a[bc", "ad", false),
        ("a[", "a", false),
        ("é*", "école", true),
        ("?", "é", false),
        ("??", "é", true),
        ("*é", "café", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(matches(pattern, text), expected, "`{pattern}` on `{text}`");
    }
}

#[test]
fn a_hyphen_before_the_bracket_makes_a_range_to_the_bracket() {
    // `[a-]x` is the range from `]` to `a` and then an `x`, all in a class that is never closed.
    assert!(matches("[a-]x", "x"));
    assert!(matches("[a-]x", "_"));
    assert!(!matches("[a-]x", "ax"));
}

#[test]
fn escaped_text_matches_itself_alone() {
    for text in ["", "plain", "*", "a?b", "[x]", r"\", "[^a-z]*", "é*ü"] {
        let pattern = Pattern::from(Pattern::escape(text));
        assert!(pattern.matches(text), "{text}");
        assert_eq!(pattern.as_literal().as_deref(), Some(text));
        assert!(!pattern.matches(&format!("{text}x")), "{text}");
        assert!(Pattern::starting_with(text).matches(&format!("{text}x")), "{text}");
    }
    assert_eq!(Pattern::from("a*").as_literal(), None);
    assert_eq!(Pattern::from("a[b]").as_literal(), None);
}

#[test]
fn it_prints_and_compares_as_it_was_written() {
    let pattern = Pattern::from(String::from("user:**"));
    assert_eq!(pattern.to_string(), "user:**");
    assert_eq!(format!("{pattern:?}"), r#"Pattern("user:**")"#);
    assert_eq!(pattern, Pattern::from("user:**"));
    assert_ne!(pattern, Pattern::from("user:*"));
}

#[test]
fn many_stars_do_not_blow_up() {
    let pattern = Pattern::from("a*".repeat(200) + "b");
    assert!(!pattern.matches(&"a".repeat(20_000)));
}

/// Says the same by recursion straight over the pattern's bytes, with every choice of `*` tried.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
        _ => {
            let Some((&byte, text)) = text.split_first() else { return false };
            match pattern {
                [b'?', rest @ ..] => naive(rest, text),
                [b'[', rest @ ..] => {
                    let (found, rest) = naive_class(rest, byte);
                    found && naive(rest, text)
                }
                [b'\\', literal, rest @ ..] | [literal, rest @ ..] => {
                    *literal == byte && naive(rest, text)
                }
                [] => false,
            }
        }
    }
}

fn naive_class(class: &[u8], byte: u8) -> (bool, &[u8]) {
    let (negated, mut class) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut found = false;
    loop {
        class = match class {
            [] => return (found != negated, class),
            [b']', rest @ ..] => return (found != negated, rest),
            [b'\\', x, rest @ ..] => {
                found |= *x == byte;
                rest
            }
            [a, b'-', z, rest @ ..] => {
                found |= (*a..=*z).contains(&byte) || (*z..=*a).contains(&byte);
                rest
            }
            [x, rest @ ..] => {
                found |= *x == byte;
                rest
            }
        };
    }
}

#[test]
fn it_agrees_with_a_naive_matcher() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut word = |alphabet: &[u8], longest: usize| -> String {
        let length = random.usize(0..=longest);
        (0..length).map(|_| char::from(alphabet[random.usize(0..alphabet.len())])).collect()
    };
    let mut matched = 0;
    for _ in 0..300_000 {
        let pattern = word(br"aab-*?[]^\", 9);
        let text = word(br"aaab-]^\*", 7);
        let expected = naive(pattern.as_bytes(), text.as_bytes());
        matched += usize::from(expected);
        assert_eq!(matches(&pattern, &text), expected, "`{pattern}` on `{text}`");
    }
    assert!(matched > 5_000, "too few of the random pairs match to mean anything: {matched}");
}
