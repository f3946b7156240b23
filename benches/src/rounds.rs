//! The table of hits: every contestant's turn in every round.

use tokio::runtime::{Builder, Runtime};

use crate::contestants::{Contestant, Hits};
use crate::timing::{Samples, eight_tasks, one_thread, two_threads};
use crate::workload::{Order, loads, steps};
use crate::{instructions, probe};

/// How many threads the runtime of the "tokio 8 tasks" column has.
const WORKERS: usize = 2;

/// What was measured of one contestant.
#[derive(Clone, Debug)]
pub struct HitFigures {
    /// Who.
    pub contestant: Contestant,
    /// One thread, one entry.
    pub one_hot: Samples,
    /// One thread, Zipf.
    pub one: Samples,
    /// Two threads, one entry.
    pub two_hot: Samples,
    /// Two threads, Zipf.
    pub two: Samples,
    /// Tokio, eight tasks, Zipf.
    pub tasks: Samples,
    /// Allocations per hit.
    pub allocations: f64,
    /// Instructions per hit, where they could be counted.
    pub instructions: Option<f64>,
}

/// Measures all contestants.
///
/// # Errors
///
/// Where a probe fails, or where somebody loaded while hits were timed.
pub fn measure(contestants: &[Contestant], rounds: usize) -> Result<Vec<HitFigures>, String> {
    let counts_instructions = instructions::available().inspect_err(|reason| eprintln!("{reason}"));
    let mut figures = Vec::new();
    for contestant in contestants {
        eprintln!("counting {}", contestant.id);
        figures.push(HitFigures {
            contestant: *contestant,
            one_hot: Samples::default(),
            one: Samples::default(),
            two_hot: Samples::default(),
            two: Samples::default(),
            tasks: Samples::default(),
            allocations: probe::allocations(contestant.id)?,
            instructions: match counts_instructions {
                Ok(()) => Some(probe::instructions(contestant.id)?),
                Err(_) => None,
            },
        });
    }
    let filled: Vec<Hits> = contestants.iter().map(|contestant| (contestant.build)()).collect();
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let loads_before = loads();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (hits, figures) in filled.iter().zip(&mut figures) {
            sample(hits, figures, &runtime);
        }
    }
    match loads() - loads_before {
        0 => Ok(figures),
        loads => Err(format!("{loads} values were loaded while only hits were to be timed")),
    }
}

fn sample(hits: &Hits, figures: &mut HitFigures, runtime: &Runtime) {
    let (hot, zipf) = (steps(Order::Hot), steps(Order::Zipf));
    figures.one_hot.push(one_thread(hits, hot));
    figures.one.push(one_thread(hits, zipf));
    figures.two_hot.push(two_threads(hits, hot));
    figures.two.push(two_threads(hits, zipf));
    figures.tasks.push(eight_tasks(runtime, WORKERS, hits, zipf));
}
