//! The truth: rows whose versions only grow, what was acknowledged when, and what a read may return.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::slot::lock;

/// A row as a loader read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: usize,
    pub(crate) version: u64,
    /// Changes with each version.
    pub(crate) group: u64,
    check: u64,
}

impl Row {
    pub(crate) fn new(id: usize, version: u64) -> Self {
        Self { id, version, group: version % 2, check: check(id, version) }
    }

    fn is_sound(&self, id: usize) -> bool {
        self.id == id && self.check == check(id, self.version) && self.group == self.version % 2
    }
}

fn check(id: usize, version: u64) -> u64 {
    (id as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ version.wrapping_mul(0xff51_afd7_ed55_8ccd)
}

/// All rows.
pub(crate) struct Ledger(Mutex<Books>);

struct Books {
    rows: Vec<Subject>,
    violations: Vec<String>,
    reads: u64,
    stale_within_bound: u64,
}

#[derive(Clone, Default)]
struct Subject {
    committed: u64,
    loads: u64,
    invalidations: u64,
    acknowledged: Vec<Acknowledged>,
    /// When each version is to be seen by loaders: they may read from a replica.
    seen_from: Vec<u64>,
}

/// An invalidation that has returned `Ok`.
#[derive(Clone, Copy, Debug)]
struct Acknowledged {
    version: u64,
    at: u64,
    /// Whom it reaches at once: everybody without a near cache, and this process.
    by: usize,
    reach: Reach,
}

/// Who reads nothing older from then on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reach {
    /// All processes, those with a near cache once its bound has passed.
    Bounded,
    /// All of them, at once.
    Settled,
    /// The process itself: the store has not acknowledged it.
    Own,
}

/// The oldest versions that a read may return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    /// With the bound of the near cache.
    allowed: u64,
    /// Without it.
    exact: u64,
}

impl Ledger {
    pub(crate) fn new(rows: usize) -> Self {
        let rows = vec![Subject::default(); rows];
        let books = Books { rows, violations: Vec::new(), reads: 0, stale_within_bound: 0 };
        Self(Mutex::new(books))
    }

    /// What a loader reads now.
    pub(crate) fn read(&self, id: usize, now: u64) -> Row {
        let books = lock(&self.0);
        let seen = books.rows[id].seen_from.iter().rposition(|from| *from <= now);
        Row::new(id, seen.map_or(0, |at| at as u64 + 1))
    }

    pub(crate) fn note_load(&self, id: usize) {
        lock(&self.0).rows[id].loads += 1;
    }

    /// Changes a row; loaders see it from then on.
    pub(crate) fn commit(&self, id: usize, seen_from: u64) -> Row {
        let row = &mut lock(&self.0).rows[id];
        row.committed += 1;
        row.seen_from.push(seen_from);
        Row::new(id, row.committed)
    }

    /// An invalidation begins, whatever becomes of it.
    pub(crate) fn note_invalidation(&self, id: usize) {
        lock(&self.0).rows[id].invalidations += 1;
    }

    /// The invalidation of a version has returned. Nothing older is read that begins after `at`.
    pub(crate) fn acknowledge(&self, id: usize, version: u64, at: u64, by: usize, reach: Reach) {
        lock(&self.0).rows[id].acknowledged.push(Acknowledged { version, at, by, reach });
    }

    /// What a read may return that begins now, in a process with a near cache of this bound in
    /// milliseconds (0 for exact).
    pub(crate) fn floor(&self, id: usize, now: u64, process: usize, bound: u64) -> Floor {
        let books = lock(&self.0);
        let newest = |reaches: &dyn Fn(&Acknowledged) -> bool| {
            let each = books.rows[id].acknowledged.iter().filter(|done| reaches(done));
            each.map(|done| done.version).max().unwrap_or(0)
        };
        let is_over = |done: &Acknowledged| done.at <= now && done.reach != Reach::Own;
        let reaches = |done: &Acknowledged| match done.reach {
            Reach::Own => done.by == process && done.at <= now,
            Reach::Settled => done.at <= now,
            Reach::Bounded if done.by == process => done.at <= now,
            Reach::Bounded => done.at + bound <= now,
        };
        Floor { allowed: newest(&reaches), exact: newest(&is_over) }
    }

    /// Looks at what a read returned.
    pub(crate) fn judge(&self, id: usize, floor: Floor, row: &Row, who: impl FnOnce() -> String) {
        let mut books = lock(&self.0);
        books.reads += 1;
        if !row.is_sound(id) {
            let who = who();
            books.violations.push(format!("{who}: row {id} was read as {row:?}"));
        } else if row.version < floor.allowed {
            let who = who();
            books.violations.push(format!("{who}: row {id} is stale: {row:?}, {floor:?}"));
        } else if row.version < floor.exact {
            books.stale_within_bound += 1;
        }
    }

    pub(crate) fn violation(&self, what: String) {
        lock(&self.0).violations.push(what);
    }

    /// P2, where nothing went wrong: one load for the first read, and one for each invalidation.
    pub(crate) fn judge_loads(&self) {
        let mut books = lock(&self.0);
        let Books { rows, violations, .. } = &mut *books;
        // Some invalidations reach more rows than one.
        let invalidations: u64 = rows.iter().map(|row| row.invalidations).sum();
        for (id, row) in rows.iter().enumerate().filter(|(_, row)| row.loads > invalidations + 1) {
            violations.push(format!(
                "row {id} was loaded {} times with {invalidations} invalidations",
                row.loads
            ));
        }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let books = lock(&self.0);
        Verdict {
            reads: books.reads,
            loads: books.rows.iter().map(|row| row.loads).sum(),
            invalidations: books.rows.iter().map(|row| row.acknowledged.len() as u64).sum(),
            stale_within_bound: books.stale_within_bound,
            violations: books.violations.clone(),
        }
    }
}

/// What one seed gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) reads: u64,
    pub(crate) loads: u64,
    pub(crate) invalidations: u64,
    pub(crate) stale_within_bound: u64,
    pub(crate) violations: Vec<String>,
}
