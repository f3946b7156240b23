//! The history check, by hand:
//!
//! ```text
//! consistency <topology> [--seconds 20] [--faults] [--near off|validated|500ms] [--settled 5]
//!             [--seed 1] [--processes 4] [--tasks 8] [--reads-per-write 40] [--timeout 50ms]
//!             [--guarded 5] [--peer <name>]
//! consistency all [--seconds 20] [--seed 1] ..
//! ```
//!
//! One topology prints its line of the table, `all` prints the whole one. It ends with 1 if a read
//! of ours was stale beyond what is promised, and says which.

use std::process::ExitCode;
use std::time::Duration;

use cache_tests::history::{HEAD, Setup, Topology, line, run};
use cache_tests::worker::SubjectKind;

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
    let (mut reads, mut writes, mut broken) = (0, 0, 0);
    println!("{HEAD}");
    for setup in setups {
        let sight = run(&setup, &program).await;
        println!("{}", line(&setup, &sight));
        if setup.subject == SubjectKind::Annotated {
            reads += sight.reads;
            writes += sight.writes;
            broken += sight.broken + sight.foreign;
            sight
                .findings
                .iter()
                .for_each(|finding| eprintln!("{}: {finding}", setup.topology.name()));
        }
    }
    println!("\nOurs: {reads} reads, {writes} invalidations, {broken} not allowed.");
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The runs that the command line names.
fn setups(words: &[String]) -> Result<Vec<Setup>, String> {
    let (first, options) = words.split_first().ok_or("which topology? or `all`")?;
    let mut base = Setup::new(Topology::Standalone);
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
            "--reads-per-write" => base.reads_per_write = number()?.max(1) as u32,
            "--tasks" => base.tasks = number()?,
            "--settled" => base.settled = number()?.min(100) as u32,
            "--guarded" => base.guarded = number()?.min(100) as u32,
            "--near" => base.near.clone_from(value),
            "--timeout" => base.timeout = Some(value.clone()),
            "--peer" => {
                let peer = PEERS.iter().find(|(name, _)| name == value);
                base.subject = peer.ok_or_else(|| format!("no peer `{value}`"))?.1;
            }
            _ => return Err(format!("unknown option `{option}`")),
        }
    }
    if first == "all" {
        return Ok(all(&base));
    }
    let topology = Topology::ALL.into_iter().find(|topology| topology.name() == first);
    base.topology = topology.ok_or_else(|| {
        let names = Topology::ALL.map(Topology::name).join(", ");
        format!("unknown topology `{first}`; there are {names}, and `all`")
    })?;
    Ok(vec![base])
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
                setups.push(Setup { topology, near, settled, faults, ..base.clone() });
            }
        }
    }
    for (_, subject) in PEERS {
        setups.push(Setup { subject, ..base.clone() });
    }
    setups
}
