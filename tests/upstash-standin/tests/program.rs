//! The stand-in as a program of its own.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};

/// The processes that a process has started, whichever of its threads did.
fn children(process: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).expect("it is running");
    let lists = threads.map(|thread| {
        let thread = thread.expect("an entry").path();
        std::fs::read_to_string(thread.join("children")).unwrap_or_default()
    });
    let lists: Vec<String> = lists.collect();
    let words = lists.iter().flat_map(|list| list.split_whitespace());
    words.map(|word| word.parse().expect("a process")).collect()
}

#[test]
fn asked_to_end_it_leaves_no_server_behind() {
    for signal in ["-TERM", "-INT"] {
        let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let address = free.local_addr().expect("an address").to_string();
        drop(free);
        let mut program = Command::new(env!("CARGO_BIN_EXE_upstash-standin"))
            .args(["--address", &address])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be started");
        let mut output = BufReader::new(program.stdout.take().expect("the output is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line of text");
        assert_eq!(line.trim(), format!("UPSTASH_REDIS_REST_URL=http://{address}"));
        let servers = children(program.id());
        assert_eq!(servers.len(), 1, "it has a server of its own");
        let asked = Command::new("kill").args([signal, &program.id().to_string()]).status();
        assert!(asked.expect("`kill` can be run").success());
        assert!(program.wait().expect("it was started").success(), "{signal}");
        let left = Path::new("/proc").join(servers[0].to_string());
        assert!(!left.exists(), "{signal}: the server is still there");
    }
}
