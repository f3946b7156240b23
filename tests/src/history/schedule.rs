//! Which fault comes next, and which have happened.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;

use super::kinds::Kind;

/// Chooses faults from a seed: first each that is planned once, in any order, and then any of them.
pub(super) struct Schedule {
    kinds: Vec<Kind>,
    /// Those that are still to come for the first time, the last one next.
    first: Vec<Kind>,
    /// Those that were tried and did not happen.
    put_off: Vec<Kind>,
}

impl Schedule {
    pub(super) fn new(kinds: &[Kind], rng: &mut Rng) -> Self {
        let mut first = kinds.to_vec();
        rng.shuffle(&mut first);
        Self { kinds: kinds.to_vec(), first, put_off: Vec::new() }
    }

    /// The next one; `None` if nothing is planned.
    pub(super) fn next(&mut self, rng: &mut Rng) -> Option<Kind> {
        let first = self.first.pop();
        let once_more = |kinds: &mut Vec<Kind>, rng: &mut Rng| rng.bool().then(|| kinds.pop())?;
        let next = first.or_else(|| once_more(&mut self.put_off, rng));
        next.or_else(|| rng.choice(&self.kinds).copied())
    }

    /// It was tried and did not happen: once more, and soon.
    pub(super) fn put_off(&mut self, kind: Kind) {
        if !self.put_off.contains(&kind) {
            self.put_off.push(kind);
        }
    }

    /// Whether some have not had their turn.
    pub(super) const fn is_first_round(&self) -> bool {
        !self.first.is_empty()
    }
}

/// How often each kind of fault was seen to happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Happened(BTreeMap<Kind, u64>);

impl Happened {
    /// So many more of a kind.
    pub fn note(&mut self, kind: Kind, times: u64) {
        if times > 0 {
            *self.0.entry(kind).or_default() += times;
        }
    }

    /// How often this kind.
    #[must_use]
    pub fn times(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    /// All together.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(kind, times)| self.note(*kind, *times));
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> =
            self.0.iter().map(|(kind, times)| format!("{} {times}", kind.name())).collect();
        match each.is_empty() {
            true => formatter.write_str("nothing"),
            false => formatter.write_str(&each.join(", ")),
        }
    }
}

/// How long a run has to be for all of these to happen, and to be missed if one did not.
pub(super) fn time_for(kinds: &[Kind]) -> Duration {
    kinds.iter().map(|kind| kind.takes()).sum()
}

#[cfg(test)]
mod tests {
    use super::{Happened, Kind, Rng, Schedule, time_for};
    use crate::history::kinds::planned;
    use crate::history::store::Topology;

    #[test]
    fn each_kind_that_is_planned_comes_before_any_comes_twice() {
        for (topology, seed) in Topology::ALL.into_iter().zip(1..) {
            let mut rng = Rng::with_seed(seed);
            let kinds = planned(topology, topology.tells());
            let mut schedule = Schedule::new(&kinds, &mut rng);
            let mut happened = Happened::default();
            while schedule.is_first_round() {
                happened.note(schedule.next(&mut rng).expect("some are planned"), 1);
            }
            assert!(kinds.iter().all(|kind| happened.times(*kind) == 1), "{happened}");
            assert_eq!(happened.all(), kinds.len() as u64, "{happened}");
            assert!(schedule.next(&mut rng).is_some(), "and it goes on");
            assert!(time_for(&kinds) > time_for(&kinds[1..]));
        }
    }

    #[test]
    fn what_did_not_happen_comes_again_and_the_order_is_the_seeds() {
        let kinds = planned(Topology::Cluster, true);
        let order = |seed| Schedule::new(&kinds, &mut Rng::with_seed(seed)).first;
        assert_eq!(order(3), order(3));
        assert_ne!(order(3), order(4));
        let mut rng = Rng::with_seed(3);
        let mut schedule = Schedule::new(&kinds, &mut rng);
        let first = schedule.next(&mut rng).expect("some are planned");
        schedule.put_off(first);
        while schedule.is_first_round() {
            assert_ne!(schedule.next(&mut rng), Some(first), "others have their turn before");
        }
        let mut soon = (0..64).map(|_| schedule.next(&mut rng));
        assert!(soon.any(|kind| kind == Some(first)));
    }

    #[test]
    fn names_lead_back_to_kinds() {
        assert!(Kind::ALL.into_iter().all(|kind| Kind::named(kind.name()) == Some(kind)));
    }
}
