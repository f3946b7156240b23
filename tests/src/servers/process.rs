//! One server process with a folder and a port of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::wait::until;
use super::watchdog;

/// How long a server may take until it answers; machines are shared.
pub(super) const START: Duration = Duration::from_secs(20);

/// A folder that is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("cache-tests-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind is no reason to fail a test.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    folder: Folder,
    program: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Process {
    /// Does not start it yet.
    pub(super) fn new(folder: Folder, program: PathBuf, arguments: Vec<String>) -> Self {
        Self { folder, program, arguments, child: None }
    }

    /// Starts it and waits until it answers.
    ///
    /// # Panics
    ///
    /// If it ends before, or does not answer in time; the message holds the end of its log.
    pub(super) fn start(&mut self, mut answers: impl FnMut(u32) -> bool) {
        assert!(self.child.is_none(), "the server runs already");
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let id = child.id();
        watchdog::watch(id, self.folder.path());
        let child = self.child.insert(child);
        let log = self.folder.path().join("log");
        until(START, &format!("an answer of {}", self.program.display()), || {
            if let Some(status) = child.try_wait().expect("a child of ours") {
                panic!("{} ended with {status}:\n{}", self.program.display(), end_of(&log));
            }
            answers(id)
        });
    }

    /// Ends it at once, as a crash does.
    pub(super) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // As long as it is not waited for, its number belongs to it.
        child.kill().expect("a child of ours can be killed");
        watchdog::forget(child.id());
        child.wait().expect("a child of ours can be waited for");
    }

    /// Lets it stand still (`SIGSTOP`): its connections stay open and nothing answers.
    pub(super) fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on (`SIGCONT`).
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server runs");
        kill_process(Pid::from_child(child), signal).expect("a child of ours takes signals");
    }

    pub(super) const fn is_running(&self) -> bool {
        self.child.is_some()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_else(|error| format!("no log: {error}"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
