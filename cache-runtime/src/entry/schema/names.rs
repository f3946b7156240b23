//! A serializer that listens for names and writes nothing.
//!
//! Structs with `flatten` tell no names when they are deserialized, but they do when a value of
//! theirs is serialized.

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::lesson::Refusal;

/// The names that a value's `Serialize` told, in order.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Keys of maps that are text.
    pub(super) keys: Vec<String>,
    /// All others: of structs, fields and variants.
    pub(super) others: Vec<&'static str>,
    pub(super) is_human_readable: bool,
}

/// No more than this many names are listened to.
const MOST: usize = 1_024;

impl Names {
    fn note(&mut self, name: &'static str) -> Result<(), Refusal> {
        self.others.push(name);
        if self.others.len() > MOST { Err(Refusal) } else { Ok(()) }
    }
}

macro_rules! nothing {
    ($($method:ident($kind:ty);)+) => {
        $(fn $method(self, _value: $kind) -> Result<(), Refusal> {
            Ok(())
        })+
    };
}

impl<'n> Serializer for &'n mut Names {
    type Ok = ();
    type Error = Refusal;
    type SerializeSeq = &'n mut Names;
    type SerializeTuple = &'n mut Names;
    type SerializeTupleStruct = &'n mut Names;
    type SerializeTupleVariant = &'n mut Names;
    type SerializeMap = &'n mut Names;
    type SerializeStruct = &'n mut Names;
    type SerializeStructVariant = &'n mut Names;

    nothing! {
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
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
    }

    fn is_human_readable(&self) -> bool {
        self.is_human_readable
    }

    fn serialize_none(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Refusal> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Refusal> {
        self.note(name)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Refusal> {
        self.note(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.note(name)?;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Refusal> {
        self.note(variant)?;
        value.serialize(self)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Self, Refusal> {
        Ok(self)
    }

    fn serialize_tuple(self, _length: usize) -> Result<Self, Refusal> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, name: &'static str, _length: usize) -> Result<Self, Refusal> {
        self.note(name)?;
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self, Refusal> {
        self.note(variant)?;
        Ok(self)
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Self, Refusal> {
        Ok(self)
    }

    fn serialize_struct(self, name: &'static str, _length: usize) -> Result<Self, Refusal> {
        self.note(name)?;
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Self, Refusal> {
        self.note(variant)?;
        Ok(self)
    }
}

macro_rules! unnamed {
    ($($of:ident::$method:ident;)+) => {
        $(impl $of for &mut Names {
            type Ok = ();
            type Error = Refusal;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result<(), Refusal> {
                Ok(())
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

macro_rules! named {
    ($($of:ident;)+) => {
        $(impl $of for &mut Names {
            type Ok = ();
            type Error = Refusal;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Refusal> {
                self.note(name)?;
                value.serialize(&mut **self)
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), Refusal> {
                self.note(name)
            }

            fn end(self) -> Result<(), Refusal> {
                Ok(())
            }
        })+
    };
}

named! {
    SerializeStruct;
    SerializeStructVariant;
}

impl SerializeMap for &mut Names {
    type Ok = ();
    type Error = Refusal;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Refusal> {
        // Text serializes to a JSON string, and nothing else matters here.
        if let Ok(serde_json::Value::String(key)) = serde_json::to_value(key)
            && self.keys.len() < MOST
        {
            self.keys.push(key);
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Refusal> {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Refusal> {
        Ok(())
    }
}
