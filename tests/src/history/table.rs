//! The table that a run is a line of.

use std::time::Duration;

use crate::worker::{Sight, SubjectKind};

use super::run::Setup;

/// The first lines of the table, in Markdown.
pub const HEAD: &str = "\
| store | cache | faults | reads | loads | invalidations | unsure | stale | worst | not allowed | \
foreign | loads per invalidation | per key and generation | added p50 | p99 | p99.9 | max |
|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|";

/// The line of a run.
#[must_use]
pub fn line(setup: &Setup, sight: &Sight) -> String {
    let Sight { reads, loads, writes, unsure, stale, broken, foreign, .. } = sight;
    let store = setup.topology.name();
    let faults = if setup.faults { "yes" } else { "no" };
    let worst = if *stale == 0 { "-".to_owned() } else { time(sight.worst) };
    let each = *loads as f64 / (*writes).max(1) as f64;
    let generation = match sight.generations {
        0 => "-".to_owned(),
        all => format!("{:.2}", sight.reloads as f64 / all as f64),
    };
    let [p50, p99, p999] = [0.5, 0.99, 0.999].map(|share| time(sight.added.quantile(share)));
    let max = time(sight.added.max());
    format!(
        "| {store} | {} | {faults} | {reads} | {loads} | {writes} | {unsure} | {stale} | {worst} | \
         {broken} | {foreign} | {each:.1} | {generation} | {p50} | {p99} | {p999} | {max} |",
        cache(setup),
    )
}

fn cache(setup: &Setup) -> String {
    match setup.subject {
        SubjectKind::Annotated => match (setup.near.as_str(), setup.settled) {
            ("off", _) => "ours".to_owned(),
            (near, 0) => format!("ours, near {near}"),
            (near, 100) => format!("ours, near {near}, all settled"),
            (near, share) => format!("ours, near {near}, {share} % settled"),
        },
        SubjectKind::Naive => "peer: tag sets".to_owned(),
        SubjectKind::DeleteAfterWrite => "peer: delete after write".to_owned(),
        SubjectKind::TimestampTags => "peer: timestamp tags".to_owned(),
        SubjectKind::NoncesAfterLoad => "peer: nonces read after the load".to_owned(),
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
