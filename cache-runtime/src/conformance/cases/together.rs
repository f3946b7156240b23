//! Names that are removed together: nobody finds one of them gone and another as it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::JoinHandle;

use crate::conformance::check::{Failure, Verdict};
use crate::conformance::world::{LONG, World, lease, stamps, value};
use crate::provider::{
    Acquire, Acquired, CellKind, Expected, Lookup, Mark, MarkKind, MarkState, Observed, Prefix,
    Provider, ProviderExt, Removal, SWEEP,
};
use crate::{ErrorKind, Pattern, Result};

/// How many look on while names are removed.
const LOOKERS: usize = 6;

/// How often names are stored and removed.
const ROUNDS: usize = 60;

const MARKS: [Mark<'static>; 6] = [
    Mark::tag("outer"),
    Mark::epoch("family"),
    Mark::tag("inner"),
    Mark::scope("fn:outer"),
    Mark::scope("fn:inner"),
    Mark::tag("innermost"),
];

const KEYS: [&str; 4] = ["outer", "inner", "middle", "innermost"];

/// All names as they were at one time: what lay in the cells, and what the marks held.
#[derive(Clone, Debug)]
struct Names {
    cells: Vec<Prefix>,
    marks: Vec<MarkState>,
}

impl Names {
    fn of(seen: &[Observed]) -> Self {
        let cells = seen.iter().map(Observed::prefix).collect();
        Self { cells, marks: seen.iter().flat_map(|seen| seen.marks.clone()).collect() }
    }

    /// Which of them are as they were then.
    fn kept(&self, now: &Names) -> Vec<String> {
        let value = |prefix: &Prefix| prefix.kind() == Some(CellKind::Value);
        let cells = self.cells.iter().zip(&now.cells).zip(KEYS);
        let cells = cells.filter(|((old, new), _)| old == new && value(old));
        let marks = self.marks.iter().zip(&now.marks).zip(MARKS);
        let marks = marks.filter(|((old, new), _)| old == new && old.stamp().is_some());
        let cells = cells.map(|(_, key)| format!("cell {key}"));
        cells.chain(marks.map(|(_, mark)| format!("{mark:?}"))).collect()
    }
}

fn lookups() -> Vec<Lookup<'static>> {
    let lookup = |(at, key): (usize, &'static &'static str)| {
        let lookup = Lookup::new(key);
        if at == 0 { lookup.marks(&MARKS) } else { lookup }
    };
    KEYS.iter().enumerate().map(lookup).collect()
}

/// Begins loads until it is over, and tells whether one could begin anew although another name was
/// still as it had been.
async fn look_on(
    provider: Arc<dyn Provider>,
    number: usize,
    before: Names,
    is_over: Arc<AtomicBool>,
) -> Result<Option<String>> {
    let probe = format!("probe:{number}");
    while !is_over.load(Ordering::SeqCst) {
        // A mark that can be created anew ..
        let request = Acquire::new(&probe, lease(), LONG).marks(&MARKS, LONG);
        let request = request.expected(Expected::Anything);
        let Acquired::Granted(baseline) = provider.acquire(request).await? else { continue };
        let states = baseline.marks.iter().zip(&before.marks).zip(MARKS);
        // The copy of a scope beside this key is another one than that of `before`.
        let mut is_anew = states
            .filter(|(_, mark)| mark.kind != MarkKind::Scope)
            .any(|((now, old), _)| now.stamp().is_some() && now != old);
        // .. or a key that nothing lies under: from then on nothing may be as it was.
        let key = KEYS[number % KEYS.len()];
        is_anew |= provider.try_lease(key, lease(), LONG).await?;
        if is_anew {
            let kept = before.kept(&Names::of(&provider.read(&lookups()).await?));
            if !kept.is_empty() {
                return Ok(Some(kept.join(", ")));
            }
        }
        tokio::task::yield_now().await;
    }
    Ok(None)
}

/// Removes all names while others begin loads; what any of them found half done.
async fn round(w: &World) -> Verdict<Option<String>> {
    for key in KEYS {
        let value = value(b"as it was");
        w.provider.put(key, &value, LONG).await?;
    }
    w.create("outer", &MARKS).await?;
    let before = Names::of(&w.provider.read(&lookups()).await?);
    let is_over = Arc::new(AtomicBool::new(false));
    let lookers: Vec<JoinHandle<Result<Option<String>>>> = (0..LOOKERS)
        .map(|number| {
            let (provider, is_over) = (Arc::clone(&w.provider), Arc::clone(&is_over));
            tokio::spawn(look_on(provider, number, before.clone(), is_over))
        })
        .collect();
    tokio::task::yield_now().await;
    let removal = Removal::of_keys(&KEYS).and_marks(&MARKS);
    let removed = w.provider.remove(removal).await;
    is_over.store(true, Ordering::SeqCst);
    let mut found = None;
    for looker in lookers {
        let looked = looker.await.map_err(|error| Failure::new(format!("panicked: {error}")))?;
        found = found.or(looked?);
    }
    removed?;
    let after = Names::of(&w.provider.read(&lookups()).await?);
    let kept = before.kept(&after);
    check!(kept.is_empty(), "after the removal these are as they were: {kept:?}");
    Ok(found)
}

cases! {
    async fn of_names_that_go_together_none_comes_back_before_all_are_gone(w) {
        for number in 0..ROUNDS {
            if let Some(kept) = round(w).await? {
                let message = format!(
                    "in round {number} a load could begin anew while these were as before: {kept}"
                );
                return Err(Failure::new(message));
            }
        }
    }

    async fn removals_of_the_same_names_at_once_leave_nothing_blocked(w) {
        for _ in 0..10 {
            w.create("outer", &MARKS).await?;
            let removals = (0..LOOKERS).map(|_| {
                let provider = Arc::clone(&w.provider);
                tokio::spawn(async move {
                    provider.remove(Removal::of_keys(&KEYS).and_marks(&MARKS)).await
                })
            });
            for removal in removals.collect::<Vec<_>>() {
                removal.await.map_err(|error| Failure::new(format!("panicked: {error}")))??;
            }
            w.create("outer", &MARKS).await?;
            for key in KEYS {
                same!(w.prefix(key).await?, Prefix::ABSENT, format!("the cell {key}"));
            }
        }
    }

    async fn a_name_that_is_too_long_leaves_the_others_as_they_are(w) {
        let before = w.create("outer", &MARKS).await?;
        let long = "n".repeat(2_000_000);
        let removed = w.provider.remove(Removal::of_keys(&[&long]).and_marks(&MARKS)).await;
        // A store may take any name.
        if let Err(error) = removed {
            same!(error.kind(), ErrorKind::InvalidKey, "the error");
            let now = w.provider.read_marks("outer", &MARKS).await?;
            same!(stamps(&now)?, before, "the marks");
        }
    }

    async fn sweeps_at_once_leave_nothing_blocked(w) {
        for _ in 0..3 {
            w.put("k", LONG).await?;
            let sweeps = (0..4).map(|number| {
                let provider = Arc::clone(&w.provider);
                tokio::spawn(async move {
                    match number % 2 {
                        0 => provider.clear().await,
                        _ => provider.remove_matching(&Pattern::from("k*")).await.map(drop),
                    }
                })
            });
            for sweep in sweeps.collect::<Vec<_>>() {
                sweep.await.map_err(|error| Failure::new(format!("panicked: {error}")))??;
            }
            same!(w.cell("k").await?, None, "the cell");
            w.create("k", &[SWEEP]).await?;
        }
    }
}
