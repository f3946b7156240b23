//! Each operation, with its fault.

use std::time::Duration;

use super::fault::{Fault, Operation};
use super::faulty::FaultyProvider;
use crate::near::lock;
use crate::provider::{
    Acquire, Acquired, Baseline, BoxFuture, CellBytes, Description, Fill, Filled, Incarnation,
    Lookup, Mark, Observed, Prefix, Provider, Removal, Usage, Watch,
};
use crate::{ErrorKind, Pattern, Result};

impl FaultyProvider {
    /// Does an operation that names these keys and marks.
    async fn step<T>(
        &self,
        operation: Operation,
        keys: &[&str],
        marks: &[Mark<'_>],
        attempt: impl Future<Output = Result<T>>,
    ) -> Result<(T, Option<Fault>)> {
        let fault = self.draw(operation);
        let in_doubt = match operation.only_reads() {
            true => ErrorKind::Unavailable,
            false => ErrorKind::Unknown,
        };
        match fault {
            Some(Fault::Delay(most)) => self.clock.sleep(self.draw_delay(most)).await,
            Some(Fault::Refuse) => return Self::failed(operation, ErrorKind::Unavailable),
            Some(Fault::LoseCommand) => return Self::failed(operation, in_doubt),
            Some(Fault::Forget) => {
                let _ = self.inner.remove(Removal::of_keys(keys).and_marks(marks)).await;
            }
            _ => {}
        }
        let answer = attempt.await;
        match fault {
            Some(Fault::LoseAnswer) => Self::failed(operation, in_doubt),
            Some(Fault::Hang) => std::future::pending().await,
            _ => answer.map(|answer| (answer, fault)),
        }
    }

    async fn plain<T>(
        &self,
        operation: Operation,
        keys: &[&str],
        marks: &[Mark<'_>],
        attempt: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.step(operation, keys, marks, attempt).await.map(|(answer, _)| answer)
    }

    fn damage(&self, observed: &mut [Observed], cuts: bool) {
        let mut random = lock(&self.shared.random);
        for cell in observed.iter_mut().filter_map(|observed| observed.cell.as_mut()) {
            let mut bytes = cell.to_vec();
            if bytes.is_empty() {
                continue;
            }
            let at = random.usize(..bytes.len());
            match cuts {
                true => bytes.truncate(at),
                false => bytes[at] ^= 1 << random.u32(..8),
            }
            *cell = CellBytes::from(bytes);
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for FaultyProvider {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        Box::pin(async move {
            let keys: Vec<&str> = lookups.iter().map(|lookup| lookup.key).collect();
            let marks: Vec<Mark<'_>> =
                lookups.iter().flat_map(|lookup| lookup.marks).copied().collect();
            let attempt = self.inner.read(lookups);
            let (mut observed, fault) = self.step(Operation::Read, &keys, &marks, attempt).await?;
            match fault {
                Some(Fault::FlipBit) => self.damage(&mut observed, false),
                Some(Fault::Truncate) => self.damage(&mut observed, true),
                _ => {}
            }
            self.shared.journal.translate(&mut observed);
            Ok(observed)
        })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(async move {
            self.remember(&[request.key]).await;
            let attempt = self.inner.acquire(request);
            let (keys, marks) = ([request.key], request.marks);
            Ok(match self.plain(Operation::Acquire, &keys, marks, attempt).await? {
                Acquired::Granted(baseline) => {
                    Acquired::Granted(self.shared.journal.translated(baseline))
                }
                busy => busy,
            })
        })
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(async move {
            self.remember(&[request.key]).await;
            let attempt = self.fill_translated(request);
            self.plain(Operation::Fill, &[request.key], request.marks, attempt).await
        })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        let attempt = self.inner.renew(key, prefix, ttl);
        Box::pin(async move { self.plain(Operation::Renew, &[key], &[], attempt).await })
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        let attempt = self.inner.release(key, prefix);
        Box::pin(async move { self.plain(Operation::Release, &[key], &[], attempt).await })
    }

    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        Box::pin(async move {
            let attempt = self.inner.ensure_marks(key, marks, ttl);
            let ensured = self.plain(Operation::EnsureMarks, &[], marks, attempt).await?;
            Ok(self.shared.journal.translated(ensured))
        })
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        let attempt = self.inner.hold_marks(marks, ttl);
        Box::pin(async move { self.plain(Operation::HoldMarks, &[], marks, attempt).await })
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        let attempt = self.inner.release_marks(marks);
        Box::pin(async move { self.plain(Operation::ReleaseMarks, &[], marks, attempt).await })
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            self.remember(removal.keys).await;
            let attempt = self.inner.remove(removal);
            self.plain(Operation::Remove, removal.keys, removal.marks, attempt).await
        })
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
        let attempt = self.inner.remove_matching(pattern);
        Box::pin(async move { self.plain(Operation::RemoveMatching, &[], &[], attempt).await })
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.plain(Operation::Clear, &[], &[], self.inner.clear()).await })
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        Box::pin(async {
            let life = self.plain(Operation::Ping, &[], &[], self.inner.ping()).await?;
            Ok(self.shared.journal.life(life))
        })
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
        self.shared.listeners.watch(self, watch)
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        self.inner.shutdown()
    }
}
