//! What is known of a type, and what one run teaches: which place answers otherwise in the next.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use xxhash_rust::xxh3::Xxh3;

use super::explorer::Place;
use super::lesson::{Given, Lesson};
use super::names::Names;

/// So many keys of maps are learned.
const KEYS: usize = 128;
/// So often the shape of a buffered value is changed.
const TRIES: u8 = 8;

/// All that a search has learned.
#[derive(Default)]
pub(super) struct State {
    pub(super) facts: BTreeSet<u64>,
    pub(super) questions: u32,
    /// A named type is explored once, wherever it occurs: its places begin at the type.
    pub(super) types: HashMap<(&'static str, &'static str, u64), Place>,
    pub(super) choices: HashMap<Place, Choice>,
    pub(super) structures: HashMap<Place, Structure>,
    /// Maps whose keys are the names of fields.
    pub(super) field_maps: HashSet<Place>,
    /// The texts that an identifier or a buffered enum at this place may be.
    pub(super) variants: HashMap<Place, &'static [&'static str]>,
    /// What a buffered value at this place should be, and how often that was changed.
    pub(super) shapes: HashMap<Place, (Shape, u8)>,
    /// The places that unmistakable samples were given to.
    pub(super) places: Vec<Place>,
    /// Keys that maps with the names of fields should have.
    pub(super) keys: Vec<String>,
    /// Whether serde buffers something, so that lessons tell what questions don't.
    pub(super) is_buffered: bool,
    pub(super) run: Run,
}

/// What one deserialization did.
#[derive(Default)]
pub(super) struct Run {
    pub(super) visits: Vec<Visit>,
    pub(super) open_types: Vec<Place>,
    /// The last sample that was given and accepted.
    pub(super) last_sample: Option<usize>,
    pub(super) is_failing: bool,
    /// Lists of fixed length with an element that refuses every sample: what follows is unseen.
    pub(super) blocked: BTreeMap<Place, &'static str>,
}

/// That a place where there is something to decide was come by.
pub(super) struct Visit {
    place: Place,
    succeeded: bool,
    /// Of a structure: what was given last.
    pub(super) progress: Progress,
}

/// What a structure was given last.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Not even asked for a field.
    Nothing,
    /// The name of this field.
    Key(usize),
    /// The value of this field.
    Value(usize),
    /// A whole field.
    Between,
    /// All fields.
    End,
}

/// A place where one of several answers can be given.
pub(super) struct Choice {
    count: usize,
    current: usize,
    /// Whether any answer that is accepted will do; else each is tried.
    is_sample: bool,
    good: Option<usize>,
    is_finished: bool,
}

/// A place with named fields.
#[derive(Default)]
pub(super) struct Structure {
    /// Fields whose value failed: given last, so that all others are seen.
    sick: Vec<usize>,
    /// Fields that were refused by name: another name of a field that was given already.
    refused: Vec<usize>,
    /// Whether the visitor takes a list only.
    pub(super) is_list: bool,
}

/// What a buffered value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Bytes that nothing expects, so that serde says what was expected.
    Opaque,
    Map,
    Text,
    Number,
    Bool,
    Float,
    List,
    Nothing,
}

impl Shape {
    /// What is tried where nothing tells what is expected.
    pub(super) const ALL: [Self; 7] =
        [Self::Map, Self::Text, Self::Number, Self::Bool, Self::Float, Self::List, Self::Nothing];

    /// What an expectation as serde words it asks for.
    fn expected(text: &str, tries: u8) -> Self {
        const INTEGERS: [&str; 12] = [
            "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        ];
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if tries > 0 {
            return Self::ALL[usize::from(tries) % Self::ALL.len()];
        }
        if INTEGERS.contains(&text) || has(&["integer", "nonzero"]) {
            Self::Number
        } else if has(&["f32", "f64", "float"]) {
            Self::Float
        } else if has(&["bool"]) {
            Self::Bool
        } else if has(&["map", "struct"]) {
            Self::Map
        } else if has(&["sequence", "tuple", "array", "list"]) {
            Self::List
        } else if has(&["unit"]) {
            Self::Nothing
        } else {
            Self::Text
        }
    }
}

impl Choice {
    pub(super) fn new(count: usize, is_sample: bool) -> Self {
        Self { count, current: 0, is_sample, good: None, is_finished: false }
    }

    pub(super) fn current(&self) -> usize {
        self.current
    }

    /// Goes on to the next answer, or at the end to the one that is good; whether that is another.
    fn advance(&mut self, succeeded: bool) -> bool {
        if self.is_finished {
            return false;
        }
        if succeeded && self.good.is_none() {
            self.good = Some(self.current);
        }
        let last = self.current;
        self.is_finished = (self.is_sample && succeeded) || last + 1 >= self.count;
        self.current = if self.is_finished { self.good.unwrap_or(0) } else { last + 1 };
        self.current != last
    }
}

impl Structure {
    /// The fields in the order in which to give them.
    pub(super) fn order(&self, count: usize) -> Vec<usize> {
        let healthy = (0..count).filter(|field| !self.sick.contains(field));
        let sick = self.sick.iter().copied().filter(|field| *field < count);
        healthy.chain(sick).filter(|field| !self.refused.contains(field)).collect()
    }

    /// Learns from a failure; whether anything will be given otherwise.
    fn advance(&mut self, progress: Progress) -> bool {
        match progress {
            Progress::Value(field) if !self.sick.contains(&field) => {
                self.sick.push(field);
                true
            }
            Progress::Key(field) if !self.refused.contains(&field) => {
                self.refused.push(field);
                true
            }
            Progress::Nothing if !self.is_list => {
                self.is_list = true;
                true
            }
            _ => false,
        }
    }
}

impl Run {
    /// Notes a visit and returns its number.
    pub(super) fn begin(&mut self, place: Place) -> usize {
        self.visits.push(Visit { place, succeeded: false, progress: Progress::Nothing });
        self.visits.len() - 1
    }

    /// Notes how a visit ended.
    pub(super) fn end(&mut self, visit: usize, succeeded: bool) {
        if succeeded {
            self.is_failing = false;
        } else {
            self.fail(visit);
        }
        if let Some(visit) = self.visits.get_mut(visit) {
            visit.succeeded = succeeded;
        }
    }

    /// Notes a failure. Where everything inside had succeeded, the last sample was accepted as what
    /// it is, and refused for what it says: another one may do.
    pub(super) fn fail(&mut self, visit: usize) {
        if self.is_failing {
            return;
        }
        self.is_failing = true;
        if let Some(sample) = self.last_sample.filter(|sample| *sample >= visit)
            && let Some(sample) = self.visits.get_mut(sample)
        {
            sample.succeeded = false;
        }
    }
}

impl State {
    /// Adds a fact about a place.
    pub(super) fn note(&mut self, place: Place, what: &str, names: &[&str]) {
        let mut hash = Xxh3::with_seed(place.number());
        for word in [what].iter().chain(names) {
            // The length goes first, so that no two lists give one sequence of bytes.
            hash.update(&(word.len() as u64).to_le_bytes());
            hash.update(word.as_bytes());
        }
        self.facts.insert(hash.digest());
    }

    /// After a run: lets the last place that is not finished answer otherwise. `false` if there is
    /// none, and so nothing new to be seen.
    ///
    /// The last one, since what comes after a place may depend on its answer, as a content does on
    /// the tag before it.
    pub(super) fn advance(&mut self) -> bool {
        for visit in self.run.visits.iter().rev() {
            let is_new = match self.choices.get_mut(&visit.place) {
                Some(choice) => choice.advance(visit.succeeded),
                None if visit.succeeded => false,
                None => self
                    .structures
                    .get_mut(&visit.place)
                    .is_some_and(|structure| structure.advance(visit.progress)),
            };
            if is_new {
                return true;
            }
        }
        false
    }

    /// Learns from a refusal; whether something will be answered otherwise.
    pub(super) fn learn(&mut self, lesson: Lesson) -> bool {
        match lesson {
            Lesson::Missing(name) => {
                self.note_if_buffered(Place::ROOT, "missing", &[name]);
                self.learn_key(name)
            }
            Lesson::Keys(names) => {
                self.note_if_buffered(Place::ROOT, "keys", names);
                // A closure that stops at the first new one would forget the rest.
                names.iter().fold(false, |is_new, name| self.learn_key(name) | is_new)
            }
            Lesson::Variants(text, variants) => {
                let place = self.place_of(&Given::Text(text));
                self.note_if_buffered(place.unwrap_or(Place::ROOT), "variants", variants);
                let is_new = |place| self.variants.insert(place, variants).is_none();
                !variants.is_empty() && place.is_some_and(is_new)
            }
            Lesson::Expected(given, expected) => {
                let place = given.and_then(|given| self.place_of(&given));
                self.note_if_buffered(place.unwrap_or(Place::ROOT), "expected", &[&expected]);
                place.is_some_and(|place| self.reshape(place, &expected))
            }
        }
    }

    /// Learns from the names that a value told; whether something will be answered otherwise.
    pub(super) fn learn_names(&mut self, names: &Names) -> bool {
        for name in &names.others {
            self.note(Place::ROOT, "told", &[name]);
        }
        let mut is_new = false;
        for key in &names.keys {
            self.note(Place::ROOT, "told", &[key]);
            is_new |= self.learn_key(key);
        }
        is_new
    }

    fn note_if_buffered(&mut self, place: Place, what: &str, names: &[&str]) {
        // Elsewhere questions tell the same, in words that don't change with serde's versions.
        if self.is_buffered {
            self.note(place, what, names);
        }
    }

    fn learn_key(&mut self, name: &str) -> bool {
        let is_new = self.is_buffered
            && name != OTHER_KEY
            && self.keys.len() < KEYS
            && !self.keys.iter().any(|known| known == name);
        if is_new {
            self.keys.push(name.to_owned());
        }
        is_new
    }

    fn reshape(&mut self, place: Place, expected: &str) -> bool {
        let (shape, tries) = self.shapes.entry(place).or_insert((Shape::Opaque, 0));
        if *tries >= TRIES {
            return false;
        }
        *shape = Shape::expected(expected, *tries);
        *tries += 1;
        true
    }

    /// The place that a sample was given to, if it can be told.
    fn place_of(&self, given: &Given) -> Option<Place> {
        let is_it = |label: &usize| match (given, u32::try_from(*label)) {
            (Given::Text(text), Ok(label)) => *text == text_of(label),
            (Given::Bytes(bytes), Ok(label)) => *bytes == bytes_of(label),
            _ => false,
        };
        let label = (0..self.places.len()).find(is_it)?;
        self.places.get(label).copied()
    }
}

/// A key that no field has, for what collects all other keys.
pub(super) const OTHER_KEY: &str = "*";

/// The text that stands for a place.
pub(super) fn text_of(label: u32) -> String {
    format!("probe {label}")
}

/// The bytes that stand for a place; no text begins like this.
pub(super) fn bytes_of(label: u32) -> Vec<u8> {
    [&[0xff, 0xfe], &label.to_le_bytes()[..]].concat()
}
