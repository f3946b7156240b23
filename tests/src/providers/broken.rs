//! Providers that each break one rule, for the suite to catch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Baseline, BoxFuture, CellKind, Description, Expected, Extent, Fill, Filled,
    Incarnation, Lookup, Mark, MarkKind, MarkState, Observed, OnRefused, Prefix, Provider,
    ProviderExt, Removal, Usage, Watch,
};
use cache_runtime::{Pattern, Result};

pub use super::fault::Fault;

/// A provider that keeps the contract but for one rule.
#[derive(Debug)]
pub struct Broken {
    inner: Arc<dyn Provider>,
    fault: Fault,
    /// Everybody who shares the store, for a `clear` that reaches too far.
    others: Arc<Mutex<Vec<Arc<dyn Provider>>>>,
    /// What reads saw last, for a replica that lags.
    replica: Mutex<HashMap<String, Observed>>,
    /// What marks were when loads began, for a fill that does not look again.
    before: Mutex<HashMap<String, Vec<MarkState>>>,
}

impl Broken {
    /// Wraps a provider; all of one store share `others`.
    pub fn new(
        inner: Arc<dyn Provider>,
        fault: Fault,
        others: Arc<Mutex<Vec<Arc<dyn Provider>>>>,
    ) -> Self {
        others.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&inner));
        Self { inner, fault, others, replica: Mutex::default(), before: Mutex::default() }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn key(&self, key: &str) -> String {
        if self.has(Fault::CaseIsFolded) { key.to_lowercase() } else { key.to_owned() }
    }

    fn marks<'a>(&self, marks: &[Mark<'a>]) -> Vec<Mark<'a>> {
        let meet = self.has(Fault::KindsMeet);
        let met =
            |mark: &Mark<'a>| if meet { Mark { kind: MarkKind::Tag, ..*mark } } else { *mark };
        marks.iter().map(met).collect()
    }

    fn ttl(&self, ttl: Duration) -> Duration {
        let for_ever = self.has(Fault::ZeroTtlIsForEver) && ttl.is_zero();
        if for_ever { Duration::MAX } else { ttl }
    }

    /// Ends all holds of a mark; how many there were.
    async fn lift(&self, mark: Mark<'_>) -> Result<usize> {
        let mut lifted = 0;
        while self.inner.read_marks("", &[mark]).await? == [MarkState::Held] {
            self.inner.release_marks(&[mark]).await?;
            lifted += 1;
        }
        Ok(lifted)
    }

    async fn is_lease(&self, key: &str) -> Result<bool> {
        Ok(self.inner.read_one(key, &[]).await?.prefix().kind() == Some(CellKind::Lease))
    }

    async fn read_one_wrongly(&self, lookup: &Lookup<'_>) -> Result<Observed> {
        let (key, marks) = (self.key(lookup.key), self.marks(lookup.marks));
        let whole = self.has(Fault::PrefixIsTheWhole) && lookup.extent == Extent::Prefix;
        let extent = if whole { Extent::Whole } else { lookup.extent };
        let asked = [Lookup::new(&key).marks(&marks).extent(extent)];
        let mut seen = self.inner.read(&asked).await?.remove(0);
        if self.has(Fault::ReadComesFromAReplica) && lookup.marks.is_empty() {
            let mut replica = self.replica.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(former) = replica.insert(key, seen.clone()) {
                seen = former;
            }
        }
        Ok(seen)
    }

    async fn acquire_wrongly(&self, request: Acquire<'_>) -> Result<Acquired> {
        let (key, marks) = (self.key(request.key), self.marks(request.marks));
        if self.has(Fault::AcquireGivesNewNonces) {
            self.inner.remove_marks(&marks).await?;
        }
        let mut expected = request.expected;
        if self.has(Fault::AcquireComparesNothing) {
            expected = Expected::Anything;
        }
        if self.has(Fault::AcquireComparesThenSets) {
            let found = self.inner.read_one(&key, &[]).await?.prefix();
            if !expected.accepts(found) {
                return Ok(Acquired::Busy(found));
            }
            tokio::task::yield_now().await;
            expected = Expected::Anything;
        }
        let mut acquire: Acquire<'_> = request;
        (acquire.key, acquire.marks, acquire.expected) = (&key, &marks, expected);
        let acquired = self.inner.acquire(acquire).await?;
        if let Acquired::Granted(baseline) = &acquired {
            let mut before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
            before.insert(key.clone(), baseline.marks.clone());
        }
        match acquired {
            Acquired::Busy(_) if self.has(Fault::BusyNamesNothing) => {
                Ok(Acquired::Busy(Prefix::ABSENT))
            }
            other => Ok(other),
        }
    }

    async fn fill_wrongly(&self, request: Fill<'_>) -> Result<Filled> {
        let (key, marks) = (self.key(request.key), self.marks(request.marks));
        let mut value = request.value.to_vec();
        if self.has(Fault::ValuesAreCutAtZeros) {
            let payload = value.iter().skip(Prefix::LENGTH);
            let kept = payload.take_while(|byte| **byte != 0).count();
            value.truncate(Prefix::LENGTH + kept);
        }
        let mut fill: Fill<'_> = request;
        (fill.key, fill.marks, fill.value) = (&key, &marks, &value);
        fill.ttl = self.ttl(request.ttl);
        match self.fault {
            Fault::FillComparesNothing => fill.expected = Expected::Anything,
            Fault::FillIgnoresGuards => fill.guards = &[],
            Fault::FillIgnoresIncarnation => fill.incarnation = None,
            Fault::FillKeepsWhatItShouldRemove => fill.on_refused = OnRefused::Keep,
            Fault::FillDoesNotProlongMarks => fill.mark_ttl = Duration::ZERO,
            Fault::FillCreatesMarks => {
                self.inner.ensure_marks(&key, &marks, fill.mark_ttl).await?;
            }
            Fault::FillComparesThenSets if request.guards.is_empty() => {
                let found = self.inner.read_one(&key, &[]).await?.prefix();
                if fill.expected.accepts(found) {
                    tokio::task::yield_now().await;
                    fill.expected = Expected::Anything;
                }
            }
            _ => {}
        }
        let filled = self.inner.fill(fill).await?;
        if self.has(Fault::LargeValuesAreDropped) && value.len() > 100_000 {
            self.inner.remove_key(&key).await?;
        }
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        match (filled, before.get(&key)) {
            (Filled::Stored(_), Some(states)) if self.has(Fault::FillReportsOldMarks) => {
                Ok(Filled::Stored(states.clone()))
            }
            (filled, _) => Ok(filled),
        }
    }

    async fn remove_wrongly(&self, removal: Removal<'_>) -> Result<u64> {
        let mut keys: Vec<String> = Vec::new();
        for key in removal.keys {
            let key = self.key(key);
            if !self.has(Fault::RemovalLeavesLeases) || !self.is_lease(&key).await? {
                keys.push(key);
            }
        }
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let marks = self.marks(removal.marks);
        let leaves_marks = self.has(Fault::RemovalLeavesMarks);
        let marks = if leaves_marks { &[] } else { &marks[..] };
        if self.has(Fault::RemovalLiftsHolds) {
            for mark in marks {
                self.lift(*mark).await?;
            }
        }
        if self.has(Fault::RemovalIsPiecemeal) {
            let mut removed = self.inner.remove(Removal::of_keys(&keys)).await?;
            for mark in marks {
                tokio::task::yield_now().await;
                removed += self.inner.remove(Removal::of_marks(&[*mark])).await?;
            }
            return Ok(removed);
        }
        let removed = self.inner.remove(Removal::of_keys(&keys).and_marks(marks)).await?;
        let asked = (removal.keys.len() + removal.marks.len()) as u64;
        Ok(if self.has(Fault::RemovalCountsQuestions) { asked } else { removed })
    }

    async fn remove_matching_wrongly(&self, pattern: &Pattern) -> Result<u64> {
        let text = pattern.as_str();
        let pattern = match self.fault {
            Fault::PatternIgnoresEscapes => Pattern::from(text.replace('\\', "")),
            Fault::PatternIsAPrefix => Pattern::from(format!("{text}*")),
            _ => pattern.clone(),
        };
        if self.has(Fault::PatternLeavesLeases) {
            // It knows nothing of leases but where the suite puts them.
            let kept = self.inner.read_one("user:2", &[]).await?;
            let removed = self.inner.remove_matching(&pattern).await?;
            let is_lease = kept.prefix().kind() == Some(CellKind::Lease);
            if let (Some(cell), true) = (kept.cell, is_lease) {
                self.inner.put("user:2", &cell, Duration::from_secs(60)).await?;
            }
            return Ok(removed);
        }
        self.inner.remove_matching(&pattern).await
    }

    async fn clear_wrongly(&self) -> Result<()> {
        match self.fault {
            Fault::ClearLeavesMarks => {
                self.inner.remove_matching(&Pattern::from("*")).await.map(drop)
            }
            Fault::ClearReachesOthers => {
                let others = self.others.lock().unwrap_or_else(PoisonError::into_inner).clone();
                for other in others {
                    other.clear().await?;
                }
                Ok(())
            }
            _ => self.inner.clear().await,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Broken {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        Box::pin(async move {
            let mut answers = self.inner.read(&[]).await?;
            for lookup in lookups {
                answers.push(self.read_one_wrongly(lookup).await?);
            }
            if self.has(Fault::AnswersAreReversed) {
                answers.reverse();
            }
            Ok(answers)
        })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(self.acquire_wrongly(request))
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(self.fill_wrongly(request))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            let mut prefix = prefix;
            if self.has(Fault::RenewComparesNothing) {
                prefix = self.inner.read_one(key, &[]).await?.prefix();
            }
            if self.has(Fault::RenewDoesNothing) {
                return Ok(self.inner.read_one(key, &[]).await?.prefix() == prefix);
            }
            self.inner.renew(&self.key(key), prefix, ttl).await
        })
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        Box::pin(async move {
            if self.has(Fault::ReleaseComparesNothing) {
                return self.inner.remove_key(key).await;
            }
            self.inner.release(&self.key(key), prefix).await
        })
    }

    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        Box::pin(async move {
            if self.has(Fault::EnsureTouchesTheCell) {
                self.inner.remove_key(key).await?;
            }
            self.inner.ensure_marks(&self.key(key), &self.marks(marks), ttl).await
        })
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let marks = self.marks(marks);
            if self.has(Fault::HoldIsARemoval) {
                return self.inner.remove_marks(&marks).await;
            }
            if self.has(Fault::HoldIsShortened) {
                for mark in &marks {
                    for _ in 0..self.lift(*mark).await? {
                        self.inner.hold_marks(&[*mark], ttl).await?;
                    }
                }
            }
            self.inner.hold_marks(&marks, ttl).await
        })
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let marks = self.marks(marks);
            match self.fault {
                Fault::ReleaseIsIgnored => return self.inner.release_marks(&[]).await,
                Fault::HoldIsNotCounted => {
                    for mark in &marks {
                        self.lift(*mark).await?;
                    }
                }
                _ => {}
            }
            self.inner.release_marks(&marks).await
        })
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.remove_wrongly(removal))
    }

    fn replicate<'a>(
        &'a self,
        names: Removal<'a>,
        replicas: u32,
        patience: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        self.inner.replicate(names, replicas, patience)
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.remove_matching_wrongly(pattern))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.clear_wrongly())
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        self.inner.ping()
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        self.inner.usage()
    }

    fn serves_in_part(&self) -> bool {
        self.inner.serves_in_part()
    }

    fn describe(&self) -> Description {
        self.inner.describe()
    }

    fn watch(&self, watch: Watch) -> bool {
        self.inner.watch(watch)
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        if self.has(Fault::ShutdownIsIgnored) {
            return Box::pin(std::future::ready(Ok(())));
        }
        self.inner.shutdown()
    }
}
