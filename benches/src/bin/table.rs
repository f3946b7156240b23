//! Measures everything in one run and writes one Markdown document; see `benches/README.md`.

use std::path::PathBuf;
use std::process::ExitCode;

use cache_benches::alloc::CountingAllocator;
use cache_benches::contestants::{self, Contestant};
use cache_benches::hit_ratio::{self, Trace};
use cache_benches::table::{Figures, markdown};
use cache_benches::{compile_cost, memory, probe, rounds};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const USAGE: &str =
    "usage: table [hits] [ratio] [memory] [compile] [--rounds N] [--rows ID,..] [--out FILE]";

/// An odd number, so that the median is a sample.
const ROUNDS: usize = 11;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [probe::COMMAND, what, row] => probe::serve(what, row),
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

/// What the command line asks for.
struct Wanted {
    sections: Vec<String>,
    rounds: usize,
    /// Short names of the contestants; none means all.
    rows: Vec<String>,
    out: Option<PathBuf>,
}

impl Wanted {
    fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let mut wanted = Self { sections: Vec::new(), rounds: ROUNDS, rows: Vec::new(), out: None };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "hits" | "ratio" | "memory" | "compile" => wanted.sections.push(argument),
                "--rounds" => {
                    let rounds = arguments.next().and_then(|text| text.parse().ok());
                    wanted.rounds = rounds.filter(|rounds| *rounds > 0).ok_or(USAGE)?;
                }
                "--rows" => {
                    let rows = arguments.next().ok_or(USAGE)?;
                    wanted.rows = rows.split(',').map(str::to_owned).collect();
                }
                "--out" => wanted.out = Some(arguments.next().ok_or(USAGE)?.into()),
                _ => return Err(format!("unknown argument `{argument}`; {USAGE}")),
            }
        }
        Ok(wanted)
    }

    fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section)
    }

    fn serve(&self) -> Result<(), String> {
        let text = markdown(&self.measure()?);
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

    fn contestants(&self) -> Result<Vec<Contestant>, String> {
        if self.rows.is_empty() {
            return Ok(contestants::all());
        }
        let find = |id: &String| contestants::find(id).ok_or_else(|| contestants::unknown(id));
        self.rows.iter().map(find).collect()
    }

    fn measure(&self) -> Result<Figures, String> {
        let mut figures = Figures::default();
        if self.wants("memory") {
            eprintln!("memory");
            let rows = memory::ROWS.iter().map(|row| Ok((*row, probe::overhead(row.id)?)));
            figures.memory = Some(rows.collect::<Result<_, String>>()?);
        }
        if self.wants("ratio") {
            eprintln!("hit ratios");
            figures.ratios = Some(ratios());
        }
        if self.wants("compile") {
            eprintln!("compiling");
            figures.compile = Some(compile_cost::measure()?);
        }
        if self.wants("hits") {
            figures.hits = Some(rounds::measure(&self.contestants()?, self.rounds)?);
        }
        Ok(figures)
    }
}

fn ratios() -> Vec<(&'static str, [f64; 3])> {
    let traces = Trace::ALL.map(Trace::requests);
    let row = |row: &hit_ratio::Row| {
        (row.label, [0, 1, 2].map(|trace: usize| (row.replay)(&traces[trace])))
    };
    hit_ratio::ROWS.iter().map(row).collect()
}
