//! Several processes on one store: what one invalidates the others miss, a cold key is loaded once
//! among all, and no history has a stale read. Beside it, what each step costs in commands.

#[path = "across_processes/commands.rs"]
mod commands;
#[path = "across_processes/history.rs"]
mod history;
#[path = "across_processes/sharing.rs"]
mod sharing;

use std::sync::{Mutex, MutexGuard, PoisonError};

use cache_tests::servers::RedisServer;
use cache_tests::worker::Worker;

/// A worker on the store at `url`. Its budget is generous: what happens in the time that a loaded
/// machine takes is another test's subject (`outages`).
fn worker(url: &str, oracle: &RedisServer) -> Worker {
    worker_of("redis", url, oracle)
}

fn worker_of(provider: &str, url: &str, oracle: &RedisServer) -> Worker {
    let environment = [
        ("CACHE_PROVIDER", provider),
        ("REDIS_URL", url),
        ("CACHE_NAMESPACE", "shop"),
        ("CACHE_TIMEOUT", "5s"),
    ];
    Worker::start(env!("CARGO_BIN_EXE_cache-worker"), &oracle.url(), &environment)
}

/// Waits until no other test that needs many processes runs: two at once would only slow each
/// other down.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the long runs were asked for (`./test --long`).
fn is_long() -> bool {
    std::env::var_os("CACHE_TEST_LONG").is_some()
}
