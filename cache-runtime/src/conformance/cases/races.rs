//! Steps at once: each is seen as a whole or not at all.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use crate::Result;
use crate::conformance::check::{Failure, Verdict};
use crate::conformance::world::{LONG, World, lease, refused, value};
use crate::provider::{
    Acquire, Acquired, CellKind, Fill, Mark, MarkState, Prefix, Provider, ProviderExt, Stamp,
};

const TASKS: usize = 48;
const TAG: Mark<'static> = Mark::tag("t");

/// Runs the same steps in many tasks at once, and returns what each found.
async fn at_once<T, F>(w: &World, steps: impl Fn(usize, Arc<dyn Provider>) -> F) -> Verdict<Vec<T>>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let (start, steps) = (Arc::clone(&start), steps(number, Arc::clone(&w.provider)));
            tokio::spawn(async move {
                start.wait().await;
                steps.await
            })
        })
        .collect();
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.map_err(|error| Failure::new(format!("panicked: {error}")))??);
    }
    Ok(found)
}

fn count(found: &[bool]) -> usize {
    found.iter().filter(|found| **found).count()
}

cases! {
    async fn of_many_acquires_one_is_granted(w) {
        for round in 0..10 {
            let granted = at_once(w, |_, provider| async move {
                provider.try_lease(&format!("k:{round}"), lease(), LONG).await
            }).await?;
            same!(count(&granted), 1, "the leases granted");
        }
    }

    async fn of_many_acquires_over_one_value_one_is_granted(w) {
        let seen = w.put("k", LONG).await?;
        let granted = at_once(w, |_, provider| async move {
            let request = Acquire::new("k", lease(), LONG).expected(seen);
            Ok(matches!(provider.acquire(request).await?, Acquired::Granted(_)))
        }).await?;
        same!(count(&granted), 1, "the leases granted");
    }

    async fn of_many_refreshes_of_one_entry_one_is_stored(w) {
        for round in 0..10 {
            let key = format!("k:{round}");
            let seen = w.put(&key, LONG).await?;
            let stored = at_once(w, |_, provider| {
                let key = key.clone();
                async move {
                    let value = value(b"refreshed");
                    let filled = provider.fill(Fill::new(&key, &value, LONG).expected(seen)).await?;
                    Ok(filled.is_stored())
                }
            }).await?;
            same!(count(&stored), 1, "the values stored");
        }
    }

    async fn of_many_releases_one_succeeds(w) {
        let lease = w.lease("k").await?;
        let released =
            at_once(w, |_, provider| async move { provider.release("k", lease).await }).await?;
        same!(count(&released), 1, "the releases");
    }

    async fn of_many_removals_one_counts(w) {
        w.put("k", LONG).await?;
        let removed =
            at_once(w, |_, provider| async move { provider.remove_key("k").await }).await?;
        same!(count(&removed), 1, "the removals");
    }

    async fn all_who_create_a_mark_at_once_get_one_stamp(w) {
        let stamps = at_once(w, |number, provider| async move {
            let baseline = provider.ensure_marks(&format!("k:{number}"), &[TAG], LONG).await?;
            Ok(baseline.marks[0].stamp())
        }).await?;
        let distinct: HashSet<Option<Stamp>> = stamps.into_iter().collect();
        same!(distinct.len(), 1, "the distinct stamps");
    }

    async fn all_loads_that_begin_at_once_get_one_stamp(w) {
        let stamps = at_once(w, |number, provider| async move {
            let key = format!("k:{number}");
            let request = Acquire::new(&key, lease(), LONG).marks(&[TAG], LONG);
            match provider.acquire(request).await? {
                Acquired::Granted(baseline) => Ok(baseline.marks[0].stamp()),
                Acquired::Busy(_) => Ok(None),
            }
        }).await?;
        let distinct: HashSet<Option<Stamp>> = stamps.into_iter().collect();
        same!(distinct.len(), 1, "the distinct stamps");
        check!(!distinct.contains(&None), "a mark is not live");
    }

    async fn values_are_never_torn(w) {
        let torn = at_once(w, |number, provider| async move {
            let mut torn = false;
            for _ in 0..20 {
                provider.put("k", &value(&vec![number as u8; 3_000 + number]), LONG).await?;
                if let Some(cell) = provider.read_one("k", &[]).await?.cell {
                    let payload = &cell[Prefix::LENGTH..];
                    let written_by = payload.first().copied().unwrap_or_default();
                    torn |= payload.iter().any(|byte| *byte != written_by);
                    torn |= payload.len() != 3_000 + usize::from(written_by);
                }
            }
            Ok(torn)
        }).await?;
        same!(count(&torn), 0, "the torn values");
    }

    async fn an_invalidation_among_loads_is_never_lost(w) {
        let lost = at_once(w, |_, provider| async move {
            let (lease, mut lost) = (lease(), false);
            if provider.try_lease("k", lease, LONG).await? {
                provider.remove_key("k").await?;
                let value = value(b"loaded before the removal");
                let request = Fill::new("k", &value, LONG).expected(lease);
                lost = provider.fill(request).await?.is_stored();
            }
            Ok(lost)
        }).await?;
        same!(count(&lost), 0, "the values stored after their invalidation");
    }

    async fn loads_and_invalidations_serve_nothing_stale(w) {
        let source = Arc::new(Source::default());
        let stale = at_once(w, |number, provider| {
            let source = Arc::clone(&source);
            async move {
                let mut stale = false;
                for _ in 0..40 {
                    if number % 6 == 0 {
                        source.change(&*provider).await?;
                    } else {
                        stale |= source.read_through(&*provider).await?;
                    }
                }
                Ok(stale)
            }
        }).await?;
        same!(count(&stale), 0, "the tasks that were served stale values");
    }

    async fn a_step_that_is_given_up_leaves_the_provider_usable(w) {
        for _ in 0..20 {
            drop(w.provider.try_lease("k", lease(), LONG));
            // Polled once and dropped: it may be answered, or given up on its way.
            let mut step = w.provider.acquire(Acquire::new("given up", lease(), LONG));
            let mut once = |context: &mut Context<'_>| step.as_mut().poll(context).is_ready();
            std::future::poll_fn(|context| Poll::Ready(once(context))).await;
        }
        w.put("k", LONG).await?;
        check!(w.cell("k").await?.is_some(), "the value is not there");
    }

    async fn a_step_that_is_never_polled_does_not_happen(w) {
        drop(w.provider.acquire(Acquire::new("k", lease(), LONG)));
        same!(w.cell("k").await?, None, "the cell");
        let held = w.lease("k").await?;
        drop(w.provider.release("k", held));
        same!(w.prefix("k").await?, held, "the prefix");
        refused(&w.finish("k", lease(), &[]).await?)?;
    }
}

/// What the cell `k` is loaded from: a counter.
#[derive(Default)]
struct Source {
    truth: AtomicU64,
    /// The last truth whose invalidation was acknowledged: nobody may be served less.
    floor: AtomicU64,
}

impl Source {
    async fn change(&self, provider: &dyn Provider) -> Result<()> {
        let truth = self.truth.fetch_add(1, Ordering::SeqCst) + 1;
        provider.remove_marks(&[TAG]).await?;
        self.floor.fetch_max(truth, Ordering::SeqCst);
        Ok(())
    }

    /// Reads the truth through the cell; whether what it was served is stale.
    async fn read_through(&self, provider: &dyn Provider) -> Result<bool> {
        let floor = self.floor.load(Ordering::SeqCst);
        let seen = provider.read_one("k", &[TAG]).await?;
        let is_value = seen.prefix().kind() == Some(CellKind::Value);
        if let (Some(cell), true, MarkState::Live(stamp)) = (&seen.cell, is_value, seen.marks[0]) {
            // A foreign value, such as a cut one, is no value of this source.
            let words = cell.get(Prefix::LENGTH..).and_then(<[u8]>::split_first_chunk);
            if let Some((of, served)) = words
                && *of == stamp.to_bytes()
            {
                let served = served.try_into().map_or(0, u64::from_le_bytes);
                return Ok(served < floor);
            }
        }
        let lease = lease();
        let request = Acquire::new("k", lease, LONG).expected(seen.prefix()).marks(&[TAG], LONG);
        let Acquired::Granted(baseline) = provider.acquire(request).await? else {
            return Ok(false);
        };
        let loaded = self.truth.load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        let MarkState::Live(stamp) = baseline.marks[0] else { return Ok(false) };
        let mut payload = stamp.to_bytes().to_vec();
        payload.extend_from_slice(&loaded.to_le_bytes());
        let value = value(&payload);
        provider.fill(Fill::new("k", &value, LONG).expected(lease).marks(&[TAG], LONG)).await?;
        Ok(false)
    }
}
