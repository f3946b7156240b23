//! The probe's error, which listens to what serde says when something is refused.

use std::cell::RefCell;
use std::fmt::{self, Display};

use serde::de::{Expected, Unexpected};

/// What a refusal taught.
#[derive(Clone, Debug)]
pub(super) enum Lesson {
    /// A map lacks this key.
    Missing(&'static str),
    /// A map has these keys and no other.
    Keys(&'static [&'static str]),
    /// An identifier has to be one of these, and the given text is not.
    Variants(String, &'static [&'static str]),
    /// Something else was expected than the given bytes or text, if it was one of these.
    Expected(Option<Given>, String),
}

/// What was given, where it tells the place by its content.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Bytes(Vec<u8>),
    Text(String),
}

thread_local! {
    // Errors are made by functions without a context, and enums without tags drop them unseen.
    static LESSONS: RefCell<Vec<Lesson>> = const { RefCell::new(Vec::new()) };
}

/// No more than this many are kept of one run.
const MOST: usize = 256;

/// Runs something, and returns with its result what its refusals taught.
pub(super) fn listen<R>(run: impl FnOnce() -> R) -> (R, Vec<Lesson>) {
    // An impl under probe may start a probe of its own.
    let outer = LESSONS.take();
    let result = run();
    (result, LESSONS.replace(outer))
}

fn learn(lesson: Lesson) -> Refusal {
    LESSONS.with_borrow_mut(|lessons| {
        if lessons.len() < MOST {
            lessons.push(lesson);
        }
    });
    Refusal
}

/// The probe's error. Holds nothing: what matters was heard when it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal;

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl std::error::Error for Refusal {}

impl serde::ser::Error for Refusal {
    fn custom<T: Display>(_message: T) -> Self {
        Refusal
    }
}

impl serde::de::Error for Refusal {
    fn custom<T: Display>(_message: T) -> Self {
        Refusal
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let given = match unexpected {
            Unexpected::Bytes(bytes) => Some(Given::Bytes(bytes.to_owned())),
            Unexpected::Str(text) => Some(Given::Text(text.to_owned())),
            _ => None,
        };
        learn(Lesson::Expected(given, expected.to_string()))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn invalid_length(_length: usize, expected: &dyn Expected) -> Self {
        learn(Lesson::Expected(None, expected.to_string()))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        learn(Lesson::Variants(variant.to_owned(), expected))
    }

    fn unknown_field(_field: &str, expected: &'static [&'static str]) -> Self {
        learn(Lesson::Keys(expected))
    }

    fn missing_field(field: &'static str) -> Self {
        learn(Lesson::Missing(field))
    }

    fn duplicate_field(_field: &'static str) -> Self {
        Refusal
    }
}
