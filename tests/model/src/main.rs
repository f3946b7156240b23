//! Runs the scenarios and prints what became of each.
//!
//! `cargo run --release -p cache-model -- [--small | --long] [--trace] [words of a name]`

use std::process::ExitCode;

use cache_model::explore::Ending;
use cache_model::scenarios::{Size, scenarios};

fn main() -> ExitCode {
    let (mut size, mut traces, mut words) = (Size::Small, false, Vec::new());
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--small" => size = Size::Small,
            "--long" => size = Size::Long,
            "--trace" => traces = true,
            _ => words.push(argument),
        }
    }
    let wanted = words.join(" ");
    let (mut states, mut unexpected) = (0, 0);
    for scenario in scenarios(size) {
        let name = format!("{}: {}", scenario.group, scenario.name);
        if !name.contains(&wanted) {
            continue;
        }
        let verdict = scenario.run();
        println!("{name:<68}{verdict}");
        if let Ending::Broken(trace) = &verdict.found.ending
            && (traces || !verdict.is_expected)
        {
            println!("{trace}");
        }
        states += verdict.found.states;
        unexpected += usize::from(!verdict.is_expected);
    }
    println!("{states} states, {unexpected} unexpected verdicts");
    if unexpected == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
