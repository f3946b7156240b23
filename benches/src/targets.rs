//! The project's own bars, checked against what was measured in this run.

use crate::compile_cost::{Cost, Program};
use crate::contestants::{Arguments, REFERENCE, Value};
use crate::rounds::HitFigures;
use crate::table::Figures;
use crate::{hit_ratio, memory};

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// At most the bar.
    Lower,
    /// At least the bar.
    Higher,
}

/// One bar and what was measured.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is measured.
    pub what: String,
    /// The measured value.
    pub value: f64,
    /// What has to be reached first.
    pub first_bar: f64,
    /// What is to be reached in the end.
    pub goal: f64,
    /// Which way is better.
    pub better: Better,
}

impl Check {
    fn new(what: &str, value: f64, (first_bar, goal): (f64, f64), better: Better) -> Self {
        Self { what: what.to_owned(), value, first_bar, goal, better }
    }

    /// In one word: what was reached.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        if self.reaches(self.goal) {
            "goal"
        } else if self.reaches(self.first_bar) {
            "first bar"
        } else {
            "**missed**"
        }
    }

    fn reaches(&self, bar: f64) -> bool {
        match self.better {
            Better::Lower => self.value <= bar,
            Better::Higher => self.value >= bar,
        }
    }
}

/// All bars that the measured sections speak of.
#[must_use]
pub fn check(figures: &Figures) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(figures.hits.as_deref().and_then(of_hits).into_iter().flatten());
    checks.extend(figures.ratios.as_deref().and_then(of_ratios).into_iter().flatten());
    checks.extend(figures.memory.as_deref().and_then(of_memory));
    checks.extend(figures.compile.as_deref().and_then(of_compiling).into_iter().flatten());
    checks
}

fn of_hits(rows: &[HitFigures]) -> Option<Vec<Check>> {
    let row = |id: &str| rows.iter().find(|row| row.contestant.id == id);
    let reference = row(REFERENCE)?;
    let (ours, text) = (row("ours-u64")?, row("ours-text")?);
    let (one, tasks) = (ours.one.median(), ours.tasks.median());
    let allocations = rows
        .iter()
        .filter(|row| row.contestant.id.starts_with("ours"))
        .filter(|row| row.contestant.value == Value::Shared)
        // Whoever gives a text away has allocated it.
        .filter(|row| row.contestant.arguments != Arguments::OwnedText)
        .map(|row| row.allocations)
        .fold(0.0, f64::max);
    let peer = |id: &str| row(id).map(|row| row.one.median() / one);
    Some(vec![
        Check::new(
            "hit, `u64`, all on ÷ R, one thread",
            one / reference.one.median(),
            (1.5, 1.15),
            Better::Lower,
        ),
        Check::new(
            "hit, `u64`, all on ÷ R, two threads",
            ours.two.median() / reference.two.median(),
            (1.0, 0.5),
            Better::Lower,
        ),
        Check::new(
            "hit, `&str`, all on ÷ R, one thread",
            text.one.median() / reference.one.median(),
            (2.5, 1.5),
            Better::Lower,
        ),
        Check::new(
            "allocations per hit, `Arc` value, the most of our rows",
            allocations,
            (0.0, 0.0),
            Better::Lower,
        ),
        Check::new(
            "times faster than `#[cached]` String, one thread",
            peer("cached-string")?,
            (6.0, 8.0),
            Better::Higher,
        ),
        Check::new(
            "times faster than `#[cached]` String, tokio 8 tasks",
            row("cached-string")?.tasks.median() / tasks,
            (6.0, 9.0),
            Better::Higher,
        ),
        Check::new(
            "times faster than `#[cached]` String by_key, one thread",
            peer("cached-by-key")?,
            (9.0, 14.0),
            Better::Higher,
        ),
        Check::new(
            "times faster than moka `get_with` String, one thread",
            peer("moka-get-with")?,
            (8.0, 11.0),
            Better::Higher,
        ),
    ])
}

fn of_ratios(rows: &[(&'static str, [f64; 3])]) -> Option<Vec<Check>> {
    let (_, [plain, scan, shifting]) = *rows.iter().find(|(label, _)| *label == hit_ratio::OURS)?;
    Some(vec![
        Check::new("hit ratio, plain, %", plain, (49.0, 50.0), Better::Higher),
        Check::new("hit ratio, with scans, %", scan, (49.0, 50.0), Better::Higher),
        Check::new("hit ratio, shifting, %", shifting, (43.0, 45.0), Better::Higher),
    ])
}

fn of_memory(rows: &[(memory::Row, memory::Overhead)]) -> Option<Check> {
    let (_, ours) = rows.iter().find(|(row, _)| row.id == memory::OURS)?;
    let what = "bytes per entry over key and value, resident";
    Some(Check::new(what, ours.resident, (120.0, 80.0), Better::Lower))
}

fn of_compiling(costs: &[Cost]) -> Option<Vec<Check>> {
    let cost = |program| costs.iter().find(|cost| cost.program == program);
    let (plain, one, ours) =
        (cost(Program::Plain)?, cost(Program::OneOfOurs)?, cost(Program::Ours)?);
    let what = "debug MB of 100 annotated functions over plain, the library itself aside";
    Some(vec![
        Check::new(
            "seconds to compile 100 annotated functions over plain",
            ours.seconds - plain.seconds,
            (1.5, 1.0),
            Better::Lower,
        ),
        Check::new(what, ours.megabytes - one.megabytes, (2.0, 1.0), Better::Lower),
    ])
}

#[cfg(test)]
mod tests {
    use super::{Better, Check};

    #[test]
    fn a_bar_is_met_on_the_better_side() {
        let verdict = |value, better| Check::new("", value, (2.0, 1.0), better).verdict();
        assert_eq!(verdict(1.0, Better::Lower), "goal");
        assert_eq!(verdict(1.5, Better::Lower), "first bar");
        assert_eq!(verdict(2.5, Better::Lower), "**missed**");
        assert_eq!(Check::new("", 5.0, (4.0, 6.0), Better::Higher).verdict(), "first bar");
        assert_eq!(verdict(f64::NAN, Better::Lower), "**missed**");
    }
}
