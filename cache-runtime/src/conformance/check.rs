//! How a case says what it found wrong.

use crate::Error;

/// What a case ends with.
pub(super) type Verdict<T = ()> = Result<T, Failure>;

/// What a case found wrong.
#[derive(Debug)]
pub(super) struct Failure(String);

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    pub(super) fn into_message(self) -> String {
        self.0
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(format!("the provider answered with an error: {error}"))
    }
}

/// Fails the case with a message unless the condition is true.
macro_rules! check {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err($crate::conformance::check::Failure::new(format!($($message)+)));
        }
    };
}

/// Fails the case unless both are equal; the text says what was looked at.
macro_rules! same {
    ($found:expr, $wanted:expr, $what:expr) => {
        match (&$found, &$wanted) {
            (found, wanted) => {
                check!(*found == *wanted, "{}: found {found:?}, expected {wanted:?}", $what);
            }
        }
    };
}

/// Makes functions that take the world into a list of named cases.
macro_rules! cases {
    ($(async fn $name:ident($world:ident) $body:block)+) => {
        pub(super) const CASES: &[super::Case] = &[
            $((stringify!($name), |world| Box::pin($name(world)))),+
        ];

        $(
            async fn $name($world: &$crate::conformance::world::World)
                -> $crate::conformance::check::Verdict
            {
                $body
                Ok(())
            }
        )+
    };
}
