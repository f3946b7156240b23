//! Removing what a pattern fits, or everything: by a scan of all keys of all servers.

use super::holds::Lot;
use super::join::join_all;
use super::link::{Answer, Batch, Bucket, Link, Reply};
use super::reply;
use super::steps::Steps;
use super::sweep::Sweep;
use crate::entry::Incarnation;
use crate::{Error, ErrorKind, Pattern, Result};

/// How many keys a server looks at for one `SCAN`: some 0.2 ms, in which it serves nobody else.
/// Upstash takes no larger number.
const KEYS_AT_ONCE: &[u8] = b"1000";

/// How many names one `UNLINK` has at most.
const NAMES_AT_ONCE: usize = 512;

/// How often a scan begins anew because servers were replaced.
const MOST_ROUNDS: usize = 4;

/// One page of a scan.
struct Page {
    /// The cursor of the next page; `0` behind the last one.
    next: Vec<u8>,
    names: Vec<Vec<u8>>,
    /// The life of the server that answered.
    life: Incarnation,
}

/// The way over all pages of one server.
struct Walk {
    node: usize,
    cursor: Vec<u8>,
    /// The life of the server that showed the first page.
    life: Option<Incarnation>,
    is_over: bool,
}

impl Walk {
    fn over(node: usize) -> Self {
        Self { node, cursor: b"0".to_vec(), life: None, is_over: false }
    }
}

impl<L: Link> Steps<L> {
    /// [`Provider::remove_matching`](crate::provider::Provider::remove_matching).
    pub(super) async fn unlink_matching(&self, pattern: &Pattern) -> Result<u64> {
        const STEP: &str = "remove_matching";
        self.check_open(STEP)?;
        if let Some(key) = pattern.as_literal() {
            let lots = self.lots(STEP, &[&key], &[])?;
            return self.unlink_lots(STEP, &lots).await;
        }
        let glob = self.names.cells_like(pattern);
        let chosen = |name: &[u8]| {
            let (bucket, key) = self.names.key_in(name)?;
            pattern.matches(key).then_some(bucket)
        };
        self.unlink_scanned(STEP, &glob, chosen).await
    }

    /// [`Provider::clear`](crate::provider::Provider::clear).
    pub(super) async fn unlink_everything(&self) -> Result<()> {
        const STEP: &str = "clear";
        self.check_open(STEP)?;
        let glob = self.names.everything();
        self.unlink_scanned(STEP, &glob, |name| self.names.bucket_in(name)).await.map(drop)
    }

    /// Removes the names that the glob pattern fits and that are chosen; how many there were.
    ///
    /// `chosen` tells in which bucket such a name lies.
    async fn unlink_scanned(
        &self,
        step: &'static str,
        glob: &[u8],
        chosen: impl Fn(&[u8]) -> Option<Bucket>,
    ) -> Result<u64> {
        let (mut removed, mut sweep) = (0, Sweep::begin(self, step).await?);
        let scanned = self.unlink_rounds(step, glob, &chosen, &mut sweep, &mut removed).await;
        let ended = sweep.end().await;
        scanned.and(ended).map_err(|error| doubtful(step, removed, error))?;
        Ok(removed)
    }

    async fn unlink_rounds(
        &self,
        step: &'static str,
        glob: &[u8],
        chosen: &impl Fn(&[u8]) -> Option<Bucket>,
        sweep: &mut Sweep<'_, L>,
        removed: &mut u64,
    ) -> Result<()> {
        for _ in 0..MOST_ROUNDS {
            let mut walks: Vec<Walk> = (0..self.link.nodes().await?).map(Walk::over).collect();
            if !self.unlink_on_all(step, glob, chosen, sweep, &mut walks, removed).await? {
                continue;
            }
            let scanned: Vec<Incarnation> = walks.iter().filter_map(|walk| walk.life).collect();
            if scanned.len() == self.link.nodes().await? && !holds_twice(&scanned) {
                return Ok(());
            }
        }
        let message = "servers came and went while they were scanned";
        Err(Error::new(ErrorKind::Unknown, step, message))
    }

    /// Removes on all servers at once, page by page: while the mark is held every function loads and
    /// nothing is stored, so the time counts, and each server still has one page at a time to see to.
    /// False if all has to be scanned anew.
    ///
    /// That is so if another server took the place of one meanwhile, to which a cursor means nothing:
    /// it would pass over keys. And if loads may have stored what they made of cells that were still
    /// to go.
    async fn unlink_on_all(
        &self,
        step: &'static str,
        glob: &[u8],
        chosen: &impl Fn(&[u8]) -> Option<Bucket>,
        sweep: &mut Sweep<'_, L>,
        walks: &mut [Walk],
        removed: &mut u64,
    ) -> Result<bool> {
        while walks.iter().any(|walk| !walk.is_over) {
            let goes_on = walks.iter_mut().filter(|walk| !walk.is_over);
            let pages = goes_on.map(|walk| self.unlink_page(step, glob, chosen, walk));
            let pages = join_all(pages).await;
            *removed += pages.iter().flatten().flatten().sum::<u64>();
            let pages: Result<Vec<Option<u64>>> = pages.into_iter().collect();
            if pages?.contains(&None) || !sweep.goes_on().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes what the next page of a server shows; how much that was, or `None` if it is another
    /// server than the one that showed the first page.
    async fn unlink_page(
        &self,
        step: &'static str,
        glob: &[u8],
        chosen: &impl Fn(&[u8]) -> Option<Bucket>,
        walk: &mut Walk,
    ) -> Result<Option<u64>> {
        let page = self.scan(step, walk.node, &walk.cursor, glob).await?;
        if *walk.life.get_or_insert(page.life) != page.life {
            return Ok(None);
        }
        let named = |name: Vec<u8>| Some((chosen(&name)?, name));
        let found: Vec<(Bucket, Vec<u8>)> = page.names.into_iter().filter_map(named).collect();
        let mut removed = 0;
        for some in found.chunks(NAMES_AT_ONCE) {
            removed += self.unlink_lots(step, &self.lots_of_names(some)).await?;
        }
        walk.is_over = page.next == b"0";
        walk.cursor = page.next;
        Ok(Some(removed))
    }

    /// The same names, those of one bucket together.
    fn lots_of_names(&self, names: &[(Bucket, Vec<u8>)]) -> Vec<Lot> {
        let mut lots = Vec::new();
        for (bucket, name) in names {
            let lot = Lot::of(&mut lots, *bucket);
            let is_cell = self.names.key_in(name).is_some();
            if is_cell { &mut lot.cells } else { &mut lot.marks }.push(name.clone());
        }
        lots
    }

    async fn scan(
        &self,
        step: &'static str,
        node: usize,
        cursor: &[u8],
        glob: &[u8],
    ) -> Result<Page> {
        let mut batch = L::Batch::default();
        batch.command("SCAN").arg(cursor).arg(b"MATCH").arg(glob).arg(b"COUNT").arg(KEYS_AT_ONCE);
        let Answer { replies, incarnation: life } = self.link.send_to(node, batch).await?;
        let mut parts = reply::list(step, reply::single(step, replies)?)?.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(next), Some(Reply::List(names)), None) => {
                let names: Result<_> = names.into_iter().map(|name| bytes(step, name)).collect();
                Ok(Page { next: digits(step, next)?, names: names?, life })
            }
            _ => Err(reply::miscounted(step)),
        }
    }
}

/// Whether one server was scanned under two numbers, so that another may have been left out. Lives
/// that cannot be told apart do not say.
fn holds_twice(lives: &[Incarnation]) -> bool {
    let known = |life: &&Incarnation| **life != Incarnation::UNKNOWN;
    lives
        .iter()
        .enumerate()
        .filter(|(_, life)| known(life))
        .any(|(at, life)| lives[..at].contains(life))
}

/// A string; over REST a cursor may also come as a number.
fn bytes(step: &'static str, reply: Reply) -> Result<Vec<u8>> {
    match reply {
        Reply::Bytes(bytes) => Ok(bytes),
        Reply::Integer(number) => Ok(number.to_string().into_bytes()),
        other => Err(reply::unexpected(step, other)),
    }
}

/// A cursor: digits, since it is sent back as it came.
fn digits(step: &'static str, reply: Reply) -> Result<Vec<u8>> {
    let cursor = bytes(step, reply)?;
    if cursor.is_empty() || !cursor.iter().all(u8::is_ascii_digit) {
        let message = "the server gave a cursor that is no number";
        return Err(Error::new(ErrorKind::Unknown, step, message));
    }
    Ok(cursor)
}

fn doubtful(step: &'static str, removed: u64, error: Error) -> Error {
    if removed == 0 && error.kind() == ErrorKind::Unavailable {
        return error;
    }
    reply::half_done(step, error)
}
