//! A serializer around a codec's that refuses what the codec would not give back.
//!
//! Formats lose things silently: JSON writes a number that is not finite as `null`, JSON and
//! MessagePack write `Some(None)` as `None`, and postcard writes fields without names, so that a
//! field left out makes the next one take its place. A cache that stored these would hand out
//! another value than the function returned.

use std::cell::Cell;
use std::fmt::Display;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::Codec;

/// The wrapper: of serializers and of the compounds that they return.
pub(super) struct Faithful<'c, S> {
    inner: S,
    context: Context<'c>,
    // Whether the value at hand is what a `Some` holds.
    in_some: bool,
}

#[derive(Clone, Copy)]
struct Context<'c> {
    codec: Codec,
    // Beside the error, since postcard's error holds no text.
    fault: &'c Cell<Option<String>>,
}

/// A value that is serialized through the wrapper, on whatever serializer it lands.
struct Wrapped<'c, T: ?Sized> {
    value: &'c T,
    context: Context<'c>,
    in_some: bool,
}

impl<'c, S> Faithful<'c, S> {
    /// Wraps a codec's serializer; what is refused is told in `fault`.
    pub(super) fn new(inner: S, codec: Codec, fault: &'c Cell<Option<String>>) -> Self {
        Self { inner, context: Context { codec, fault }, in_some: false }
    }
}

impl<'c> Context<'c> {
    fn refuse<E: serde::ser::Error>(self, fault: impl Into<String>) -> E {
        self.fault.set(Some(fault.into()));
        E::custom("the codec would not give this value back")
    }

    fn compound<C>(self, inner: C) -> Faithful<'c, C> {
        Faithful { inner, context: self, in_some: false }
    }

    fn wrap<'v, T: ?Sized>(self, value: &'v T) -> Wrapped<'v, T>
    where
        'c: 'v,
    {
        Wrapped { value, context: self, in_some: false }
    }

    fn nothing<E: serde::ser::Error>(self, in_some: bool) -> Result<(), E> {
        if in_some && matches!(self.codec, Codec::Json | Codec::MessagePack) {
            return Err(self.refuse(format!(
                "`Some` of nothing (such as `Some(None)`) reads back as `None` from {}: use an \
                 enum of your own, or the codec `postcard`",
                self.codec
            )));
        }
        Ok(())
    }

    fn finite<E: serde::ser::Error>(self, is_finite: bool) -> Result<(), E> {
        if !is_finite && self.codec == Codec::Json {
            return Err(self.refuse(
                "JSON has no NaN and no infinity: use the codec `msgpack` or `postcard`, or do \
                 not cache this value (`cache_if`)",
            ));
        }
        Ok(())
    }

    fn left_out<E: serde::ser::Error>(self, field: &str) -> Result<(), E> {
        if self.codec == Codec::Postcard {
            return Err(self.refuse(format!(
                "the field `{field}` is left out (`skip_serializing_if`), which postcard cannot \
                 read back: use the codec `msgpack` or `json`, or drop the attribute"
            )));
        }
        Ok(())
    }
}

impl<T: Serialize + ?Sized> Serialize for Wrapped<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (context, in_some) = (self.context, self.in_some);
        self.value.serialize(Faithful { inner: serializer, context, in_some })
    }
}

macro_rules! forward {
    ($($method:ident($kind:ty);)+) => {
        $(fn $method(self, value: $kind) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })+
    };
}

impl<'c, S: Serializer> Serializer for Faithful<'c, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Faithful<'c, S::SerializeSeq>;
    type SerializeTuple = Faithful<'c, S::SerializeTuple>;
    type SerializeTupleStruct = Faithful<'c, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Faithful<'c, S::SerializeTupleVariant>;
    type SerializeMap = Faithful<'c, S::SerializeMap>;
    type SerializeStruct = Faithful<'c, S::SerializeStruct>;
    type SerializeStructVariant = Faithful<'c, S::SerializeStructVariant>;

    forward! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.context.finite(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.context.finite(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.context.nothing(self.in_some)?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(&Wrapped { value, context: self.context, in_some: true })
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.context.nothing(self.in_some)?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        // MessagePack writes it as an empty list, which is not nothing.
        self.context.nothing(self.in_some && self.context.codec == Codec::Json)?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = Wrapped { value, context: self.context, in_some: self.in_some };
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.context.wrap(value);
        self.inner.serialize_newtype_variant(name, index, variant, &value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        Ok(self.context.compound(self.inner.serialize_seq(length)?))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        Ok(self.context.compound(self.inner.serialize_tuple(length)?))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        Ok(self.context.compound(self.inner.serialize_tuple_struct(name, length)?))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inner = self.inner.serialize_tuple_variant(name, index, variant, length)?;
        Ok(self.context.compound(inner))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        Ok(self.context.compound(self.inner.serialize_map(length)?))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        Ok(self.context.compound(self.inner.serialize_struct(name, length)?))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inner = self.inner.serialize_struct_variant(name, index, variant, length)?;
        Ok(self.context.compound(inner))
    }
}

/// Compounds of elements without names.
macro_rules! unnamed {
    ($($of:ident::$method:ident;)+) => {
        $(impl<C: $of> $of for Faithful<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&self.context.wrap(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })+
    };
}

unnamed! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

/// Compounds of fields, any of which may be left out.
macro_rules! named {
    ($($of:ident;)+) => {
        $(impl<C: $of> $of for Faithful<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                self.inner.serialize_field(name, &self.context.wrap(value))
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.context.left_out(name)?;
                self.inner.skip_field(name)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })+
    };
}

named! {
    SerializeStruct;
    SerializeStructVariant;
}

impl<C: SerializeMap> SerializeMap for Faithful<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&self.context.wrap(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&self.context.wrap(value))
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), C::Error> {
        self.inner.serialize_entry(&self.context.wrap(key), &self.context.wrap(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
