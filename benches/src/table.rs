//! The Markdown that the program writes.

use std::fmt::Write as _;

use crate::compile_cost::{Cost, Program};
use crate::contestants::{Arguments, REFERENCE, Value};
use crate::memory::{Overhead, Row};
use crate::rounds::HitFigures;
use crate::targets::{Check, check};
use crate::timing::Samples;

/// All that was measured; a section that was not asked for is missing.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Cost of hits.
    pub hits: Option<Vec<HitFigures>>,
    /// Hit ratios in per cent: plain, scan, shifting.
    pub ratios: Option<Vec<(&'static str, [f64; 3])>>,
    /// Bytes per entry.
    pub memory: Option<Vec<(Row, Overhead)>>,
    /// Cost of compiling.
    pub compile: Option<Vec<Cost>>,
}

/// Writes the tables of all sections that were measured, the bars first.
#[must_use]
pub fn markdown(figures: &Figures) -> String {
    let mut text = String::from(
        "# Benchmark table\n\nAll figures are of one run; ratios count, nanoseconds drift.\n",
    );
    targets(&mut text, &check(figures));
    if let Some(rows) = &figures.hits {
        hits(&mut text, rows);
    }
    if let Some(rows) = &figures.ratios {
        ratios(&mut text, rows);
    }
    if let Some(rows) = &figures.memory {
        memory(&mut text, rows);
    }
    if let Some(costs) = &figures.compile {
        compile(&mut text, costs);
    }
    text
}

// Writing to a `String` cannot fail, so the results of `write!` below tell nothing.

fn targets(text: &mut String, checks: &[Check]) {
    text.push_str("\n## Targets\n\n| what | measured | first bar | goal | reached |\n|---|---:|---:|---:|---|\n");
    for check in checks {
        let Check { what, value, first_bar, goal, .. } = check;
        let _ =
            writeln!(text, "| {what} | {value:.2} | {first_bar} | {goal} | {} |", check.verdict());
    }
}

fn hits(text: &mut String, rows: &[HitFigures]) {
    text.push_str(
        "\n## Hits\n\n\
         10,000 resident entries. One thread: processor ns per hit. Two threads: wall ns of a hit on each. \
         Tasks: wall ns of a hit on each of two workers. Zipf 0.99 unless it says hot. \
         ÷ R: in ratio to the reference's cell of the same column.\n\n\
         | contestant | asked with | gives | 1 thread | ÷ R | hot | ÷ R | 2 threads | ÷ R | hot | ÷ R \
         | tokio 8 tasks | ÷ R | allocations | instructions |\n\
         |---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    let Some(reference) = rows.iter().find(|row| row.contestant.id == REFERENCE) else { return };
    for row in rows {
        let contestant = row.contestant;
        let _ = write!(
            text,
            "| {} | {} | {} |",
            contestant.label,
            arguments(contestant.arguments),
            value(contestant.value)
        );
        for (samples, reference) in timed(row).into_iter().zip(timed(reference)) {
            let (median, reference) = (samples.median(), reference.median());
            let _ = write!(text, " {median:.1} | {:.2} |", median / reference);
        }
        let instructions =
            row.instructions.map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
        let _ = writeln!(text, " {:.2} | {instructions} |", row.allocations);
    }
    let _ = writeln!(
        text,
        "\nThe middle half of R's samples spreads over {} of its median (columns from left to right).",
        timed(reference).map(|samples| format!("{:.0} %", samples.spread() * 100.0)).join(", ")
    );
}

fn timed(row: &HitFigures) -> [&Samples; 5] {
    [&row.one, &row.one_hot, &row.two, &row.two_hot, &row.tasks]
}

fn arguments(arguments: Arguments) -> &'static str {
    match arguments {
        Arguments::Number => "`u64`",
        Arguments::Text => "`&str`",
        Arguments::OwnedText => "`String`",
        Arguments::Two => "`u64, &str`",
    }
}

fn value(value: Value) -> &'static str {
    match value {
        Value::Shared => "`Arc`",
        Value::Cloned => "clone",
    }
}

fn ratios(text: &mut String, rows: &[(&'static str, [f64; 3])]) {
    text.push_str(
        "\n## Hit ratio\n\nPer cent of requests. Zipf 0.9 over 1,000,000 keys, room for 10,000.\n\n\
         | contestant | plain | with scans | shifting |\n|---|---:|---:|---:|\n",
    );
    for (label, [plain, scan, shifting]) in rows {
        let _ = writeln!(text, "| {label} | {plain:.1} | {scan:.1} | {shifting:.1} |");
    }
}

fn memory(text: &mut String, rows: &[(Row, Overhead)]) {
    text.push_str(
        "\n## Memory\n\nBytes per entry beyond the key's own bytes and a value of 100 bytes in an `Arc`; \
         1,000,000 entries.\n\n| contestant | requested | resident |\n|---|---:|---:|\n",
    );
    for (row, overhead) in rows {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} |",
            row.label, overhead.requested, overhead.resident
        );
    }
}

fn compile(text: &mut String, costs: &[Cost]) {
    text.push_str(
        "\n## Compiling\n\nA program with 100 async functions, debug profile: rebuilt after a touch, best of 3.\n\n\
         | program | seconds | over plain | executable, MB | over plain |\n|---|---:|---:|---:|---:|\n",
    );
    let Some(plain) = costs.iter().find(|cost| cost.program == Program::Plain) else { return };
    for cost in costs {
        let _ = writeln!(
            text,
            "| {} | {:.2} | {:.2} | {:.1} | {:.1} |",
            cost.program.label(),
            cost.seconds,
            cost.seconds - plain.seconds,
            cost.megabytes,
            cost.megabytes - plain.megabytes
        );
    }
}
