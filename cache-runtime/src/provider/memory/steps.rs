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
#[derive(Clone)]
pub(super) enum Nonce {
    Live([u8; 8]),
    /// Until then, by each of those who hold it.
    Held(Vec<Tick>),
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
        let marks = self.mark_texts("read", lookup.marks)?;
        let marks = marks.iter().map(|text| self.state(text)).collect();
        Ok(Observed { cell, incarnation: self.shared.incarnation, marks })
    }

    pub(super) fn acquire_now(&self, request: &Acquire<'_>) -> Result<Acquired> {
        let text = self.cell_text("acquire", request.key)?;
        let marks = self.mark_texts("acquire", request.marks)?;
        let cell = Cell::from(request.lease.as_bytes());
        let end = self.end(request.lease_ttl);
        let mut busy = None;
        let fits = self.shared.cells.update(&text, |held| {
            let found = self.prefix_of(held);
            if !request.expected.accepts(found) {
                busy = Some(found);
                return Change::Keep;
            }
            place(cell_slot(&text, cell, end), request.lease)
        });
        match busy {
            Some(found) => Ok(Acquired::Busy(found)),
            None if !fits => Err(too_large("acquire", Prefix::LENGTH)),
            None => Ok(Acquired::Granted(self.create("acquire", &marks, request.mark_ttl)?)),
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
        let marks = self.mark_texts("fill", request.marks)?;
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
            return Err(too_large("fill", request.value.len()));
        }
        match refusal {
            Some(refusal) => Ok(Filled::Refused(refusal)),
            // Read after the value was stored: what join rule J compares.
            None => Ok(Filled::Stored(self.extend(&marks, request.mark_ttl))),
        }
    }

    /// What refuses a fill whatever the cell holds.
    fn refusal(&self, request: &Fill<'_>) -> Result<Option<Refusal>> {
        if request.incarnation.is_some_and(|began_in| began_in != self.shared.incarnation) {
            return Ok(Some(Refusal::Incarnation));
        }
        for (mark, stamp) in request.guards {
            if self.state(&self.mark_text("fill", mark)?).stamp() != Some(*stamp) {
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

    pub(super) fn ensure_now(&self, marks: &[Mark<'_>], ttl: Duration) -> Result<Baseline> {
        self.create("ensure_marks", &self.mark_texts("ensure_marks", marks)?, ttl)
    }

    /// Creates the marks that are absent; the states of all.
    fn create(&self, operation: &'static str, marks: &[String], ttl: Duration) -> Result<Baseline> {
        let end = self.end(ttl);
        let mut states = Vec::with_capacity(marks.len());
        for text in marks {
            let fits = self.shared.marks.update(text, |held| {
                if let Some((_, nonce)) = self.live::<Nonce>(held) {
                    states.push(self.state_of(nonce));
                    return Change::Keep;
                }
                let nonce = Nonce::Live(unique_bytes());
                states.push(self.state_of(&nonce));
                Change::Put(slot(text, nonce, end, 0))
            });
            if !fits {
                return Err(too_large(operation, 0));
            }
        }
        Ok(Baseline { marks: states, incarnation: self.shared.incarnation })
    }

    /// Lets live marks live on for `ttl`, and leaves the others as they are; the states of all.
    fn extend(&self, marks: &[String], ttl: Duration) -> Vec<MarkState> {
        let end = self.end(ttl);
        let extended = |text: &String| {
            let mut state = MarkState::Absent;
            self.shared.marks.update(text, |held| {
                let Some((old, nonce)) = self.live::<Nonce>(held) else { return Change::Keep };
                state = self.state_of(nonce);
                if matches!(nonce, Nonce::Held(_)) || old.fresh_until >= end {
                    return Change::Keep;
                }
                Change::Put(heir(old, slot(text, nonce.clone(), end, 0)))
            });
            state
        };
        marks.iter().map(extended).collect()
    }

    pub(super) fn remove_now(&self, removal: &Removal<'_>) -> Result<u64> {
        let mut texts = Vec::with_capacity(removal.keys.len());
        for key in removal.keys {
            texts.push(self.cell_text("remove", key)?);
        }
        let marks = self.mark_texts("remove", removal.marks)?;
        let cells = texts.iter().map(|text| self.unlink(&self.shared.cells, text));
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
        self.shared.marks.remove_slots(|slot| own(slot.text()) && !self.is_held(Some(slot)));
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

    fn state(&self, mark: &str) -> MarkState {
        let guard = crossbeam_epoch::pin();
        let found = self.live::<Nonce>(self.shared.marks.find(mark, &guard));
        found.map_or(MarkState::Absent, |(slot, nonce)| {
            slot.touch();
            self.state_of(nonce)
        })
    }

    fn state_of(&self, nonce: &Nonce) -> MarkState {
        match nonce {
            Nonce::Live(nonce) => MarkState::Live(Stamp::new(*nonce, self.shared.incarnation)),
            Nonce::Held(_) => MarkState::Held,
        }
    }

    /// Removes what lies under the text, unless it is held; whether there was anything that had not
    /// expired.
    fn unlink(&self, store: &Store, text: &str) -> bool {
        let now = self.now();
        let mut was_live = false;
        store.update(text, |held| {
            if self.is_held(held) {
                return Change::Keep;
            }
            was_live = held.is_some_and(|slot| now < slot.fresh_until);
            Change::Remove(Gone::Invalidated)
        });
        was_live
    }

    /// The slot and its value, unless it has expired.
    pub(super) fn live<'g, T: Send + Sync + 'static>(
        &self,
        held: Option<SlotRef<'g>>,
    ) -> Option<(SlotRef<'g>, &'g T)> {
        let slot = held.filter(|slot| self.now() < slot.fresh_until)?;
        Some((slot, slot.value::<T>()?))
    }

    fn prefix_of(&self, held: Option<SlotRef<'_>>) -> Prefix {
        self.live::<Cell>(held).map_or(Prefix::ABSENT, |(_, cell)| Prefix::of(cell))
    }

    fn cell_text(&self, operation: &'static str, key: &str) -> Result<String> {
        checked(operation, self.joined("", key))
    }

    /// All of them before anything changes, so that an error leaves nothing half done.
    pub(super) fn mark_texts(
        &self,
        operation: &'static str,
        marks: &[Mark<'_>],
    ) -> Result<Vec<String>> {
        marks.iter().map(|mark| self.mark_text(operation, mark)).collect()
    }

    fn mark_text(&self, operation: &'static str, mark: &Mark<'_>) -> Result<String> {
        let letter = match mark.kind {
            MarkKind::Tag => "t",
            MarkKind::Epoch => "e",
            MarkKind::Scope => "s",
        };
        checked(operation, self.joined(letter, mark.name))
    }

    fn joined(&self, letter: &str, name: &str) -> String {
        [self.prefix.as_str(), letter, name].concat()
    }

    pub(super) fn now(&self) -> Tick {
        self.shared.cells.clock.now()
    }

    pub(super) fn end(&self, ttl: Duration) -> Tick {
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

pub(super) fn slot<T: Send + Sync + 'static>(
    text: &str,
    value: T,
    end: Tick,
    bytes: usize,
) -> OwnedSlot {
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

fn checked(operation: &'static str, text: String) -> Result<String> {
    if text.len() > MAX_KEY_BYTES {
        let message = format!("the key takes {} bytes of at most {MAX_KEY_BYTES}", text.len());
        return Err(Error::new(ErrorKind::InvalidKey, operation, message));
    }
    Ok(text)
}

pub(super) fn too_large(operation: &'static str, bytes: usize) -> Error {
    let message = format!("{bytes} bytes do not fit into the provider; raise `max_bytes`");
    Error::new(ErrorKind::TooLarge, operation, message)
}
