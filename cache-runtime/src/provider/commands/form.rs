//! How cells and nonces travel: as bytes, or as text where a protocol carries no bytes.
//!
//! In text, a cell is the base64url of its prefix followed by that of the rest, each without
//! padding, so that a script compares prefixes without decoding. A nonce is base64url as well.
//!
//! Text that is no such cell was written by somebody else, or was changed. Readers get it with a
//! [`FOREIGN`] byte before it, which makes its prefix one that no cell of ours has; whoever expects
//! this prefix later means the very text, which scripts compare by its first bytes in hexadecimal.

use std::borrow::Cow;

use crate::entry::Prefix;
use crate::provider::{CellBytes, Expected};

#[cfg(feature = "upstash")]
use base64::Engine as _;
#[cfg(feature = "upstash")]
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many digits the end of a hold has.
const END_DIGITS: usize = 13;

/// Whether a mark that holds this is held: `held` and the end of each hold, which is longer than any
/// nonce.
pub(super) fn is_held(stored: &[u8]) -> bool {
    let ends = stored.strip_prefix(b"held");
    ends.is_some_and(|ends| {
        let is_whole = !ends.is_empty() && ends.len() % END_DIGITS == 0;
        is_whole && ends.iter().all(u8::is_ascii_digit)
    })
}

/// What the prefix of foreign text begins with.
#[cfg(feature = "upstash")]
const FOREIGN: u8 = b'~';

/// How many characters a prefix has as text.
#[cfg(feature = "upstash")]
const PREFIX_TEXT: usize = 23;

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Bytes as they are.
    #[cfg(any(feature = "redis", test))]
    Raw,
    /// Text that survives JSON.
    #[cfg(feature = "upstash")]
    Text,
}

impl Form {
    /// How much of a stored cell is its prefix.
    pub(super) const fn prefix_width(self) -> usize {
        match self {
            #[cfg(any(feature = "redis", test))]
            Form::Raw => Prefix::LENGTH,
            #[cfg(feature = "upstash")]
            Form::Text => PREFIX_TEXT,
        }
    }

    /// How long a stored nonce is.
    pub(super) const fn nonce_width(self) -> usize {
        match self {
            #[cfg(any(feature = "redis", test))]
            Form::Raw => 8,
            #[cfg(feature = "upstash")]
            Form::Text => 11,
        }
    }

    /// A cell as it is stored.
    pub(super) fn encode_cell(self, cell: &[u8]) -> Cow<'_, [u8]> {
        match self {
            #[cfg(any(feature = "redis", test))]
            Form::Raw => Cow::Borrowed(cell),
            #[cfg(feature = "upstash")]
            Form::Text => {
                let (prefix, rest) = cell.split_at(cell.len().min(Prefix::LENGTH));
                let mut text = String::with_capacity(cell.len() / 3 * 4 + 8);
                URL_SAFE_NO_PAD.encode_string(prefix, &mut text);
                URL_SAFE_NO_PAD.encode_string(rest, &mut text);
                Cow::Owned(text.into_bytes())
            }
        }
    }

    /// The cell that is stored so, or the prefix of it.
    pub(super) fn decode_cell(self, stored: Vec<u8>) -> CellBytes {
        match self {
            #[cfg(any(feature = "redis", test))]
            Form::Raw => CellBytes::from(stored),
            #[cfg(feature = "upstash")]
            Form::Text => CellBytes::from(decode_text(&stored)),
        }
    }

    /// What a script is told to expect: `*` for anything, `=` and a prefix as it is stored, or `~`
    /// and the first bytes of foreign text.
    pub(super) fn encode_expected(self, expected: Expected) -> Vec<u8> {
        let prefix = match expected {
            Expected::Anything => return b"*".to_vec(),
            Expected::Prefix(prefix) => prefix,
        };
        #[cfg(feature = "upstash")]
        if self == Form::Text && prefix.as_bytes().first() == Some(&FOREIGN) {
            let mut word = vec![FOREIGN];
            for byte in &prefix.as_bytes()[1..] {
                word.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
            return word;
        }
        let mut word = Vec::with_capacity(1 + self.prefix_width());
        word.push(b'=');
        word.extend_from_slice(&self.encode_cell(prefix.as_bytes()));
        word
    }

    /// A nonce as it is stored.
    pub(super) fn encode_nonce(self, nonce: [u8; 8]) -> Vec<u8> {
        match self {
            #[cfg(any(feature = "redis", test))]
            Form::Raw => nonce.to_vec(),
            #[cfg(feature = "upstash")]
            Form::Text => URL_SAFE_NO_PAD.encode(nonce).into_bytes(),
        }
    }

    /// The nonce that is stored so.
    pub(super) fn decode_nonce(self, stored: &[u8]) -> Option<[u8; 8]> {
        match self {
            #[cfg(any(feature = "redis", test))]
            Form::Raw => stored.try_into().ok(),
            #[cfg(feature = "upstash")]
            Form::Text => {
                // One byte more than a nonce, since the decoder asks for room in whole groups.
                let mut nonce = [0; 9];
                let length = URL_SAFE_NO_PAD.decode_slice(stored, &mut nonce).ok()?;
                nonce[..length].try_into().ok()
            }
        }
    }
}

/// A cell of ours, as far as it can be decoded, or the text as foreign.
///
/// The prefix counts even where the rest was damaged: what reads the cell finds the damage, and
/// what replaces it has to name it.
#[cfg(feature = "upstash")]
fn decode_text(stored: &[u8]) -> Vec<u8> {
    let mut cell = Vec::with_capacity(stored.len() + 1);
    if stored.is_empty() {
        return cell;
    }
    if let Some((prefix, rest)) = stored.split_at_checked(PREFIX_TEXT)
        && URL_SAFE_NO_PAD.decode_vec(prefix, &mut cell).is_ok()
        && Prefix::of(&cell).kind().is_some()
    {
        if URL_SAFE_NO_PAD.decode_vec(rest, &mut cell).is_err() {
            cell.truncate(Prefix::LENGTH);
            cell.extend_from_slice(rest);
        }
        return cell;
    }
    cell.clear();
    cell.push(FOREIGN);
    cell.extend_from_slice(stored);
    cell
}

#[cfg(all(test, feature = "upstash"))]
mod tests {
    use super::{Form, is_held};
    use crate::entry::{CellKind, Prefix};
    use crate::provider::Expected;

    fn decoded(stored: &[u8]) -> Vec<u8> {
        Form::Text.decode_cell(stored.to_vec()).to_vec()
    }

    #[test]
    fn a_cell_survives_as_text_and_begins_with_its_prefix() {
        let prefix = Prefix::unique(CellKind::Value);
        let lone = Form::Text.encode_cell(prefix.as_bytes()).into_owned();
        assert_eq!(lone.len(), Form::Text.prefix_width());
        for size in 0..70_u8 {
            let mut cell = prefix.as_bytes().to_vec();
            cell.extend((0..size).map(|byte| byte.wrapping_mul(37)));
            let stored = Form::Text.encode_cell(&cell);
            assert!(stored.is_ascii() && stored.starts_with(&lone));
            assert_eq!(decoded(&stored), cell);
            assert_eq!(decoded(&stored[..lone.len()]), prefix.as_bytes());
        }
    }

    #[test]
    fn a_cell_survives_as_bytes_untouched() {
        let cell = b"\0\xff any bytes".to_vec();
        assert_eq!(*Form::Raw.encode_cell(&cell), cell[..]);
        let address = cell.as_ptr();
        assert_eq!(Form::Raw.decode_cell(cell).as_ptr(), address);
    }

    #[test]
    fn a_damaged_rest_leaves_the_prefix() {
        let prefix = Prefix::unique(CellKind::Value);
        let mut stored = Form::Text.encode_cell(prefix.as_bytes()).into_owned();
        stored.extend_from_slice(b"%% no base64");
        assert_eq!(Prefix::of(&decoded(&stored)), prefix);
        assert!(decoded(&stored).ends_with(b"%% no base64"));
    }

    #[test]
    fn foreign_text_has_a_prefix_that_no_cell_of_ours_has() {
        let whole = Form::Text.encode_cell(Prefix::unique(CellKind::Value).as_bytes()).into_owned();
        let mut other_kind = Prefix::unique(CellKind::Value).as_bytes().to_vec();
        other_kind[0] = b'?';
        let other_kind = Form::Text.encode_cell(&other_kind).into_owned();
        let foreign: [&[u8]; 5] = [b"V", b"hello", &whole[..22], &[0xff; 40], &other_kind];
        for stored in foreign {
            let cell = decoded(stored);
            assert_eq!(cell[0], b'~');
            assert_eq!(&cell[1..], stored);
            assert_eq!(Prefix::of(&cell).kind(), None);
        }
        assert_eq!(decoded(b""), b"");
    }

    #[test]
    fn what_is_expected_says_how_to_compare() {
        let prefix = Prefix::unique(CellKind::Lease);
        let mut equal = b"=".to_vec();
        equal.extend_from_slice(&Form::Text.encode_cell(prefix.as_bytes()));
        let raw = [b"=", prefix.as_bytes()].concat();
        for (form, expected, word) in [
            (Form::Raw, Expected::Anything, &b"*"[..]),
            (Form::Raw, Expected::ABSENT, b"="),
            (Form::Raw, Expected::Prefix(Prefix::of(b"*")), b"=*"),
            (Form::Raw, Expected::Prefix(Prefix::of(b"~a")), b"=~a"),
            (Form::Raw, Expected::Prefix(prefix), &raw),
            (Form::Text, Expected::Anything, b"*"),
            (Form::Text, Expected::ABSENT, b"="),
            (Form::Text, Expected::Prefix(prefix), &equal),
            (Form::Text, Expected::Prefix(Prefix::of(&decoded(b"a\xff"))), b"~61ff"),
        ] {
            assert_eq!(form.encode_expected(expected), word, "{form:?} {expected:?}");
        }
    }

    #[test]
    fn a_held_mark_is_known_by_the_ends_of_its_holds() {
        for held in [&b"held1800000000000"[..], b"held18000000000001800000000001"] {
            assert!(is_held(held));
        }
        let others: [&[u8]; 7] = [
            b"",
            b"held",
            b"held00000001",
            b"held180000000000",
            b"held18000000000001",
            b"held180000000000a",
            b"hold1800000000000",
        ];
        for other in others {
            assert!(!is_held(other), "{}", other.escape_ascii());
        }
    }

    #[test]
    fn nonces_survive_and_nothing_else_is_one() {
        for form in [Form::Raw, Form::Text] {
            for nonce in [[0; 8], [0xff; 8], *b"held\0\0\0\0"] {
                let stored = form.encode_nonce(nonce);
                assert_eq!(stored.len(), form.nonce_width());
                assert_eq!(form.decode_nonce(&stored), Some(nonce));
                assert_eq!(form.decode_nonce(&stored[1..]), None);
            }
            assert_eq!(form.decode_nonce(b"held1800000000000"), None);
            assert_eq!(form.decode_nonce(b""), None);
        }
        // Its last character has bits that no nonce sets.
        assert_eq!(Form::Text.decode_nonce(b"AAAAAAAAAAB"), None);
        assert_eq!(Form::Text.decode_nonce(b"AAAAAAAAAA="), None);
        assert_eq!(Form::Text.decode_nonce(b"AAAAAAAAAAAA"), None);
    }
}
