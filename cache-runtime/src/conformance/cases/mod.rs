//! The cases, by area.

mod expiry;
mod fills;
mod guards;
mod holds;
mod leases;
mod lifecycle;
mod marks;
mod names;
mod namespaces;
mod patterns;
mod races;
mod reads;
mod removals;
mod together;
mod values;

use super::check::Verdict;
use super::world::World;
use crate::provider::BoxFuture;

/// One case, ready to run.
pub(super) type Run = for<'a> fn(&'a World) -> BoxFuture<'a, Verdict>;

type Case = (&'static str, Run);

/// All cases with their full names.
pub(super) fn all() -> impl Iterator<Item = (String, Run)> {
    let areas: [(&str, &[Case]); 15] = [
        ("reads", reads::CASES),
        ("values", values::CASES),
        ("names", names::CASES),
        ("expiry", expiry::CASES),
        ("leases", leases::CASES),
        ("fills", fills::CASES),
        ("marks", marks::CASES),
        ("guards", guards::CASES),
        ("holds", holds::CASES),
        ("removals", removals::CASES),
        ("together", together::CASES),
        ("patterns", patterns::CASES),
        ("namespaces", namespaces::CASES),
        ("races", races::CASES),
        ("lifecycle", lifecycle::CASES),
    ];
    areas.into_iter().flat_map(|(area, cases)| {
        cases.iter().map(move |(name, run)| (format!("{area}::{name}"), *run))
    })
}
