//! What the probe hands out for lists, maps, structs and enums.

use serde::de::{
    DeserializeSeed, Deserializer as _, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::explorer::Place;
use super::lesson::Refusal;
use super::probe::{Probe, name};
use super::state::{OTHER_KEY, Progress};

/// The places of a long array's elements are one from here on.
const PLACES: usize = 64;

/// The elements of a list.
pub(super) struct Elements<'e> {
    probe: Probe<'e>,
    count: usize,
    next: usize,
    /// What the list is part of, if its length is fixed.
    of: Option<&'static str>,
}

impl<'e> Elements<'e> {
    /// So many elements, each at its own place, of a type of this name.
    pub(super) fn new(probe: Probe<'e>, count: usize, of: &'static str) -> Self {
        Self { probe, count, next: 0, of: Some(of) }
    }

    /// So many elements of a list of any length.
    pub(super) fn of_list(probe: Probe<'e>, count: usize) -> Self {
        Self { probe, count, next: 0, of: None }
    }
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Refusal;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        if self.next >= self.count {
            return Ok(None);
        }
        let place = self.probe.place.named("element", self.next.min(PLACES));
        self.next += 1;
        let result = seed.deserialize(self.probe.at(place));
        if let (Err(_), Some(of)) = (&result, self.of) {
            self.probe.explorer.block(self.probe.place, of);
        }
        result.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.count.saturating_sub(self.next))
    }
}

/// The one entry of a map, if there is to be one.
pub(super) struct Entry<'e> {
    probe: Probe<'e>,
    is_left: bool,
}

impl<'e> Entry<'e> {
    pub(super) fn new(probe: Probe<'e>, is_left: bool) -> Self {
        Self { probe, is_left }
    }
}

impl<'de> MapAccess<'de> for Entry<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        if !std::mem::take(&mut self.is_left) {
            return Ok(None);
        }
        seed.deserialize(self.probe.key()).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        seed.deserialize(self.probe.at(self.probe.place.named("value", 0)))
    }
}

/// The names of fields.
pub(super) enum FieldNames {
    /// As the type told them.
    Given(&'static [&'static str]),
    /// As errors and values told them, and one more that no field has.
    Learned(Vec<String>),
}

impl FieldNames {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Given(names) => names.len(),
            Self::Learned(names) => names.len() + 1,
        }
    }

    fn get(&self, at: usize) -> &str {
        match self {
            Self::Given(names) => names.get(at).copied().unwrap_or(OTHER_KEY),
            // The first, so that its number stays when names are learned.
            Self::Learned(names) => {
                at.checked_sub(1).and_then(|at| names.get(at)).map_or(OTHER_KEY, String::as_str)
            }
        }
    }
}

/// Fields by name, in the explorer's order.
pub(super) struct Fields<'e> {
    probe: Probe<'e>,
    visit: usize,
    order: std::vec::IntoIter<usize>,
    current: usize,
    names: FieldNames,
}

impl<'e> Fields<'e> {
    pub(super) fn new(
        probe: Probe<'e>,
        visit: usize,
        order: Vec<usize>,
        names: FieldNames,
    ) -> Self {
        Self { probe, visit, order: order.into_iter(), current: 0, names }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Refusal;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Refusal> {
        let Some(field) = self.order.next() else {
            // What fails from here on is no single field's fault.
            self.probe.explorer.give(self.visit, Progress::End);
            return Ok(None);
        };
        self.current = field;
        self.probe.explorer.give(self.visit, Progress::Key(field));
        seed.deserialize(name(self.names.get(field))).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Refusal> {
        self.probe.explorer.give(self.visit, Progress::Value(self.current));
        let text = self.names.get(self.current);
        let place = match &self.names {
            FieldNames::Given(_) => self.probe.place.named("field", self.current),
            FieldNames::Learned(_) => self.probe.place.named(text, 1),
        };
        let value = seed.deserialize(self.probe.at(place))?;
        self.probe.explorer.give(self.visit, Progress::Between);
        Ok(value)
    }
}

/// One variant of an enum.
pub(super) struct Variant<'e> {
    probe: Probe<'e>,
    place: Place,
    name: &'static str,
}

impl<'e> Variant<'e> {
    pub(super) fn new(probe: Probe<'e>, at: usize, name: &'static str) -> Self {
        Self { probe, place: probe.place.named("variant", at), name }
    }

    fn ask(&self, what: &str, names: &[&str]) -> Result<Probe<'e>, Refusal> {
        self.probe.explorer.ask(self.place, what, names)?;
        Ok(self.probe.at(self.place))
    }
}

impl<'de, 'e> EnumAccess<'de> for Variant<'e> {
    type Error = Refusal;
    type Variant = Variant<'e>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), Refusal> {
        Ok((seed.deserialize(name(self.name))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        self.ask("unit", &[]).map(drop)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Refusal> {
        let probe = self.ask("newtype", &[])?;
        seed.deserialize(probe.at(self.place.child(0)))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.ask("tuple variant", &[])?.deserialize_tuple(length, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        self.ask("struct", fields)?.fields(FieldNames::Given(fields), visitor)
    }
}
