//! The steps of the contract, each through the rules.

use std::time::Duration;

use super::Resilient;
use super::outbox::{Invalidation, hide, hide_marks};
use super::run::{Step, shut_down};
use super::timer::within;
use crate::provider::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Expected, Fill, Filled, Incarnation,
    Lookup, Mark, Observed, OnRefused, Prefix, Provider, Refusal, Removal, Usage, Watch,
};
use crate::{Pattern, Result};

/// A read of more cells than this says little about the store's pace, and has the whole budget.
const LOOKUPS_OF_A_HIT: usize = 16;

#[deny(clippy::missing_trait_methods)]
impl Provider for Resilient {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        if let Some(refusal) = self.refusal("read") {
            return refusal;
        }
        let adaptive = lookups.len() <= LOOKUPS_OF_A_HIT;
        let step = Step { adaptive, ..Step::repeatable("read") };
        Box::pin(async move {
            // What is invalidated from here on need not be hidden: this read began before it.
            let hidden = self.outbox.view().map(|view| view.hidden(lookups));
            let mut answers = self.run(step, || self.inner.read(lookups)).await?;
            if let Some(hidden) = hidden {
                hide(&mut answers, &hidden);
            }
            Ok(answers)
        })
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        if let Some(refusal) = self.refusal("acquire") {
            return refusal;
        }
        Box::pin(async move {
            let mut request = request;
            if self.outbox.view().is_some_and(|view| view.hides_cell(request.key)) {
                match request.expected {
                    // The removal and the lease in one: whatever lies there was to go.
                    Expected::Prefix(Prefix::ABSENT) => request.expected = Expected::Anything,
                    Expected::Prefix(_) => return Ok(Acquired::Busy(Prefix::ABSENT)),
                    Expected::Anything => {}
                }
            }
            self.run(Step::once("acquire"), || self.inner.acquire(request)).await
        })
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        if let Some(refusal) = self.refusal("fill") {
            return refusal;
        }
        Box::pin(async move {
            let hidden = self
                .outbox
                .view()
                .map(|view| (view.refuses(&request), view.hidden_marks(request.marks)));
            if let Some((Some(refusal), _)) = hidden {
                return self.refuse_fill(&request, refusal).await;
            }
            let filled = self.run(Step::once("fill"), || self.inner.fill(request)).await?;
            Ok(match (filled, hidden) {
                (Filled::Stored(mut states), Some((_, hidden))) => {
                    hide_marks(&mut states, &hidden);
                    Filled::Stored(states)
                }
                (filled, _) => filled,
            })
        })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        self.repeat("renew", move || self.inner.renew(key, prefix, ttl))
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        self.repeat("release", move || self.inner.release(key, prefix))
    }

    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        self.repeat("ensure_marks", move || self.inner.ensure_marks(key, marks, ttl))
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        self.repeat("hold_marks", move || self.inner.hold_marks(marks, ttl))
    }

    /// Not repeated: had the first attempt gone through, the second would end somebody else's hold.
    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        if let Some(refusal) = self.refusal("release_marks") {
            return refusal;
        }
        let step = Step::once("release_marks");
        Box::pin(self.run(step, move || self.inner.release_marks(marks)))
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.invalidate(Invalidation::Names(removal)))
    }

    fn replicate<'a>(
        &'a self,
        names: Removal<'a>,
        replicas: u32,
        patience: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        if let Some(refusal) = self.refusal("replicate") {
            return refusal;
        }
        let step = Step::once("replicate");
        Box::pin(self.run(step, move || self.inner.replicate(names, replicas, patience)))
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.invalidate(Invalidation::Matching(pattern)))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.invalidate(Invalidation::All).await.map(drop) })
    }

    /// Asks the store past breaker, bulkhead and retries, within the budget: a question about the
    /// store is answered by the store.
    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        Box::pin(async {
            if self.is_closed() {
                return Err(shut_down("ping"));
            }
            let limit = self.options.budget;
            let answer = within(&self.clock, limit, self.inner.ping()).await;
            answer.unwrap_or_else(|| Err(self.out_of_time("ping", limit)))
        })
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        let step = Step { scans: true, ..Step::repeatable("usage") };
        Box::pin(async move { self.run(step, || self.inner.usage()).await })
    }

    fn describe(&self) -> Description {
        self.inner.describe()
    }

    fn serves_in_part(&self) -> bool {
        self.inner.serves_in_part()
    }

    fn watch(&self, watch: Watch) -> bool {
        self.inner.watch(watch)
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.close())
    }
}

impl Resilient {
    /// A step that pending invalidations do not concern, and that is safe to repeat.
    fn repeat<'a, T: Send + 'a>(
        &'a self,
        operation: &'static str,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> BoxFuture<'a, Result<T>> {
        if let Some(refusal) = self.refusal(operation) {
            return refusal;
        }
        Box::pin(self.run(Step::repeatable(operation), attempt))
    }

    /// Refuses a fill in the store's place.
    async fn refuse_fill(&self, request: &Fill<'_>, refusal: Refusal) -> Result<Filled> {
        if self.is_closed() {
            return Err(shut_down("fill"));
        }
        // A hidden cell is about to be removed anyway.
        if request.on_refused == OnRefused::Remove && refusal != Refusal::Cell {
            self.invalidate(Invalidation::Names(Removal::of_keys(&[request.key]))).await?;
        }
        Ok(Filled::Refused(refusal))
    }
}
