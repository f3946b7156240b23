//! The deserializer that writes down what it is asked, and answers as the explorer says.

use std::any::type_name;

use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};

use super::access::{Elements, Entry, FieldNames, Fields, Variant};
use super::explorer::{Explorer, Place};
use super::lesson::Refusal;
use super::samples::{LENGTHS, NUMBERS, TEXTS, ZEROS};
use super::state::{Shape, bytes_of, text_of};

/// So deep types lie in each other at most, and so deep the stack grows.
const DEPTH: u8 = 96;
/// So deep buffered values lie in each other.
const BUFFERED_DEPTH: u8 = 4;

/// A value at a place, before anybody knows what it is.
#[derive(Clone, Copy)]
pub(super) struct Probe<'e> {
    pub(super) explorer: &'e Explorer,
    pub(super) place: Place,
    /// Whether it is the first key of a map that may turn out to have the names of fields.
    key_of: Option<Place>,
    depth: u8,
    /// How many buffered values it lies in.
    buffered: u8,
}

impl<'e> Probe<'e> {
    /// The value that a whole type is.
    pub(super) fn new(explorer: &'e Explorer) -> Self {
        Self { explorer, place: Place::ROOT, key_of: None, depth: 0, buffered: 0 }
    }

    /// A value that lies in this one.
    pub(super) fn at(self, place: Place) -> Self {
        Self { place, key_of: None, depth: self.depth.saturating_add(1), ..self }
    }

    /// The key of the map that this is.
    pub(super) fn key(self) -> Self {
        Self { key_of: Some(self.place), ..self.at(self.place.named("key", 0)) }
    }

    fn ask(self, what: &str, names: &[&str]) -> Result<(), Refusal> {
        if self.depth > DEPTH {
            return Err(Refusal);
        }
        self.explorer.ask(self.place, what, names)
    }

    /// Gives samples until one is accepted.
    fn sample<S: Copy, R>(
        self,
        samples: &[S],
        give: impl FnOnce(S) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let place = self.place.named("sample", samples.len());
        let (visit, at) = self.explorer.choose(place, samples.len(), true);
        let result = samples.get(at).copied().ok_or(Refusal).and_then(give);
        self.explorer.end_sample(visit, result.is_ok());
        result
    }

    /// Gives the first answer, and in a later run the second.
    fn both<R>(
        self,
        what: &str,
        give: impl FnOnce(bool) -> Result<R, Refusal>,
    ) -> Result<R, Refusal> {
        let (visit, at) = self.explorer.choose(self.place.named(what, 2), 2, false);
        let result = give(at == 0);
        self.explorer.end(visit, result.is_ok());
        result
    }

    /// Gives a named type's visitor what lies in it.
    fn within<'de, V: Visitor<'de>>(
        self,
        what: &str,
        name: &'static str,
        list: &[&str],
        give: impl FnOnce(Self) -> Result<V::Value, Refusal>,
    ) -> Result<V::Value, Refusal> {
        if self.depth > DEPTH {
            return Err(Refusal);
        }
        let place = self.explorer.enter::<V::Value>(self.place, what, name, list)?;
        let result = give(self.at(place));
        self.explorer.leave();
        result
    }

    /// Gives fields by name.
    pub(super) fn fields<'de, V: Visitor<'de>>(
        self,
        names: FieldNames,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let (visit, order, is_list) = self.explorer.order(self.place, names.len());
        let result = if is_list {
            visitor.visit_seq(Elements::new(self, names.len(), type_name::<V::Value>()))
        } else {
            visitor.visit_map(Fields::new(self, visit, order, names))
        };
        self.explorer.end(visit, result.is_ok());
        result
    }

    /// Gives so many elements.
    pub(super) fn elements<'de, V: Visitor<'de>>(
        self,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_seq(Elements::new(self, count, type_name::<V::Value>()))
    }

    /// Gives a map whose keys are all that were learned.
    fn learned_fields<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        let keys = self.explorer.state().keys.clone();
        self.fields(FieldNames::Learned(keys), visitor)
    }

    /// Gives a buffered value of this shape.
    fn shaped<'de, V: Visitor<'de>>(self, shape: Shape, visitor: V) -> Result<V::Value, Refusal> {
        let inner = Self { buffered: self.buffered + 1, ..self };
        match shape {
            Shape::Opaque => visitor.visit_byte_buf(bytes_of(self.explorer.label(self.place))),
            Shape::Map => inner.learned_fields(visitor),
            Shape::Text => self.identifier("text", visitor),
            Shape::Number => visitor.visit_u64(1),
            Shape::Bool => visitor.visit_bool(true),
            Shape::Float => visitor.visit_f64(1.5),
            Shape::List => inner.at(self.place.child(0)).elements(1, visitor),
            Shape::Nothing => visitor.visit_unit(),
        }
    }

    /// Gives a text that is known again when it is refused, and once it is known which texts are
    /// accepted, each of them.
    fn identifier<'de, V: Visitor<'de>>(self, what: &str, visitor: V) -> Result<V::Value, Refusal> {
        let known = self.explorer.state().variants.get(&self.place).copied();
        let Some(variants) = known else {
            return visitor.visit_string(text_of(self.explorer.label(self.place)));
        };
        let place = self.place.named(what, variants.len());
        let (visit, at) = self.explorer.choose(place, variants.len(), false);
        let result = variants.get(at).ok_or(Refusal).and_then(|text| visitor.visit_str(text));
        self.explorer.end(visit, result.is_ok());
        result
    }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            self.ask(stringify!($method), &[])?;
            self.sample(NUMBERS, |number| visitor.$visit(number.into()))
        })+
    };
}

macro_rules! alike {
    ($($method:ident => $other:ident;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            self.$other(visitor)
        })+
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Refusal;

    numbers! {
        deserialize_i16 => visit_i16;
        deserialize_i32 => visit_i32;
        deserialize_i64 => visit_i64;
        deserialize_i128 => visit_i128;
        deserialize_u8 => visit_u8;
        deserialize_u16 => visit_u16;
        deserialize_u32 => visit_u32;
        deserialize_u64 => visit_u64;
        deserialize_u128 => visit_u128;
        deserialize_f32 => visit_f32;
        deserialize_f64 => visit_f64;
    }

    // Formats write them alike, and types of the standard library change between them.
    alike! {
        deserialize_string => deserialize_str;
        deserialize_byte_buf => deserialize_bytes;
    }

    fn is_human_readable(&self) -> bool {
        self.explorer.is_human_readable
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("any", &[])?;
        self.explorer.buffer();
        if self.buffered >= BUFFERED_DEPTH {
            return visitor.visit_unit();
        }
        if self.buffered > 0 {
            let shape = self.explorer.state().shapes.get(&self.place).copied();
            return self.shaped(shape.map_or(Shape::Opaque, |(shape, _)| shape), visitor);
        }
        let count = Shape::ALL.len();
        let (visit, at) = self.explorer.choose(self.place.named("shape", count), count, false);
        let shape = Shape::ALL[at];
        let result = self.shaped(shape, visitor);
        self.explorer.end(visit, result.is_ok());
        if result.is_ok() {
            self.ask("accepts", &[&format!("{shape:?}")])?;
        }
        result
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("bool", &[])?;
        self.sample(&[true, false], |truth| visitor.visit_bool(truth))
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("deserialize_i8", &[])?;
        self.sample(&[1, 0, -1, 10, 100], |number| visitor.visit_i8(number))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("char", &[])?;
        self.sample(&['a', 'A', '0'], |letter| visitor.visit_char(letter))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if self.key_of.is_none() {
            self.ask("str", &[])?;
        } else {
            self.ask("key", &[])?;
        }
        self.sample(TEXTS, |text| visitor.visit_str(text))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("bytes", &[])?;
        self.sample(LENGTHS, |length| visitor.visit_bytes(ZEROS.get(..length).unwrap_or(ZEROS)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("option", &[])?;
        self.both("option", |is_some| {
            if is_some {
                visitor.visit_some(self.at(self.place.named("some", 0)))
            } else {
                visitor.visit_none()
            }
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("unit", &[])?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.ask("unit struct", &[name])?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.within::<V>("newtype", name, &[], |inner| {
            visitor.visit_newtype_struct(inner.at(inner.place.child(0)))
        })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("seq", &[])?;
        self.both("seq", |is_one| {
            // One element or none; every one of them lies at the same place.
            visitor.visit_seq(Elements::of_list(self, usize::from(is_one)))
        })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.ask("tuple", &[&length.to_string()])?;
        self.elements(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        let what = format!("tuple struct {length}");
        self.within::<V>(&what, name, &[], |inner| inner.elements(length, visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.ask("map", &[])?;
        // A struct with `flatten` asks for a map whose keys are identifiers.
        if self.explorer.state().field_maps.contains(&self.place) {
            self.explorer.buffer();
            return self.learned_fields(visitor);
        }
        self.both("map", |is_one| visitor.visit_map(Entry::new(self, is_one)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.within::<V>("struct", name, fields, |inner| {
            inner.fields(FieldNames::Given(fields), visitor)
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.within::<V>("enum", name, variants, |inner| {
            let place = inner.place.named("variant", variants.len());
            let (visit, at) = self.explorer.choose(place, variants.len(), false);
            let chosen = variants.get(at).ok_or(Refusal);
            let result = chosen.and_then(|name| visitor.visit_enum(Variant::new(inner, at, name)));
            self.explorer.end(visit, result.is_ok());
            result
        })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        if let Some(map) = self.key_of {
            // The next run gives this map the keys that were learned.
            let mut state = self.explorer.state();
            state.field_maps.insert(map);
            state.run.is_failing = true;
            return Err(Refusal);
        }
        self.ask("identifier", &[])?;
        self.explorer.buffer();
        self.identifier("identifier", visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        visitor.visit_unit()
    }
}

/// A name, for whoever asks for a key or a variant.
pub(super) fn name(text: &str) -> StrDeserializer<'_, Refusal> {
    text.into_deserializer()
}
