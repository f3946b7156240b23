//! Removing cells and marks by name.

use super::join::join_all;
use super::link::{Batch, Bucket, Link};
use super::reply;
use super::steps::Steps;
use crate::Result;
use crate::provider::{Mark, MarkKind, Removal};

impl<L: Link> Steps<L> {
    /// [`Provider::remove`](crate::provider::Provider::remove).
    ///
    /// A scope of which there are copies in several buckets counts once for each.
    pub(super) async fn unlink(&self, removal: Removal<'_>) -> Result<u64> {
        self.check_open("remove")?;
        self.unlink_in_order("remove", removal.keys, removal.marks).await
    }

    /// Removes epochs before tags and scopes, unless all lie together and go at one instant.
    ///
    /// A load that creates a tag's nonce after the tag was removed, and is filled before the
    /// family's epoch is, would store what it read before the invalidation.
    pub(super) async fn unlink_in_order(
        &self,
        step: &'static str,
        keys: &[&str],
        marks: &[Mark<'_>],
    ) -> Result<u64> {
        let (epochs, others): (Vec<Mark<'_>>, Vec<Mark<'_>>) =
            marks.iter().partition(|mark| mark.kind == MarkKind::Epoch);
        let mut first = self.names_to_unlink(step, keys, &epochs)?;
        let second = self.names_to_unlink(step, &[], &others)?;
        let together = first.len() == 1 && second.len() == 1 && first[0].0 == second[0].0;
        if epochs.is_empty() || together {
            for (bucket, mut names) in second {
                match first.iter_mut().find(|(other, _)| *other == bucket) {
                    Some((_, all)) => all.append(&mut names),
                    None => first.push((bucket, names)),
                }
            }
            return self.unlink_names(step, first).await;
        }
        let removed = self.unlink_names(step, first).await?;
        match self.unlink_names(step, second).await {
            Ok(more) => Ok(removed + more),
            Err(error) => Err(reply::half_done(step, error)),
        }
    }

    fn names_to_unlink(
        &self,
        step: &'static str,
        keys: &[&str],
        marks: &[Mark<'_>],
    ) -> Result<Vec<(Bucket, Vec<Vec<u8>>)>> {
        let mut named: Vec<(Bucket, Vec<u8>)> = Vec::with_capacity(keys.len() + marks.len());
        for key in keys {
            let (bucket, mut name) = (self.names.bucket_of(key), Vec::new());
            self.names.write_cell(step, bucket, key, &mut name)?;
            named.push((bucket, name));
        }
        for group in self.groups_of_copies(marks) {
            for place in &group.places {
                let mut name = Vec::new();
                self.names.write_mark(step, group.bucket, &marks[*place], &mut name)?;
                named.push((group.bucket, name));
            }
        }
        Ok(by_bucket(named))
    }

    /// One `UNLINK` for each bucket, all in parallel; how many there were.
    pub(super) async fn unlink_names(
        &self,
        step: &'static str,
        named: Vec<(Bucket, Vec<Vec<u8>>)>,
    ) -> Result<u64> {
        let sends = named.into_iter().map(|(bucket, names)| async move {
            let mut batch = L::Batch::default();
            batch.command("UNLINK");
            for name in &names {
                batch.arg(name);
            }
            let answer = self.send(step, bucket, batch).await?;
            reply::count(step, reply::single(step, answer.replies)?)
        });
        Ok(reply::all_done(step, join_all(sends).await)?.into_iter().sum())
    }
}

/// The same names, those of one bucket together.
pub(super) fn by_bucket(mut named: Vec<(Bucket, Vec<u8>)>) -> Vec<(Bucket, Vec<Vec<u8>>)> {
    named.sort_by_key(|(bucket, _)| *bucket);
    let mut together: Vec<(Bucket, Vec<Vec<u8>>)> = Vec::new();
    for (bucket, name) in named {
        match together.last_mut() {
            Some((last, names)) if *last == bucket => names.push(name),
            _ => together.push((bucket, vec![name])),
        }
    }
    together
}
