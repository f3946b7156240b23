//! The text of one argument inside a key: escaping and compound parts.

use std::fmt::{self, Write as _};

use super::args::ArgBytes;

/// Writes the text of one argument into a key, and escapes what would make the key ambiguous.
///
/// Escaped, as `%XX` for each UTF-8 byte, are `:`, `%`, `*`, `?`, `[`, `]`, `\`, `{`, `}`, control
/// characters, the character that follows the argument in the template, and inside compound parts also
/// `,`, `(` and `)`. All other text is written as it is.
///
/// # Examples
/// A part of several fields is written as a compound:
/// ```
/// use cache_runtime::{KeyPart, PartWriter};
///
/// struct Range { from: u32, to: u32, unit: String }
///
/// impl KeyPart for Range {
///     fn write_part(&self, out: &mut PartWriter<'_>) {
///         out.open();
///         self.from.write_part(out);
///         out.separator();
///         self.to.write_part(out);
///         out.separator();
///         self.unit.write_part(out);
///         out.close();
///     }
/// }
///
/// let mut text = String::from("range:");
/// let range = Range { from: 1, to: 9, unit: "km (air)".to_owned() };
/// range.write_part(&mut PartWriter::new(&mut text));
/// assert_eq!(text, "range:(1,9,km %28air%29)");
/// ```
pub struct PartWriter<'a> {
    sink: Sink<'a>,
    /// The character that ends this argument in the template.
    follow: Option<char>,
    /// The first byte of `follow`, or a byte that no UTF-8 text holds.
    follow_byte: u8,
    /// How many compounds are open.
    depth: u32,
    /// How many `Some`s enclose this place directly: what tells `None` from `Some(None)`.
    somes: u32,
}

enum Sink<'a> {
    Text(&'a mut String),
    Bytes(&'a mut ArgBytes),
}

/// Never occurs in UTF-8.
const NO_BYTE: u8 = 0xff;

/// Bytes that always need a closer look.
const RESERVED: u8 = 1;
/// Bytes that need it inside a compound.
const STRUCTURE: u8 = 2;

static CLASS: [u8; 256] = classes();

impl<'a> PartWriter<'a> {
    /// Writes to the end of `text`, as for the last argument of a template.
    pub fn new(text: &'a mut String) -> Self {
        Self::with_sink(Sink::Text(text), None)
    }

    /// Writes to the end of `text`; `follow` is the character that comes after the argument.
    pub(crate) fn before(text: &'a mut String, follow: Option<char>) -> Self {
        Self::with_sink(Sink::Text(text), follow)
    }

    pub(crate) fn to_bytes(bytes: &'a mut ArgBytes) -> Self {
        Self::with_sink(Sink::Bytes(bytes), None)
    }

    fn with_sink(sink: Sink<'a>, follow: Option<char>) -> Self {
        let follow_byte =
            follow.map_or(NO_BYTE, |follow| follow.encode_utf8(&mut [0; 4]).as_bytes()[0]);
        Self { sink, follow, follow_byte, depth: 0, somes: 0 }
    }

    /// Writes text, escaped where needed.
    pub fn write_str(&mut self, text: &str) {
        let mask = self.mask();
        let follow_byte = self.follow_byte;
        if text.bytes().any(|byte| CLASS[usize::from(byte)] & mask != 0 || byte == follow_byte) {
            self.write_escaped(text);
        } else {
            self.push_raw(text);
        }
    }

    /// Writes one character, escaped where needed.
    pub fn write_char(&mut self, character: char) {
        self.write_str(character.encode_utf8(&mut [0; 4]));
    }

    /// Writes what `value` displays, escaped where needed. No allocation is made for it.
    ///
    /// Use it for types whose [`Display`](fmt::Display) text differs wherever the values differ.
    pub fn write_display(&mut self, value: impl fmt::Display) {
        struct Escape<'w, 'a>(&'w mut PartWriter<'a>);
        impl fmt::Write for Escape<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.write_str(text);
                Ok(())
            }
        }
        // The adapter never fails; a `Display` that does leaves what it wrote until then.
        let _ = write!(Escape(self), "{value}");
    }

    /// Writes a number in decimal, several times faster than [`write_display`](Self::write_display).
    pub fn write_number(&mut self, number: u64) {
        const DIGITS: usize = 20; // of `u64::MAX`
        let mut digits = [b'0'; DIGITS];
        let mut start = DIGITS;
        let mut rest = number;
        loop {
            start -= 1;
            digits[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        match std::str::from_utf8(&digits[start..]) {
            Ok(text) => self.write_str(text),
            Err(_) => self.write_display(number),
        }
    }

    /// Opens a compound part.
    pub fn open(&mut self) {
        self.push_raw("(");
        self.depth += 1;
        self.somes = 0;
    }

    /// Separates two members of a compound part.
    pub fn separator(&mut self) {
        self.push_raw(",");
    }

    /// Closes a compound part.
    pub fn close(&mut self) {
        self.push_raw(")");
        self.depth = self.depth.saturating_sub(1);
    }

    /// Writes the content of a `Some`, by itself where nothing needs to tell it from a `None`.
    pub(crate) fn some(&mut self, content: impl FnOnce(&mut Self)) {
        let outer = self.somes;
        self.somes = outer + 1;
        content(self);
        self.somes = outer;
    }

    /// Writes a `None`: `%none`, after one `%some` for each `Some` around it.
    ///
    /// Escaped text never holds a `%` that two upper-case hex digits don't follow.
    pub(crate) fn none(&mut self) {
        for _ in 0..self.somes {
            self.push_raw("%some");
        }
        self.push_raw("%none");
    }

    /// Writes the only member of a list whose text may be empty, so that `[""]` differs from `[]`.
    pub(crate) fn only_member(&mut self, content: impl FnOnce(&mut Self)) {
        let before = self.len();
        content(self);
        if self.len() == before {
            self.push_raw("%empty");
        }
    }

    /// Writes one byte that is part of no valid UTF-8 text.
    pub(crate) fn invalid_byte(&mut self, byte: u8) {
        self.push_escape(byte);
    }

    fn mask(&self) -> u8 {
        if self.depth == 0 { RESERVED } else { RESERVED | STRUCTURE }
    }

    fn len(&self) -> usize {
        match &self.sink {
            Sink::Text(text) => text.len(),
            Sink::Bytes(bytes) => bytes.as_slice().len(),
        }
    }

    /// Adds a type's name as it is. It never holds a single `:`, which is what follows it.
    pub(crate) fn write_type_name(&mut self, name: &str) {
        self.push_raw(name);
    }

    fn push_raw(&mut self, text: &str) {
        match &mut self.sink {
            Sink::Text(out) => out.push_str(text),
            Sink::Bytes(out) => out.push_raw(text.as_bytes()),
        }
    }

    fn push_escape(&mut self, byte: u8) {
        const HEX: [char; 16] =
            ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
        for character in ['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]] {
            self.push_raw(character.encode_utf8(&mut [0; 1]));
        }
    }

    #[cold]
    fn write_escaped(&mut self, text: &str) {
        let mut plain = 0;
        for (at, character) in text.char_indices() {
            if self.is_reserved(character) {
                let end = at + character.len_utf8();
                self.push_raw(&text[plain..at]);
                text[at..end].bytes().for_each(|byte| self.push_escape(byte));
                plain = end;
            }
        }
        self.push_raw(&text[plain..]);
    }

    fn is_reserved(&self, character: char) -> bool {
        let class = if character.is_ascii() { CLASS[character as usize] } else { 0 };
        class & self.mask() != 0 || character.is_control() || Some(character) == self.follow
    }
}

impl fmt::Debug for PartWriter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PartWriter")
            .field("follow", &self.follow)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b':' | b'%' | b'*' | b'?' | b'[' | b']' | b'\\' | b'{' | b'}' | 0..0x20 | 0x7f => {
                RESERVED
            }
            // The lead byte of U+0080 to U+00BF, whose first half are control characters.
            0xc2 => RESERVED,
            b',' | b'(' | b')' => STRUCTURE,
            _ => 0,
        };
        byte += 1;
    }
    classes
}
