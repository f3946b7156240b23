//! Reading cells and marks: on the path of every hit.

use std::vec::IntoIter;

use super::form::Form;
use super::join::join_all;
use super::link::{Answer, Batch, Bucket, Link, Reply};
use super::reply;
use super::steps::Steps;
use crate::Result;
use crate::provider::{CellBytes, Extent, Incarnation, Lookup, Mark, MarkState, Observed};

/// One thing to read.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Cell(&'a str),
    Prefix(&'a str),
    Mark { beside: &'a str, mark: &'a Mark<'a> },
}

/// What the lookups want, in their order.
fn wanted<'a>(lookups: &'a [Lookup<'a>]) -> impl Iterator<Item = Wanted<'a>> {
    lookups.iter().flat_map(|lookup| {
        let cell = match lookup.extent {
            Extent::Whole => Some(Wanted::Cell(lookup.key)),
            Extent::Prefix => Some(Wanted::Prefix(lookup.key)),
            Extent::Nothing => None,
        };
        let marks = lookup.marks.iter().map(|mark| Wanted::Mark { beside: lookup.key, mark });
        cell.into_iter().chain(marks)
    })
}

/// What the server of one bucket answered.
struct Page {
    incarnation: Incarnation,
    /// One for each prefix.
    prefixes: IntoIter<Reply>,
    /// One for each whole cell and mark, in the order in which they were wanted.
    others: IntoIter<Reply>,
}

/// How many of which are wanted of one bucket.
#[derive(Clone, Copy, Default)]
struct Counts {
    prefixes: usize,
    cells: usize,
    marks: usize,
}

impl Counts {
    fn add(&mut self, wanted: Wanted<'_>) {
        match wanted {
            Wanted::Prefix(_) => self.prefixes += 1,
            Wanted::Cell(_) => self.cells += 1,
            Wanted::Mark { .. } => self.marks += 1,
        }
    }

    const fn others(self) -> usize {
        self.cells + self.marks
    }

    /// A cell alone is read with `GET`, which costs the server least.
    const fn is_lone_cell(self) -> bool {
        self.cells == 1 && self.marks == 0
    }
}

impl<L: Link> Steps<L> {
    /// [`Provider::read`](crate::provider::Provider::read).
    pub(super) async fn look_up(
        &self,
        step: &'static str,
        lookups: &[Lookup<'_>],
    ) -> Result<Vec<Observed>> {
        self.check_open(step)?;
        match lookups {
            [lookup] if self.names.is_single() && lookup.extent == Extent::Whole => {
                let batch = self.hit_question(step, lookup)?;
                let observed = self.link.look(step, batch, lookup.marks.len()).await?;
                Ok(vec![observed])
            }
            // Rarer, and larger: a hit's future has no room for it.
            lookups if self.names.is_single() => Box::pin(self.look_up_all(step, lookups)).await,
            lookups => Box::pin(self.look_up_in_buckets(step, lookups)).await,
        }
    }

    /// The command that reads one cell with its marks: what nearly every call of a cache sends.
    fn hit_question(&self, step: &'static str, lookup: &Lookup<'_>) -> Result<L::Batch> {
        let mut batch = L::Batch::default();
        batch.command(if lookup.marks.is_empty() { "GET" } else { "MGET" });
        batch.arg_of(&self.names.cell_pieces(step, lookup.key)?);
        for mark in lookup.marks {
            batch.arg_of(&self.names.mark_pieces(step, mark)?);
        }
        Ok(batch)
    }

    async fn look_up_all(
        &self,
        step: &'static str,
        lookups: &[Lookup<'_>],
    ) -> Result<Vec<Observed>> {
        let (batch, counts) = self.question(step, Bucket(0), || wanted(lookups))?;
        let mut page = if counts.prefixes + counts.others() > 0 {
            Page::new(step, counts, self.send(step, Bucket(0), batch).await?)?
        } else {
            Page::empty()
        };
        let observed = lookups.iter().map(|lookup| {
            let cell = page.next_cell::<L>(step, lookup.extent)?;
            let incarnation = page.incarnation;
            let mut marks = Vec::with_capacity(lookup.marks.len());
            for _ in lookup.marks {
                marks.push(page.next_mark::<L>(step)?);
            }
            Ok(Observed { cell, incarnation, marks })
        });
        observed.collect()
    }

    async fn look_up_in_buckets(
        &self,
        step: &'static str,
        lookups: &[Lookup<'_>],
    ) -> Result<Vec<Observed>> {
        let places: Vec<(Bucket, Wanted<'_>)> =
            wanted(lookups).map(|wanted| (self.bucket_of_wanted(wanted), wanted)).collect();
        let mut buckets: Vec<Bucket> = places.iter().map(|(bucket, _)| *bucket).collect();
        buckets.sort_unstable();
        buckets.dedup();
        let mut questions = Vec::with_capacity(buckets.len());
        for bucket in &buckets {
            let here = || places.iter().filter(|place| place.0 == *bucket).map(|place| place.1);
            questions.push((*bucket, self.question(step, *bucket, here)?));
        }
        let sends = questions.into_iter().map(|(bucket, (batch, counts))| async move {
            Page::new(step, counts, self.send(step, bucket, batch).await?)
        });
        let pages: Result<Vec<Page>> = join_all(sends).await.into_iter().collect();
        let mut pages = pages?;
        // No page is there only for a cell that nobody wants; then nobody answered for it.
        let mut nothing = Page::empty();
        let observed = lookups.iter().map(|lookup| {
            let home = buckets.binary_search(&self.names.bucket_of(lookup.key));
            let page = home.ok().and_then(|at| pages.get_mut(at)).unwrap_or(&mut nothing);
            let cell = page.next_cell::<L>(step, lookup.extent)?;
            let incarnation = page.incarnation;
            let mut marks = Vec::with_capacity(lookup.marks.len());
            for mark in lookup.marks {
                let home = buckets.binary_search(&self.names.bucket_of_mark(lookup.key, mark));
                let page = home.ok().and_then(|at| pages.get_mut(at)).unwrap_or(&mut nothing);
                marks.push(page.next_mark::<L>(step)?);
            }
            Ok(Observed { cell, incarnation, marks })
        });
        observed.collect()
    }

    fn bucket_of_wanted(&self, wanted: Wanted<'_>) -> Bucket {
        match wanted {
            Wanted::Cell(key) | Wanted::Prefix(key) => self.names.bucket_of(key),
            Wanted::Mark { beside, mark } => self.names.bucket_of_mark(beside, mark),
        }
    }

    /// The commands that ask for all that is wanted of one bucket.
    fn question<'a, I: Iterator<Item = Wanted<'a>>>(
        &self,
        step: &'static str,
        bucket: Bucket,
        wanted: impl Fn() -> I,
    ) -> Result<(L::Batch, Counts)> {
        let mut counts = Counts::default();
        wanted().for_each(|wanted| counts.add(wanted));
        let mut batch = L::Batch::default();
        let mut name = Vec::with_capacity(128);
        if counts.prefixes > 0 {
            let last = (L::FORM.prefix_width() - 1).to_string();
            for wanted in wanted() {
                if let Wanted::Prefix(key) = wanted {
                    self.names.write_cell(step, bucket, key, &mut name)?;
                    batch.command("GETRANGE").arg(&name).arg(b"0").arg(last.as_bytes());
                }
            }
        }
        if counts.others() > 0 {
            batch.command(if counts.is_lone_cell() { "GET" } else { "MGET" });
            for wanted in wanted() {
                match wanted {
                    Wanted::Prefix(_) => continue,
                    Wanted::Cell(key) => self.names.write_cell(step, bucket, key, &mut name)?,
                    Wanted::Mark { mark, .. } => {
                        self.names.write_mark(step, bucket, mark, &mut name)?;
                    }
                }
                batch.arg(&name);
            }
        }
        Ok((batch, counts))
    }
}

impl Page {
    fn new(step: &'static str, counts: Counts, answer: Answer) -> Result<Self> {
        let Answer { mut replies, incarnation } = answer;
        let asked = counts.prefixes + usize::from(counts.others() > 0);
        if replies.len() != asked {
            return Err(reply::miscounted(step));
        }
        let others = if counts.others() == 0 {
            Vec::new()
        } else if counts.is_lone_cell() {
            // The last one, behind those of the prefixes.
            replies.split_off(counts.prefixes)
        } else {
            reply::list(step, replies.pop().unwrap_or(Reply::Nil))?
        };
        if others.len() != counts.others() {
            return Err(reply::miscounted(step));
        }
        Ok(Self { incarnation, prefixes: replies.into_iter(), others: others.into_iter() })
    }

    fn empty() -> Self {
        let (prefixes, others) = (Vec::new().into_iter(), Vec::new().into_iter());
        Self { incarnation: Incarnation::UNKNOWN, prefixes, others }
    }

    fn next_cell<L: Link>(
        &mut self,
        step: &'static str,
        extent: Extent,
    ) -> Result<Option<CellBytes>> {
        let reply = match extent {
            Extent::Nothing => return Ok(None),
            Extent::Whole => self.others.next(),
            Extent::Prefix => self.prefixes.next(),
        };
        cell(step, L::FORM, reply.unwrap_or(Reply::Nil))
    }

    fn next_mark<L: Link>(&mut self, step: &'static str) -> Result<MarkState> {
        let reply = self.others.next().unwrap_or(Reply::Nil);
        reply::mark_state(step, L::FORM, reply, self.incarnation)
    }
}

/// What a server answered to the question of one cell with its marks.
///
/// # Errors
///
/// Where it is a refusal, or no answer to that question.
pub(crate) fn hit_answer(
    step: &'static str,
    form: Form,
    marks: usize,
    answer: Answer,
) -> Result<Observed> {
    let Answer { replies, incarnation } = answer;
    let reply = reply::single(step, replies)?;
    if marks == 0 {
        return Ok(Observed { cell: cell(step, form, reply)?, incarnation, marks: Vec::new() });
    }
    let mut replies = reply::list(step, reply)?.into_iter();
    if replies.len() != 1 + marks {
        return Err(reply::miscounted(step));
    }
    let cell = cell(step, form, replies.next().unwrap_or(Reply::Nil))?;
    let states = replies.map(|reply| reply::mark_state(step, form, reply, incarnation));
    Ok(Observed { cell, incarnation, marks: states.collect::<Result<_>>()? })
}

/// The cell, or the part of it, that a reply holds.
fn cell(step: &'static str, form: Form, reply: Reply) -> Result<Option<CellBytes>> {
    match reply {
        Reply::Nil => Ok(None),
        Reply::Bytes(stored) if stored.is_empty() => Ok(None),
        Reply::Bytes(stored) => Ok(Some(form.decode_cell(stored))),
        // Something else than a string lies there: no cell, as `MGET` sees it too.
        Reply::Refused(reason) if reason.starts_with("WRONGTYPE") => Ok(None),
        other => Err(reply::unexpected(step, other)),
    }
}
