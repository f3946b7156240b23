//! The search through a type: what was learned, what to answer next, and when to stop.

use std::any::type_name;
use std::cell::{RefCell, RefMut};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde::de::DeserializeOwned;
use xxhash_rust::xxh3::xxh3_64;

use super::lesson::{Refusal, listen};
use super::names::Names;
use super::probe::Probe;
use super::state::{Choice, Progress, Run, State};
use super::without_modules;

/// So many questions are answered in one search. A type of ordinary size asks some hundreds.
const QUESTIONS: u32 = 200_000;
/// So often a type is deserialized at most.
const RUNS: u32 = 5_000;

/// A place in a type: the path to it from the type that it lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Place(u64);

impl Place {
    pub(super) const ROOT: Self = Self(0);

    /// What tells it from others.
    pub(super) const fn number(self) -> u64 {
        self.0
    }

    /// The place that lies in this one, by number.
    pub(super) fn child(self, step: usize) -> Self {
        self.named("", step)
    }

    /// The place that lies in this one, by name.
    pub(super) fn named(self, name: &str, step: usize) -> Self {
        let mut bytes = self.0.to_le_bytes().to_vec();
        bytes.extend_from_slice(&(step as u64).to_le_bytes());
        bytes.extend_from_slice(name.as_bytes());
        Self(xxh3_64(&bytes))
    }
}

/// What a probe and its accesses share.
pub(super) struct Explorer {
    state: RefCell<State>,
    pub(super) is_human_readable: bool,
}

impl Explorer {
    /// The facts about a type.
    pub(super) fn explore<T: Serialize + DeserializeOwned>(
        is_human_readable: bool,
    ) -> BTreeSet<u64> {
        let explorer = Self { state: RefCell::default(), is_human_readable };
        for _ in 0..RUNS {
            let (names, lessons) = listen(|| explorer.run::<T>());
            let mut state = explorer.state();
            let mut is_new = names.is_some_and(|names| state.learn_names(&names));
            for lesson in lessons {
                is_new |= state.learn(lesson);
            }
            // What was learned is tried before anything is given up.
            is_new = is_new || state.advance();
            if !is_new || state.questions > QUESTIONS {
                break;
            }
        }
        let mut state = explorer.state.into_inner();
        for (place, name) in std::mem::take(&mut state.run.blocked) {
            state.note(place, "blocked", &[&without_modules(name)]);
        }
        state.facts
    }

    /// Deserializes the type once; the names that the value tells, if there is one and they matter.
    fn run<T: Serialize + DeserializeOwned>(&self) -> Option<Names> {
        self.state().run = Run::default();
        let mut names = Names { is_human_readable: self.is_human_readable, ..Names::default() };
        let told = catch_unwind(AssertUnwindSafe(|| match T::deserialize(Probe::new(self)) {
            Ok(value) if self.state().is_buffered => value.serialize(&mut names).is_ok(),
            Ok(_) => false,
            Err(Refusal) => {
                self.state().run.fail(0);
                false
            }
        }));
        told.unwrap_or(false).then_some(names)
    }

    /// What is known. Never held while the type's own code runs.
    pub(super) fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// Notes that a question was asked at a place; refuses when too many were.
    pub(super) fn ask(&self, place: Place, what: &str, names: &[&str]) -> Result<(), Refusal> {
        let mut state = self.state();
        state.questions += 1;
        if state.questions > QUESTIONS {
            return Err(Refusal);
        }
        state.note(place, what, names);
        Ok(())
    }

    /// Notes that there is a named type at a place, and goes into it, unless it lies in itself.
    ///
    /// `V` is what the type's visitor makes: with it, `Pair<u8>` and `Pair<u16>` are two types.
    pub(super) fn enter<V>(
        &self,
        place: Place,
        what: &str,
        name: &'static str,
        list: &[&str],
    ) -> Result<Place, Refusal> {
        let listed = xxh3_64(list.join("\0").as_bytes());
        let mut state = self.state();
        let fresh = state.types.len() + 1;
        let inner = *state
            .types
            .entry((type_name::<V>(), name, listed))
            .or_insert_with(|| Place::ROOT.named("type", fresh));
        drop(state);
        self.ask(place, "type", &[&format!("{:016x}", inner.0)])?;
        self.ask(inner, what, &[&[name], list].concat())?;
        let mut state = self.state();
        if state.run.open_types.contains(&inner) {
            state.run.is_failing = true;
            return Err(Refusal);
        }
        state.run.open_types.push(inner);
        Ok(inner)
    }

    /// Leaves the named type that was entered last.
    pub(super) fn leave(&self) {
        self.state().run.open_types.pop();
    }

    /// Which of several answers to give; [`end`](Self::end) is told how that went.
    pub(super) fn choose(&self, place: Place, count: usize, is_sample: bool) -> (usize, usize) {
        let mut state = self.state();
        let choice = state.choices.entry(place).or_insert(Choice::new(count, is_sample));
        // A place may be asked other things by other variants of what surrounds it.
        let current = choice.current().min(count.saturating_sub(1));
        (state.run.begin(place), current)
    }

    /// The fields of a structure in the order in which to give them.
    pub(super) fn order(&self, place: Place, count: usize) -> (usize, Vec<usize>, bool) {
        let mut state = self.state();
        let structure = state.structures.entry(place).or_default();
        let (order, is_list) = (structure.order(count), structure.is_list);
        (state.run.begin(place), order, is_list)
    }

    /// Tells what a structure is being given.
    pub(super) fn give(&self, visit: usize, progress: Progress) {
        if let Some(visit) = self.state().run.visits.get_mut(visit) {
            visit.progress = progress;
        }
    }

    /// Tells how a visit ended.
    pub(super) fn end(&self, visit: usize, succeeded: bool) {
        self.state().run.end(visit, succeeded);
    }

    /// Tells how a sample was taken.
    pub(super) fn end_sample(&self, visit: usize, succeeded: bool) {
        let mut state = self.state();
        state.run.end(visit, succeeded);
        state.run.last_sample = succeeded.then_some(visit);
    }

    /// Tells that a list of fixed length failed at an element.
    pub(super) fn block(&self, place: Place, name: &'static str) {
        self.state().run.blocked.insert(place, name);
    }

    /// Tells that serde buffers what it reads.
    pub(super) fn buffer(&self) {
        self.state().is_buffered = true;
    }

    /// A number by which the place is known again when it comes back in an error.
    pub(super) fn label(&self, place: Place) -> u32 {
        let mut state = self.state();
        let known = state.places.iter().position(|known| *known == place);
        let at = known.unwrap_or_else(|| {
            state.places.push(place);
            state.places.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }
}
