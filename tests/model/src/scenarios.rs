//! The configurations, and what is expected of each.

mod clustered;
mod composed;
mod held;
mod near;
mod one_server;
mod peers;
mod shared_loads;
mod written;

use std::fmt;
use std::time::{Duration, Instant};

use crate::explore::{Bounds, Ending, Found, Model, explore};

/// What a search is expected to end with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Every state is seen, and no promise is broken.
    Exhausts,
    /// A promise is broken.
    Counterexample,
}

/// When a scenario is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Always.
    Small,
    /// Only where there is time.
    Long,
}

/// A configuration with a name.
pub struct Scenario {
    /// What it belongs to.
    pub group: &'static str,
    /// What it is about, in a few words.
    pub name: &'static str,
    pub expected: Expected,
    pub size: Size,
    bounds: Bounds,
    search: Box<dyn Fn(Bounds) -> Found + Send + Sync>,
}

/// What became of a scenario.
pub struct Verdict {
    pub found: Found,
    pub took: Duration,
    /// Whether it is what was expected.
    pub is_expected: bool,
}

/// More states than any scenario has.
const MOST_STATES: usize = 60_000_000;

impl Scenario {
    fn new<M>(expected: Expected, name: &'static str, model: M) -> Self
    where
        M: Model + Send + Sync + 'static,
    {
        Self {
            group: "",
            name,
            expected,
            size: Size::Small,
            bounds: Bounds { most_states: MOST_STATES, looks_for_hangs: false },
            search: Box::new(move |bounds| explore(&model, bounds)),
        }
    }

    /// The rules hold, so every state has to be seen.
    fn safe<M: Model + Send + Sync + 'static>(name: &'static str, model: M) -> Self {
        Self::new(Expected::Exhausts, name, model)
    }

    /// A rule is switched off, and the name says which.
    fn without<M: Model + Send + Sync + 'static>(name: &'static str, model: M) -> Self {
        Self::new(Expected::Counterexample, name, model)
    }

    fn long(self) -> Self {
        Self { size: Size::Long, ..self }
    }

    fn looking_for_hangs(self) -> Self {
        let bounds = Bounds { looks_for_hangs: true, ..self.bounds };
        Self { bounds, ..self }
    }

    fn in_group(self, group: &'static str) -> Self {
        Self { group, ..self }
    }

    /// Searches all states.
    pub fn run(&self) -> Verdict {
        let began = Instant::now();
        let found = (self.search)(self.bounds);
        let is_expected = matches!(
            (self.expected, &found.ending),
            (Expected::Exhausts, Ending::Exhausted) | (Expected::Counterexample, Ending::Broken(_))
        );
        Verdict { found, took: began.elapsed(), is_expected }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match self.found.ending {
            Ending::Exhausted => "no violation",
            Ending::Broken(_) => "counterexample",
            Ending::GivenUp => "given up",
        };
        let (states, depth, took) = (self.found.states, self.found.depth, self.took.as_secs_f64());
        write!(f, "{states:>10} states {depth:>3} deep {took:>7.2} s  {ending}")?;
        if !self.is_expected {
            f.write_str("  UNEXPECTED")?;
        }
        Ok(())
    }
}

/// The groups, in the order in which they are shown.
pub const GROUPS: [&str; 9] = [
    "one server",
    "shared loads",
    "written",
    "clustered",
    "composed",
    "held",
    "near",
    "shared reads",
    "peers",
];

/// All scenarios up to this size.
pub fn scenarios(size: Size) -> Vec<Scenario> {
    let groups = [
        one_server::scenarios(),
        shared_loads::scenarios(),
        written::scenarios(),
        clustered::scenarios(),
        composed::scenarios(),
        held::scenarios(),
        near::scenarios(),
        peers::shared_reads(),
        peers::scenarios(),
    ];
    let named = GROUPS.into_iter().zip(groups);
    let all = named.flat_map(|(group, scenarios)| {
        scenarios.into_iter().map(move |scenario| scenario.in_group(group))
    });
    all.filter(|scenario| scenario.size <= size).collect()
}
