//! A tiny model of a Redis server as the provider contract sees it: two ordered maps, a clock and a
//! number for its life. It is simple on purpose, and compared with a real server.

use std::collections::BTreeMap;
use std::time::Duration;

use cache_runtime::provider::{
    Acquired, Baseline, CellBytes, Changed, Extent, Filled, Incarnation, Mark, MarkKind, MarkState,
    Observed, OnRefused, Prefix, Refusal, Stamp, ttl_millis,
};

use crate::command::{Command, Lease, MarkName, Question, Reply, Value};

/// The state of one server.
#[derive(Clone, Debug)]
pub(crate) struct MiniStore {
    /// Milliseconds.
    now: u64,
    life: u64,
    nonces: u64,
    cells: BTreeMap<String, Cell>,
    marks: BTreeMap<MarkName, Held>,
    /// What changed and nobody was told yet, in order.
    pub(crate) news: Vec<News>,
}

#[derive(Clone, Debug)]
struct Cell {
    bytes: Vec<u8>,
    end: u64,
}

#[derive(Clone, Debug)]
struct Held {
    content: Content,
    end: u64,
}

#[derive(Clone, Debug, PartialEq)]
enum Content {
    Nonce([u8; 8]),
    /// Until then, by each of those who hold it.
    Holds(Vec<u64>),
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    Cell(String),
    Mark(MarkName),
    Everything,
}

impl News {
    pub(crate) fn as_changed(&self) -> Changed<'_> {
        match self {
            News::Cell(key) => Changed::Cell(key),
            News::Mark((kind, name)) => Changed::Mark(Mark { kind: *kind, name }),
            News::Everything => Changed::Everything,
        }
    }
}

impl MiniStore {
    /// An empty store in its first life.
    pub(crate) fn new() -> Self {
        let (cells, marks) = (BTreeMap::new(), BTreeMap::new());
        Self { now: 0, life: 1, nonces: 0, cells, marks, news: Vec::new() }
    }

    /// Moves its clock, and expires.
    pub(crate) fn at(&mut self, now: u64) {
        self.now = now;
        let gone: Vec<String> = self
            .cells
            .iter()
            .filter(|(_, cell)| cell.end <= now)
            .map(|(key, _)| key.clone())
            .collect();
        gone.iter().for_each(|key| {
            self.unlink(key);
        });
        let gone: Vec<MarkName> = self
            .marks
            .iter()
            .filter(|(_, held)| held.end <= now)
            .map(|(name, _)| name.clone())
            .collect();
        gone.iter().for_each(|name| self.forget_mark(name));
    }

    /// A server takes over that had this state once: what came later is lost.
    pub(crate) fn fail_over(&mut self, to: &MiniStore) {
        let (now, life, nonces) = (self.now, self.life + 1, self.nonces);
        *self = Self { now, life, nonces, ..to.clone() };
        self.news = vec![News::Everything];
        self.at(now);
    }

    /// Loses a cell or a mark, as under memory pressure. Holds and leases stay: those are not safe
    /// to lose, or cost loads.
    pub(crate) fn evict(&mut self, at: usize) {
        let cells = self.cells.iter().filter(|(_, cell)| cell.bytes[0] == b'V');
        let marks = self.marks.iter().filter(|(_, held)| matches!(held.content, Content::Nonce(_)));
        let cells: Vec<String> = cells.map(|(key, _)| key.clone()).collect();
        let marks: Vec<MarkName> = marks.map(|(name, _)| name.clone()).collect();
        let count = cells.len() + marks.len();
        if count == 0 {
            return;
        }
        match at % count {
            at if at < cells.len() => {
                self.unlink(&cells[at]);
            }
            at => self.forget_mark(&marks[at - cells.len()]),
        }
    }

    /// Which life it is.
    pub(crate) fn incarnation(&self) -> Incarnation {
        Incarnation::new(scattered(self.life ^ (1 << 63)))
    }

    /// How long a cell still lives, in milliseconds.
    pub(crate) fn cell_ttl(&self, key: &str) -> Option<u64> {
        self.cells.get(key).map(|cell| cell.end - self.now)
    }

    /// How long a mark still lives, in milliseconds.
    pub(crate) fn mark_ttl(&self, name: &MarkName) -> Option<u64> {
        self.marks.get(name).map(|held| held.end - self.now)
    }

    /// Does one step, all of it at once.
    pub(crate) fn execute(&mut self, command: &Command) -> Reply {
        match command {
            Command::Read(questions) => {
                Reply::Observed(questions.iter().map(|question| self.look(question)).collect())
            }
            Command::Acquire(lease) => Reply::Acquired(self.acquire(lease)),
            Command::Fill(value) => Reply::Filled(self.fill(value)),
            Command::Renew(key, prefix, ttl) => Reply::Is(self.renew(key, *prefix, *ttl)),
            Command::Release(key, prefix) => {
                let fits = !prefix.is_absent() && self.prefix(key) == *prefix;
                Reply::Is(fits && self.unlink(key))
            }
            Command::Ensure(marks, ttl) => Reply::Marks(self.ensure(marks, *ttl)),
            Command::Hold(marks, ttl) => {
                marks.iter().for_each(|mark| self.hold(mark, *ttl));
                Reply::Done
            }
            Command::ReleaseMarks(marks) => {
                marks.iter().for_each(|mark| self.release(mark));
                Reply::Done
            }
            Command::Remove(keys, marks) => {
                let cells = keys.iter().filter(|key| self.unlink(key)).count();
                let marks = marks.iter().filter(|mark| self.remove_mark(mark)).count();
                Reply::Count((cells + marks) as u64)
            }
            Command::Keys => Reply::Keys(self.cells.keys().cloned().collect()),
            Command::Clear => {
                self.cells.clear();
                self.marks.retain(|_, held| matches!(held.content, Content::Holds(_)));
                self.news.push(News::Everything);
                Reply::Done
            }
            Command::Ping => Reply::Alive(self.incarnation()),
        }
    }

    fn look(&self, question: &Question) -> Observed {
        let bytes = self.cells.get(&question.key).map(|cell| &cell.bytes[..]);
        let cell = match question.extent {
            Extent::Whole => bytes.map(CellBytes::from),
            Extent::Prefix => bytes.map(|bytes| Prefix::of(bytes).as_bytes().into()),
            Extent::Nothing => None,
        };
        Observed { cell, incarnation: self.incarnation(), marks: self.states(&question.marks) }
    }

    fn acquire(&mut self, lease: &Lease) -> Acquired {
        let found = self.prefix(&lease.key);
        if !lease.expected.accepts(found) {
            return Acquired::Busy(found);
        }
        self.put(&lease.key, lease.lease.as_bytes(), lease.ttl);
        Acquired::Granted(self.ensure(&lease.marks, lease.mark_ttl))
    }

    fn fill(&mut self, value: &Value) -> Filled {
        let holds = |(mark, stamp): &(MarkName, Stamp)| self.state(mark) == MarkState::Live(*stamp);
        let refusal = if value.incarnation.is_some_and(|began| began != self.incarnation()) {
            Some(Refusal::Incarnation)
        } else if !value.expected.accepts(self.prefix(&value.key)) {
            Some(Refusal::Cell)
        } else if !value.guards.iter().all(holds) {
            Some(Refusal::Guard)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            if value.on_refused == OnRefused::Remove {
                self.unlink(&value.key);
            }
            return Filled::Refused(refusal);
        }
        self.put(&value.key, &value.bytes, value.ttl);
        value.marks.iter().for_each(|mark| self.prolong(mark, ttl_millis(value.mark_ttl)));
        Filled::Stored(self.states(&value.marks))
    }

    fn renew(&mut self, key: &str, prefix: Prefix, ttl: Duration) -> bool {
        let end = self.now + ttl_millis(ttl);
        match self.cells.get_mut(key) {
            Some(cell) if Prefix::of(&cell.bytes) == prefix => {
                cell.end = end;
                true
            }
            _ => false,
        }
    }

    fn ensure(&mut self, marks: &[MarkName], ttl: Duration) -> Baseline {
        let end = self.now + ttl_millis(ttl);
        for mark in marks {
            if !self.marks.contains_key(mark) {
                self.nonces += 1;
                let nonce = scattered(self.nonces).to_le_bytes();
                self.marks.insert(mark.clone(), Held { content: Content::Nonce(nonce), end });
                self.news.push(News::Mark(mark.clone()));
            }
        }
        Baseline { marks: self.states(marks), incarnation: self.incarnation() }
    }

    /// Lets a live mark live for so long at least, and then for half as long again.
    fn prolong(&mut self, mark: &MarkName, ttl: u64) {
        let now = self.now;
        if let Some(Held { content: Content::Nonce(_), end }) = self.marks.get_mut(mark)
            && *end < now + ttl
        {
            *end = now + ttl * 3 / 2;
            self.news.push(News::Mark(mark.clone()));
        }
    }

    fn hold(&mut self, mark: &MarkName, ttl: Duration) {
        let mut ends = self.ends_of_holds(mark);
        ends.push(self.now + ttl_millis(ttl));
        self.put_holds(mark, ends);
    }

    fn release(&mut self, mark: &MarkName) {
        let mut ends = self.ends_of_holds(mark);
        ends.sort_unstable();
        match ends.len() {
            0 | 1 => self.forget_mark(mark),
            _ => self.put_holds(mark, ends.split_off(1)),
        }
    }

    /// When the holds of a mark end that have not ended yet.
    fn ends_of_holds(&self, mark: &MarkName) -> Vec<u64> {
        match self.marks.get(mark) {
            Some(Held { content: Content::Holds(ends), .. }) => {
                ends.iter().copied().filter(|end| *end > self.now).collect()
            }
            _ => Vec::new(),
        }
    }

    fn put_holds(&mut self, mark: &MarkName, ends: Vec<u64>) {
        let end = ends.iter().copied().max().unwrap_or(self.now);
        self.marks.insert(mark.clone(), Held { content: Content::Holds(ends), end });
        self.news.push(News::Mark(mark.clone()));
    }

    fn remove_mark(&mut self, mark: &MarkName) -> bool {
        let live = matches!(self.marks.get(mark), Some(Held { content: Content::Nonce(_), .. }));
        if live {
            self.forget_mark(mark);
        }
        live
    }

    fn forget_mark(&mut self, mark: &MarkName) {
        if self.marks.remove(mark).is_some() {
            self.news.push(News::Mark(mark.clone()));
        }
    }

    fn put(&mut self, key: &str, bytes: &[u8], ttl: Duration) {
        let cell = Cell { bytes: bytes.to_vec(), end: self.now + ttl_millis(ttl) };
        self.cells.insert(key.to_owned(), cell);
        self.news.push(News::Cell(key.to_owned()));
    }

    fn unlink(&mut self, key: &str) -> bool {
        let was_there = self.cells.remove(key).is_some();
        if was_there {
            self.news.push(News::Cell(key.to_owned()));
        }
        was_there
    }

    fn prefix(&self, key: &str) -> Prefix {
        self.cells.get(key).map_or(Prefix::ABSENT, |cell| Prefix::of(&cell.bytes))
    }

    fn states(&self, marks: &[MarkName]) -> Vec<MarkState> {
        marks.iter().map(|mark| self.state(mark)).collect()
    }

    fn state(&self, mark: &MarkName) -> MarkState {
        match self.marks.get(mark).map(|held| &held.content) {
            None => MarkState::Absent,
            Some(Content::Holds(_)) => MarkState::Held,
            Some(Content::Nonce(nonce)) => MarkState::Live(Stamp::new(*nonce, self.incarnation())),
        }
    }
}

/// A number that looks random, another one for each (the finaliser of SplitMix64).
fn scattered(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The mark that a removal of many keys holds while it is under way.
pub(crate) fn sweep() -> MarkName {
    (MarkKind::Scope, "\u{1}sweep".to_owned())
}
