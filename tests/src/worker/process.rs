//! A worker, seen from the test that started it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal};

use super::orders::{Answer, Order};

/// The environment that a test chooses; whoever runs the tests may have another.
const VARIABLES: [&str; 12] = [
    "CACHE_PROVIDER",
    "CACHE_DEFAULT_TTL",
    "CACHE_NAMESPACE",
    "CACHE_MAX_ENTRIES",
    "CACHE_MAX_BYTES",
    "CACHE_NEAR",
    "CACHE_TIMEOUT",
    "REDIS_URL",
    "REDIS_REST_URL",
    "REDIS_REST_TOKEN",
    "UPSTASH_REDIS_REST_URL",
    "UPSTASH_REDIS_REST_TOKEN",
];

/// A worker process; it ends when this is dropped, and with the test process.
#[derive(Debug)]
pub struct Worker {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts one (`program` is `env!("CARGO_BIN_EXE_cache-worker")`) and waits until it is ready.
    /// `oracle` is the URL of the database that all workers share.
    ///
    /// # Panics
    ///
    /// If it does not start, or cannot make its cache.
    #[must_use]
    pub fn start(program: &str, oracle: &str, environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program);
        command.arg(oracle).stdin(Stdio::piped()).stdout(Stdio::piped());
        for name in VARIABLES {
            command.env_remove(name);
        }
        let child = command.envs(environment.iter().copied()).spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{program}: {error}"));
        let answers = BufReader::new(child.stdout.take().expect("the pipe was asked for"));
        let mut worker = Self { child, answers };
        let answer = worker.answer();
        assert!(matches!(answer, Answer::Ready), "the worker is not ready: {answer:?}");
        worker
    }

    /// Tells it something and does not wait.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn tell(&mut self, order: &Order) {
        let line = serde_json::to_string(order).expect("orders are JSON");
        let input = self.child.stdin.as_mut().expect("the pipe was asked for");
        writeln!(input, "{line}").expect("the worker reads");
    }

    /// Its next answer; waits for it.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn answer(&mut self) -> Answer {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the worker writes lines");
        assert!(!line.is_empty(), "the worker has ended: {:?}", self.child.try_wait());
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// Tells it something and waits for the answer.
    pub fn ask(&mut self, order: &Order) -> Answer {
        self.tell(order);
        self.answer()
    }

    /// Calls the function `item` once at each of `tasks`; returns the values and the slowest's time.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn load(&mut self, key: &str, delay_ms: u64, tasks: u64) -> (Vec<u64>, u64) {
        let key = key.to_owned();
        match self.ask(&Order::Load { key, delay_ms, tasks }) {
            Answer::Loaded { values, slowest_ms, .. } => (values, slowest_ms),
            other => panic!("{other:?}"),
        }
    }

    /// Its process: as long as nobody waited for the worker, the number belongs to it.
    #[must_use]
    pub fn process(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it has ended in the middle of what it was told; whether that was by `SIGKILL`.
    ///
    /// # Panics
    ///
    /// If it cannot be waited for.
    pub fn was_killed(&mut self) -> bool {
        // Not before its output ends: to wait closes its input, and with that it ends as well.
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the worker writes lines");
        let ended = self.child.wait().expect("the worker can be waited for");
        ended.signal() == Some(Signal::KILL.as_raw())
    }

    /// Ends it at once (`SIGKILL`).
    ///
    /// # Panics
    ///
    /// If it has ended before.
    pub fn kill(&mut self) {
        self.child.kill().expect("the worker runs");
        self.child.wait().expect("the worker can be waited for");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
