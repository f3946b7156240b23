//! What a case works with: a provider in a fresh namespace, and short forms of what cases do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::check::{Failure, Verdict};
use super::{Advance, Connect};
use crate::entry::unique_bytes;
use crate::provider::{
    Acquire, Acquired, Baseline, CellKind, Expected, Fill, Filled, Mark, MarkState, Prefix,
    Provider, ProviderExt, Stamp,
};

/// Longer than any case takes.
pub(super) const LONG: Duration = Duration::from_secs(3_600);

pub(super) struct World {
    pub(super) provider: Arc<dyn Provider>,
    /// The length of a short TTL.
    pub(super) unit: Duration,
    namespace: String,
    connect: Arc<Connect>,
    advance: Arc<Advance>,
    opened: Mutex<Vec<Arc<dyn Provider>>>,
}

impl World {
    pub(super) async fn new(
        namespace: String,
        connect: Arc<Connect>,
        advance: Arc<Advance>,
        unit: Duration,
    ) -> Verdict<Self> {
        let provider = connect(namespace.clone()).await?;
        let opened = Mutex::new(vec![Arc::clone(&provider)]);
        Ok(Self { provider, unit, namespace, connect, advance, opened })
    }

    /// A provider of a namespace that begins with this case's and goes on with `suffix`.
    pub(super) async fn neighbour(&self, suffix: &str) -> Verdict<Arc<dyn Provider>> {
        let provider = (self.connect)(format!("{}{suffix}", self.namespace)).await?;
        let mut opened = self.opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        opened.push(Arc::clone(&provider));
        Ok(provider)
    }

    pub(super) async fn tidy_up(&self) {
        let opened = std::mem::take(
            &mut *self.opened.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        for provider in opened {
            // A provider that was shut down, or is broken, may refuse: that is not what was tried.
            let _ = provider.clear().await;
        }
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Lets time pass.
    pub(super) async fn advance(&self, by: Duration) {
        (self.advance)(by).await;
    }

    /// Lets a TTL pass, and a little more.
    pub(super) async fn outlive(&self, ttl: Duration) {
        self.advance(ttl + self.unit / 4).await;
    }

    /// The whole cell.
    pub(super) async fn cell(&self, key: &str) -> Verdict<Option<Vec<u8>>> {
        Ok(self.provider.read_one(key, &[]).await?.cell.map(|cell| cell.to_vec()))
    }

    /// The prefix of the cell, or of its absence.
    pub(super) async fn prefix(&self, key: &str) -> Verdict<Prefix> {
        Ok(self.provider.read_one(key, &[]).await?.prefix())
    }

    /// Stores a new value and returns its prefix.
    pub(super) async fn put(&self, key: &str, ttl: Duration) -> Verdict<Prefix> {
        let value = value(b"payload");
        let filled = self.provider.put(key, &value, ttl).await?;
        check!(filled.is_stored(), "`put` on `{key:?}` was refused: {filled:?}");
        Ok(Prefix::of(&value))
    }

    /// Puts a long lease on an absent cell.
    pub(super) async fn lease(&self, key: &str) -> Verdict<Prefix> {
        Ok(self.begin(key, &[]).await?.0)
    }

    /// Begins a load: a long lease on an absent cell, and the marks' states.
    pub(super) async fn begin(&self, key: &str, marks: &[Mark<'_>]) -> Verdict<(Prefix, Baseline)> {
        let lease = lease();
        let request = Acquire::new(key, lease, LONG).marks(marks, LONG);
        match self.provider.acquire(request).await? {
            Acquired::Granted(baseline) => Ok((lease, baseline)),
            Acquired::Busy(found) => {
                Err(Failure::new(format!("`acquire` on {key:?}: busy with {found:?}")))
            }
        }
    }

    /// Ends a load: a new value in place of the lease, and the marks' states.
    pub(super) async fn finish(
        &self,
        key: &str,
        expected: impl Into<Expected>,
        marks: &[Mark<'_>],
    ) -> Verdict<Filled> {
        let value = value(b"loaded");
        let request = Fill::new(key, &value, LONG).expected(expected).marks(marks, LONG);
        Ok(self.provider.fill(request).await?)
    }

    /// Creates marks, and returns the stamps of all.
    pub(super) async fn create(&self, key: &str, marks: &[Mark<'_>]) -> Verdict<Vec<Stamp>> {
        let baseline = self.provider.ensure_marks(key, marks, LONG).await?;
        stamps(&baseline.marks)
    }

    /// The state of one mark.
    pub(super) async fn state(&self, key: &str, mark: Mark<'_>) -> Verdict<MarkState> {
        let states = self.provider.read_marks(key, &[mark]).await?;
        same!(states.len(), 1, "answers for one mark");
        Ok(states[0])
    }
}

/// A value that nobody has had before, with this payload.
pub(super) fn value(payload: &[u8]) -> Vec<u8> {
    let mut value = Prefix::unique(CellKind::Value).as_bytes().to_vec();
    value.extend_from_slice(payload);
    value
}

/// A lease that nobody has had before.
pub(super) fn lease() -> Prefix {
    Prefix::new(CellKind::Lease, unique_bytes())
}

/// The same prefix but for its last byte.
pub(super) fn twin(prefix: Prefix) -> Prefix {
    let mut bytes = prefix.as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    Prefix::of(&bytes)
}

/// The stamps of marks that are all live.
pub(super) fn stamps(states: &[MarkState]) -> Verdict<Vec<Stamp>> {
    let stamps: Option<Vec<Stamp>> = states.iter().map(|state| state.stamp()).collect();
    stamps.ok_or_else(|| Failure::new(format!("not all marks are live: {states:?}")))
}

/// The marks' states of a fill that was stored.
pub(super) fn stored(filled: Filled) -> Verdict<Vec<MarkState>> {
    match filled {
        Filled::Stored(states) => Ok(states),
        Filled::Refused(why) => Err(Failure::new(format!("the fill was refused: {why:?}"))),
    }
}

/// Fails unless the fill was refused.
pub(super) fn refused(filled: &Filled) -> Verdict {
    check!(!filled.is_stored(), "the value was stored");
    Ok(())
}
