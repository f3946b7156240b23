//! The Markdown that the program writes.

use std::fmt::Write as _;

use super::breaker::{self, Costs};
use super::contestants::{DEFAULT, OURS, PLAIN, SAME, WITHOUT_MARK};
use super::invalidation;
use super::near;
use super::rounds::{Row, Table};
use super::spin::Sample;

/// What an open breaker may cost each call, in microseconds.
const OPEN_BREAKER: f64 = 2.0;

/// The least throughput in 256 tasks, in ratio to the bare client with the same commands.
const LEAST_RATIO: f64 = 0.95;

/// The same bar for the processor time of this process, which other programs disturb less.
const MOST_PROCESSOR: f64 = 1.05;

/// What a near hit may cost, in ratio to one in memory.
const MOST_NEAR: f64 = 1.3;

/// What a validated hit may cost, in ratio to a plain one.
const MOST_VALIDATED: f64 = 1.0;

/// All that was measured; a section that was not asked for is empty.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Hits, one table for each load.
    pub hits: Vec<Table>,
    /// Allocations per hit, by the contestants' short names.
    pub allocations: Vec<(&'static str, f64)>,
    /// The open breaker.
    pub breaker: Option<Costs>,
    /// Invalidations, by the number of entries.
    pub invalidations: Vec<invalidation::Cost>,
    /// The near cache.
    pub near: Option<near::Costs>,
}

/// Writes what was measured, the bars first.
#[must_use]
pub fn markdown(figures: &Figures) -> String {
    let mut text = String::from("# Redis over loopback\n\nAll figures are of one run.\n");
    targets(&mut text, figures);
    for table in &figures.hits {
        hits(&mut text, table, &figures.allocations);
    }
    if let Some(costs) = &figures.breaker {
        open_breaker(&mut text, costs);
    }
    if !figures.invalidations.is_empty() {
        invalidations(&mut text, &figures.invalidations);
    }
    if let Some(costs) = &figures.near {
        near_cache(&mut text, costs);
    }
    text
}

// Writing to a `String` cannot fail, so the results of `write!` below tell nothing.

fn targets(text: &mut String, figures: &Figures) {
    text.push_str("\n## Targets\n\n| what | measured | bar | reached |\n|---|---:|---:|---|\n");
    let mut line = |what: String, value: f64, bar: String, reached: bool| {
        let reached = if reached { "yes" } else { "**no**" };
        let _ = writeln!(text, "| {what} | {value:.2} | {bar} | {reached} |");
    };
    for table in figures.hits.iter().filter(|table| table.load.tasks == 256 && !table.load.skewed) {
        for (ours, same, tags) in pairs() {
            let (Some(ours), Some(same)) = (table.row(ours), table.row(same)) else { continue };
            let ratio = ours.ratio(same, throughput);
            let what = format!("throughput in 256 tasks ÷ the same commands, {tags}");
            line(what, ratio, format!("≥ {LEAST_RATIO}"), ratio >= LEAST_RATIO);
        }
    }
    for table in figures.hits.iter().filter(|table| table.load.tasks == 256 && !table.load.skewed) {
        if let (Some(ours), Some(default)) = (table.row(OURS[0]), table.row(DEFAULT)) {
            let ratio = ours.ratio(default, throughput);
            let what = "the same, no tag, against the client's default settings".to_owned();
            line(what, ratio, format!("≥ {LEAST_RATIO}"), ratio >= LEAST_RATIO);
        }
        for (ours, same, tags) in pairs() {
            let (Some(ours), Some(same)) = (table.row(ours), table.row(same)) else { continue };
            let ratio = ours.ratio(same, |sample| sample.processor);
            let what = format!("processor time in 256 tasks ÷ the same commands, {tags}");
            line(what, ratio, format!("≤ {MOST_PROCESSOR}"), ratio <= MOST_PROCESSOR);
        }
    }
    if let Some(costs) = &figures.breaker {
        for (tags, cost) in [("no tag", &costs.untagged), ("three tags", &costs.tagged)] {
            let added = cost.p50.median() - costs.plain.p50.median();
            let what = format!("µs that a call pays while the breaker is open, {tags}, median");
            line(what, added, format!("≤ {OPEN_BREAKER}"), added <= OPEN_BREAKER);
        }
    }
    if let Some(costs) = &figures.near {
        let ratio = costs.near_ratio.median();
        let what = "near hit ÷ hit in memory, processor time".to_owned();
        line(what, ratio, format!("≤ {MOST_NEAR}"), ratio <= MOST_NEAR);
        for (load, ratios) in &costs.validated {
            let ratio = ratios.processor.median();
            let what = format!("validated hit ÷ plain hit, processor time, {load}");
            line(what, ratio, format!("≤ {MOST_VALIDATED}"), ratio <= MOST_VALIDATED);
        }
    }
    for cost in &figures.invalidations {
        let what = format!("commands sent to invalidate a tag of {} entries", cost.entries);
        line(what, cost.sent as f64, "1".to_owned(), cost.sent == 1);
    }
}

fn pairs() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let tags = ["no tag", "one tag", "three tags"];
    OURS.into_iter().zip(SAME).zip(tags).map(|((ours, same), tags)| (ours, same, tags))
}

fn throughput(sample: &Sample) -> f64 {
    sample.throughput
}

fn hits(text: &mut String, table: &Table, allocations: &[(&'static str, f64)]) {
    let load = table.load;
    let order = if load.skewed { "Zipf 0.99" } else { "uniform" };
    let _ = writeln!(
        text,
        "\n## {} tasks, {order}\n\n\
         | contestant | calls/s | ÷ same commands | ÷ plain `GET` | p50 µs | p99 µs | processor µs \
         | ÷ same commands | server µs | commands | allocations |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
        load.tasks
    );
    for (id, label, row) in &table.rows {
        let ratio = |other: Option<&Row>, figure| {
            other.map_or_else(|| "-".to_owned(), |other| format!("{:.2}", row.ratio(other, figure)))
        };
        let same = pairs().find(|pair| pair.0 == *id).and_then(|pair| table.row(pair.1));
        let allocated = allocations.iter().find(|counted| counted.0 == *id);
        let _ = writeln!(
            text,
            "| {label} | {:.0} | {} | {} | {:.0} | {:.0} | {:.2} | {} | {:.2} | {:.2} | {} |",
            row.median(throughput),
            ratio(same, throughput),
            ratio(table.row(PLAIN), throughput),
            row.median(|sample| sample.p50),
            row.median(|sample| sample.p99),
            row.median(|sample| sample.processor),
            ratio(same, |sample| sample.processor),
            row.median(|sample| sample.server),
            row.median(|sample| sample.commands),
            allocated.map_or_else(|| "-".to_owned(), |counted| format!("{:.1}", counted.1)),
        );
    }
    notes(text, table);
}

fn notes(text: &mut String, table: &Table) {
    if let Some(plain) = table.row(PLAIN) {
        let spread = plain.spread(throughput) * 100.0;
        let _ = writeln!(
            text,
            "\nThe middle half of the plain `GET`'s rounds spreads over {spread:.0} % of its median."
        );
    }
    // Measured without us, so that it is what the mark costs and nothing else.
    if let (Some(with), Some(without)) = (table.row(SAME[0]), table.row(WITHOUT_MARK)) {
        let _ = writeln!(
            text,
            "The function's mark beside its untagged entry: {:.2} of the calls, {:+.2} µs of this \
             process and {:+.2} µs of the server.",
            with.ratio(without, throughput),
            with.median(|sample| sample.processor) - without.median(|sample| sample.processor),
            with.median(|sample| sample.server) - without.median(|sample| sample.server),
        );
    }
}

fn open_breaker(text: &mut String, costs: &Costs) {
    text.push_str(
        "\n## Open breaker\n\nThe server was killed. Microseconds of a call whose body does \
         nothing.\n\n| function | processor | p50 | p99 |\n|---|---:|---:|---:|\n",
    );
    let mut line = |label: &str, cost: &breaker::Cost| {
        let [processor, p50, p99] = [&cost.processor, &cost.p50, &cost.p99].map(|s| s.median());
        let _ = writeln!(text, "| {label} | {processor:.2} | {p50:.2} | {p99:.2} |");
    };
    line("without the attribute", &costs.plain);
    line("**ours**, no tag", &costs.untagged);
    line("**ours**, three tags", &costs.tagged);
}

fn invalidations(text: &mut String, costs: &[invalidation::Cost]) {
    text.push_str(
        "\n## Invalidation of a tag\n\nMicroseconds until `invalidate_tag` returns. The first one \
         meets as many valid entries as the row says; the later ones find the same entries in the \
         store, and a tag that is in use again. What a script runs is counted by the server too.\n\n\
         | entries | first | p50 | p99 | sent | counted |\n|---:|---:|---:|---:|---:|---:|\n",
    );
    for cost in costs {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.0} | {} | {} |",
            cost.entries, cost.first, cost.p50, cost.p99, cost.sent, cost.counted
        );
    }
}

fn near_cache(text: &mut String, costs: &near::Costs) {
    let _ = writeln!(
        text,
        "\n## Near cache\n\n| hit | ns of processor time | ÷ in memory |\n|---|---:|---:|\n\
         | in memory | {:.0} | 1.00 |\n| near, bound 500 ms | {:.0} | {:.2} |",
        costs.memory.median(),
        costs.near.median(),
        costs.near_ratio.median(),
    );
    text.push_str(
        "\n| validated ÷ plain | throughput | processor time | allocations |\n\
         |---|---:|---:|---:|\n",
    );
    for (load, ratios) in &costs.validated {
        let (throughput, processor) = (ratios.throughput.median(), ratios.processor.median());
        let [plain, validated] = ratios.allocations;
        let _ = writeln!(
            text,
            "| {load} | {throughput:.2} | {processor:.2} | {validated:.1} ÷ {plain:.1} |"
        );
    }
}
