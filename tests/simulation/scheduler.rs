//! What happens next, and what goes wrong: drawn from the seed.

use std::collections::VecDeque;

use cache_runtime::{Error, ErrorKind, Result};

use crate::command::{Command, Reply};
use crate::faults::{Faults, Trouble, spoil};
use crate::slot::Slot;
use crate::store::News;
use crate::world::{Call, Ear, Process, State, Told, Waiting, What};

/// What can happen next.
enum Choice {
    Waiting(u64),
    Ask(usize),
    PingArrives(usize),
    Tell(usize),
    Reconnect(usize),
}

impl State {
    /// Decides what happens next, and lets it happen as far as nobody else has to be called.
    pub(crate) fn next(&mut self, number: u64, is_calm: bool) -> Option<Call> {
        if !is_calm {
            self.trouble(number);
            let clock = self.faults.clock;
            if clock > 0 && self.random.u32(..100) < clock {
                let by = self.random.u64(1..40);
                self.advance(by);
            }
        }
        let choice = self.choose(number, is_calm)?;
        Some(self.happen(choice, is_calm))
    }

    fn ear(&mut self, process: usize) -> &mut Ear {
        self.processes[process].ear.as_mut().expect("only who listens is chosen")
    }

    fn choose(&mut self, number: u64, is_calm: bool) -> Option<Choice> {
        let goes_on =
            |process: &Process| !process.is_dead && (is_calm || process.stopped_until <= number);
        let is_silent = !is_calm && self.faults.lag > 0 && self.random.u32(..100) < self.faults.lag;
        let mut choices: Vec<Choice> = Vec::new();
        for (id, waiting) in &self.waiting {
            let process = &self.processes[waiting.process];
            let may_happen = match &waiting.what {
                What::Late(_) => true,
                What::Command(..) => !process.is_dead,
                _ => goes_on(process),
            };
            if may_happen {
                choices.push(Choice::Waiting(*id));
            }
        }
        for (at, process) in self.processes.iter().enumerate() {
            let Some(ear) = process.ear.as_ref().filter(|_| goes_on(process)) else { continue };
            if !ear.is_connected {
                if is_calm || ear.back_at <= number {
                    choices.push(Choice::Reconnect(at));
                }
                continue;
            }
            if ear.ping.is_some() {
                choices.push(Choice::PingArrives(at));
            } else if ear.next_ping <= self.now {
                choices.push(Choice::Ask(at));
            }
            if !ear.line.is_empty() && !is_silent {
                choices.push(Choice::Tell(at));
            }
        }
        let count = choices.len();
        (count > 0).then(|| choices.swap_remove(self.random.usize(..count)))
    }

    fn happen(&mut self, choice: Choice, is_calm: bool) -> Call {
        match choice {
            Choice::Waiting(id) => {
                self.hash(id);
                let Waiting { process, what } = self.waiting.remove(&id).expect("it was chosen");
                self.pass(process, what, is_calm)
            }
            Choice::Ask(at) => {
                self.hash(1 << 40 | at as u64);
                let now = self.now;
                let ear = self.ear(at);
                ear.next_ping = now + ear.watch.every.as_millis() as u64;
                Call::Ask(at, ear.watch.clone())
            }
            Choice::PingArrives(at) => {
                self.hash(2 << 40 | at as u64);
                let ear = self.ear(at);
                let sign = ear.ping.take().expect("it was sent");
                ear.line.push_back(Told::Sign(sign));
                Call::Nothing
            }
            Choice::Tell(at) => {
                self.hash(3 << 40 | at as u64);
                let ear = self.ear(at);
                let told = ear.line.pop_front().expect("something waits");
                let watch = ear.watch.clone();
                self.note(|| match &told {
                    Told::News(news) => format!("process {at} is told of {news:?}"),
                    Told::Sign(sign) => format!("process {at} hears {sign:?}"),
                });
                Call::Tell(watch, told)
            }
            Choice::Reconnect(at) => {
                self.hash(4 << 40 | at as u64);
                let ear = self.ear(at);
                ear.is_connected = true;
                ear.line.push_back(Told::News(News::Everything));
                Call::Nothing
            }
        }
    }

    fn pass(&mut self, process: usize, what: What, is_calm: bool) -> Call {
        match what {
            What::Gate(slot) => Call::Open(slot),
            What::Late(command) => {
                self.note(|| format!("late: process {process} {command:?}"));
                self.execute(&command);
                Call::Nothing
            }
            What::Command(command, slot) if slot.is_deserted() => {
                self.note(|| format!("given up: process {process} {command:?}"));
                self.execute(&command);
                Call::Nothing
            }
            What::Command(command, slot) => self.arrive(process, command, slot, is_calm),
            What::Answer(reply, slot) => Call::Give(slot, Ok(reply)),
        }
    }

    /// A command is at the store, if it gets there.
    fn arrive(
        &mut self,
        process: usize,
        command: Command,
        slot: Slot<Result<Reply>>,
        is_calm: bool,
    ) -> Call {
        let trouble = match is_calm {
            true => Trouble::None,
            false => self.faults.of_command(&mut self.random),
        };
        self.hash(trouble as u64);
        self.note(|| format!("process {process} {command:?} {trouble:?}"));
        // Of a read it is known that nothing happened.
        let in_doubt =
            if command.only_reads() { ErrorKind::Unavailable } else { ErrorKind::Unknown };
        let failed = |kind| Err(Error::new(kind, command.name(), "a fault of the simulation"));
        match trouble {
            Trouble::None => {
                let reply = self.execute(&command);
                self.note(|| format!("    = {reply:?}"));
                self.wait(process, What::Answer(reply, slot));
                Call::Nothing
            }
            Trouble::Spoilt => {
                let mut reply = self.execute(&command);
                spoil(&mut reply, &mut self.random);
                self.wait(process, What::Answer(reply, slot));
                Call::Nothing
            }
            Trouble::Refused => Call::Give(slot, failed(ErrorKind::Unavailable)),
            Trouble::CommandLost => Call::Give(slot, failed(in_doubt)),
            Trouble::AnswerLost => {
                self.execute(&command);
                Call::Give(slot, failed(in_doubt))
            }
            Trouble::Late => {
                // The answer comes from somewhere on the way, and the command goes on.
                let failed = failed(in_doubt);
                self.wait(process, What::Late(command));
                Call::Give(slot, failed)
            }
            Trouble::Hangs => {
                // Nobody ever gives anything: its sender's deadline ends it.
                self.execute(&command);
                Call::Nothing
            }
        }
    }

    fn execute(&mut self, command: &Command) -> Reply {
        let reply = self.store.execute(command);
        self.spread();
        reply
    }

    /// What goes wrong by itself before the next step.
    fn trouble(&mut self, number: u64) {
        let Faults { evictions, takeovers, deafness, stops, kills, .. } = self.faults;
        let mut draw = |of: u32| of > 0 && self.random.u32(..1_000) < of;
        let (evicts, takes_over) = (draw(evictions), draw(takeovers));
        let (deafens, stops, kills) = (draw(deafness), draw(stops), draw(kills));
        if number.is_multiple_of(16) && takeovers > 0 {
            self.copies.push_back(self.store.clone());
            if self.copies.len() > 8 {
                self.copies.pop_front();
            }
        }
        if evicts {
            let at = self.random.usize(..1_000);
            self.note(|| "eviction".to_owned());
            self.store.evict(at);
            self.spread();
        }
        if takes_over {
            self.note(|| "another server takes over".to_owned());
            let at = self.random.usize(..self.copies.len());
            let copy = self.copies[at].clone();
            self.store.fail_over(&copy);
            self.store.news.clear();
            self.copies = VecDeque::from([self.store.clone()]);
            for process in &mut self.processes {
                process.go_deaf(number + self.random.u64(1..100));
            }
        }
        if deafens {
            let at = self.random.usize(..self.processes.len());
            self.note(|| format!("process {at} goes deaf"));
            let back_at = number + self.random.u64(1..300);
            self.processes[at].go_deaf(back_at);
        }
        if kills && self.processes.iter().filter(|process| !process.is_dead).count() > 1 {
            let at = self.random.usize(..self.processes.len());
            self.kill(at);
        }
        if stops {
            let at = self.random.usize(..self.processes.len());
            self.processes[at].stopped_until = number + self.random.u64(1..200);
        }
    }
}

impl Process {
    fn go_deaf(&mut self, back_at: u64) {
        if let Some(ear) = &mut self.ear {
            (ear.is_connected, ear.back_at) = (false, back_at);
            ear.ping = None;
            ear.line.clear();
        }
    }
}
