//! The store's steps, each of them atomic: what the scripts and commands of
//! `cache-runtime/src/provider/commands` do on one server.

use super::rules::{Fill, Rules};
use super::state::{Cell, EPOCH, Entry, HELD, Id, MARKS, Seen, Server, Stamp, State};

impl State {
    /// The server with this number, as this process sees it.
    pub(super) fn server(&mut self, process: u8, number: usize) -> &mut Server {
        match &mut self.old {
            Some(old) if process == 0 && number == 0 => old,
            _ => &mut self.servers[number],
        }
    }

    /// The incarnation that a connection to this server has (`Identity::ask`).
    pub(super) fn life(&mut self, rules: &Rules, process: u8, number: usize) -> u8 {
        // Where INFO is not allowed, all lives look alike (`Incarnation::UNKNOWN`).
        if rules.fence { self.server(process, number).life } else { 0 }
    }

    /// What a mark holds (`reply::mark_state`).
    pub(super) fn mark(&mut self, rules: &Rules, process: u8, mark: usize) -> Stamp {
        let number = rules.server_of(mark);
        let life = self.life(rules, process, number);
        let nonce = match rules.marks_from_replica {
            true => self.replicas[number].marks[mark],
            false => self.server(process, number).marks[mark],
        };
        let is_live = nonce != 0 && nonce != HELD;
        if is_live { Stamp { nonce, life } } else { Stamp::default() }
    }

    /// Creates a mark if it is absent; what it holds then, nothing if it is held (`lua/marks.lua`: `ensure`).
    pub(super) fn ensure(&mut self, rules: &Rules, process: u8, mark: usize) -> Stamp {
        let (number, unused) = (rules.server_of(mark), self.unused());
        let life = self.life(rules, process, number);
        let held = &mut self.server(process, number).marks[mark];
        if *held == HELD {
            return Stamp::default();
        }
        if *held == 0 {
            *held = unused;
        }
        Stamp { nonce: *held, life }
    }

    /// Reads the cell into what a look saw (the cell's page in `Steps::look_up`).
    pub(super) fn read_cell(&mut self, rules: &Rules, process: u8, seen: &mut Seen) {
        seen.cell = self.server(process, 0).cell;
        seen.life = self.life(rules, process, 0);
    }

    /// Puts a lease or a writer's claim into the cell if it holds what is expected
    /// (`lua/acquire.lua`). What it held if it does not.
    pub(super) fn acquire(
        &mut self,
        process: u8,
        expected: Option<Id>,
        lease: Cell,
    ) -> Result<(), Cell> {
        let server = self.server(process, 0);
        if expected.is_some_and(|expected| expected != server.cell.prefix()) {
            return Err(server.cell);
        }
        server.cell = lease;
        Ok(())
    }

    /// Stores an entry if the cell holds what is expected, the server lives the life that the load
    /// began in, and the epochs beside the cell are those from before the load (`lua/fill.lua`).
    pub(super) fn fill(
        &mut self,
        rules: &Rules,
        process: u8,
        expected: Option<Id>,
        entry: Entry,
        guards: &[Stamp; MARKS],
    ) -> bool {
        let (fill, is_same_life) = (rules.fill, entry.life == self.life(rules, process, 0));
        let guard_holds = !rules.has_result_tag
            || !rules.guards
            || rules.away[EPOCH]
            || self.mark(rules, process, EPOCH) == guards[EPOCH];
        let server = self.server(process, 0);
        let fits = expected.is_none_or(|expected| expected == server.cell.prefix());
        let is_stored = (fill == Fill::Always || fits) && is_same_life && guard_holds;
        if is_stored {
            server.cell = Cell::Value(entry);
        }
        is_stored
    }

    /// Removes the cell if it still holds this (`lua/release.lua`).
    pub(super) fn release(&mut self, process: u8, prefix: Id) {
        let server = self.server(process, 0);
        if prefix != 0 && server.cell.prefix() == prefix {
            server.cell = Cell::Absent;
        }
    }

    /// Gives back the lease beside the cell.
    pub(super) fn release_beside(&mut self, process: u8, lease: Id) {
        let server = self.server(process, 0);
        if lease != 0 && server.beside == lease {
            server.beside = 0;
        }
    }
}

/// Whether an entry is valid as far as its server and its marks are concerned
/// (`Remote::verified`, `Stored::verify`).
pub(super) fn is_valid(rules: &Rules, seen: &Seen, entry: &Entry) -> bool {
    let marks_hold = (0..MARKS).filter(|mark| rules.carried(*mark)).all(|mark| {
        let state = seen.states[mark];
        match state.nonce {
            0 => rules.absent_mark_is_valid,
            _ => state == entry.stamps[mark],
        }
    });
    marks_hold && entry.life == seen.life
}
