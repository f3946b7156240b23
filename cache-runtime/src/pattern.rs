//! Glob patterns over key texts, as Redis's `SCAN MATCH` understands them.

use std::fmt;

/// A glob pattern over key texts: `user:*`.
///
/// A pattern means the same on every provider, so it follows Redis to the letter:
///
/// | pattern | matches |
/// |---|---|
/// | `*` | any text, also none |
/// | `?` | one byte |
/// | `[ab]`, `[a-z]`, `[^ab]` | one byte of (or not of) a class; a class without its `]` reaches to the end |
/// | `\x` | `x` itself, inside classes too |
///
/// Everything else stands for itself. Texts are compared byte by byte, so one `?` does not match a
/// whole `é` (two bytes), but `*` does, and a literal `é` does. Key texts percent-escape the glob
/// characters of their values, so a key that was made by a template needs no escaping in a pattern;
/// for other text there is [`Pattern::escape`].
///
/// Matching takes at most (length of the pattern) x (length of the text) steps, whatever the pattern.
///
/// # Examples
/// ```
/// use cache_runtime::Pattern;
///
/// let pattern = Pattern::from("user:[0-9]*:profile");
/// assert!(pattern.matches("user:42:profile"));
/// assert!(!pattern.matches("user:anna:profile"));
/// assert_eq!(pattern.as_str(), "user:[0-9]*:profile");
/// ```
#[derive(Clone)]
pub struct Pattern {
    text: String,
    steps: Vec<Step>,
}

impl Pattern {
    /// The pattern of everything that begins with `prefix`, whatever characters that holds.
    pub fn starting_with(prefix: &str) -> Self {
        let mut text = Self::escape(prefix);
        text.push('*');
        Self::from(text)
    }

    /// `text` with a backslash before each glob character, so that it matches itself alone.
    pub fn escape(text: &str) -> String {
        let mut escaped = String::with_capacity(text.len() + 1);
        for character in text.chars() {
            if matches!(character, '*' | '?' | '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether `text` as a whole fits the pattern.
    pub fn matches(&self, text: &str) -> bool {
        matches_steps(&self.steps, text.as_bytes(), || ())
    }

    /// The same, and how many steps it took.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn matches_counted(&self, text: &str) -> (bool, usize) {
        let mut taken = 0;
        (matches_steps(&self.steps, text.as_bytes(), || taken += 1), taken)
    }

    /// The text itself where the pattern matches exactly one, so that no scan is needed.
    pub fn as_literal(&self) -> Option<String> {
        let bytes = self.steps.iter().map(|step| match step {
            Step::Byte(byte) => Some(*byte),
            _ => None,
        });
        String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        let steps = compile(text.as_bytes());
        Self { text, steps }
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl From<&String> for Pattern {
    fn from(text: &String) -> Self {
        Self::from(text.clone())
    }
}

impl From<&Pattern> for Pattern {
    fn from(pattern: &Pattern) -> Self {
        pattern.clone()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// One thing that a pattern asks of the text.
#[derive(Clone)]
enum Step {
    Byte(u8),
    AnyByte,
    AnyText,
    OneOf(Box<ByteSet>),
}

impl Step {
    fn accepts(&self, byte: u8) -> bool {
        match self {
            Step::Byte(expected) => *expected == byte,
            Step::AnyByte => true,
            Step::OneOf(set) => set.holds(byte),
            Step::AnyText => false,
        }
    }
}

/// A set of bytes, one bit for each.
#[derive(Clone, Default)]
struct ByteSet([u64; 4]);

impl ByteSet {
    fn add(&mut self, first: u8, last: u8) {
        for byte in first.min(last)..=first.max(last) {
            self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
    }

    fn invert(&mut self) {
        self.0.iter_mut().for_each(|word| *word = !*word);
    }

    fn holds(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }
}

fn compile(pattern: &[u8]) -> Vec<Step> {
    let mut steps = Vec::with_capacity(pattern.len());
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        steps.push(match byte {
            b'*' => {
                if matches!(steps.last(), Some(Step::AnyText)) {
                    continue;
                }
                Step::AnyText
            }
            b'?' => Step::AnyByte,
            b'[' => {
                let (set, end) = compile_class(pattern, at);
                at = end;
                Step::OneOf(Box::new(set))
            }
            // A backslash at the very end stands for itself.
            b'\\' if at < pattern.len() => {
                at += 1;
                Step::Byte(pattern[at - 1])
            }
            other => Step::Byte(other),
        });
    }
    steps
}

/// Reads a class whose `[` lies just before `at`; returns it with the place after its `]`.
fn compile_class(pattern: &[u8], mut at: usize) -> (ByteSet, usize) {
    let mut set = ByteSet::default();
    let negated = pattern.get(at) == Some(&b'^');
    if negated {
        at += 1;
    }
    loop {
        match pattern[at..] {
            [b'\\', escaped, ..] => {
                set.add(escaped, escaped);
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            // Whatever follows the hyphen ends the range, a `]` too: so does Redis.
            [first, b'-', last, ..] => {
                set.add(first, last);
                at += 3;
            }
            [single, ..] => {
                set.add(single, single);
                at += 1;
            }
            [] => break,
        }
    }
    if negated {
        set.invert();
    }
    (set, at)
}

/// Walks both from the left. Only the last `*` met can need another try: an earlier one that took
/// less has already let everything up to the later one match as early as possible.
///
/// `count` is called once for each round of the loop.
fn matches_steps(steps: &[Step], text: &[u8], mut count: impl FnMut()) -> bool {
    let (mut step, mut byte) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while byte < text.len() {
        count();
        match steps.get(step) {
            Some(Step::AnyText) => {
                step += 1;
                if step == steps.len() {
                    return true;
                }
                retry = Some((step, byte));
            }
            Some(single) if single.accepts(text[byte]) => {
                step += 1;
                byte += 1;
            }
            _ => match &mut retry {
                Some((after_star, taken_to)) => {
                    *taken_to += 1;
                    (step, byte) = (*after_star, *taken_to);
                }
                None => return false,
            },
        }
    }
    steps[step..].iter().all(|rest| matches!(rest, Step::AnyText))
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
