//! Measures hits on Redis beside the bare client and a peer; see `benches/REDIS.md`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use cache_benches::alloc::{self, CountingAllocator};
use cache_benches::redis::contestants::{Contestant, cache_on, prepare};
use cache_benches::redis::report::{Figures, markdown};
use cache_benches::redis::rounds::{self, Load};
use cache_benches::redis::server::{Server, Settings};
use cache_benches::redis::{breaker, invalidation, near};
use tokio::runtime::{Builder, Runtime};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const USAGE: &str = "usage: redis-table [hits] [breaker] [invalidation] [near] [--rounds N] [--rows ID,..] \
     [--tasks N,..] [--entries N] [--out FILE]\n   or: redis-table spin ID TASKS HITS";

/// An odd number, so that the median is a sample.
const ROUNDS: usize = 31;

/// How many entries carry the tag that is invalidated, at the most.
const ENTRIES: u64 = 1_000_000;

/// Hits over which allocations are counted.
const COUNTED: usize = 10_000;

/// As many threads for every contestant.
const WORKERS: usize = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["spin", id, tasks, hits] => spin(id, tasks, hits),
        _ => Wanted::parse(arguments).and_then(|wanted| wanted.serve()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<Runtime, String> {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    runtime.map_err(|error| error.to_string())
}

/// Hits and nothing else, for a profiler.
fn spin(id: &str, tasks: &str, hits: &str) -> Result<(), String> {
    let number = |text: &str| text.parse::<usize>().map_err(|_| USAGE.to_owned());
    let (tasks, hits) = (number(tasks)?, number(hits)?);
    runtime()?.block_on(async {
        if let Some(took) = near::run(id, tasks, hits).await {
            eprintln!("{hits} hits, {:.0} ns of processor each", took?);
            return Ok(());
        }
        let server = Server::start().await?;
        let all = prepare(&server, cache_on(&server).await?).await?;
        let one = all.iter().find(|one| one.id == id).ok_or_else(|| unknown(&all, id))?;
        let began = Instant::now();
        let (mut done, mut processor) = (0, 0.0);
        let steps = rounds::uniform();
        while done < hits {
            let steps = &steps[..steps.len().min(hits)];
            let sample = one.run(tasks, steps).await?;
            done += steps.len();
            processor += sample.processor * steps.len() as f64;
        }
        let each = began.elapsed() / u32::try_from(done).unwrap_or(u32::MAX);
        eprintln!("{done} hits, {each:?} each, {:.2} µs of processor", processor / done as f64);
        Ok(())
    })
}

fn unknown(all: &[Contestant], id: &str) -> String {
    let known: Vec<&str> = all.iter().map(|one| one.id).chain(near::NAMES).collect();
    format!("no contestant is called `{id}`; there are {}", known.join(", "))
}

/// What the command line asks for.
struct Wanted {
    sections: Vec<String>,
    rounds: usize,
    /// Short names of contestants; none means all.
    rows: Vec<String>,
    /// Numbers of tasks; none means all.
    tasks: Vec<String>,
    entries: u64,
    out: Option<PathBuf>,
}

impl Wanted {
    fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let mut wanted = Self {
            sections: Vec::new(),
            rounds: ROUNDS,
            rows: Vec::new(),
            tasks: Vec::new(),
            entries: ENTRIES,
            out: None,
        };
        let list = |text: String| text.split(',').map(str::to_owned).collect();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "hits" | "breaker" | "invalidation" | "near" => wanted.sections.push(argument),
                "--rounds" => wanted.rounds = positive(&value()?)? as usize,
                "--entries" => wanted.entries = positive(&value()?)?,
                "--rows" => wanted.rows = list(value()?),
                "--tasks" => wanted.tasks = list(value()?),
                "--out" => wanted.out = Some(value()?.into()),
                _ => return Err(format!("unknown argument `{argument}`; {USAGE}")),
            }
        }
        Ok(wanted)
    }

    fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section)
    }

    fn serve(&self) -> Result<(), String> {
        let text = markdown(&self.measure(&runtime()?)?);
        match &self.out {
            Some(file) => {
                std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
            }
            None => {
                print!("{text}");
                Ok(())
            }
        }
    }

    fn loads(&self) -> Vec<Load> {
        let is_wanted = |load: &Load| {
            self.tasks.is_empty() || self.tasks.iter().any(|tasks| *tasks == load.tasks.to_string())
        };
        Load::ALL.into_iter().filter(is_wanted).collect()
    }

    fn measure(&self, runtime: &Runtime) -> Result<Figures, String> {
        let mut figures = Figures::default();
        if self.wants("breaker") {
            figures.breaker = Some(runtime.block_on(breaker::measure(self.rounds))?);
        }
        if self.wants("near") {
            figures.near = Some(runtime.block_on(near::measure(self.rounds))?);
        }
        if !self.wants("hits") && !self.wants("invalidation") {
            return Ok(figures);
        }
        let server = runtime.block_on(Server::start())?;
        let cache = runtime.block_on(cache_on(&server))?;
        let mut connection = runtime.block_on(server.connect(Settings::Ours))?;
        eprintln!("storing what is hit");
        let mut all = runtime.block_on(prepare(&server, cache.clone()))?;
        if self.wants("hits") {
            if let Some(id) = self.rows.iter().find(|id| all.iter().all(|one| one.id != **id)) {
                return Err(unknown(&all, id));
            }
            all.retain(|one| self.rows.is_empty() || self.rows.iter().any(|id| id == one.id));
            figures.allocations = allocations(runtime, &all)?;
            let loads = self.loads();
            let hits = rounds::measure(&all, &mut connection, &loads, self.rounds);
            figures.hits = runtime.block_on(hits)?;
        }
        if self.wants("invalidation") {
            for entries in [10, self.entries] {
                let measured = invalidation::measure(&cache, &mut connection, entries);
                figures.invalidations.push(runtime.block_on(measured)?);
            }
        }
        Ok(figures)
    }
}

fn positive(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| USAGE.to_owned())
}

fn allocations(runtime: &Runtime, all: &[Contestant]) -> Result<Vec<(&'static str, f64)>, String> {
    let steps = &rounds::uniform()[..COUNTED];
    let count = |one: &Contestant| {
        runtime.block_on(one.run(1, steps))?;
        let (run, counted) = alloc::count(|| runtime.block_on(one.run(1, steps)));
        run.map(|_| (one.id, counted.calls as f64 / COUNTED as f64))
    };
    all.iter().map(count).collect()
}
