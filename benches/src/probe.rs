//! Measurements in a process of their own: this program starts itself with `probe <what> <row>`.
//!
//! Counting allocations must not slow what is timed, memory is only one's own in a fresh process,
//! and instructions are counted by valgrind around a whole process.

use std::process::{Command, Output};

use crate::alloc::count;
use crate::contestants::{self, Hits};
use crate::instructions;
use crate::memory::{self, Overhead};
use crate::workload::{Order, steps};

/// How many hits a probe makes.
pub const HITS: usize = 20_000;

/// How many rounds `probe spin <row>` makes: long enough for a sampling profiler.
const SPINS: usize = 400;

/// The first argument that makes the program a probe.
pub const COMMAND: &str = "probe";

/// Does what `probe <what> <row>` asks for and prints the figures.
///
/// # Errors
///
/// Names what is unknown.
pub fn serve(what: &str, id: &str) -> Result<(), String> {
    if what == "memory" {
        let row = memory::ROWS.iter().find(|row| row.id == id);
        let Overhead { requested, resident } =
            memory::measure(row.ok_or_else(|| format!("no row of memory is called `{id}`"))?);
        println!("{requested} {resident}");
        return Ok(());
    }
    let row = contestants::find(id).ok_or_else(|| contestants::unknown(id))?;
    let hits = (row.build)();
    let steps = &steps(Order::Zipf)[..HITS];
    // What is done once (lazy statics, the first entry of a thread) belongs to no hit.
    hits.run(steps);
    match what {
        "allocations" => println!("{}", allocations_of(&hits, steps)),
        "instructions" => measured_hits(&hits, steps),
        "spin" => {
            (0..SPINS).for_each(|_| measured_hits(&hits, crate::workload::steps(Order::Zipf)))
        }
        _ => return Err(format!("no probe is called `{what}`")),
    }
    Ok(())
}

/// What the hits allocate, without what starting a run allocates: its task and its waker.
fn allocations_of(hits: &Hits, steps: &'static [u32]) -> u64 {
    let calls = |steps| count(|| hits.run(steps)).1.calls;
    calls(steps).saturating_sub(calls(&[]))
}

/// The part of a probe in which instructions are counted; found by its name.
#[inline(never)]
fn measured_hits(hits: &Hits, steps: &'static [u32]) {
    hits.run(steps);
}

/// Allocations per hit of the contestant with this short name.
///
/// # Errors
///
/// Says why the probe failed.
pub fn allocations(id: &str) -> Result<f64, String> {
    Ok(figures(&run(this_program()?.args([COMMAND, "allocations", id]))?)?[0] / HITS as f64)
}

/// Instructions per hit of the contestant with this short name.
///
/// # Errors
///
/// Says why the probe failed.
pub fn instructions(id: &str) -> Result<f64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let all = instructions::count(&program, &[COMMAND, "instructions", id], "*measured_hits*")?;
    Ok(all as f64 / HITS as f64)
}

/// What an entry of the memory row with this short name costs.
///
/// # Errors
///
/// Says why the probe failed.
pub fn overhead(id: &str) -> Result<Overhead, String> {
    let output = run(this_program()?.args([COMMAND, "memory", id]))?;
    match figures(&output)?[..] {
        [requested, resident] => Ok(Overhead { requested, resident }),
        _ => Err(format!("the probe of `{id}` printed something else")),
    }
}

fn this_program() -> Result<Command, String> {
    std::env::current_exe().map(Command::new).map_err(|error| error.to_string())
}

/// Runs a command to its end; a failure carries what the command complained of.
pub(crate) fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

fn figures(output: &Output) -> Result<Vec<f64>, String> {
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Result<Vec<f64>, _> = text.split_whitespace().map(str::parse).collect();
    match figures {
        Ok(figures) if !figures.is_empty() => Ok(figures),
        _ => Err(format!("a probe printed `{text}` where figures were due")),
    }
}
