//! What a run found.

use std::fmt;
use std::time::Duration;

use super::check::Verdict;

/// How one case ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    name: String,
    failure: Option<String>,
    took: Duration,
}

impl Outcome {
    pub(super) fn new(name: String, verdict: Verdict, took: Duration) -> Self {
        Self { name, failure: verdict.err().map(super::check::Failure::into_message), took }
    }

    /// The case: its area and what it says of a provider, as `area::behaviour`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the provider behaves so.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// What it did instead.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// How long the case took.
    pub fn took(&self) -> Duration {
        self.took
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            None => write!(f, "ok      {}", self.name),
            Some(message) => write!(f, "FAILED  {}: {message}", self.name),
        }
    }
}

/// How all cases ended.
#[derive(Clone, Debug)]
#[must_use = "call `assert_passed()`, or look at `failed()`"]
pub struct Report {
    outcomes: Vec<Outcome>,
}

impl Report {
    pub(super) fn new(outcomes: Vec<Outcome>) -> Self {
        Self { outcomes }
    }

    /// Every case, in the order of the suite.
    pub fn outcomes(&self) -> &[Outcome] {
        &self.outcomes
    }

    /// The cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| !outcome.passed())
    }

    /// Whether there were cases, and all passed.
    pub fn passed(&self) -> bool {
        !self.outcomes.is_empty() && self.failed().next().is_none()
    }

    /// Ends the test unless all cases passed.
    ///
    /// # Panics
    ///
    /// With every failed case in its message, or if no case was chosen.
    pub fn assert_passed(&self) {
        assert!(!self.outcomes.is_empty(), "no case was chosen");
        assert!(self.passed(), "the provider breaks the contract\n{self}");
    }
}

/// The failed cases in full, and one line about all.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failed().try_for_each(|outcome| writeln!(f, "{outcome}"))?;
        let failed = self.failed().count();
        write!(
            f,
            "{} cases, {} passed, {failed} failed",
            self.outcomes.len(),
            self.outcomes.len() - failed
        )
    }
}
