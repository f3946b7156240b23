//! Reads: one round trip where the tags are known, and a verdict on what was found.

use std::sync::Arc;

use super::age::{Age, Lifetime};
use super::names::{Marks, mark};
use super::near::{Before, Nearby};
use super::{Found, Remote};
use crate::cache::core::{Core, Look, Request, Seen};
use crate::cache::rules::Rule;
use crate::cache::value::{Cacheable, Cached, ValueOps, ops};
use crate::entry::{Flaw, Mismatch, Stored, TagsHash, Wanted};
use crate::error::{Error, Result};
use crate::policy::Policy;
use crate::provider::{
    CellBytes, CellKind, Extent, Incarnation, Lookup, Mark, MarkState, Observed, Provider,
};
use crate::stats::{MissReason, count};

impl Remote {
    /// Looks a key up, for a reader that knows its tags: near where there is a copy that may be
    /// served, else with one command.
    pub(crate) async fn look(&self, core: &Core, request: &Request) -> Look {
        match self.near.as_ref().map_or(Nearby::Nothing, |near| near.look(request)) {
            Nearby::Value(value) => {
                Look::Hit { value, seen: Seen::NOTHING, refresh: false, stale: false, near: true }
            }
            Nearby::Copy(value, origin) => {
                match self.validate(core, request, value, &origin).await {
                    Some(look) => look,
                    // In a box, so that there is room for one such look and not for two.
                    None => Box::pin(self.look_there(core, request, false)).await,
                }
            }
            Nearby::Nothing => self.look_there(core, request, false).await,
        }
    }

    /// Looks a key up in the store, past copies: one command.
    ///
    /// What was seen there of a fresh value is returned as well: whoever loads all the same compares
    /// it later.
    pub(crate) async fn look_past_copies(&self, core: &Core, request: &Request) -> Look {
        self.look_there(core, request, true).await
    }

    /// Looks a key up in the store; `keeps_seen` says whether what was seen of a fresh value matters.
    async fn look_there(&self, core: &Core, request: &Request, keeps_seen: bool) -> Look {
        let mut before = None;
        if let Some(near) = &self.near {
            if near.bound().is_some() {
                // In a box, as all that is rare: this is the future of every hit.
                Box::pin(near.announce(&*self.provider)).await;
            }
            before = near.before(&request.text, &request.tags);
        }
        let tags = TagsHash::of(request.tags.iter().map(String::as_str));
        let observed = {
            let marks = Marks::of(&request.tags);
            self.observe(core, request, &marks, tags).await
        };
        let observed = match observed {
            Ok(observed) => observed,
            Err(error) => return self.failed(request, &error),
        };
        self.note(observed.incarnation);
        let found = Found { prefix: observed.prefix(), observed };
        let opened = match &found.observed.cell {
            None => Err(MissReason::Absent),
            Some(_) if matches!(found.kind(), Some(CellKind::Lease | CellKind::Write)) => {
                return Look::Leased { seen: Seen::There(Arc::new(found)) };
            }
            Some(cell) => {
                let reading = Reading { request, asked: tags, cell, observed: &found.observed };
                match self.open(core, reading, &mut before) {
                    Some(opened) => opened,
                    None => Box::pin(self.open_asking(core, reading, before)).await,
                }
            }
        };
        match opened {
            Ok((value, Age::Fresh)) if !keeps_seen => Age::Fresh.look(value, Seen::NOTHING),
            Ok((value, age)) => age.look(value, Seen::There(Arc::new(found))),
            Err(reason) => Look::Miss { seen: Seen::There(Arc::new(found)), reason },
        }
    }

    /// A store that does not answer: counted, and no error of whoever reads.
    pub(super) fn failed(&self, request: &Request, error: &Error) -> Look {
        count(&request.counters.errors);
        tracing::debug!(target: "cache", key = %request.text, %error, "read");
        Look::Failed
    }

    /// Opens an entry whose tags were all asked for; `None` where it has others as well.
    fn open(
        &self,
        core: &Core,
        reading: Reading<'_>,
        before: &mut Option<Before>,
    ) -> Option<Opened> {
        let entry = match Entry::of(reading) {
            Ok(entry) => entry,
            Err(reason) => return Some(Err(reason)),
        };
        entry.is_known().then(|| self.finish(core, &entry, before.take(), &[]))
    }

    /// Opens an entry that names tags which were not asked for: a round trip more.
    async fn open_asking(
        &self,
        core: &Core,
        reading: Reading<'_>,
        mut before: Option<Before>,
    ) -> Opened {
        let entry = Entry::of(reading)?;
        if let (Some(near), Some(before)) = (&self.near, &mut before) {
            before.see(near, entry.unknown());
        }
        let unknown: Vec<Mark<'_>> = entry.unknown().map(mark).collect();
        let states = self.states(&reading.request.text, &unknown).await;
        self.finish(core, &entry, before, &states.ok_or(MissReason::Unavailable)?)
    }

    /// Verifies an entry and decodes its value, and keeps a copy near where it is fresh. `more` are
    /// the states of the tags that were not asked for at first.
    fn finish(
        &self,
        core: &Core,
        entry: &Entry<'_>,
        before: Option<Before>,
        more: &[MarkState],
    ) -> Opened {
        let Entry { stored, reading: Reading { request, observed: found, .. }, .. } = entry;
        let (mut more, mut names) = (more.iter(), stored.named_tags());
        let current = (0..stored.named()).map(|at| {
            let state = match entry.place(at, || names.next()) {
                Some(at) => found.marks.get(at),
                None => more.next(),
            };
            state?.stamp()
        });
        let (text, ops) = (&request.text, request.ops);
        self.verified(stored, text, ops, found.incarnation, current)?;
        let age = Lifetime::from(stored).age(core.clock.unix_millis(), &request.policy);
        if age == Age::Expired {
            return Err(MissReason::Expired);
        }
        let value = decoded(stored, ops, self)?;
        if let (Some(near), Some(before), Age::Fresh) = (&self.near, before, age) {
            near.keep(core, request, before, &value, stored, found);
        }
        Ok((value, age))
    }

    fn verified(
        &self,
        stored: &Stored<'_>,
        text: &str,
        ops: &ValueOps,
        incarnation: Incarnation,
        current: impl IntoIterator<Item = Option<crate::provider::Stamp>>,
    ) -> std::result::Result<(), MissReason> {
        let schema = (ops.schema)();
        let is_fenced = self.rules.keep(Rule::Fence);
        let incarnation = if is_fenced { incarnation } else { stored.incarnation() };
        let wanted = Wanted { key: self.key_hash(text), schema, tags: None, incarnation };
        stored.verify(&wanted, current).map_err(mismatched)
    }

    /// The states of marks that belong to a key's entry; `None` if the store does not answer.
    async fn states(&self, text: &str, marks: &[Mark<'_>]) -> Option<Vec<MarkState>> {
        let lookup = [Lookup::new(text).extent(Extent::Nothing).marks(marks)];
        let observed = self.provider.read(&lookup).await.ok()?;
        observed.into_iter().next().map(|observed| observed.marks)
    }

    /// Fresh values under these keys, for a reader that does not know their tags: a round trip for
    /// the entries, and one for the tags that are named in them.
    pub(crate) async fn get_many<T: Cacheable>(
        &self,
        core: &Core,
        texts: &[String],
    ) -> Result<Vec<std::result::Result<T, MissReason>>> {
        let found = self.open_many(core, texts, ops::<T>()).await?;
        Ok(found
            .into_iter()
            .map(|found| match found? {
                Cached::Nothing => Err(MissReason::Absent),
                Cached::Value(value) => {
                    value.downcast_ref::<T>().cloned().ok_or(MissReason::Undecodable)
                }
            })
            .collect())
    }

    async fn open_many(
        &self,
        core: &Core,
        texts: &[String],
        ops: &ValueOps,
    ) -> Result<Vec<std::result::Result<Cached, MissReason>>> {
        let (cells, current) = self.cells_and_marks(texts).await?;
        let now = core.clock.unix_millis();
        let each = texts.iter().zip(cells).zip(current);
        Ok(each
            .map(|((text, (cell, incarnation)), marks)| {
                let cell = cell.ok_or(MissReason::Absent)?;
                let stored = Stored::decode(&cell).map_err(flawed)?;
                let stamps = marks.iter().map(|state| state.stamp());
                self.verified(&stored, text, ops, incarnation, stamps)?;
                match Lifetime::from(&stored).age(now, &Policy::new()) {
                    Age::Fresh | Age::Early => decoded(&stored, ops, self),
                    _ => Err(MissReason::Expired),
                }
            })
            .collect())
    }

    /// The cells of these keys, and the states of the tags that each names.
    async fn cells_and_marks(&self, texts: &[String]) -> Result<(Vec<Cell>, Vec<Vec<MarkState>>)> {
        let lookups: Vec<Lookup<'_>> = texts.iter().map(|text| Lookup::new(text)).collect();
        let observed = self.provider.read(&lookups).await?;
        let cells: Vec<Cell> =
            observed.into_iter().map(|observed| (observed.cell, observed.incarnation)).collect();
        let named: Vec<Vec<Mark<'_>>> = cells
            .iter()
            .map(|(cell, _)| match cell.as_deref().map(Stored::decode) {
                Some(Ok(stored)) => stored.named_tags().map(mark).collect(),
                _ => Vec::new(),
            })
            .collect();
        let mut marks: Vec<Vec<MarkState>> = vec![Vec::new(); texts.len()];
        let tagged: Vec<usize> = (0..texts.len()).filter(|at| !named[*at].is_empty()).collect();
        if !tagged.is_empty() {
            let lookup =
                |at: &usize| Lookup::new(&texts[*at]).extent(Extent::Nothing).marks(&named[*at]);
            let lookups: Vec<Lookup<'_>> = tagged.iter().map(lookup).collect();
            for (at, observed) in tagged.iter().zip(self.provider.read(&lookups).await?) {
                marks[*at] = observed.marks;
            }
        }
        Ok((cells, marks))
    }

    /// Whether a key holds a fresh entry, of whatever type.
    pub(crate) async fn has(&self, core: &Core, text: &str) -> Result<bool> {
        let texts = [text.to_owned()];
        let (cells, marks) = self.cells_and_marks(&texts).await?;
        let (Some((Some(cell), incarnation)), Some(marks)) = (cells.first(), marks.first()) else {
            return Ok(false);
        };
        let Ok(stored) = Stored::decode(cell) else { return Ok(false) };
        let wanted = Wanted {
            key: self.key_hash(text),
            schema: stored.schema(),
            tags: None,
            incarnation: *incarnation,
        };
        let is_valid = stored.verify(&wanted, marks.iter().map(|state| state.stamp())).is_ok();
        let age = Lifetime::from(&stored).age(core.clock.unix_millis(), &Policy::new());
        Ok(is_valid && !stored.is_nothing() && matches!(age, Age::Fresh | Age::Early))
    }

    /// How much the store says that it holds.
    pub(crate) async fn size(&self) -> (Option<u64>, Option<u64>) {
        match self.provider.usage().await {
            Ok(usage) => (usage.cells, usage.bytes),
            Err(_) => (None, None),
        }
    }
}

/// A value and where in its life it is, or why there is none to serve.
type Opened = std::result::Result<(Cached, Age), MissReason>;

/// What was read for a request: a cell, and beside it the marks of tags with this hash.
#[derive(Clone, Copy)]
struct Reading<'a> {
    request: &'a Request,
    asked: TagsHash,
    cell: &'a [u8],
    observed: &'a Observed,
}

/// An entry for a reader that may be meant by all that invalidates it.
struct Entry<'a> {
    stored: Stored<'a>,
    reading: Reading<'a>,
    /// Whether it was stored under the request's tags, which are then the first ones that it names.
    is_ours: bool,
}

impl<'a> Entry<'a> {
    fn of(reading: Reading<'a>) -> std::result::Result<Self, MissReason> {
        let stored = Stored::decode(reading.cell).map_err(flawed)?;
        let is_ours = stored.tags() == reading.asked;
        if !is_ours && !reaches(&stored, reading.request) {
            return Err(MissReason::Invalidated);
        }
        Ok(Self { stored, reading, is_ours })
    }

    /// Where a tag stands in the request, if it does: those that the loaded value named, or that
    /// another function has, are known only by the entry.
    fn place(&self, at: usize, name: impl FnOnce() -> Option<&'a str>) -> Option<usize> {
        let tags = &self.reading.request.tags;
        if self.is_ours {
            return (at < tags.len()).then_some(at);
        }
        let name = name()?;
        tags.iter().position(|tag| tag == name)
    }

    /// Whether the request has all tags. Those of an entry of ours need not be looked at one by one.
    fn is_known(&self) -> bool {
        match self.is_ours {
            true => self.stored.named() <= self.reading.request.tags.len(),
            false => self.unknown().next().is_none(),
        }
    }

    /// The tags that the request has not.
    fn unknown(&self) -> impl Iterator<Item = &'a str> {
        let named = self.stored.named_tags().enumerate();
        named.filter(|(at, name)| self.place(*at, || Some(name)).is_none()).map(|(_, name)| name)
    }
}

/// Whether every invalidation that its reader may be meant by reaches an entry that was stored under
/// another list of tags. Tags that only the result tells cannot be looked for.
fn reaches(stored: &Stored<'_>, request: &Request) -> bool {
    request.families.is_empty()
        && request.tags.iter().all(|tag| stored.named_tags().any(|name| name == tag))
}

type Cell = (Option<CellBytes>, Incarnation);

fn decoded(
    stored: &Stored<'_>,
    ops: &ValueOps,
    remote: &Remote,
) -> std::result::Result<Cached, MissReason> {
    if stored.is_nothing() {
        return Ok(Cached::Nothing);
    }
    (ops.decode)(&remote.format, stored.encoding(), stored.payload())
        .map(Cached::Value)
        .ok_or(MissReason::Undecodable)
}

fn flawed(flaw: Flaw) -> MissReason {
    match flaw {
        Flaw::Leased => MissReason::Absent,
        _ => MissReason::Undecodable,
    }
}

fn mismatched(mismatch: Mismatch) -> MissReason {
    match mismatch {
        Mismatch::Key | Mismatch::Schema => MissReason::Undecodable,
        _ => MissReason::Invalidated,
    }
}
