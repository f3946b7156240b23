//! The tables that a run is a line of.

use std::time::Duration;

use crate::worker::{Sight, SubjectKind};

use super::run::{Report, Setup};
use super::store::Topology;

/// The first lines of the table of what was read, in Markdown.
pub const HEAD: &str = "\
| store | cache | faults | reads | invalidations | unsure | stale | worst | promised | not allowed | \
loads | added p50 | p99 | p99.9 | max |
|---|---|--:|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|";

/// The first lines of the table of what happened.
pub const HAPPENED: &str = "\
| store | cache | time | what happened |
|---|---|--:|---|";

/// The line of a run in the first table.
#[must_use]
pub fn line(setup: &Setup, report: &Report) -> String {
    let Sight { reads, writes, unsure, stale, broken, foreign, .. } = report.sight;
    let sight = &report.sight;
    let faults = if setup.faults { report.happened.all().to_string() } else { "no".to_owned() };
    let worst = if stale == 0 { "-".to_owned() } else { time(sight.worst) };
    let generation = match sight.generations {
        0 => "-".to_owned(),
        all => format!("{:.2}", sight.reloads as f64 / all as f64),
    };
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| time(sight.added.quantile(share)));
    let max = time(sight.added.max());
    let [reads, writes, unsure, stale] = [reads, writes, unsure, stale].map(number);
    let broken = number(broken + foreign);
    format!(
        "| {} | {} | {faults} | {reads} | {writes} | {unsure} | {stale} | {worst} | {} | {broken} | \
         {generation} | {p50} | {p99} | {p999} | {max} |",
        setup.topology.name(),
        cache(setup),
        promised(setup),
    )
}

/// The line of a run in the second table; `None` if nothing was planned.
#[must_use]
pub fn happened(setup: &Setup, report: &Report) -> Option<String> {
    let (store, seconds) = (setup.topology.name(), setup.time.as_secs());
    let what = &report.happened;
    (!setup.planned().is_empty())
        .then(|| format!("| {store} | {} | {seconds} s | {what} |", cache(setup)))
}

fn cache(setup: &Setup) -> String {
    let name = match setup.subject {
        SubjectKind::Annotated => match (setup.near.as_str(), setup.settled) {
            ("off", _) => "ours".to_owned(),
            ("validated", _) => "ours, near validated".to_owned(),
            (near, 0) => format!("ours, near {near}"),
            (near, 100) => format!("ours, near {near}, all settled"),
            (near, share) => format!("ours, near {near}, {share} % settled"),
        },
        SubjectKind::Naive => "peer: tag sets".to_owned(),
        SubjectKind::DeleteAfterWrite => "peer: delete after write".to_owned(),
        SubjectKind::TimestampTags => "peer: timestamp tags".to_owned(),
        SubjectKind::NoncesAfterLoad => "peer: nonces read after the load".to_owned(),
    };
    let without = setup.without.map(|rule| format!(", without {rule}")).unwrap_or_default();
    let readers = match setup.readers {
        0 => String::new(),
        some => format!(", {some} of {} only read", setup.processes),
    };
    name + &without + &readers
}

/// How late a read may be.
fn promised(setup: &Setup) -> String {
    let lag = setup.topology.lag();
    match (setup.topology, setup.bound()) {
        (Topology::UpstashLagging, _) => format!("replication, here {} ms", lag.as_millis()),
        (_, Duration::ZERO) => "never".to_owned(),
        _ => {
            let bound = setup.near().as_millis();
            let settled = if setup.settled > 0 { ", never once settled" } else { "" };
            format!("{bound} ms{settled}")
        }
    }
}

fn time(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1e3;
    match millis {
        ..1.0 => format!("{:.0} µs", millis * 1e3),
        1.0..100.0 => format!("{millis:.1} ms"),
        _ => format!("{millis:.0} ms"),
    }
}

/// With commas between thousands.
#[must_use]
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, rest) = digits.split_at(first);
    let groups = rest.as_bytes().chunks(3).map(|three| String::from_utf8_lossy(three).into_owned());
    let head = (!head.is_empty()).then(|| head.to_owned());
    head.into_iter().chain(groups).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 12, 999, 1_000].map(number), ["0", "12", "999", "1,000"]);
        assert_eq!(number(12_525_907), "12,525,907");
    }
}
