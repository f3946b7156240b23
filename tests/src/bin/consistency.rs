//! The history check, by hand:
//!
//! ```text
//! consistency <topology> [--seconds 20] [--faults] [--only <fault>,<fault>] [--without <rule>]
//!             [--near off|validated|500ms] [--settled 5] [--seed 1] [--processes 4] [--readers 0]
//!             [--tasks 8] [--reads-per-write 40] [--timeout 50ms] [--guarded 5] [--peer <name>]
//! consistency --without <rule> [--seconds 8] ..
//! consistency rules [--seconds 8] [--seed 1]
//! consistency all [--seconds 20] [--seed 1] ..
//! ```
//!
//! One topology prints its line of the table and what happened, and `all` the whole table; rows with
//! faults run for long enough that each kind of fault that is planned happens. `--without` leaves out
//! a rule of the protocol, on the store and with the faults that need it unless others are named,
//! and `rules` leaves out one after the other.
//!
//! It ends with 1 if a read of ours was stale beyond what is promised, and says which; if a run that
//! was long enough did without a fault that was planned; and if nothing was stale without a rule.

use std::process::ExitCode;
use std::time::Duration;

use cache_tests::history::{
    HAPPENED, HEAD, Kind, Report, Setup, Topology, happened, line, number, run, without,
};
use cache_tests::worker::{RULES, SubjectKind};

const PEERS: [(&str, SubjectKind); 4] = [
    ("tag-sets", SubjectKind::Naive),
    ("delete-after-write", SubjectKind::DeleteAfterWrite),
    ("timestamp-tags", SubjectKind::TimestampTags),
    ("nonces-after-load", SubjectKind::NoncesAfterLoad),
];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // Started by a run, with the place of its oracle: one of the processes on the store.
    if let Some(oracle) = words.first().filter(|word| word.starts_with("files:")) {
        cache_tests::worker::serve(oracle).await
    }
    let setups = match setups(&words) {
        Ok(setups) => setups,
        Err(what) => {
            eprintln!("{what}");
            return ExitCode::from(2);
        }
    };
    let program = std::env::current_exe().expect("this program has a path");
    let mut total = Total::default();
    println!("{HEAD}");
    for setup in setups {
        let report = run(&setup, &program).await;
        println!("{}", line(&setup, &report));
        total.add(&setup, &report);
    }
    total.close()
}

/// What all runs come to.
#[derive(Default)]
struct Total {
    reads: u64,
    writes: u64,
    broken: u64,
    happened: Vec<String>,
    failures: Vec<String>,
}

impl Total {
    fn add(&mut self, setup: &Setup, report: &Report) {
        let (sight, store) = (&report.sight, setup.topology.name());
        self.happened.extend(happened(setup, report));
        for kind in &report.missed {
            self.failures
                .push(format!("{store}: `{}` was planned and never happened", kind.name()));
        }
        if setup.subject != SubjectKind::Annotated {
            return;
        }
        let broken = sight.broken + sight.foreign;
        if let Some(rule) = setup.without {
            if broken == 0 {
                self.failures.push(format!("{store}: without `{rule}` nothing was stale"));
            }
            return;
        }
        self.reads += sight.reads;
        self.writes += sight.writes;
        self.broken += broken;
        self.failures.extend(sight.findings.iter().map(|finding| format!("{store}: {finding}")));
    }

    fn close(self) -> ExitCode {
        if !self.happened.is_empty() {
            println!("\n{HAPPENED}\n{}", self.happened.join("\n"));
        }
        let [reads, writes] = [self.reads, self.writes].map(number);
        println!("\nOurs: {reads} reads, {writes} invalidations, {} not allowed.", self.broken);
        self.failures.iter().for_each(|failure| eprintln!("{failure}"));
        let is_sound = self.broken == 0 && self.failures.is_empty();
        if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The runs that the command line names.
fn setups(words: &[String]) -> Result<Vec<Setup>, String> {
    let (first, options) = match words.split_first() {
        None => return Err("which topology? or `all`, or `rules`".to_owned()),
        Some((first, _)) if first.starts_with("--") => ("", words),
        Some((first, options)) => (first.as_str(), options),
    };
    if first == "rules" {
        let each = RULES.iter().map(|(rule, _)| with_options(needing(rule)?, options));
        return each.collect();
    }
    let at = options.iter().position(|option| option == "--without");
    let base = match (at.map(|at| options.get(at + 1)), first) {
        (Some(Some(rule)), "") => needing(rule)?,
        (_, "") => return Err("which topology? or `all`, or `rules`".to_owned()),
        _ => Setup::new(Topology::Standalone),
    };
    let mut base = with_options(base, options)?;
    match first {
        "all" => return Ok(all(&base)),
        "" => {}
        name => {
            let topology = Topology::ALL.into_iter().find(|topology| topology.name() == name);
            base.topology = topology.ok_or_else(|| {
                let names = Topology::ALL.map(Topology::name).join(", ");
                format!("unknown topology `{name}`; there are {names}, and `all` and `rules`")
            })?;
        }
    }
    Ok(vec![base])
}

fn needing(rule: &str) -> Result<Setup, String> {
    let names = || RULES.map(|(name, _)| name).join(", ");
    without(rule).ok_or_else(|| format!("unknown rule `{rule}`; there are {}", names()))
}

fn with_options(mut base: Setup, options: &[String]) -> Result<Setup, String> {
    let mut options = options.iter();
    while let Some(option) = options.next() {
        if option == "--faults" {
            base.faults = true;
            continue;
        }
        let value = options.next().ok_or_else(|| format!("{option}: of what value?"))?;
        let number = || value.parse::<u64>().map_err(|error| format!("{option} {value}: {error}"));
        match option.as_str() {
            "--seconds" => base.time = Duration::from_secs(number()?),
            "--seed" => base.seed = number()?,
            "--processes" => base.processes = number()?.clamp(1, 15),
            "--readers" => base.readers = number()?,
            "--reads-per-write" => base.reads_per_write = number()?.max(1) as u32,
            "--tasks" => base.tasks = number()?,
            "--settled" => base.settled = number()?.min(100) as u32,
            "--guarded" => base.guarded = number()?.min(100) as u32,
            "--near" => base.near.clone_from(value),
            "--timeout" => base.timeout = Some(value.clone()),
            "--without" => base.without = needing(value)?.without,
            "--only" => {
                let kind = |name| Kind::named(name).ok_or_else(|| unknown_fault(name));
                base.only = value.split(',').map(kind).collect::<Result<_, _>>()?;
                base.faults = true;
            }
            "--peer" => {
                let peer = PEERS.iter().find(|(name, _)| name == value);
                base.subject = peer.ok_or_else(|| format!("no peer `{value}`"))?.1;
            }
            _ => return Err(format!("unknown option `{option}`")),
        }
    }
    Ok(base)
}

fn unknown_fault(name: &str) -> String {
    format!("unknown fault `{name}`; there are {}", Kind::ALL.map(Kind::name).join(", "))
}

/// Every topology without and with faults, and the peers.
fn all(base: &Setup) -> Vec<Setup> {
    let mut setups = Vec::new();
    for topology in Topology::ALL {
        let nears: &[(&str, u32)] = match topology {
            Topology::Memory => &[("off", 0)],
            _ if !topology.tells() => &[("off", 0), ("validated", 0)],
            _ => &[("off", 0), ("validated", 0), ("500ms", 5), ("500ms", 100)],
        };
        for (near, settled) in nears {
            for faults in [false, true] {
                let (near, settled) = ((*near).to_owned(), *settled);
                let setup = Setup { topology, near, settled, faults, ..base.clone() };
                // With some room, so that a fault that takes longer keeps none from happening.
                let long_enough = setup.long_enough().mul_f64(1.25);
                setups.push(Setup { time: setup.time.max(long_enough), ..setup });
            }
        }
    }
    // Whoever writes reads its own writes; the lag shows in those who only read, between writes.
    let (topology, readers) = (Topology::UpstashLagging, base.processes / 2);
    setups.push(Setup { topology, readers, reads_per_write: 4_000, ..base.clone() });
    for (_, subject) in PEERS {
        setups.push(Setup { subject, ..base.clone() });
    }
    setups
}
