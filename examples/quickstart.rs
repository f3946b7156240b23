//! The packages of this workspace, served from a cache.
//!
//! ```text
//! cargo run --example quickstart
//! ```
//!
//! The data is real: every load asks `cargo metadata`, which takes a tenth of a second and more.
//! Three annotated functions read, one annotated function writes a note and says what it changed,
//! and the program prints what came from the cache, what did not, and what each call cost.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cache_runtime::{Counts, Stats, cache, cached, invalidates};
use serde::{Deserialize, Serialize};
use tokio::fs;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// What the service hands out. Any `Clone + Serialize + Deserialize` type can be cached.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Package {
    name: String,
    version: String,
    licence: String,
    dependencies: Vec<String>,
    note: Option<String>,
}

// ---------------------------------------------------------------- the annotated service

/// A package by its name. A name that does not exist is remembered for a minute.
#[cached(key = "package:<name>", ttl = "10m", none_ttl = "1m")]
async fn package(name: &str) -> Result<Option<Package>, io::Error> {
    Ok(load_packages().await?.into_iter().find(|package| package.name == name))
}

/// All packages under one licence. The tag lets a writer drop exactly this list.
#[cached(key = "packages:by-licence:<licence>", ttl = "10m", tags = ["licence:<licence>"])]
async fn packages_by_licence(licence: &str) -> Result<Vec<Package>, io::Error> {
    Ok(load_packages().await?.into_iter().filter(|package| package.licence == licence).collect())
}

/// The names of the packages that need this one.
#[cached(key = "package:<name>:dependents", ttl = "10m")]
async fn dependents(name: &str) -> Result<Vec<String>, io::Error> {
    let packages = load_packages().await?.into_iter();
    let needs =
        |package: &Package| package.dependencies.iter().any(|dependency| dependency == name);
    Ok(packages.filter(needs).map(|package| package.name).collect())
}

/// Keeps a note on a package. Once it has returned, no read sees the package without the note:
/// neither the package itself nor the list of its licence, which is read from the result.
#[invalidates(package(name), tags = ["licence:<result.licence>"])]
async fn write_note(name: &str, note: &str) -> Result<Package, io::Error> {
    let mut notes = load_notes().await?;
    notes.insert(name.to_owned(), note.to_owned());
    fs::write(notes_file()?, serde_json::to_vec_pretty(&notes)?).await?;
    let written = load_packages().await?.into_iter().find(|package| package.name == name);
    written.ok_or_else(|| io::Error::other(format!("no package is called `{name}`")))
}

// ---------------------------------------------------------------- the program

/// The licence of this workspace's own packages.
const OURS: &str = "MIT OR Apache-2.0";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    cache_runtime::init().await?;
    forget_notes().await?;
    let packages = load_packages().await?;
    println!("{} packages, as `cargo metadata` tells them\n", packages.len());
    println!("{:<42} {:<5} {:>10}   answer", "call", "", "cost");

    for _ in 0..2 {
        show(r#"package("cache-runtime")"#, package("cache-runtime")).await?;
        show(r#"package("no-such-package")"#, package("no-such-package")).await?;
        show(r#"packages_by_licence("MIT OR Apache-2.0")"#, packages_by_licence(OURS)).await?;
        show(r#"dependents("serde")"#, dependents("serde")).await?;
    }

    println!("\na note on one package: it and the list of its licence are loaded again, no more");
    write_note("cache-runtime", "all that a service depends on").await?;
    for _ in 0..2 {
        show(r#"package("cache-runtime")"#, package("cache-runtime")).await?;
        show(r#"packages_by_licence("MIT OR Apache-2.0")"#, packages_by_licence(OURS)).await?;
    }
    show(r#"package("no-such-package")"#, package("no-such-package")).await?;
    show(r#"dependents("serde")"#, dependents("serde")).await?;

    println!("\n1,000 tasks ask for one package that nobody has loaded yet");
    let loads = SOURCE_CALLS.load(Ordering::Relaxed);
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        tasks.spawn(package("cache-macros"));
    }
    while let Some(answer) = tasks.join_next().await {
        answer??;
    }
    let loads = SOURCE_CALLS.load(Ordering::Relaxed) - loads;
    println!("1,000 answers, {loads} load, {:.1?}", begin.elapsed());

    print_statistics(&cache().stats().await?);
    Ok(())
}

/// Awaits a call and prints what it cost. A call that did not reach `cargo` was a hit.
async fn show<T: Summary>(
    call: &str,
    answer: impl Future<Output = Result<T, io::Error>>,
) -> Result<(), io::Error> {
    let loads = SOURCE_CALLS.load(Ordering::Relaxed);
    let begin = Instant::now();
    let answer = answer.await?;
    let cost = begin.elapsed();
    let outcome = if SOURCE_CALLS.load(Ordering::Relaxed) == loads { "hit" } else { "miss" };
    println!("{call:<42} {outcome:<5} {:>10}   {}", format!("{cost:.1?}"), answer.summary());
    Ok(())
}

fn print_statistics(stats: &Stats) {
    println!(
        "\n{:<34} {:>6} {:>6} {:>6} {:>6} {:>6} {:>10}",
        "function", "hits", "misses", "ratio", "joined", "loads", "mean load"
    );
    let line = |name: &str, counts: &Counts| {
        let ratio = counts
            .hit_ratio()
            .map_or_else(|| "-".to_owned(), |ratio| format!("{:.0} %", ratio * 100.0));
        let load =
            counts.mean_load_time().map_or_else(|| "-".to_owned(), |time| format!("{time:.1?}"));
        let Counts { hits, joined, loads, .. } = *counts;
        let misses = counts.misses.total();
        println!("{name:<34} {hits:>6} {misses:>6} {ratio:>6} {joined:>6} {loads:>6} {load:>10}");
    };
    for function in &stats.functions {
        line(&function.name, &function.counts);
    }
    line("total", &stats.total);
    let misses = &stats.total.misses;
    println!("misses: {} absent, {} invalidated", misses.absent, misses.invalidated);
    if let Some(entries) = stats.entries {
        println!("held: {entries} entries");
    }
}

/// What an answer says, in a few words.
trait Summary {
    fn summary(&self) -> String;
}

impl Summary for Option<Package> {
    fn summary(&self) -> String {
        match self {
            None => "no such package".to_owned(),
            Some(Package { name, version, note: Some(note), .. }) => {
                format!("{name} {version}, note: {note}")
            }
            Some(Package { name, version, licence, .. }) => format!("{name} {version}, {licence}"),
        }
    }
}

impl<T> Summary for Vec<T> {
    fn summary(&self) -> String {
        format!("{} packages", self.len())
    }
}

// ---------------------------------------------------------------- the slow source

/// How often the source was asked.
static SOURCE_CALLS: AtomicU64 = AtomicU64::new(0);

/// All packages with their notes; where a name has several versions, the newest comes first.
async fn load_packages() -> Result<Vec<Package>, io::Error> {
    SOURCE_CALLS.fetch_add(1, Ordering::Relaxed);
    let notes = load_notes().await?;
    let metadata = cargo_metadata().await?;
    let packages = metadata.packages.into_iter().rev().map(|package| Package {
        note: notes.get(&package.name).cloned(),
        licence: package.license.unwrap_or_else(|| "none".to_owned()),
        dependencies: package.dependencies.into_iter().map(|dependency| dependency.name).collect(),
        version: package.version,
        name: package.name,
    });
    Ok(packages.collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
}

#[derive(Deserialize)]
struct MetadataPackage {
    name: String,
    version: String,
    license: Option<String>,
    dependencies: Vec<MetadataDependency>,
}

#[derive(Deserialize)]
struct MetadataDependency {
    name: String,
}

async fn cargo_metadata() -> Result<Metadata, io::Error> {
    static ARGUMENTS: OnceCell<Vec<String>> = OnceCell::const_new();
    let arguments = ARGUMENTS.get_or_try_init(metadata_arguments).await?;
    serde_json::from_slice(&run_cargo(arguments).await?).map_err(io::Error::other)
}

/// The whole dependency graph needs the manifests of packages that this example did not have to
/// build, so cargo fetches them here, once. Without a network the workspace's own packages are
/// what there is to tell.
async fn metadata_arguments() -> Result<Vec<String>, io::Error> {
    let version = run_cargo(&["-vV".to_owned()]).await?;
    let version = String::from_utf8_lossy(&version);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let with = |options: &[&str]| {
        let always = ["metadata", "--format-version", "1"];
        always.iter().chain(options).map(|&argument| argument.to_owned()).collect::<Vec<_>>()
    };
    let everything = with(&["--locked", "--filter-platform", host]);
    match run_cargo(&everything).await {
        Ok(_) => Ok(everything),
        Err(error) => {
            let reason = error.to_string();
            println!("only the workspace's own: {}", reason.lines().next().unwrap_or_default());
            Ok(with(&["--no-deps", "--offline"]))
        }
    }
}

async fn run_cargo(arguments: &[String]) -> Result<Vec<u8>, io::Error> {
    let folder =
        env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .await?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// The notes lie beside the program, in the build folder.
fn notes_file() -> Result<PathBuf, io::Error> {
    Ok(env::current_exe()?.with_file_name("quickstart-notes.json"))
}

/// Every run begins without notes, so that it can show the effect of the first one.
async fn forget_notes() -> Result<(), io::Error> {
    match fs::remove_file(notes_file()?).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn load_notes() -> Result<BTreeMap<String, String>, io::Error> {
    match fs::read(notes_file()?).await {
        Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}
