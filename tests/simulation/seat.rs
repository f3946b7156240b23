//! The provider as one process sees it: each step is a message to the store that the scheduler
//! carries, in any order, late or not at all.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Fill, Filled, Incarnation, Lookup, Mark,
    Observed, Prefix, Provider, Removal, Usage, Watch,
};
use cache_runtime::{Pattern, Result};

use crate::command::{Command, Reply, owned};
use crate::store::sweep;
use crate::world::World;

/// How long a removal of many keys holds the loads that begin meanwhile, at most.
const SWEEP_HOLD: Duration = Duration::from_secs(30);

/// One process's connection.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) world: Arc<World>,
    pub(crate) process: usize,
}

macro_rules! answer {
    ($reply:expr, $kind:ident) => {
        match $reply? {
            Reply::$kind(answer) => Ok(answer),
            other => unreachable!("{other:?}"),
        }
    };
}

impl Seat {
    async fn send(&self, command: Command) -> Result<Reply> {
        self.world.send(self.process, command).await
    }

    async fn tell(&self, command: Command) -> Result<()> {
        self.send(command).await.map(drop)
    }

    /// As Redis does it: a scan, with what begins meanwhile kept from being stored.
    async fn sweep(&self, pattern: &Pattern) -> Result<u64> {
        self.tell(Command::Hold(vec![sweep()], SWEEP_HOLD)).await?;
        let keys = answer!(self.send(Command::Keys).await, Keys)?;
        let mut removed = 0;
        for key in keys.into_iter().filter(|key| pattern.matches(key)) {
            removed += answer!(self.send(Command::Remove(vec![key], Vec::new())).await, Count)?;
        }
        self.tell(Command::ReleaseMarks(vec![sweep()])).await?;
        Ok(removed)
    }
}

#[deny(clippy::missing_trait_methods)]
impl Provider for Seat {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        let command = Command::Read(lookups.iter().map(Into::into).collect());
        Box::pin(async move { answer!(self.send(command).await, Observed) })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(
            async move { answer!(self.send(Command::Acquire(request.into())).await, Acquired) },
        )
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(async move { answer!(self.send(Command::Fill(request.into())).await, Filled) })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        let command = Command::Renew(key.to_owned(), prefix, ttl);
        Box::pin(async move { answer!(self.send(command).await, Is) })
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        let command = Command::Release(key.to_owned(), prefix);
        Box::pin(async move { answer!(self.send(command).await, Is) })
    }

    fn ensure_marks<'a>(
        &'a self,
        _key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        Box::pin(async move { answer!(self.send(Command::Ensure(owned(marks), ttl)).await, Marks) })
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.tell(Command::Hold(owned(marks), ttl)))
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.tell(Command::ReleaseMarks(owned(marks))))
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        let keys = removal.keys.iter().map(|key| (*key).to_owned()).collect();
        let command = Command::Remove(keys, owned(removal.marks));
        Box::pin(async move { answer!(self.send(command).await, Count) })
    }

    fn replicate<'a>(
        &'a self,
        _: Removal<'a>,
        replicas: u32,
        _: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        Box::pin(std::future::ready(Ok(replicas)))
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.sweep(pattern))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.tell(Command::Clear))
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        Box::pin(async move { answer!(self.send(Command::Ping).await, Alive) })
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        Box::pin(async { Ok(Usage::default()) })
    }

    fn serves_in_part(&self) -> bool {
        false
    }

    fn describe(&self) -> Description {
        Description::shared("mini-store", "", true)
    }

    fn watch(&self, watch: Watch) -> bool {
        self.world.listen(self.process, watch);
        true
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Seat").field("process", &self.process).finish_non_exhaustive()
    }
}
