//! Writes the seeds of all targets as files: a folder for each, to begin a fuzzer's corpus with.
//!
//! `cargo run -p cache-fuzzed --bin seeds -- fuzz/corpus`

use std::path::PathBuf;

fn main() -> std::io::Result<()> {
    let folder =
        std::env::args_os().nth(1).map_or_else(|| PathBuf::from("fuzz/corpus"), PathBuf::from);
    for target in cache_fuzzed::TARGETS {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number:03}")), seed)?;
        }
        let words = target.words.iter().map(|word| {
            let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
            format!("\"{bytes}\"\n")
        });
        std::fs::write(folder.with_extension("dict"), words.collect::<String>())?;
    }
    Ok(())
}
