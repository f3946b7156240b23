//! Removals, and waiting until all near caches have seen them.

use super::state::{Message, State, WriterStep};
use super::{Change, Mode, Near, Promise};
use crate::explore::Steps;

/// The next step of a writer.
pub(super) fn writer(model: &Near, state: &State, at: usize, steps: &mut Steps<State>) {
    let (step, version) = state.writers[at];
    let mut next = state.clone();
    let what = match step {
        WriterStep::Idle => {
            next.database += 1;
            next.writers[at].1 = next.database;
            let is_first = model.writes_here && !model.forgets_after_removal;
            next.writers[at].0 = if is_first { WriterStep::Forget } else { WriterStep::Remove };
            "commits"
        }
        WriterStep::Remove => {
            next.entry = None;
            next.tell(match model.writers[at] {
                Change::Name => Message::Changed,
                Change::Everything => Message::Everything,
            });
            let follows = model.writes_here && model.forgets_after_removal;
            next.writers[at].0 = if follows { WriterStep::Forget } else { WriterStep::Return };
            "removes the entry"
        }
        WriterStep::Forget => {
            next.forget(0);
            let after =
                if model.forgets_after_removal { WriterStep::Return } else { WriterStep::Remove };
            next.writers[at].0 = after;
            "process 0 forgets its copy"
        }
        WriterStep::Return => {
            next.acknowledged[0] = next.acknowledged[0].max(version);
            let settles = model.promise == Promise::Settled;
            next.writers[at].0 = if settles { WriterStep::Settle } else { WriterStep::Done };
            "the store has acknowledged"
        }
        WriterStep::Settle => {
            let waits = state.is_registered && model.mode != Mode::Validated;
            next.writers[at].0 = WriterStep::Wait(if waits { model.bound } else { 0 });
            "asks how long near caches serve their copies"
        }
        WriterStep::Wait(0) => {
            next.settled = next.settled.max(version);
            next.writers[at].0 = WriterStep::Done;
            "Ok, settled"
        }
        WriterStep::Wait(_) | WriterStep::Done => return,
    };
    steps.add(next, |_| format!("writer {at}: {what}, version {}", version.max(state.database)));
}
