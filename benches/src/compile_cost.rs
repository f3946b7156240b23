//! What a hundred annotated functions cost the compiler and the binary.
//!
//! A throw-away workspace holds the same program three times: plain, with ours, with `cached`.
//! What they depend on is built beforehand; then each program's source is touched and rebuilt, in
//! turns, and the fastest of three counts. All three programs run tokio, so that it is nobody's.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::probe::run;

const FUNCTIONS: usize = 100;

/// How many different types the functions return.
const TYPES: usize = 10;

const ROUNDS: usize = 3;

/// One of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// No annotations.
    Plain,
    /// One function of ours, the others plain: what the library itself adds.
    OneOfOurs,
    /// All functions with `cache_runtime::cached`.
    Ours,
    /// All functions with `cached::macros::cached`.
    CachedCrate,
}

impl Program {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 4] = [Self::Plain, Self::OneOfOurs, Self::Ours, Self::CachedCrate];

    /// What its row says.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::OneOfOurs => "one annotated with ours, 99 plain",
            Self::Ours => "**ours**",
            Self::CachedCrate => "`cached` 4.1",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain-functions",
            Self::OneOfOurs => "one-of-ours",
            Self::Ours => "our-functions",
            Self::CachedCrate => "cached-functions",
        }
    }

    fn dependency(self) -> String {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cache-runtime");
        match self {
            Self::Plain => String::new(),
            Self::Ours | Self::OneOfOurs => format!("cache-runtime = {{ path = {ours:?} }}"),
            Self::CachedCrate => {
                "cached = { version = \"4.1\", features = [\"async\"] }".to_owned()
            }
        }
    }

    fn attribute(self, number: usize) -> String {
        match self {
            Self::Ours => ours(number),
            Self::OneOfOurs if number == 0 => ours(number),
            Self::Plain | Self::OneOfOurs => String::new(),
            Self::CachedCrate => format!(
                "#[cached::macros::cached(max_size = 1_000, ttl_secs = 1800, key = \"String\", \
                 convert = {{ format!(\"thing{number}:{{org}}:{{id}}\") }})]\n"
            ),
        }
    }

    fn source(self) -> String {
        let mut source =
            String::from("#![allow(dead_code)]\nuse serde::{Deserialize, Serialize};\n");
        for number in 0..TYPES {
            let _ = writeln!(
                source,
                "#[derive(Clone, Debug, Serialize, Deserialize)]\n\
                 pub struct Thing{number} {{ id: u64, name: String, other{number}: Option<u32> }}"
            );
        }
        let mut calls = String::new();
        for number in 0..FUNCTIONS {
            let (attribute, thing) = (self.attribute(number), number % TYPES);
            let _ = writeln!(
                source,
                "{attribute}pub async fn thing_{number}(org: u64, id: u64) -> Result<Thing{thing}, String> {{\n    \
                 let name = format!(\"{{org}} {{id}}\");\n    \
                 Ok(Thing{thing} {{ id, name, other{thing}: None }})\n}}"
            );
            let _ = writeln!(
                calls,
                "    sum += thing_{number}(1, sum).await.map_or(0, |thing| thing.id);"
            );
        }
        let _ = writeln!(
            source,
            "#[tokio::main]\nasync fn main() {{\n    let mut sum = 0;\n{calls}    println!(\"{{sum}}\");\n}}"
        );
        source
    }
}

fn ours(number: usize) -> String {
    format!(
        "#[cache_runtime::cached(key = \"thing{number}:<org>:<id>\", ttl = 1800, \
         tags = [\"things\", \"org:<org>\"])]\n"
    )
}

/// What one program costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Which.
    pub program: Program,
    /// Rebuilding it, in seconds.
    pub seconds: f64,
    /// Its debug executable, in MB.
    pub megabytes: f64,
}

/// Builds all programs and measures them.
///
/// # Errors
///
/// With cargo's message where a build fails.
pub fn measure() -> Result<Vec<Cost>, String> {
    let workspace =
        Workspace::create().map_err(|error| format!("the throw-away workspace: {error}"))?;
    for program in Program::ALL {
        workspace.build(program)?;
    }
    let mut seconds = [f64::INFINITY; Program::ALL.len()];
    for _ in 0..ROUNDS {
        for (program, best) in Program::ALL.into_iter().zip(&mut seconds) {
            workspace.touch(program).map_err(|error| error.to_string())?;
            let start = Instant::now();
            workspace.build(program)?;
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    let cost = |(program, seconds): (Program, f64)| {
        let size =
            fs::metadata(workspace.executable(program)).map_err(|error| error.to_string())?.len();
        Ok(Cost { program, seconds, megabytes: size as f64 / 1e6 })
    };
    Program::ALL.into_iter().zip(seconds).map(cost).collect()
}

/// A directory of its own, removed in the end.
struct Workspace {
    root: PathBuf,
}

impl Workspace {
    fn create() -> std::io::Result<Self> {
        let root = std::env::temp_dir().join(format!("cache-benches-{}", std::process::id()));
        let workspace = Self { root };
        let members = Program::ALL.map(|program| format!("{:?}", program.name())).join(", ");
        fs::create_dir_all(&workspace.root)?;
        fs::write(
            workspace.root.join("Cargo.toml"),
            format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n"),
        )?;
        // The versions that everything else is measured with, and no question to any registry.
        fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"),
            workspace.root.join("Cargo.lock"),
        )?;
        for program in Program::ALL {
            workspace.write(program)?;
        }
        Ok(workspace)
    }

    fn write(&self, program: Program) -> std::io::Result<()> {
        let (name, dependency) = (program.name(), program.dependency());
        fs::create_dir_all(self.root.join(name).join("src"))?;
        fs::write(
            self.root.join(name).join("Cargo.toml"),
            format!(
                "[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\n\
                 serde = {{ version = \"1\", features = [\"derive\"] }}\n\
                 tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\", \"time\"] }}\n\
                 {dependency}\n"
            ),
        )?;
        self.touch(program)
    }

    fn touch(&self, program: Program) -> std::io::Result<()> {
        fs::write(self.root.join(program.name()).join("src/main.rs"), program.source())
    }

    fn build(&self, program: Program) -> Result<(), String> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--offline", "--quiet", "--package", program.name()]);
        // What this program was started with must not leak into the builds.
        command.env("CARGO_TARGET_DIR", self.root.join("target")).env_remove("RUSTFLAGS");
        run(command.current_dir(&self.root)).map(drop)
    }

    fn executable(&self, program: Program) -> PathBuf {
        self.root.join("target/debug").join(program.name())
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // A leftover in the temporary directory does not spoil anything.
        let _ = fs::remove_dir_all(&self.root);
    }
}
