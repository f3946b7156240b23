//! Which commands a server ran, counted by itself.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::single::RedisServer;

/// What connections need and the tests ask; counted, but not part of the total.
const HOUSEKEEPING: [&str; 12] = [
    "auth", "client", "cluster", "command", "config", "echo", "hello", "info", "monitor", "ping",
    "role", "select",
];

/// Whether a command, `client` or `client|setinfo`, is housekeeping.
pub(crate) fn is_housekeeping(name: &str) -> bool {
    HOUSEKEEPING.contains(&name.split('|').next().unwrap_or_default())
}

/// How often each command ran, by its name in lower case (`mget`, `cluster|slots`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandStats(BTreeMap<String, u64>);

impl CommandStats {
    pub(super) fn parse(info: &str) -> Self {
        let calls = info.lines().filter_map(|line| {
            let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let count = figures.split(',').next()?.parse().ok()?;
            Some((name.to_owned(), count))
        });
        Self(calls.collect())
    }

    /// What ran after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let later = self.0.iter().map(|(name, count)| {
            (name.clone(), count - earlier.0.get(name).copied().unwrap_or_default())
        });
        Self(later.filter(|(_, count)| *count > 0).collect())
    }

    /// How often this command ran.
    #[must_use]
    pub fn calls(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    /// All commands but those that connections need to begin, or that only ask for the state of
    /// the server.
    #[must_use]
    pub fn total(&self) -> u64 {
        let counted = self.0.iter().filter(|(name, _)| !is_housekeeping(name));
        counted.map(|(_, count)| count).sum()
    }
}

/// Hears every command that the server runs.
#[derive(Debug)]
pub struct Monitor {
    lines: BufReader<TcpStream>,
    server_url: String,
    marks: u32,
}

impl Monitor {
    pub(super) fn start(server: &RedisServer) -> Self {
        let stream = TcpStream::connect(server.address()).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        let mut lines = BufReader::new(stream);
        let password = server.user_part().trim_matches([':', '@']).to_owned();
        let mut begin = vec!["MONITOR".to_owned()];
        if !password.is_empty() {
            begin.insert(0, format!("AUTH {password}"));
        }
        for command in begin {
            write!(lines.get_mut(), "{command}\r\n").expect("the server reads");
            let mut answer = String::new();
            lines.read_line(&mut answer).expect("the server answers");
            assert_eq!(answer, "+OK\r\n", "{command}");
        }
        Self { lines, server_url: server.url(), marks: 0 }
    }

    /// The commands that the server has run by now, since the last time: name and words as the
    /// server writes them (`"mget" "app:k:1"`). Those inside scripts are marked by the server as
    /// of the client `lua` and left out.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn take(&mut self) -> Vec<String> {
        // A mark of ours in the stream tells where `now` is.
        self.marks += 1;
        let mark = format!("\"echo\" \"mark {}\"", self.marks);
        let client = redis::Client::open(self.server_url.as_str()).expect("a sound URL");
        let mut connection = client.get_connection().expect("the server listens");
        let echo = redis::cmd("ECHO").arg(format!("mark {}", self.marks)).exec(&mut connection);
        echo.expect("the server answers");
        let mut commands = Vec::new();
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).expect("the monitor goes on");
            let Some((client, words)) = line.trim_end().split_once("] ") else {
                panic!("no line of a monitor: {line:?}");
            };
            let words = words.replacen("\"ECHO\"", "\"echo\"", 1);
            if words == mark {
                return commands;
            }
            let name = words.split('"').nth(1).unwrap_or_default().to_lowercase();
            if !client.ends_with(" lua") && !is_housekeeping(&name) {
                commands.push(words);
            }
        }
    }
}
