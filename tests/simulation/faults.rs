//! What can go wrong, and how often.

use cache_runtime::provider::Observed;
use fastrand::Rng;

use crate::command::Reply;

/// How often things go wrong: of a thousand steps, where it does not say otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    /// Of a hundred steps, how many move the clock before they happen.
    pub(crate) clock: u32,
    pub(crate) evictions: u32,
    /// Another server takes over, with a state from a while ago.
    pub(crate) takeovers: u32,
    /// A process hears nothing of changes for a while, and what happens meanwhile is lost.
    pub(crate) deafness: u32,
    /// A process stands still for a while.
    pub(crate) stops: u32,
    /// Commands that fail in one of the ways of [`Trouble`].
    pub(crate) failures: u32,
    /// Answers with a cell that is cut short or has a wrong bit.
    pub(crate) spoilt: u32,
    /// Processes that die.
    pub(crate) kills: u32,
    /// Writers that die between their commit and their invalidation, of a hundred with a guard.
    pub(crate) deaths: u32,
    /// Of a hundred steps, in how many no process hears anything of changes. That is no fault.
    pub(crate) lag: u32,
}

impl Faults {
    pub(crate) fn is_quiet(&self) -> bool {
        let quiet = Self { lag: self.lag, ..Self::default() };
        *self == quiet
    }
}

/// What becomes of one command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    None,
    /// It is never done, and its sender knows.
    Refused,
    /// It is done, and its sender does not know.
    AnswerLost,
    /// It is not done, and its sender does not know.
    CommandLost,
    /// It is done later than its sender is told that nobody knows.
    Late,
    /// It is done, and there never is an answer.
    Hangs,
    Spoilt,
}

impl Faults {
    pub(crate) fn of_command(&self, random: &mut Rng) -> Trouble {
        let drawn = random.u32(..1_000);
        if drawn < self.failures {
            let troubles = [
                Trouble::Refused,
                Trouble::AnswerLost,
                Trouble::CommandLost,
                Trouble::Late,
                Trouble::Hangs,
            ];
            return troubles[random.usize(..troubles.len())];
        }
        match drawn < self.failures + self.spoilt {
            true => Trouble::Spoilt,
            false => Trouble::None,
        }
    }
}

/// Damages a cell of an answer.
pub(crate) fn spoil(reply: &mut Reply, random: &mut Rng) {
    let Reply::Observed(observed) = reply else { return };
    for Observed { cell, .. } in observed {
        let Some(bytes) = cell.as_ref().map(|cell| cell.to_vec()).filter(|cell| !cell.is_empty())
        else {
            continue;
        };
        let (mut bytes, at) = (bytes.clone(), random.usize(..bytes.len()));
        match random.bool() {
            true => bytes[at] ^= 1 << random.u32(..8),
            false => bytes.truncate(at),
        }
        *cell = Some(bytes.into());
    }
}
