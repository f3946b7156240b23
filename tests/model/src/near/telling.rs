//! What the store tells, and what a process makes of it.

use super::state::{Message, Sign, Stage, State};
use super::{Mode, Near, Since};
use crate::explore::Steps;

/// What can happen on a process's connection.
pub(super) fn node(model: &Near, state: &State, at: usize, steps: &mut Steps<State>) {
    if model.mode != Mode::Told {
        return;
    }
    signs(model, state, at, steps);
    deliver(model, state, at, steps);
    losses(model, state, at, steps);
    if !state.nodes[at].unsent.is_empty() {
        let mut next = state.clone();
        next.send_changes(at, usize::MAX);
        steps.add(next, |_| format!("server: sends process {at} what has changed"));
    }
}

impl State {
    /// The server sends the first so many of the changes that it has collected.
    fn send_changes(&mut self, at: usize, most: usize) {
        let node = &mut self.nodes[at];
        let sent: Vec<Message> = node.unsent.drain(..most.min(node.unsent.len())).collect();
        node.channel.extend(sent);
        node.due = 0;
    }

    /// Changes may have been lost (`Changed::Everything`).
    fn everything(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        node.lease = 0;
        node.is_registered = false;
        if let Some(sign) = &mut node.sign {
            sign.is_of_this_life = false;
        }
        self.forget(at);
    }
}

/// Signs of life (`Watching::sign`, `Ear::ask`, `Lease::renew`).
fn signs(model: &Near, state: &State, at: usize, steps: &mut Steps<State>) {
    let node = &state.nodes[at];
    let mut next = state.clone();
    let what = match node.sign {
        None if node.listens && node.is_told => {
            let sign = Sign { stage: Stage::Asked, age: 0, is_of_this_life: true };
            next.nodes[at].sign = Some(sign);
            "asks for a sign of life"
        }
        Some(sign) if sign.stage == Stage::Asked && node.is_told => {
            // The answer may leave before what changed in the same round.
            if model.asks_twice {
                next.nodes[at].due = node.unsent.len();
                next.nodes[at].sign = Some(Sign { stage: Stage::AskedAgain, ..sign });
                "is answered, and asks again"
            } else {
                next.nodes[at].channel.push(Message::Answer);
                next.nodes[at].sign = Some(Sign { stage: Stage::Answered, ..sign });
                "is answered"
            }
        }
        Some(sign) if sign.stage == Stage::AskedAgain && node.is_told => {
            // In a later round: what had changed before the last one is sent.
            next.send_changes(at, node.due);
            next.nodes[at].channel.push(Message::Answer);
            next.nodes[at].sign = Some(Sign { stage: Stage::Answered, ..sign });
            "is answered again"
        }
        Some(sign) if sign.stage == Stage::Come => {
            let age = if model.since == Since::Asked { sign.age } else { 0 };
            if sign.is_of_this_life {
                next.nodes[at].lease = model.bound - age;
            }
            next.nodes[at].sign = None;
            "has a sign of life"
        }
        _ => return,
    };
    steps.add(next, |_| format!("process {at}: {what}"));
}

/// The process hears what comes first (`NearCache::changed`).
fn deliver(model: &Near, state: &State, at: usize, steps: &mut Steps<State>) {
    let Some(message) = state.nodes[at].channel.first() else { return };
    let mut next = state.clone();
    next.nodes[at].channel.remove(0);
    match message {
        Message::Changed => next.forget(at),
        Message::Everything if model.heeds_null => next.everything(at),
        Message::Everything => {}
        Message::Answer => {
            if let Some(sign) = &mut next.nodes[at].sign {
                sign.stage = Stage::Come;
            }
        }
    }
    steps.add(next, |_| format!("process {at}: hears {message:?}"));
}

/// The connection is lost; the process finds out some time later, and listens again.
fn losses(model: &Near, state: &State, at: usize, steps: &mut Steps<State>) {
    let node = &state.nodes[at];
    let mut next = state.clone();
    if node.is_told && state.losses > 0 {
        next.losses -= 1;
        let lost = &mut next.nodes[at];
        (lost.is_told, lost.due) = (false, 0);
        lost.channel.clear();
        lost.unsent.clear();
        // One that has come already is this process's own.
        lost.sign = node.sign.filter(|sign| sign.stage == Stage::Come);
        steps.add(next, |_| format!("process {at}: its connection is lost"));
    } else if !node.is_told && node.listens {
        next.nodes[at].listens = false;
        if model.forgets_on_loss {
            next.everything(at);
        }
        steps.add(next, |_| format!("process {at}: notices the loss"));
    } else if !node.listens {
        (next.nodes[at].is_told, next.nodes[at].listens) = (true, true);
        if model.forgets_on_loss {
            next.everything(at);
        }
        steps.add(next, |_| format!("process {at}: listens again"));
    }
}
