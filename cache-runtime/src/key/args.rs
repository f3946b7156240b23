//! Argument lists: as bytes for the hit path, and as text by a template's pieces.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem::MaybeUninit;

use super::part::KeyPart;
use super::writer::PartWriter;

/// An argument list as bytes: what a hit hashes and compares.
///
/// Lists of up to 128 bytes stay on the stack. Two lists of the same types have equal bytes only if
/// they are equal.
pub struct ArgBytes {
    /// The first `len` bytes are initialised; none of them counts once `spill` holds something.
    /// Left uninitialised because zeroing it costs 0.8 ns, a third of encoding and hashing a `u64`.
    inline: [MaybeUninit<u8>; INLINE],
    len: usize,
    spill: Vec<u8>,
}

const INLINE: usize = 128;

impl ArgBytes {
    /// An empty list.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self { inline: [const { MaybeUninit::uninit() }; INLINE], len: 0, spill: Vec::new() }
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        if !self.spill.is_empty() {
            return &self.spill;
        }
        // SAFETY: `push_raw` has initialised the first `len` bytes, and `len` is at most `INLINE`.
        unsafe { std::slice::from_raw_parts(self.inline.as_ptr().cast(), self.len) }
    }

    /// Adds bytes as they are. The caller sees to it that the list stays unambiguous.
    #[inline]
    pub(crate) fn push_raw(&mut self, bytes: &[u8]) {
        if self.len + bytes.len() > INLINE || !self.spill.is_empty() {
            return self.push_spilled(bytes);
        }
        // SAFETY: `len + bytes.len()` is at most `INLINE`, as checked above, and `bytes` cannot be
        // part of `inline`, which is borrowed mutably.
        unsafe {
            let end = self.inline.as_mut_ptr().cast::<u8>().add(self.len);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), end, bytes.len());
        }
        self.len += bytes.len();
    }

    /// Adds a length of bytes or members.
    #[inline]
    pub fn push_len(&mut self, len: usize) {
        match u32::try_from(len) {
            Ok(len) if len != u32::MAX => self.push_u32(len),
            _ => {
                self.push_u32(u32::MAX);
                self.push_u64(len as u64);
            }
        }
    }

    /// Adds bytes of any length, after their length.
    #[inline]
    pub fn push_bytes(&mut self, bytes: &[u8]) {
        self.push_len(bytes.len());
        self.push_raw(bytes);
    }

    /// Adds what `write` writes as text, after its length. Nothing is allocated for it.
    pub(crate) fn push_text(&mut self, write: impl FnOnce(&mut PartWriter<'_>)) {
        let start = self.as_slice().len();
        self.push_u64(0);
        write(&mut PartWriter::to_bytes(self));
        let len = (self.as_slice().len() - start - 8) as u64;
        self.overwrite(start, &len.to_ne_bytes());
    }

    fn overwrite(&mut self, at: usize, bytes: &[u8]) {
        if !self.spill.is_empty() {
            self.spill[at..at + bytes.len()].copy_from_slice(bytes);
            return;
        }
        for (slot, byte) in self.inline[at..at + bytes.len()].iter_mut().zip(bytes) {
            slot.write(*byte);
        }
    }

    #[cold]
    fn push_spilled(&mut self, bytes: &[u8]) {
        if self.spill.is_empty() {
            self.spill = self.as_slice().to_vec();
        }
        self.spill.extend_from_slice(bytes);
    }
}

macro_rules! push_fixed {
    ($($name:ident: $type:ty),*) => {
        impl ArgBytes {
            $(
                #[doc = concat!("Adds a `", stringify!($type), "`, always as the same number of bytes.")]
                #[inline]
                pub fn $name(&mut self, value: $type) {
                    self.push_raw(&value.to_ne_bytes());
                }
            )*
        }
    };
}

push_fixed!(push_u8: u8, push_u16: u16, push_u32: u32, push_u64: u64, push_u128: u128);

/// What kind of bytes a part writes. Equal bytes of equal shapes mean equal text; a function's index
/// serves one shape, since the instantiations of a generic function may differ in theirs.
pub mod shape {
    /// A part that has no encoding of its own: its text.
    pub const TEXT: u64 = of("text");

    /// The shape of a type, by a name that no other has (FNV-1a).
    #[must_use]
    pub const fn of(name: &str) -> u64 {
        let (bytes, mut hash, mut at) = (name.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        hash
    }

    /// The shape of a part made of another.
    #[must_use]
    pub const fn with(outer: u64, inner: u64) -> u64 {
        (outer.rotate_left(23) ^ inner).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (inner >> 29)
    }
}

impl Default for ArgBytes {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for ArgBytes {
    fn clone(&self) -> Self {
        let mut copy = Self::new();
        copy.push_raw(self.as_slice());
        copy
    }
}

impl PartialEq for ArgBytes {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for ArgBytes {}

impl Hash for ArgBytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl fmt::Debug for ArgBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ArgBytes").field(&self.as_slice()).finish()
    }
}

/// A piece of a key template, as generated code names it.
#[derive(Clone, Copy, Debug)]
pub enum Piece {
    /// Text of the template.
    Text(&'static str),
    /// The argument of this index.
    Arg(u8),
    /// The name of a type, written as it is.
    TypeName(fn() -> &'static str),
}

/// A list of arguments that make a key: a tuple of references to up to 12 [`KeyPart`]s.
pub trait Args {
    /// The shape of all arguments together.
    const SHAPE: u64;

    /// Adds all arguments to `out`.
    fn encode(&self, out: &mut ArgBytes);

    /// Shows the arguments' bytes as an index has them: never empty.
    fn with_bytes<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R;

    /// Writes the text of one argument.
    fn write_arg(&self, index: u8, out: &mut PartWriter<'_>);
}

/// Renders a template with its arguments to the end of `out`.
///
/// Two argument lists of the same types never give the same text, as long as no two [`Piece::Arg`]s
/// stand side by side. A `%` of the template that directly follows an argument is doubled, since the
/// argument's own escapes begin with one.
pub fn render(pieces: &[Piece], args: &impl Args, out: &mut String) {
    out.reserve(usual_len(pieces));
    for (at, piece) in pieces.iter().enumerate() {
        match *piece {
            Piece::Arg(index) => {
                let follow = first_char(&pieces[at + 1..]);
                args.write_arg(index, &mut PartWriter::before(out, follow));
                if follow == Some('%') {
                    out.push('%');
                }
            }
            Piece::Text(text) => out.push_str(text),
            Piece::TypeName(name) => out.push_str(name()),
        }
    }
}

/// How long a template's text usually is, so that most keys are rendered in one allocation.
pub(crate) fn usual_len(pieces: &[Piece]) -> usize {
    let each = pieces.iter().map(|piece| match piece {
        Piece::Text(text) => text.len(),
        Piece::Arg(_) | Piece::TypeName(_) => 20,
    });
    each.sum()
}

/// The character that comes first in the text of `pieces`, where it is known before an argument.
fn first_char(pieces: &[Piece]) -> Option<char> {
    for piece in pieces {
        let text = match piece {
            Piece::Text(text) => text,
            Piece::TypeName(name) => name(),
            Piece::Arg(_) => return None,
        };
        if let Some(first) = text.chars().next() {
            return Some(first);
        }
    }
    None
}

macro_rules! args_for_tuples {
    ($(($($name:ident $index:tt),*);)*) => {
        $(
            impl<$($name: KeyPart + ?Sized),*> Args for ($(&$name,)*) {
                const SHAPE: u64 = {
                    let shape = shape::of("arguments");
                    $(let shape = shape::with(shape, $name::SHAPE);)*
                    shape
                };

                #[inline]
                fn encode(&self, out: &mut ArgBytes) {
                    let _ = &out;
                    $(self.$index.encode_part(out);)*
                }

                #[inline]
                #[allow(unused_assignments, unused_mut, reason = "in the empty list")]
                fn with_bytes<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
                    #[allow(dead_code, reason = "in the empty list")]
                    const ALONE: bool = { const ALL: &[u8] = &[$($index),*]; ALL.len() == 1 };
                    let mut whole: Option<&[u8]> = None;
                    $(if ALONE { whole = self.$index.whole_part(); })*
                    match whole {
                        // No text has this byte.
                        Some([]) => look(&[0xff]),
                        Some(whole) => look(whole),
                        None => {
                            let mut bytes = ArgBytes::new();
                            self.encode(&mut bytes);
                            match bytes.as_slice() {
                                [] => look(&[0]),
                                bytes => look(bytes),
                            }
                        }
                    }
                }

                fn write_arg(&self, index: u8, out: &mut PartWriter<'_>) {
                    let _ = &out;
                    match index {
                        $($index => self.$index.write_part(out),)*
                        _ => debug_assert!(false, "a template names argument {index}, which its list lacks"),
                    }
                }
            }
        )*
    };
}

args_for_tuples! {
    ();
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
}
