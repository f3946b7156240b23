//! For each rule of the protocol that can be left out a run that needs it.

use std::time::Duration;

use crate::worker::RULES;

use super::kinds::Kind;
use super::run::Setup;
use super::store::Topology;

/// A run without this rule, where that matters; `None` if there is no such rule.
#[must_use]
pub fn without(rule: &str) -> Option<Setup> {
    let (rule, _) = RULES.into_iter().find(|(name, _)| *name == rule)?;
    let base =
        Setup { time: Duration::from_secs(8), tasks: 16, ..Setup::new(Topology::Standalone) };
    let near = "500ms".to_owned();
    let setup = match rule {
        // Invalidations are lost with the end of the log, and what they were about comes back.
        "fence" => Setup {
            topology: Topology::Log,
            faults: true,
            only: vec![Kind::Truncate],
            // So that the store is used again soon after it is back.
            timeout: Some("1s".to_owned()),
            tasks: 6,
            ..base
        },
        // The lease is renewed no more, and copies go on being served. It is the first process that
        // hears nothing, and one that writes would know at least of its own doubts.
        "heartbeat" => {
            Setup { faults: true, only: vec![Kind::Deafen], near, readers: 1, tasks: 8, ..base }
        }
        // What is changed while a copy is on its way is told before the copy is there.
        "install-guard" => Setup { near, reads_per_write: 10, ..base },
        // Many writes, so that they meet with loads.
        _ => Setup { reads_per_write: 10, ..base },
    };
    Some(Setup { without: Some(rule), ..setup })
}
