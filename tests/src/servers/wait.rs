//! Waiting for a condition, with a deadline and a message.

use std::time::{Duration, Instant};

/// How often a condition is looked at. Each look asks a server something, so not all the time.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Looks until there is something to return.
///
/// # Panics
///
/// If there is nothing within `limit`; the message names what was waited for.
pub fn until_some<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < limit, "waited {limit:?} in vain for: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Looks until the condition holds; returns how long that took.
///
/// # Panics
///
/// If it does not hold within `limit`; the message names what was waited for.
pub fn until(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    until_some(limit, what, || holds().then(|| began.elapsed()))
}
