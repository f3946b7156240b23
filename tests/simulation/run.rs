//! One seed from its scenario to its verdict.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cache_runtime::resilience::ResilienceOptions;
use cache_runtime::testing::Rule;
use cache_runtime::{Cache, Clock, Near, scope};
use fastrand::Rng;
use tokio::task::JoinHandle;

use crate::faults::Faults;
use crate::functions::{Database, FUNCTIONS, Function};
use crate::ledger::{Ledger, Verdict};
use crate::seat::Seat;
use crate::slot::lock;
use crate::world::World;
use crate::writers::Writer;

/// The bound of near caches.
const BOUND: Duration = Duration::from_millis(200);

/// How long a replica lags, in milliseconds.
const REPLICA_LAG: u64 = 60;

/// After so many steps nothing goes wrong any more.
const TROUBLED: u64 = 1_200;

/// After so many steps, or so long without one, whoever is still there hangs.
const MOST_STEPS: u64 = 40_000;
const LONGEST_SILENCE: u64 = 600_000;

/// What a seed is about.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) function: Function,
    pub(crate) rows: usize,
    pub(crate) processes: Vec<Near>,
    pub(crate) tasks: usize,
    pub(crate) calls: usize,
    /// Of a hundred calls so many write.
    pub(crate) writes: u32,
    /// Whether writers hold what they change before they commit.
    pub(crate) holds: bool,
    /// Whether they remove by patterns.
    pub(crate) sweeps: bool,
    pub(crate) faults: Faults,
    /// Whether loaders read from a replica that lags, and writers hold off.
    pub(crate) replica: bool,
    /// A rule of the protocol that is not kept.
    pub(crate) without: Option<Rule>,
}

/// What kinds of scenarios to draw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    pub(crate) near: bool,
    pub(crate) faults: bool,
}

impl Scenario {
    pub(crate) fn draw(random: &mut Rng, kinds: Kinds) -> Self {
        let near = [Near::Off, Near::Validated, Near::Bound(BOUND), Near::Bound(BOUND)];
        let nears = if kinds.near { near.len() } else { 1 };
        let processes = (0..random.usize(1..4)).map(|_| near[random.usize(..nears)]).collect();
        let faults = if kinds.faults { draw_faults(random) } else { Faults::default() };
        let function = FUNCTIONS[random.usize(..FUNCTIONS.len())];
        Self {
            function,
            rows: random.usize(1..3),
            processes,
            tasks: random.usize(1..4),
            calls: random.usize(4..30),
            writes: random.u32(4..40),
            holds: random.bool() && function.has_tags(),
            sweeps: random.bool(),
            faults: Faults { lag: if random.bool() { random.u32(..95) } else { 0 }, ..faults },
            replica: random.u8(..8) == 0 && function.has_tags() && faults.takeovers == 0,
            without: None,
        }
    }
}

impl Scenario {
    /// Whether every load is one that promise P2 allows: nothing goes wrong, and nothing keeps a
    /// loaded value from being stored.
    fn loads_once(&self) -> bool {
        let may_store = !(self.holds || self.sweeps || self.replica);
        self.faults.is_quiet() && may_store && self.function.loads_once()
    }

    /// Whether a process surely knows the longest bound of all near caches: its own is the same. The
    /// cell that tells others can be lost, as any cell can.
    fn settles(&self, process: usize) -> bool {
        matches!(self.processes[process], Near::Bound(_))
    }

    /// With a rule switched off, and more of what the rule is there for.
    fn without(self, rule: Rule) -> Self {
        let mut changed = Self { without: Some(rule), ..self };
        match rule {
            Rule::Join => {
                changed.processes = vec![Near::Off];
                (changed.rows, changed.tasks, changed.writes) = (1, 6, 35);
            }
            Rule::Fence => changed.faults.takeovers = 15,
            Rule::Heartbeat => {
                changed.processes = vec![Near::Off, Near::Bound(BOUND)];
                (changed.faults.deafness, changed.faults.clock) = (20, 20);
            }
            Rule::InstallGuard => {
                changed.processes = vec![Near::Off, Near::Bound(BOUND)];
                (changed.rows, changed.tasks) = (1, 3);
            }
            Rule::NonceOrder => {}
        }
        changed
    }
}

fn draw_faults(random: &mut Rng) -> Faults {
    let mut draw = |most: u32| if random.bool() { random.u32(..=most) } else { 0 };
    let mut faults = Faults {
        clock: draw(20),
        evictions: draw(40),
        takeovers: draw(15),
        deafness: draw(20),
        stops: draw(30),
        failures: draw(100),
        spoilt: draw(50),
        kills: draw(4),
        deaths: draw(50),
        lag: 0,
    };
    // A hold that the new server never had protects nobody, and is no promise.
    if faults.takeovers > 0 {
        faults.deaths = 0;
    }
    faults
}

/// What came of a seed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) scenario: Scenario,
    pub(crate) verdict: Verdict,
    pub(crate) trace: u64,
    pub(crate) steps: u64,
}

/// Runs one seed; `says` prints every step.
pub(crate) fn run(seed: u64, kinds: Kinds, says: bool) -> Outcome {
    run_without(None, seed, kinds, says)
}

/// The same with a rule switched off.
pub(crate) fn run_without(rule: Option<Rule>, seed: u64, kinds: Kinds, says: bool) -> Outcome {
    let mut random = Rng::with_seed(seed);
    let scenario = Scenario::draw(&mut random, kinds);
    let scenario = match rule {
        Some(rule) => scenario.without(rule),
        None => scenario,
    };
    run_scenario(seed, scenario, random, says)
}

pub(crate) fn run_scenario(seed: u64, scenario: Scenario, random: Rng, says: bool) -> Outcome {
    // Whatever draws in the cache draws from here.
    fastrand::seed(seed);
    // The driver's turn comes when all that can run has run.
    let runtime = tokio::runtime::Builder::new_current_thread().event_interval(1 << 20).build();
    runtime.expect("a runtime").block_on(simulate(scenario, random, says))
}

async fn simulate(scenario: Scenario, mut random: Rng, says: bool) -> Outcome {
    let (clock, hand) = Clock::manual();
    let (count, ledger) = (scenario.processes.len(), Ledger::new(scenario.rows));
    let world = World::new(random.fork(), hand, count, scenario.faults, ledger);
    world.state().says = says;
    world.state().note(|| format!("{scenario:?}"));
    let mut caches = Vec::new();
    for (process, near) in scenario.processes.iter().enumerate() {
        let options = ResilienceOptions::redis().budget(Duration::from_millis(500));
        let seat = Seat { world: Arc::clone(&world), process };
        let builder = Cache::builder().provider(seat).clock(clock.clone()).near(*near);
        let options = options.seed(Some(random.u64(..)));
        let builder = match scenario.without {
            Some(rule) => builder.without_rule(rule),
            None => builder,
        };
        caches.push(builder.resilience(options).build().await.expect("a sound configuration"));
    }
    let random = Arc::new(Mutex::new(random));
    let mut tasks = Vec::new();
    for task in 0..count * scenario.tasks {
        let process = task % count;
        let work = work(scenario.clone(), caches[process].clone(), Arc::clone(&world), process);
        let work = work(Arc::clone(&random));
        tasks.push((process, tokio::spawn(work)));
    }
    let mut steps = 0;
    drive(&world, &random, tasks, &mut steps).await;
    // Now nothing is under way, and every bound has passed.
    world.advance(BOUND.as_millis() as u64);
    let last_reads = caches.iter().enumerate().filter(|(process, _)| !world.is_dead(*process));
    let mut tasks = Vec::new();
    for (process, cache) in last_reads {
        let reader = Reader::new(&scenario, cache.clone(), &world, process);
        let rows = scenario.rows;
        tasks.push((
            process,
            tokio::spawn(async move {
                for id in 0..rows {
                    reader.read(id, 1).await;
                }
            }),
        ));
    }
    steps = steps.max(TROUBLED);
    drive(&world, &random, tasks, &mut steps).await;
    if scenario.loads_once() {
        world.ledger.judge_loads();
    }
    Outcome { scenario, verdict: world.ledger.verdict(), trace: world.trace(), steps }
}

/// Lets things happen one by one until all tasks have ended.
async fn drive(
    world: &Arc<World>,
    random: &Mutex<Rng>,
    tasks: Vec<(usize, JoinHandle<()>)>,
    steps: &mut u64,
) {
    let mut silence = 0;
    loop {
        // Twice: what the first turn woke has its turn as well.
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        if tasks.iter().all(|(process, task)| task.is_finished() || world.is_dead(*process)) {
            break;
        }
        *steps += 1;
        if *steps > MOST_STEPS || silence > LONGEST_SILENCE {
            world.ledger.violation(format!("somebody hangs after {steps} steps"));
            break;
        }
        if world.step(*steps, *steps > TROUBLED) {
            silence = 0;
        } else {
            let by = lock(random).u64(1..40);
            silence += by;
            world.advance(by);
        }
    }
    for (_, task) in tasks {
        if task.is_finished()
            && let Err(error) = task.await
        {
            world.ledger.violation(format!("a task panicked: {error}"));
        }
    }
}

/// One process's way to a row.
struct Reader {
    cache: Cache,
    db: Database,
    function: Function,
    bound: u64,
}

impl Reader {
    fn new(scenario: &Scenario, cache: Cache, world: &Arc<World>, process: usize) -> Self {
        let bound = match scenario.processes[process] {
            Near::Bound(bound) => bound.as_millis() as u64,
            _ => 0,
        };
        let lag = if scenario.replica { REPLICA_LAG } else { 0 };
        let db = Database { world: Arc::clone(world), process, lag };
        Self { cache, db, function: scenario.function, bound }
    }

    async fn read(&self, id: usize, how: u32) {
        let (world, process) = (&self.db.world, self.db.process);
        let floor = world.ledger.floor(id, world.now(), process, self.bound);
        let call = world.state().begin();
        world.state().note(|| format!("call {call}: process {process} reads {id} ({how})"));
        let read = self.function.read(&self.cache, id, self.db.clone(), how);
        let row = scope(self.cache.clone(), read).await;
        world
            .state()
            .note(|| format!("call {call}: process {process} has read {row:?}, {floor:?}"));
        let who = || format!("process {process} at {} ms", world.now());
        world.ledger.judge(id, floor, &row, who);
    }
}

/// What one task does.
fn work(
    scenario: Scenario,
    cache: Cache,
    world: Arc<World>,
    process: usize,
) -> impl FnOnce(Arc<Mutex<Rng>>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    move |random| {
        Box::pin(async move {
            let reader = Reader::new(&scenario, cache.clone(), &world, process);
            let draw = |of: u32| lock(&random).u32(..of);
            for _ in 0..scenario.calls {
                world.gate(process).await;
                let id = draw(scenario.rows as u32) as usize;
                if draw(100) >= scenario.writes {
                    reader.read(id, draw(20)).await;
                    continue;
                }
                let writer = Writer {
                    cache: &cache,
                    db: reader.db.clone(),
                    function: scenario.function,
                    random: &random,
                    deaths: scenario.faults.deaths,
                    is_quiet: scenario.faults.is_quiet(),
                    holds: scenario.holds,
                    sweeps: scenario.sweeps,
                    is_settling: scenario.settles(process),
                    hold_off: scenario.replica.then_some(Duration::from_millis(REPLICA_LAG)),
                };
                let call = world.state().begin();
                world.state().note(|| format!("call {call}: process {process} changes {id}"));
                scope(cache.clone(), writer.write(id)).await;
                world.state().note(|| format!("call {call}: process {process} has changed {id}"));
            }
        })
    }
}
