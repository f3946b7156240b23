//! What passed through a proxy.

use std::collections::BTreeMap;

use crate::servers::is_housekeeping;

/// Commands and round trips.
///
/// What connections need to begin (`AUTH`, `CLIENT`, `INFO`, ..) is counted by name only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_name: BTreeMap<String, u64>,
    /// How many connections were taken.
    pub connections: u64,
    /// How many commands there were.
    pub commands: u64,
    /// How often a command was sent while none was under way on its connection. Commands that
    /// are sent one after another without waiting are one round trip.
    pub round_trips: u64,
}

impl Counts {
    /// What passed after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let names = self.by_name.iter().map(|(name, count)| {
            (name.clone(), count - earlier.by_name.get(name).copied().unwrap_or_default())
        });
        Self {
            by_name: names.filter(|(_, count)| *count > 0).collect(),
            connections: self.connections - earlier.connections,
            commands: self.commands - earlier.commands,
            round_trips: self.round_trips - earlier.round_trips,
        }
    }

    /// How often a command of this name (in lower case) passed.
    #[must_use]
    pub fn calls(&self, name: &str) -> u64 {
        self.by_name.get(name).copied().unwrap_or_default()
    }

    /// Notes a command; `under_way` counts the connection's commands without an answer.
    pub(super) fn note(&mut self, name: String, under_way: i64) {
        if !is_housekeeping(&name) {
            self.commands += 1;
            self.round_trips += u64::from(under_way <= 0);
        }
        *self.by_name.entry(name).or_default() += 1;
    }
}
