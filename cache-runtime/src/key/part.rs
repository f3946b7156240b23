//! What can be part of a key, and the scalar types that are.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use super::args::{ArgBytes, shape};
use super::writer::PartWriter;

/// A type whose values have a stable text, so that they can be part of a cache key.
///
/// Derive it on newtypes, structs and field-less enums. Written by hand, the text must differ wherever
/// the values differ; what is ambiguous in it is escaped by the [`PartWriter`].
///
/// Integers, `bool`, `char`, strings, paths, IP and socket addresses, `Option`, references, `Box`, `Rc`, `Arc`,
/// `Cow`, `NonZero`, arrays, slices, `Vec` and tuples of up to six parts implement it; so do, behind
/// the features of the same names, the types of `uuid`, `chrono` and `time`. Floats do not: `0.1 + 0.2`
/// and `0.3` would be two keys.
///
/// # Examples
/// ```
/// use cache_runtime::{KeyPart, PartWriter};
///
/// struct Version { major: u32, minor: u32 }
///
/// impl KeyPart for Version {
///     fn write_part(&self, out: &mut PartWriter<'_>) {
///         out.write_display(format_args!("{}.{}", self.major, self.minor));
///     }
/// }
///
/// let mut text = String::new();
/// Version { major: 1, minor: 88 }.write_part(&mut PartWriter::new(&mut text));
/// assert_eq!(text, "1.88");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a cache key",
    label = "`{Self}` has no stable text",
    note = "put `#[derive(KeyPart)]` on `{Self}` if it is a newtype or a field-less enum of yours",
    note = "or name a field of it in the key, as in `<user.id>`",
    note = "or leave it out of the key with `skip(..)`, if the result does not depend on it"
)]
pub trait KeyPart {
    /// Writes the value's text.
    fn write_part(&self, out: &mut PartWriter<'_>);

    /// Adds the value's bytes, by default its text after the text's length.
    ///
    /// No value's bytes may be the beginning of another value's bytes.
    #[doc(hidden)]
    const SHAPE: u64 = shape::TEXT;

    /// The text itself, for strings: alone in a list they need no length before them, and so no
    /// copy. Its bytes are UTF-8.
    #[doc(hidden)]
    #[inline]
    fn whole_part(&self) -> Option<&[u8]> {
        None
    }

    #[doc(hidden)]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_text(|out| self.write_part(out));
    }
}

macro_rules! integers {
    ($($type:ty as $bits:ty => $push:ident),* $(,)?) => {
        $(
            impl KeyPart for $type {
                const SHAPE: u64 = shape::of(stringify!($type));

                #[allow(clippy::unnecessary_fallible_conversions, reason = "some of the types are smaller")]
                fn write_part(&self, out: &mut PartWriter<'_>) {
                    match u64::try_from(*self) {
                        Ok(number) => out.write_number(number),
                        // Negative, or far beyond what keys are made of.
                        Err(_) => out.write_display(self),
                    }
                }

                #[inline]
                #[allow(clippy::cast_sign_loss, reason = "the bits are the identity, not the number")]
                fn encode_part(&self, out: &mut ArgBytes) {
                    out.$push(*self as $bits);
                }
            }

            impl KeyPart for NonZero<$type> {
                const SHAPE: u64 = <$type>::SHAPE;

                fn write_part(&self, out: &mut PartWriter<'_>) {
                    self.get().write_part(out);
                }

                #[inline]
                fn encode_part(&self, out: &mut ArgBytes) {
                    self.get().encode_part(out);
                }
            }
        )*
    };
}

integers! {
    u8 as u8 => push_u8, u16 as u16 => push_u16, u32 as u32 => push_u32,
    u64 as u64 => push_u64, u128 as u128 => push_u128, usize as u64 => push_u64,
    i8 as u8 => push_u8, i16 as u16 => push_u16, i32 as u32 => push_u32,
    i64 as u64 => push_u64, i128 as u128 => push_u128, isize as u64 => push_u64,
}

impl KeyPart for bool {
    const SHAPE: u64 = shape::of("bool");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_str(if *self { "true" } else { "false" });
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_u8(u8::from(*self));
    }
}

impl KeyPart for char {
    const SHAPE: u64 = shape::of("char");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_char(*self);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_u32(u32::from(*self));
    }
}

impl KeyPart for str {
    const SHAPE: u64 = shape::of("str");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_str(self);
    }

    #[inline]
    fn whole_part(&self) -> Option<&[u8]> {
        Some(self.as_bytes())
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_bytes(self.as_bytes());
    }
}

impl KeyPart for String {
    const SHAPE: u64 = shape::of("str");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_str(self);
    }

    #[inline]
    fn whole_part(&self) -> Option<&[u8]> {
        Some(self.as_bytes())
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_bytes(self.as_bytes());
    }
}

/// A path that is not UTF-8 has its other bytes percent-escaped.
impl KeyPart for Path {
    const SHAPE: u64 = shape::of("path");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        for chunk in self.as_os_str().as_encoded_bytes().utf8_chunks() {
            out.write_str(chunk.valid());
            chunk.invalid().iter().for_each(|byte| out.invalid_byte(*byte));
        }
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_bytes(self.as_os_str().as_encoded_bytes());
    }
}

impl KeyPart for PathBuf {
    const SHAPE: u64 = shape::of("path");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.as_path().write_part(out);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        self.as_path().encode_part(out);
    }
}

impl KeyPart for Ipv4Addr {
    const SHAPE: u64 = shape::of("ipv4");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(self);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_u32(self.to_bits());
    }
}

impl KeyPart for Ipv6Addr {
    const SHAPE: u64 = shape::of("ipv6");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(self);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        out.push_u128(self.to_bits());
    }
}

impl KeyPart for IpAddr {
    const SHAPE: u64 = shape::of("ip");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(self);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        match self {
            Self::V4(address) => {
                out.push_u8(4);
                address.encode_part(out);
            }
            Self::V6(address) => {
                out.push_u8(6);
                address.encode_part(out);
            }
        }
    }
}

impl KeyPart for SocketAddrV4 {
    const SHAPE: u64 = shape::of("socket4");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(self);
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        self.ip().encode_part(out);
        out.push_u16(self.port());
    }
}

impl KeyPart for SocketAddrV6 {
    const SHAPE: u64 = shape::of("socket6");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(self);
        // `Display` leaves it out, but two addresses that differ in it are different.
        if self.flowinfo() != 0 {
            out.write_display(format_args!(";{}", self.flowinfo()));
        }
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        self.ip().encode_part(out);
        out.push_u16(self.port());
        out.push_u32(self.flowinfo());
        out.push_u32(self.scope_id());
    }
}

impl KeyPart for SocketAddr {
    const SHAPE: u64 = shape::of("socket");

    fn write_part(&self, out: &mut PartWriter<'_>) {
        match self {
            Self::V4(address) => address.write_part(out),
            Self::V6(address) => address.write_part(out),
        }
    }

    #[inline]
    fn encode_part(&self, out: &mut ArgBytes) {
        match self {
            Self::V4(address) => {
                out.push_u8(4);
                address.encode_part(out);
            }
            Self::V6(address) => {
                out.push_u8(6);
                address.encode_part(out);
            }
        }
    }
}
