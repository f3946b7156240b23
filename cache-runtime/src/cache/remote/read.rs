//! Reads: one round trip where the tags are known, and a verdict on what was found.

use std::sync::Arc;

use super::names::{mark, marks};
use super::{Found, Remote, WHILE_KEPT};
use crate::cache::core::{Core, Look, Request, Seen};
use crate::cache::value::{Cacheable, Cached, ValueOps, ops};
use crate::entry::{Flaw, Mismatch, Stored, TagsHash, Wanted};
use crate::error::Result;
use crate::policy::Policy;
use crate::provider::{
    CellBytes, CellKind, Extent, Incarnation, Lookup, Mark, MarkState, Observed, Provider,
};
use crate::stats::{MissReason, count};

/// More than minus the logarithm of the smallest number that a draw can give, about 36.7.
const LARGEST_LOGARITHM: f64 = 37.0;

impl Remote {
    /// Looks a key up, for a reader that knows its tags: one command.
    pub(crate) async fn look(&self, core: &Core, request: &Request) -> Look {
        let marks = marks(&request.tags);
        let tags = TagsHash::of(request.tags.iter().map(String::as_str));
        let observed = match self.observe(core, request, &marks, tags).await {
            Ok(observed) => observed,
            Err(error) => {
                count(&request.counters.errors);
                tracing::debug!(target: "cache", key = %request.text, %error, "read");
                return Look::Failed;
            }
        };
        self.note(observed.incarnation);
        let found = Found { prefix: observed.prefix(), observed };
        let opened = match &found.observed.cell {
            None => Err(MissReason::Absent),
            Some(_) if matches!(found.kind(), Some(CellKind::Lease | CellKind::Write)) => {
                return Look::Leased { seen: Seen::There(Arc::new(found)) };
            }
            Some(cell) => self.open(core, request, cell, tags, &found.observed).await,
        };
        let seen = Seen::There(Arc::new(found));
        match opened {
            Ok((value, age)) => age.look(value, seen),
            Err(reason) => Look::Miss { seen, reason },
        }
    }

    /// Verifies an entry and decodes its value.
    async fn open(
        &self,
        core: &Core,
        request: &Request,
        cell: &[u8],
        asked: TagsHash,
        found: &Observed,
    ) -> std::result::Result<(Cached, Age), MissReason> {
        let stored = Stored::decode(cell).map_err(flawed)?;
        let is_ours = stored.tags() == asked;
        if !is_ours && !reaches(&stored, request) {
            return Err(MissReason::Invalidated);
        }
        // Those that the loaded value named, or that another function has: known only now.
        let known = |at: usize, name: &str| match is_ours {
            true => (at < request.tags.len()).then_some(at),
            false => request.tags.iter().position(|tag| tag == name),
        };
        let unknown =
            stored.named_tags().enumerate().filter(|(at, name)| known(*at, name).is_none());
        let unknown: Vec<Mark<'_>> = unknown.map(|(_, name)| mark(name)).collect();
        let mut more = match unknown.is_empty() {
            true => Vec::new(),
            false => self.states(&request.text, &unknown).await.ok_or(MissReason::Unavailable)?,
        }
        .into_iter();
        let current = stored.named_tags().enumerate().map(|(at, name)| match known(at, name) {
            Some(at) => found.marks.get(at)?.stamp(),
            None => more.next()?.stamp(),
        });
        let (text, ops) = (&request.text, request.ops);
        self.verified(&stored, text, ops, found.incarnation, current)?;
        let age = Age::of(&stored, core.clock.unix_millis(), &request.policy);
        if matches!(age, Age::Expired) {
            return Err(MissReason::Expired);
        }
        Ok((decoded(&stored, request.ops, self)?, age))
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
                match Age::of(&stored, now, &Policy::new()) {
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
        let age = Age::of(&stored, core.clock.unix_millis(), &Policy::new());
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

/// Where in its life an entry is.
#[derive(Clone, Copy)]
enum Age {
    Fresh,
    /// Fresh, and chosen by XFetch to be refreshed now.
    Early,
    /// Past its TTL, to be served while it is refreshed.
    Stale,
    /// Past its TTL, to be served only if a load fails or takes too long.
    Kept,
    Expired,
}

impl Age {
    fn of(stored: &Stored<'_>, now: u64, policy: &Policy) -> Self {
        let deadline = stored.soft_deadline();
        if deadline == WHILE_KEPT {
            return Self::Fresh;
        }
        if now < deadline {
            let reach = f64::from(stored.load_millis()) * policy.early_beta();
            let left = (deadline - now) as f64;
            // XFetch (Vattani et al., VLDB 2015, algorithm 2). `1 - f64()` is in (0, 1].
            let is_early =
                left < reach * LARGEST_LOGARITHM && left < reach * -(1.0 - fastrand::f64()).ln();
            return if is_early { Self::Early } else { Self::Fresh };
        }
        let past = u128::from(now - deadline);
        if policy.stale.is_some_and(|stale| past < stale.as_millis()) {
            Self::Stale
        } else if past < policy.kept().as_millis() {
            Self::Kept
        } else {
            Self::Expired
        }
    }

    fn look(self, value: Cached, seen: Seen) -> Look {
        match self {
            Self::Fresh => Look::Hit { value, seen, refresh: false, stale: false },
            Self::Early => Look::Hit { value, seen, refresh: true, stale: false },
            Self::Stale => Look::Hit { value, seen, refresh: true, stale: true },
            Self::Kept => Look::Kept { value, seen },
            Self::Expired => Look::Miss { seen, reason: MissReason::Expired },
        }
    }
}
