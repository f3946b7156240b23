//! Removing what a pattern fits, or everything: by a scan of all keys of all servers.

use super::link::{Answer, Batch, Bucket, Link, Reply};
use super::remove::by_bucket;
use super::reply;
use super::steps::Steps;
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

impl<L: Link> Steps<L> {
    /// [`Provider::remove_matching`](crate::provider::Provider::remove_matching).
    pub(super) async fn unlink_matching(&self, pattern: &Pattern) -> Result<u64> {
        const STEP: &str = "remove_matching";
        self.check_open(STEP)?;
        if let Some(key) = pattern.as_literal() {
            return self.unlink_in_order(STEP, &[&key], &[]).await;
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
        let mut removed = 0;
        let mut scanned: Vec<Incarnation> = Vec::new();
        for _ in 0..MOST_ROUNDS {
            scanned.clear();
            // Servers are scanned one after the other: haste would only slow down everybody else.
            while scanned.len() < self.link.nodes().await? {
                let node = scanned.len();
                let life = self.unlink_on(step, node, glob, &chosen, &mut removed).await;
                match life.map_err(|error| doubtful(step, removed, error))? {
                    Some(life) => scanned.push(life),
                    None => break,
                }
            }
            if scanned.len() == self.link.nodes().await? && !holds_twice(&scanned) {
                return Ok(removed);
            }
        }
        let message = "servers came and went while they were scanned";
        Err(Error::new(ErrorKind::Unknown, step, message))
    }

    /// Removes on one server; its life, or `None` if another took its place meanwhile.
    ///
    /// A cursor means nothing to another server: it would pass over keys.
    async fn unlink_on(
        &self,
        step: &'static str,
        node: usize,
        glob: &[u8],
        chosen: &impl Fn(&[u8]) -> Option<Bucket>,
        removed: &mut u64,
    ) -> Result<Option<Incarnation>> {
        let (mut cursor, mut first_life) = (b"0".to_vec(), None);
        loop {
            let page = self.scan(step, node, &cursor, glob).await?;
            if *first_life.get_or_insert(page.life) != page.life {
                return Ok(None);
            }
            let named = |name: Vec<u8>| Some((chosen(&name)?, name));
            let found: Vec<(Bucket, Vec<u8>)> = page.names.into_iter().filter_map(named).collect();
            for some in found.chunks(NAMES_AT_ONCE) {
                *removed += self.unlink_names(step, by_bucket(some.to_vec())).await?;
            }
            if page.next == b"0" {
                return Ok(first_life);
            }
            cursor = page.next;
        }
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
