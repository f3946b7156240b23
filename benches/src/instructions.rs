//! Instructions as callgrind counts them: free of noise, blind to memory and other threads.

use std::path::Path;
use std::process::Command;

use crate::probe::run;

/// Whether valgrind can be started; else the reason, with the fix.
///
/// # Errors
///
/// Where it cannot.
pub fn available() -> Result<(), String> {
    run(Command::new("valgrind").arg("--version")).map(drop).map_err(|error| {
        format!("instructions are not counted: `valgrind` cannot be started (install it): {error}")
    })
}

/// How many instructions a program executes inside the functions that match `pattern`.
///
/// # Errors
///
/// Where the program fails under valgrind or the count is missing from what callgrind wrote.
pub fn count(program: &Path, arguments: &[&str], pattern: &str) -> Result<u64, String> {
    let file = std::env::temp_dir().join(format!("cache-benches-{}.callgrind", std::process::id()));
    run(Command::new("valgrind")
        .args(["--tool=callgrind", "--compress-strings=no"])
        .arg(format!("--toggle-collect={pattern}"))
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(program)
        .args(arguments))?;
    let written = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    // A leftover file in the temporary directory does not spoil the count.
    let _ = std::fs::remove_file(&file);
    total(&written).ok_or_else(|| "callgrind wrote no total".to_owned())
}

fn total(written: &str) -> Option<u64> {
    let line = written.lines().find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_total_is_found_among_the_lines() {
        assert_eq!(total("events: Ir\nfn=a\n1 2\ntotals: 4711\n"), Some(4711));
        assert_eq!(total("events: Ir\n"), None);
    }
}
