//! The versions of all rows in files that the processes share.
//!
//! A check needs one table that every process sees at once, in which a version is taken by one
//! commit alone, and which costs far less than the cache that it checks. The page cache of the
//! operating system is such a table without a line of unsafe code: a version is the length of a
//! file that is only appended to, which the kernel changes for one writer at a time, and every
//! other cell has one writer, and shows by its own complement that it was read whole.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::checker::ROWS;

/// How many processes may note what they acknowledged.
pub const SEATS: u64 = 16;

/// So many versions of a row are remembered with the time of their acknowledgement.
const REMEMBERED: u64 = 1 << 15;

/// A version and its complement.
const CELL: usize = 16;

/// A version, a time, and the two mixed.
const TIME: usize = 24;

/// The versions that a read may not fall behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Floor {
    /// The newest whose invalidation has returned, in any process.
    pub(super) acknowledged: u64,
    /// The newest whose invalidation has waited for the near caches.
    pub(super) settled: u64,
    /// The newest whose invalidation has returned in this process.
    pub(super) own: u64,
}

/// One process's sight of the table.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<PathBuf>,
    lengths: Vec<File>,
    acknowledged: File,
    settled: File,
    times: File,
    seat: u64,
    own: Mutex<HashMap<u64, u64>>,
}

impl Table {
    /// Opens the table in this folder, and makes what is not there. No two processes that run at
    /// once may have the same seat.
    pub(super) fn open(folder: &Path, seat: u64) -> Self {
        assert!(seat < SEATS, "there are {SEATS} seats");
        let shared = |name: &str| {
            let mut options = OpenOptions::new();
            let file = options.read(true).write(true).create(true).truncate(false);
            file.open(folder.join(name)).expect("the folder can be written")
        };
        let rows: Vec<PathBuf> = (0..ROWS).map(|id| folder.join(format!("row-{id}"))).collect();
        let lengths = (0..ROWS).map(|id| shared(&format!("row-{id}"))).collect();
        let (acknowledged, settled) = (shared("acknowledged"), shared("settled"));
        let (times, own) = (shared("times"), Mutex::default());
        Self { rows, lengths, acknowledged, settled, times, seat, own }
    }

    pub(super) fn version(&self, id: u64) -> u64 {
        self.lengths[id as usize].metadata().expect("the file is open").len()
    }

    /// The next version: each is given out once.
    pub(super) fn commit(&self, id: u64) -> u64 {
        // Opened anew: the position after the write is then that of this commit.
        let file = OpenOptions::new().append(true).open(&self.rows[id as usize]);
        let mut file = file.expect("the file is there");
        file.write_all(b".").expect("the disk has room");
        file.stream_position().expect("a file has a position")
    }

    /// Notes when a version's invalidation returned, and then that it did.
    pub(super) fn acknowledge(&self, id: u64, version: u64, settled: bool) {
        let nanos = now().as_nanos() as u64;
        let words = [version, nanos, version ^ nanos];
        write_at(&self.times, place(id, version), &words);
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = own.entry(id).or_default();
        *newest = version.max(*newest);
        self.raise(&self.acknowledged, id, version);
        if settled {
            self.raise(&self.settled, id, version);
        }
    }

    /// Only this process writes its cells, and only under the lock.
    fn raise(&self, file: &File, id: u64, version: u64) {
        let at = (id * SEATS + self.seat) * CELL as u64;
        let known = whole(&read_at::<CELL>(file, at)).unwrap_or_default();
        if version > known {
            write_at(file, at, &[version, !version]);
        }
    }

    pub(super) fn floor(&self, id: u64) -> Floor {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let own = own.get(&id).copied().unwrap_or_default();
        let newest = |file: &File| newest(file, id);
        Floor { acknowledged: newest(&self.acknowledged), settled: newest(&self.settled), own }
    }

    /// When the first of the versions after `seen` and up to `floor` was acknowledged; those that
    /// are forgotten, and those that never were, do not count.
    pub(super) fn first_acknowledged(&self, id: u64, seen: u64, floor: u64) -> Option<Duration> {
        let times = (seen + 1..=floor).filter_map(|version| {
            let words = words(&read_at::<TIME>(&self.times, place(id, version)));
            let holds = words[0] == version && words[2] == version ^ words[1];
            holds.then(|| Duration::from_nanos(words[1]))
        });
        times.min()
    }
}

/// The time that all processes of the machine share, and that goes on while they stand still.
pub(super) fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

fn place(id: u64, version: u64) -> u64 {
    (id * REMEMBERED + version % REMEMBERED) * TIME as u64
}

fn newest(file: &File, id: u64) -> u64 {
    const ROW: usize = CELL * SEATS as usize;
    let at = id * ROW as u64;
    loop {
        let row = read_at::<ROW>(file, at);
        // A cell that was read in the middle of a write is read again.
        let cells: Option<Vec<u64>> = row.chunks(CELL).map(whole).collect();
        if let Some(cells) = cells {
            return cells.into_iter().max().unwrap_or_default();
        }
    }
}

/// The version in a cell, if it was read whole; one that was never written holds none.
fn whole(cell: &[u8]) -> Option<u64> {
    let words = words(cell);
    (words[1] == !words[0] || words == [0, 0]).then_some(words[0])
}

fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |each: &[u8]| u64::from_ne_bytes(each.try_into().expect("eight bytes"));
    bytes.chunks_exact(8).map(word).collect()
}

/// What lies behind the end of the file is zero.
fn read_at<const N: usize>(file: &File, at: u64) -> [u8; N] {
    let (mut bytes, mut filled) = ([0; N], 0);
    while filled < N {
        match file.read_at(&mut bytes[filled..], at + filled as u64).expect("the file is open") {
            0 => break,
            read => filled += read,
        }
    }
    bytes
}

fn write_at(file: &File, at: u64, words: &[u64]) {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    file.write_all_at(&bytes, at).expect("the disk has room");
}

#[cfg(test)]
mod tests {
    use super::{Floor, Table, now};

    #[test]
    fn what_one_process_notes_another_sees() {
        let folder = std::env::temp_dir().join(format!("cache-table-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder can be written");
        let (one, other) = (Table::open(&folder, 0), Table::open(&folder, 1));
        let began = now();
        assert_eq!((one.version(3), one.floor(3)), (0, Floor::default()));
        assert_eq!([one.commit(3), other.commit(3), one.commit(3)], [1, 2, 3]);
        assert_eq!((other.version(3), other.version(4)), (3, 0));
        one.acknowledge(3, 3, false);
        other.acknowledge(3, 2, true);
        assert_eq!(one.floor(3), Floor { acknowledged: 3, settled: 2, own: 3 });
        assert_eq!(other.floor(3), Floor { acknowledged: 3, settled: 2, own: 2 });
        let first = other.first_acknowledged(3, 0, 3).expect("two of three were");
        assert!(began <= first && first <= now());
        assert!(first <= other.first_acknowledged(3, 1, 2).expect("the second was"));
        assert_eq!(other.first_acknowledged(3, 0, 1), None, "the first never was");
        std::fs::remove_dir_all(&folder).expect("the folder is ours");
    }
}
