//! Ends what the tests started when the test process ends in a way that runs no destructors:
//! killed, aborted, or with a server in a static.
//!
//! A shell of its own reads which processes there are from a pipe. The pipe ends with this process,
//! however it ends, and the shell then kills what is left. (A death signal of the kernel would
//! need code between fork and exec, and follows the thread, not the process.)

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// `+ PID FOLDER` and `- PID`, one a line. Signals to the whole terminal must not end it before.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
list=
while read -r sign pid folder; do
    if [ "$sign" = + ]; then list="$list $pid=$folder"
    else
        kept=
        for each in $list; do [ "${each%%=*}" = "$pid" ] || kept="$kept $each"; done
        list=$kept
    fi
done
for each in $list; do
    kill -9 "${each%%=*}" 2>/dev/null
    rm -rf "${each#*=}"
done
"#;

static SHELL: OnceLock<Mutex<Child>> = OnceLock::new();

/// From now on the process does not outlive this one, nor does its folder.
pub(super) fn watch(process: u32, folder: &Path) {
    let folder = folder.display().to_string();
    assert!(!folder.contains([' ', '=', '\n']), "no plain folder for temporary files: {folder}");
    tell(&format!("+ {process} {folder}\n"));
}

/// The process is about to be waited for: its number may soon be another's.
pub(super) fn forget(process: u32) {
    tell(&format!("- {process}\n"));
}

fn tell(line: &str) {
    let mut shell = SHELL.get_or_init(start).lock().unwrap_or_else(PoisonError::into_inner);
    let pipe = shell.stdin.as_mut().expect("the pipe was asked for");
    pipe.write_all(line.as_bytes()).expect("the watchdog reads as long as this process lives");
}

fn start() -> Mutex<Child> {
    let shell = Command::new("/bin/sh")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Mutex::new(shell.expect("/bin/sh can be started"))
}
