//! Ten thousand operations through an outage: nothing stale, nothing lost, nothing slow.

use std::collections::HashMap;
use std::time::Duration;

use cache_runtime::ErrorKind;
use cache_runtime::provider::{
    Acquire, Acquired, CellKind, Fill, Mark, MarkState, Prefix, Provider, ProviderExt, Removal,
};
use cache_runtime::resilience::BreakerState;

use crate::scripted::{DEAD, Fault};
use crate::world::{BUDGET, HOUR, World, millis, options};

const KEYS: usize = 64;
const OPERATIONS: usize = 10_000;

/// The database: what a key's value is computed from, counted up by each write.
#[derive(Default)]
struct Database(HashMap<usize, u64>);

impl Database {
    fn read(&self, key: usize) -> u64 {
        self.0.get(&key).copied().unwrap_or(0)
    }
}

#[derive(Debug, Default)]
struct Tally {
    hits: u32,
    loads: u32,
    stale: u32,
    invalidations: u32,
    deferred: u32,
    slowest: Duration,
}

struct Run {
    world: World,
    database: Database,
    random: fastrand::Rng,
    tally: Tally,
}

fn tag_of(key: usize) -> String {
    format!("tag:{}", key % 8)
}

impl Run {
    /// A cached function in short: read, and load what is not valid.
    async fn get(&mut self, key: usize) {
        let (text, tag) = (format!("k:{key}"), tag_of(key));
        let marks = [Mark::tag(&tag)];
        let (seen, took) = self.world.timed(self.world.resilient.read_one(&text, &marks)).await;
        self.tally.slowest = self.tally.slowest.max(took);
        let Ok(seen) = seen else {
            self.tally.loads += 1;
            return;
        };
        if let (Some(cell), Some(MarkState::Live(stamp))) = (&seen.cell, seen.marks.first())
            && cell.len() == Prefix::LENGTH + 16
            && cell[Prefix::LENGTH..Prefix::LENGTH + 8] == stamp.to_bytes()
        {
            let version = cell[Prefix::LENGTH + 8..].try_into().expect("eight bytes");
            self.tally.hits += 1;
            self.tally.stale += u32::from(u64::from_le_bytes(version) != self.database.read(key));
            return;
        }
        self.tally.loads += 1;
        let lease = Prefix::unique(CellKind::Lease);
        let request = Acquire::new(&text, lease, millis(200)).expected(seen.prefix());
        let request = request.marks(&marks, HOUR);
        let acquired = self.world.run(self.world.resilient.acquire(request)).await;
        let Ok(Acquired::Granted(baseline)) = acquired else { return };
        let Some(MarkState::Live(stamp)) = baseline.marks.first() else { return };
        let mut value = Prefix::unique(CellKind::Value).as_bytes().to_vec();
        value.extend_from_slice(&stamp.to_bytes());
        value.extend_from_slice(&self.database.read(key).to_le_bytes());
        let fill = Fill::new(&text, &value, HOUR).expected(lease).marks(&marks, HOUR);
        let _ = self.world.run(self.world.resilient.fill(fill)).await;
    }

    /// A write and its invalidation, by key or by tag.
    async fn write(&mut self, key: usize) {
        let (text, tag) = (format!("k:{key}"), tag_of(key));
        let keys = [text.as_str()];
        let marks = [Mark::tag(&tag)];
        let by_tag = self.random.bool();
        *self.database.0.entry(key).or_default() += 1;
        let removal = if by_tag { Removal::of_marks(&marks) } else { Removal::of_keys(&keys) };
        let (answer, took) = self.world.timed(self.world.resilient.remove(removal)).await;
        self.tally.slowest = self.tally.slowest.max(took);
        self.tally.invalidations += 1;
        if let Err(error) = answer {
            assert_eq!(error.kind(), ErrorKind::Unknown);
            self.tally.deferred += 1;
        }
    }

    async fn operations(&mut self, count: usize) {
        for _ in 0..count {
            let key = self.random.usize(..KEYS);
            match self.random.u8(..10) {
                0 => self.write(key).await,
                _ => self.get(key).await,
            }
            if self.random.u8(..4) == 0 {
                self.world.pass(millis(1)).await;
            }
        }
    }
}

async fn outage(seed: u64) -> Run {
    let world = World::new(options().seed(Some(seed)));
    let random = fastrand::Rng::with_seed(seed);
    let mut run = Run { world, database: Database::default(), random, tally: Tally::default() };
    let phases = [
        Fault::None,
        DEAD,
        Fault::None,
        Fault::Hangs,
        Fault::Slow(millis(3)),
        Fault::AnswerIsLost,
        Fault::Slow(millis(30)),
        Fault::Fails(ErrorKind::Unknown),
        Fault::Hangs,
        Fault::None,
    ];
    for fault in phases {
        run.world.scripted.set(fault);
        run.operations(OPERATIONS / phases.len()).await;
    }
    run
}

#[tokio::test]
async fn nothing_is_stale_or_lost_or_slow_through_an_outage() {
    for seed in 0..3 {
        let mut run = outage(seed).await;
        println!("{:?} {:?}", run.tally, run.world.resilient.health());
        assert_eq!(run.tally.stale, 0);
        assert!(run.tally.slowest <= BUDGET, "{:?}", run.tally);
        assert!(run.tally.deferred > 10 && run.tally.hits > 1_000, "{:?}", run.tally);
        assert!(run.world.resilient.health().openings >= 3);

        // Afterwards everything is as if there had been no outage, for other processes too.
        run.world.pass(Duration::from_secs(1)).await;
        assert_eq!(run.world.resilient.pending(), 0);
        assert_eq!(run.world.breaker(), BreakerState::Closed);
        for key in 0..KEYS {
            let (text, tag) = (format!("k:{key}"), tag_of(key));
            let seen = run.world.store.read_one(&text, &[Mark::tag(&tag)]).await.expect("memory");
            if let (Some(cell), MarkState::Live(stamp)) = (seen.cell, seen.marks[0])
                && cell.len() > Prefix::LENGTH
                && cell[Prefix::LENGTH..Prefix::LENGTH + 8] == stamp.to_bytes()
            {
                let version = cell[Prefix::LENGTH + 8..].try_into().expect("eight bytes");
                assert_eq!(u64::from_le_bytes(version), run.database.read(key), "{text}");
            }
        }
        run.operations(1_000).await;
        assert_eq!(run.tally.stale, 0);
    }
}
