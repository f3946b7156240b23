//! An opt-in subscriber for programs that have none.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is logged where `LOG_LEVEL` says nothing.
const DEFAULT: &str = "info";

/// Prints `tracing` events to the standard error stream, as far as `LOG_LEVEL` lets them through.
///
/// `LOG_LEVEL` holds a level (`off`, `error`, `warn`, `info`, `debug`, `trace`), or directives such as
/// `warn,cache_runtime=debug`; unset or empty, it is `info`. A value that cannot be read is reported as a
/// warning, and `info` holds.
///
/// Libraries should not call this. Where the program has a subscriber already, or calls this a second
/// time, nothing changes.
///
/// # Examples
/// ```
/// cache_runtime::logging::init();
/// cache_runtime::logging::init();
/// ```
pub fn init() {
    let level = std::env::var("LOG_LEVEL").unwrap_or_default();
    let (filter, problem) = filter(level.trim());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .finish();
    // An error means that the program has a subscriber, which stays.
    if subscriber.try_init().is_ok()
        && let Some(problem) = problem
    {
        tracing::warn!("{problem}");
    }
}

/// The filter for a level or directives, and what is wrong with them.
fn filter(level: &str) -> (EnvFilter, Option<String>) {
    if level.is_empty() {
        return (EnvFilter::new(DEFAULT), None);
    }
    match EnvFilter::try_new(level) {
        // A single word that is no level would be read as the name of a target.
        Ok(filter) if is_level(level) || level.contains(['=', ',', '[']) => (filter, None),
        _ => {
            let problem = format!(
                "`LOG_LEVEL` is `{}`, but may be `off`, `error`, `warn`, `info`, `debug`, `trace`, or directives \
                 such as `warn,cache_runtime=debug`; `{DEFAULT}` holds",
                level.escape_debug()
            );
            (EnvFilter::new(DEFAULT), Some(problem))
        }
    }
}

fn is_level(level: &str) -> bool {
    level.parse::<tracing_subscriber::filter::LevelFilter>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::filter;

    #[test]
    fn levels_and_directives_are_understood() {
        for level in
            ["", "off", "error", "WARN", "info", "debug", "trace", "warn,cache_runtime=debug"]
        {
            assert_eq!(filter(level).1, None, "{level}");
        }
    }

    #[test]
    fn a_word_that_is_no_level_is_reported() {
        for level in ["loud", "debgu", "cache_runtime=loud", "=,=["] {
            let (filter, problem) = filter(level);
            assert_eq!(filter.to_string(), "info");
            assert!(problem.is_some_and(|problem| problem.contains("`LOG_LEVEL` is")), "{level}");
        }
    }

    #[test]
    fn a_second_call_changes_nothing() {
        super::init();
        super::init();
    }
}
