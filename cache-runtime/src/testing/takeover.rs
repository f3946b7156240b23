//! Another server that takes over without the last writes: another incarnation, and cells as they
//! were before.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::faulty::FaultyProvider;
use crate::Result;
use crate::near::lock;
use crate::provider::{
    Baseline, CellBytes, CellKind, Fill, Filled, Incarnation, Lookup, Mark, MarkState, Observed,
    OnRefused, Prefix, Provider, Refusal, Removal, Stamp,
};

/// How many cells are remembered as they were.
const MOST: usize = 64;

/// How long an entry lives that comes back: longer than a test.
const BACK: Duration = Duration::from_secs(3_600);

/// What the store held before its last writes, and how many servers have taken over.
#[derive(Debug, Default)]
pub(super) struct Journal {
    takeovers: AtomicU64,
    former: Mutex<VecDeque<(String, CellBytes)>>,
}

impl Journal {
    /// An incarnation as callers see it.
    pub(super) fn life(&self, inner: Incarnation) -> Incarnation {
        let takeovers = self.takeovers.load(Ordering::Acquire);
        match takeovers {
            0 => inner,
            _ => Incarnation::new(inner.get() ^ takeovers.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        }
    }

    fn state(&self, state: MarkState, inner: Incarnation) -> MarkState {
        match state {
            MarkState::Live(stamp) => {
                MarkState::Live(Stamp::new(stamp.nonce(inner), self.life(inner)))
            }
            other => other,
        }
    }

    /// Names answers by the present incarnation.
    pub(super) fn translate(&self, observed: &mut [Observed]) {
        for observed in observed {
            let inner = observed.incarnation;
            for state in &mut observed.marks {
                *state = self.state(*state, inner);
            }
            observed.incarnation = self.life(inner);
        }
    }

    pub(super) fn translated(&self, baseline: Baseline) -> Baseline {
        let Baseline { marks, incarnation } = baseline;
        let marks = marks.into_iter().map(|state| self.state(state, incarnation)).collect();
        Baseline { marks, incarnation: self.life(incarnation) }
    }
}

impl FaultyProvider {
    /// Another server takes over that lacks the last writes: of the last cells that were replaced or
    /// removed, `lost` are as they were before, and its [incarnation](Incarnation) is another.
    /// Marks that were removed stay so.
    ///
    /// # Errors
    ///
    /// Those of the provider behind it; some cells may be back then.
    pub async fn take_over(&self, lost: usize) -> Result<()> {
        let former: Vec<(String, CellBytes)> = {
            let mut former = lock(&self.shared.journal.former);
            let first = former.len().saturating_sub(lost);
            let lately = former.drain(first..).collect();
            former.clear();
            lately
        };
        self.shared.journal.takeovers.fetch_add(1, Ordering::AcqRel);
        // The oldest comes last: it is what lay there before all of the writes that are lost.
        for (key, cell) in former.iter().rev() {
            self.inner.fill(Fill::new(key, cell, BACK)).await?;
        }
        self.shared.listeners.miss();
        Ok(())
    }

    /// Remembers entries before they are replaced or removed.
    pub(super) async fn remember(&self, keys: &[&str]) {
        let lookups: Vec<Lookup<'_>> = keys.iter().map(|key| Lookup::new(key)).collect();
        if lookups.is_empty() {
            return;
        }
        let Ok(observed) = self.inner.read(&lookups).await else { return };
        let mut former = lock(&self.shared.journal.former);
        for (key, observed) in keys.iter().zip(observed) {
            let cell = observed.cell.filter(|cell| {
                Prefix::of(cell).kind() == Some(CellKind::Value) && cell.len() > Prefix::LENGTH
            });
            former.extend(cell.map(|cell| ((*key).to_owned(), cell)));
        }
        while former.len() > MOST {
            former.pop_front();
        }
    }

    /// FILL, with the caller's words for incarnation and stamps put into the store's.
    pub(super) async fn fill_translated(&self, request: Fill<'_>) -> Result<Filled> {
        let journal = &self.shared.journal;
        let inner = match request.guards.is_empty() && request.incarnation.is_none() {
            true => None,
            false => Some(self.inner.ping().await?),
        };
        let mut request = request;
        if let (Some(began), Some(inner)) = (request.incarnation, inner) {
            if began != journal.life(inner) {
                if request.on_refused == OnRefused::Remove {
                    self.inner.remove(Removal::of_keys(&[request.key])).await?;
                }
                return Ok(Filled::Refused(Refusal::Incarnation));
            }
            request.incarnation = Some(inner);
        }
        let own = inner.unwrap_or(Incarnation::UNKNOWN);
        let theirs = |stamp: Stamp| Stamp::new(stamp.nonce(journal.life(own)), own);
        let guards: Vec<(Mark<'_>, Stamp)> =
            request.guards.iter().map(|(mark, stamp)| (*mark, theirs(*stamp))).collect();
        let request = Fill { guards: &guards, ..request };
        Ok(match self.inner.fill(request).await? {
            Filled::Stored(states) => {
                let inner = match inner {
                    Some(inner) => inner,
                    None => self.inner.ping().await?,
                };
                let states = states.into_iter().map(|state| journal.state(state, inner));
                Filled::Stored(states.collect())
            }
            refused => refused,
        })
    }
}
