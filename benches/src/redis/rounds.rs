//! Hits: every contestant's turn in every round.

use std::sync::OnceLock;

use redis::aio::MultiplexedConnection;

use super::contestants::Contestant;
use super::profile::loads;
use super::server::Work;
use super::spin::Sample;
use crate::timing::Samples;
use crate::workload::{self, ENTRIES, Order, Random};

/// How the entries are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many tasks ask, each one thing after the other.
    pub tasks: usize,
    /// Whether some entries are asked for more often than others.
    pub skewed: bool,
    /// How many hits a sample has: few, so that whatever else the machine does falls on neighbours
    /// alike.
    pub hits: usize,
}

impl Load {
    const fn uniform(tasks: usize, hits: usize) -> Self {
        Self { tasks, skewed: false, hits }
    }

    /// The loads of the tables. Under the skewed one our callers of one key share a read; under the
    /// others there is next to nothing to share, so that the same commands are compared.
    pub const ALL: [Self; 4] = [
        Self::uniform(1, 1_024),
        Self::uniform(16, 4_096),
        Self::uniform(256, 10_240),
        Self { tasks: 256, skewed: true, hits: 10_240 },
    ];

    fn steps(self, round: usize) -> &'static [u32] {
        let all = if self.skewed { workload::steps(Order::Zipf) } else { uniform() };
        let start = (round * self.hits) % (all.len() - self.hits);
        &all[start..start + self.hits]
    }
}

/// Each entry as often as any other, in an order that is the same in every run.
#[must_use]
pub fn uniform() -> &'static [u32] {
    static STEPS: OnceLock<Vec<u32>> = OnceLock::new();
    STEPS.get_or_init(|| {
        let mut random = Random::new(2);
        (0..1 << 17).map(|_| random.below(ENTRIES)).collect()
    })
}

/// What was measured of one contestant under one load.
#[derive(Clone, Debug, Default)]
pub struct Row(Vec<Sample>);

impl Row {
    /// The median over the rounds.
    #[must_use]
    pub fn median(&self, figure: fn(&Sample) -> f64) -> f64 {
        self.each(figure).median()
    }

    /// How far the middle half of the rounds spreads, relative to the median.
    #[must_use]
    pub fn spread(&self, figure: fn(&Sample) -> f64) -> f64 {
        self.each(figure).spread()
    }

    /// The median of the ratios to another contestant's sample of the same round.
    #[must_use]
    pub fn ratio(&self, other: &Self, figure: fn(&Sample) -> f64) -> f64 {
        let mut ratios = Samples::default();
        for (ours, theirs) in self.0.iter().zip(&other.0) {
            ratios.push(figure(ours) / figure(theirs));
        }
        ratios.median()
    }

    fn each(&self, figure: fn(&Sample) -> f64) -> Samples {
        let mut samples = Samples::default();
        self.0.iter().for_each(|sample| samples.push(figure(sample)));
        samples
    }
}

/// All contestants under one load, in their order.
#[derive(Clone, Debug)]
pub struct Table {
    /// The load.
    pub load: Load,
    /// Short name, label and figures.
    pub rows: Vec<(&'static str, &'static str, Row)>,
}

impl Table {
    /// The figures of the contestant with this short name.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.0 == id).map(|row| &row.2)
    }
}

/// Measures all contestants under all loads.
///
/// # Errors
///
/// Where a hit fails, or where something was loaded while hits were timed.
pub async fn measure(
    contestants: &[Contestant],
    connection: &mut MultiplexedConnection,
    tables: &[Load],
    rounds: usize,
) -> Result<Vec<Table>, String> {
    let rows = || contestants.iter().map(|one| (one.id, one.label, Row::default())).collect();
    let mut tables: Vec<Table> =
        tables.iter().map(|load| Table { load: *load, rows: rows() }).collect();
    let loads_before = loads();
    // The round before the first one is not counted: it fills caches and grows buffers.
    for round in 0..=rounds {
        eprintln!("round {round} of {rounds}");
        for Table { load, rows } in &mut tables {
            for turn in 0..contestants.len() {
                // Nobody always follows the same neighbour.
                let at = (turn + round) % contestants.len();
                let sample = sample(&contestants[at], connection, *load, round).await?;
                if round > 0 {
                    rows[at].2.0.push(sample);
                }
            }
        }
    }
    match loads() - loads_before {
        0 => Ok(tables),
        loads => Err(format!("{loads} values were loaded while only hits were to be timed")),
    }
}

async fn sample(
    contestant: &Contestant,
    connection: &mut MultiplexedConnection,
    load: Load,
    round: usize,
) -> Result<Sample, String> {
    let before = Work::of(connection).await?;
    let sample = contestant.run(load.tasks, load.steps(round)).await?;
    let work = Work::of(connection).await?.since(before);
    let hits = load.hits as f64;
    Ok(Sample {
        server: work.processor.as_secs_f64() * 1e6 / hits,
        commands: work.commands as f64 / hits,
        ..sample
    })
}
