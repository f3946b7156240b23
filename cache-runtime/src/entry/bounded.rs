//! A deserializer around a codec's that bounds what bytes can make it do.
//!
//! A type that contains itself (a tree, a list of boxes) recurses as deep as the bytes say, until
//! the stack ends; and a list of elements without bytes (`Vec<()>`) is as long as its bytes claim.
//! serde_json bounds lists, maps and enums, the others next to nothing, and none of them options: a
//! `struct Chain(Option<Box<Chain>>)` asks for another option at the same byte for ever. And a list
//! reserves memory for as many elements as it claims before it reads the first, each list anew in
//! lists of lists. The checksum keeps accidents out, and this keeps out what somebody wrote on purpose.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// So many lists, maps, structs and enums lie in each other at most, as in JSON.
const NESTED: u16 = 128;
/// So many options and newtypes, which have smaller frames, lie in each other at most.
const WRAPPED: u16 = 256;

/// Reads a value out of `bytes` bytes whose lists and maps have `elements` elements together at most.
pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    bytes: usize,
    elements: usize,
) -> Result<T, D::Error> {
    let left = Left { elements: Cell::new(elements), announced: Cell::new(bytes) };
    let bounds = Bounds { nested: NESTED, wrapped: WRAPPED, is_fixed: false, left: &left };
    T::deserialize(Bounded { inner: deserializer, bounds })
}

/// The wrapper: of deserializers, visitors, seeds and accesses alike.
struct Bounded<'b, I> {
    inner: I,
    bounds: Bounds<'b>,
}

/// What is left here.
#[derive(Clone, Copy)]
struct Bounds<'b> {
    nested: u16,
    wrapped: u16,
    /// Whether the type says how many elements there are, as that of a tuple does, so that the bytes
    /// cannot make them many.
    is_fixed: bool,
    left: &'b Left,
}

/// What is left of the whole value.
struct Left {
    elements: Cell<usize>,
    /// How many elements lists may still announce. All that a value announces are no more than it
    /// has bytes, since each that needs memory has a byte of its own.
    announced: Cell<usize>,
}

impl<'b> Bounds<'b> {
    fn around<I>(self, inner: I) -> Bounded<'b, I> {
        Bounded { inner, bounds: self }
    }

    fn nest<E: serde::de::Error>(self) -> Result<Self, E> {
        let nested = self.nested.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { nested, ..self })
    }

    fn wrap<E: serde::de::Error>(self) -> Result<Self, E> {
        let wrapped = self.wrapped.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { wrapped, ..self })
    }

    fn fixed(self, is_fixed: bool) -> Self {
        Self { is_fixed, ..self }
    }

    /// Counts an element that was there.
    fn element<E: serde::de::Error>(self) -> Result<(), E> {
        if self.is_fixed {
            return Ok(());
        }
        let left = self.left.elements.get().checked_sub(1);
        self.left.elements.set(left.ok_or_else(|| E::custom("too many elements"))?);
        Ok(())
    }

    fn hint(self, hint: Option<usize>) -> Option<usize> {
        if self.is_fixed {
            return hint;
        }
        let left = self.left.announced.get();
        let hint = hint?.min(left);
        self.left.announced.set(left - hint);
        Some(hint)
    }
}

macro_rules! ask {
    (fixed: $is_fixed:literal; $($method:ident($($name:ident: $kind:ty),*);)+) => {
        $(fn $method<V: Visitor<'de>>(self, $($name: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method($($name,)* self.bounds.fixed($is_fixed).around(visitor))
        })+
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    ask! {
        fixed: true;
        deserialize_tuple(length: usize);
        deserialize_tuple_struct(name: &'static str, length: usize);
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
    }

    ask! {
        fixed: false;
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit {
    ($($method:ident($kind:ty);)+) => {
        $(fn $method<E: serde::de::Error>(self, value: $kind) -> Result<V::Value, E> {
            self.inner.$method(value)
        })+
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool);
        visit_i8(i8);
        visit_i16(i16);
        visit_i32(i32);
        visit_i64(i64);
        visit_i128(i128);
        visit_u8(u8);
        visit_u16(u16);
        visit_u32(u32);
        visit_u64(u64);
        visit_u128(u128);
        visit_f32(f32);
        visit_f64(f64);
        visit_char(char);
        visit_str(&str);
        visit_borrowed_str(&'de str);
        visit_string(String);
        visit_bytes(&[u8]);
        visit_borrowed_bytes(&'de [u8]);
        visit_byte_buf(Vec<u8>);
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, held: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(self.bounds.wrap()?.around(held))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, held: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(self.bounds.wrap()?.around(held))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(self.bounds.nest()?.around(access))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(self.bounds.nest()?.around(access))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(self.bounds.nest()?.around(access))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(self.bounds.around(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let element = self.inner.next_element_seed(self.bounds.around(seed))?;
        if element.is_some() {
            self.bounds.element()?;
        }
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.bounds.hint(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let key = self.inner.next_key_seed(self.bounds.around(seed))?;
        if key.is_some() {
            self.bounds.element()?;
        }
        Ok(key)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(self.bounds.around(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.bounds.hint(self.inner.size_hint())
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.inner.variant_seed(self.bounds.around(seed))?;
        Ok((value, self.bounds.around(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(self.bounds.around(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(length, self.bounds.fixed(true).around(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, self.bounds.fixed(true).around(visitor))
    }
}
