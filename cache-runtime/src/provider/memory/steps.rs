//! Each step of the contract as one change, or a few, of the typed store.

use std::sync::Arc;
use std::time::Duration;

use super::MemoryProvider;
use crate::clock::{Tick, ticks};
use crate::entry::unique_bytes;
use crate::near::ghosts::Gone;
use crate::near::meta::{EntryMeta, unused_number};
use crate::near::slot::{MAX_KEY_BYTES, OwnedSlot, Slot, SlotParts, SlotRef};
use crate::near::store::{Change, Store};
use crate::provider::{
    Acquire, Acquired, Baseline, CellBytes, CellKind, Extent, Fill, Filled, Lookup, Mark, MarkKind,
    MarkState, Observed, OnRefused, Prefix, Refusal, Removal, Stamp, Usage, ttl_millis,
};
use crate::{Error, ErrorKind, Pattern, Result};

/// What the slot of a cell holds.
type Cell = Arc<[u8]>;

/// What the slot of a mark holds.
#[derive(Clone, Copy)]
enum Nonce {
    Live([u8; 8]),
    Held,
}

impl MemoryProvider {
    pub(super) fn look_up(&self, lookup: &Lookup<'_>) -> Result<Observed> {
        let cell = match lookup.extent {
            Extent::Nothing => None,
            Extent::Whole => self.cell(lookup.key)?.map(CellBytes::from),
            Extent::Prefix => {
                let cell = self.cell(lookup.key)?;
                cell.map(|cell| CellBytes::from(Prefix::of(&cell).as_bytes()))
            }
        };
        let marks = self.states(lookup.marks)?;
        Ok(Observed { cell, incarnation: self.shared.incarnation, marks })
    }

    pub(super) fn acquire_now(&self, request: &Acquire<'_>) -> Result<Acquired> {
        let text = self.cell_text("acquire", request.key)?;
        // Checked before anything changes, so that an error leaves no lease behind.
        request.marks.iter().try_for_each(|mark| self.mark_text("acquire", mark).map(drop))?;
        let cell = Cell::from(request.lease.as_bytes());
        let end = self.end(request.lease_ttl);
        let mut busy = None;
        self.shared.cells.update(&text, |held| {
            let found = self.prefix_of(held);
            if !request.expected.accepts(found) {
                busy = Some(found);
                return Change::Keep;
            }
            place(cell_slot(&text, cell, end), request.lease)
        });
        match busy {
            Some(found) => Ok(Acquired::Busy(found)),
            None => Ok(Acquired::Granted(self.baseline(request.marks, request.mark_ttl)?)),
        }
    }

    pub(super) fn fill_now(&self, request: &Fill<'_>) -> Result<Filled> {
        if request.value.len() < Prefix::LENGTH {
            let message = format!(
                "the value has {} bytes, and begins with a prefix of {}",
                request.value.len(),
                Prefix::LENGTH
            );
            return Err(Error::new(ErrorKind::Codec, "fill", message));
        }
        let text = self.cell_text("fill", request.key)?;
        let early = self.refusal(request)?;
        let slot = cell_slot(&text, Cell::from(request.value), self.end(request.ttl));
        let mut refusal = None;
        let fits = self.shared.cells.update(&text, |held| {
            refusal = early.or_else(|| {
                let accepted = request.expected.accepts(self.prefix_of(held));
                (!accepted).then_some(Refusal::Cell)
            });
            match (refusal, request.on_refused) {
                (None, _) => place(slot, Prefix::of(request.value)),
                (Some(_), OnRefused::Keep) => Change::Keep,
                (Some(_), OnRefused::Remove) => Change::Remove(Gone::Invalidated),
            }
        });
        if !fits {
            let message = format!("a value of {} bytes does not fit", request.value.len());
            return Err(Error::new(ErrorKind::TooLarge, "fill", message));
        }
        match refusal {
            Some(refusal) => Ok(Filled::Refused(refusal)),
            // Read after the value was stored: what join rule J compares.
            None => Ok(Filled::Stored(self.extend(request.marks, request.mark_ttl)?)),
        }
    }

    /// What refuses a fill whatever the cell holds.
    fn refusal(&self, request: &Fill<'_>) -> Result<Option<Refusal>> {
        if request.incarnation.is_some_and(|began_in| began_in != self.shared.incarnation) {
            return Ok(Some(Refusal::Incarnation));
        }
        for (mark, stamp) in request.guards {
            if self.state(mark)?.stamp() != Some(*stamp) {
                return Ok(Some(Refusal::Guard));
            }
        }
        Ok(None)
    }

    pub(super) fn renew_now(&self, key: &str, prefix: Prefix, ttl: Duration) -> Result<bool> {
        let text = self.cell_text("renew", key)?;
        let end = self.end(ttl);
        let mut renewed = false;
        self.shared.cells.update(&text, |held| match self.live::<Cell>(held) {
            Some((slot, cell)) if Prefix::of(cell) == prefix => {
                renewed = true;
                place(heir(slot, cell_slot(&text, Arc::clone(cell), end)), prefix)
            }
            _ => Change::Keep,
        });
        Ok(renewed)
    }

    pub(super) fn release_now(&self, key: &str, prefix: Prefix) -> Result<bool> {
        let text = self.cell_text("release", key)?;
        let mut released = false;
        self.shared.cells.update(&text, |held| {
            released = !prefix.is_absent() && self.prefix_of(held) == prefix;
            if released { Change::Remove(Gone::Invalidated) } else { Change::Keep }
        });
        Ok(released)
    }

    /// Creates the marks that are absent; the states of all.
    pub(super) fn baseline(&self, marks: &[Mark<'_>], ttl: Duration) -> Result<Baseline> {
        let end = self.end(ttl);
        let states = marks.iter().map(|mark| {
            self.change_mark(mark, |held| match held {
                Some((_, nonce)) => (Change::Keep, nonce),
                None => {
                    let nonce = Nonce::Live(unique_bytes());
                    (Change::Put(self.mark_slot(mark, nonce, end)), nonce)
                }
            })
        });
        Ok(Baseline { marks: states.collect::<Result<_>>()?, incarnation: self.shared.incarnation })
    }

    /// Lets live marks live on for `ttl`, and leaves the others as they are; the states of all.
    fn extend(&self, marks: &[Mark<'_>], ttl: Duration) -> Result<Vec<MarkState>> {
        let end = self.end(ttl);
        let extended = |mark: &Mark<'_>| {
            let text = self.mark_text("fill", mark)?;
            let mut state = MarkState::Absent;
            self.shared.marks.update(&text, |held| {
                let Some((slot, nonce)) = self.live::<Nonce>(held) else { return Change::Keep };
                state = self.state_of(*nonce);
                if matches!(nonce, Nonce::Held) || slot.fresh_until >= end {
                    return Change::Keep;
                }
                Change::Put(heir(slot, self.mark_slot(mark, *nonce, end)))
            });
            Ok(state)
        };
        marks.iter().map(extended).collect()
    }

    pub(super) fn hold(&self, mark: &Mark<'_>, ttl: Duration) -> Result<()> {
        let end = self.end(ttl);
        let hold = |held: Option<(SlotRef<'_>, Nonce)>| match held {
            Some((slot, Nonce::Held)) if slot.fresh_until >= end => (Change::Keep, Nonce::Held),
            // Not evicted: a hold that is lost early would break what it promises.
            _ => (Change::Pin(self.mark_slot(mark, Nonce::Held, end)), Nonce::Held),
        };
        self.change_mark(mark, hold).map(drop)
    }

    pub(super) fn remove_now(&self, removal: &Removal<'_>) -> Result<u64> {
        let mut texts = Vec::with_capacity(removal.keys.len());
        for key in removal.keys {
            texts.push(self.cell_text("remove", key)?);
        }
        let mut marks = Vec::with_capacity(removal.marks.len());
        for mark in removal.marks {
            marks.push(self.mark_text("remove", mark)?);
        }
        let cells = texts.iter().map(|text| self.unlink(&self.shared.cells, text));
        // Marks go in the order in which they are named: epochs before tags.
        let marks = marks.iter().map(|text| self.unlink(&self.shared.marks, text));
        Ok(cells.chain(marks).map(u64::from).sum())
    }

    pub(super) fn remove_matching_now(&self, pattern: &Pattern) -> Result<u64> {
        if let Some(key) = pattern.as_literal() {
            let text = self.cell_text("remove_matching", &key)?;
            return Ok(u64::from(self.unlink(&self.shared.cells, &text)));
        }
        let now = self.now();
        let mut removed = 0;
        self.shared.cells.remove_slots(|slot| {
            let key = slot.text().strip_prefix(self.prefix.as_str());
            let chosen = key.is_some_and(|key| pattern.matches(key));
            removed += u64::from(chosen && now < slot.fresh_until);
            chosen
        });
        Ok(removed)
    }

    pub(super) fn clear_now(&self) {
        let own = |text: &str| text.starts_with(self.prefix.as_str());
        self.shared.cells.remove_where(own);
        self.shared.marks.remove_where(own);
    }

    pub(super) fn usage_now(&self) -> Usage {
        let now = self.now();
        let (mut cells, mut bytes) = (0, 0);
        self.shared.cells.visit(|slot| {
            if slot.text().starts_with(self.prefix.as_str()) && now < slot.fresh_until {
                cells += 1;
                bytes += u64::from(slot.weight);
            }
        });
        Usage::new(Some(cells), Some(bytes))
    }

    fn cell(&self, key: &str) -> Result<Option<Cell>> {
        let text = self.cell_text("read", key)?;
        let guard = crossbeam_epoch::pin();
        let found = self.live::<Cell>(self.shared.cells.find(&text, &guard));
        Ok(found.map(|(slot, cell)| {
            slot.touch();
            Arc::clone(cell)
        }))
    }

    fn states(&self, marks: &[Mark<'_>]) -> Result<Vec<MarkState>> {
        marks.iter().map(|mark| self.state(mark)).collect()
    }

    fn state(&self, mark: &Mark<'_>) -> Result<MarkState> {
        let text = self.mark_text("read", mark)?;
        let guard = crossbeam_epoch::pin();
        let found = self.live::<Nonce>(self.shared.marks.find(&text, &guard));
        Ok(found.map_or(MarkState::Absent, |(slot, nonce)| {
            slot.touch();
            self.state_of(*nonce)
        }))
    }

    fn state_of(&self, nonce: Nonce) -> MarkState {
        match nonce {
            Nonce::Live(nonce) => MarkState::Live(Stamp::new(nonce, self.shared.incarnation)),
            Nonce::Held => MarkState::Held,
        }
    }

    fn change_mark(
        &self,
        mark: &Mark<'_>,
        decide: impl FnOnce(Option<(SlotRef<'_>, Nonce)>) -> (Change, Nonce),
    ) -> Result<MarkState> {
        let text = self.mark_text("ensure_marks", mark)?;
        let mut state = MarkState::Absent;
        self.shared.marks.update(&text, |held| {
            let held = self.live::<Nonce>(held).map(|(slot, nonce)| (slot, *nonce));
            let (change, nonce) = decide(held);
            state = self.state_of(nonce);
            change
        });
        Ok(state)
    }

    /// Removes what lies under the text; whether there was anything that had not expired.
    fn unlink(&self, store: &Store, text: &str) -> bool {
        let now = self.now();
        let mut was_live = false;
        store.update(text, |held| {
            was_live = held.is_some_and(|slot| now < slot.fresh_until);
            Change::Remove(Gone::Invalidated)
        });
        was_live
    }

    /// The slot and its value, unless it has expired.
    fn live<'g, T: Send + Sync + 'static>(
        &self,
        held: Option<SlotRef<'g>>,
    ) -> Option<(SlotRef<'g>, &'g T)> {
        let slot = held.filter(|slot| self.now() < slot.fresh_until)?;
        Some((slot, slot.value::<T>()?))
    }

    fn prefix_of(&self, held: Option<SlotRef<'_>>) -> Prefix {
        self.live::<Cell>(held).map_or(Prefix::ABSENT, |(_, cell)| Prefix::of(cell))
    }

    fn mark_slot(&self, mark: &Mark<'_>, nonce: Nonce, end: Tick) -> OwnedSlot {
        slot(&self.joined(mark_letter(mark.kind), mark.name), nonce, end, 0)
    }

    fn cell_text(&self, operation: &'static str, key: &str) -> Result<String> {
        checked(operation, self.joined("", key))
    }

    fn mark_text(&self, operation: &'static str, mark: &Mark<'_>) -> Result<String> {
        checked(operation, self.joined(mark_letter(mark.kind), mark.name))
    }

    fn joined(&self, letter: &str, name: &str) -> String {
        [self.prefix.as_str(), letter, name].concat()
    }

    fn now(&self) -> Tick {
        self.shared.cells.clock.now()
    }

    fn end(&self, ttl: Duration) -> Tick {
        self.now().saturating_add(ticks(Duration::from_millis(ttl_millis(ttl))))
    }
}

/// Leases stay until their end, values may be evicted before it.
fn place(slot: OwnedSlot, prefix: Prefix) -> Change {
    match prefix.kind() {
        Some(CellKind::Lease | CellKind::Write) => Change::Pin(slot),
        _ => Change::Put(slot),
    }
}

/// The slot that takes another's place, and its standing with the eviction.
fn heir(old: SlotRef<'_>, new: OwnedSlot) -> OwnedSlot {
    (0..old.frequency()).for_each(|_| new.as_ref().touch());
    new
}

fn cell_slot(text: &str, cell: Cell, end: Tick) -> OwnedSlot {
    let bytes = cell.len();
    slot(text, cell, end, bytes)
}

fn slot<T: Send + Sync + 'static>(text: &str, value: T, end: Tick, bytes: usize) -> OwnedSlot {
    let weight = size_of::<Slot>() + size_of::<T>() + text.len() + bytes;
    let parts = SlotParts {
        text,
        args: &[],
        meta: EntryMeta::untagged(),
        id: unused_number(),
        fresh_until: end,
        load_millis: 0,
        weight: u32::try_from(weight).unwrap_or(u32::MAX),
    };
    OwnedSlot::new(parts, value)
}

const fn mark_letter(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Tag => "t",
        MarkKind::Epoch => "e",
        MarkKind::Scope => "s",
    }
}

fn checked(operation: &'static str, text: String) -> Result<String> {
    if text.len() > MAX_KEY_BYTES {
        let message = format!("the key takes {} bytes of at most {MAX_KEY_BYTES}", text.len());
        return Err(Error::new(ErrorKind::InvalidKey, operation, message));
    }
    Ok(text)
}
