//! The program as a process of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

/// The program, started on a free port with a database of its own; killed at the end of a test.
pub(crate) struct Service {
    pub(crate) process: Child,
    pub(crate) output: BufReader<ChildStdout>,
    address: String,
    database: PathBuf,
}

/// What the statistics say of one function.
pub(crate) struct Counts {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) loads: u64,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("JSON instead of `{}`: {error}", self.body))
    }
}

impl Service {
    /// With the cache in the process, and a new database of this name.
    pub(crate) fn start(test: &str) -> Self {
        let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.db"));
        let _ = std::fs::remove_file(&database);
        Self::start_on(database, &[("CACHE_PROVIDER", "in-memory")])
    }

    /// With the cache that these variables name, and this database.
    pub(crate) fn start_on(database: PathBuf, variables: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_axum-sqlite"))
            .args(["--listen", "127.0.0.1:0", "--database"])
            .arg(&database)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service can be started");
        let mut output = BufReader::new(process.stdout.take().expect("the output is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("the first line is text");
        let address = line.trim().strip_prefix("listening on http://");
        let address =
            address.unwrap_or_else(|| panic!("an address instead of `{line}`")).to_owned();
        Self { process, output, address, database }
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// The note on a package in the list of those under this licence.
    pub(crate) fn note_in_list(&self, package: &str, licence: &str) -> Value {
        let list = self.get(&format!("/packages?licence={licence}"));
        let found = list.as_array().into_iter().flatten().find(|one| one["name"] == package);
        found.unwrap_or_else(|| panic!("`{package}` is under {licence}"))["note"].clone()
    }

    /// One request on a connection of its own.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut connection = TcpStream::connect(&self.address).expect("the service listens");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n"
        );
        write!(connection, "{head}\r\n{body}").expect("the request can be sent");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("the answer is text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer has a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.expect("an HTTP answer has a status"), body: body.to_owned() }
    }

    pub(crate) fn counts(&self, function: &str) -> Counts {
        let stats = self.get("/api/cache/stats");
        let functions = stats["functions"].as_array().expect("statistics list the functions");
        let ends_with = |name: &Value| {
            name.as_str().and_then(|name| name.rsplit("::").next()) == Some(function)
        };
        let counts = functions.iter().find(|entry| ends_with(&entry["name"]));
        let counts =
            &counts.unwrap_or_else(|| panic!("`{function}` is missing in {stats}"))["counts"];
        let misses = counts["misses"].as_object().expect("misses by reason");
        Counts {
            hits: counts["hits"].as_u64().expect("a number of hits"),
            misses: misses.values().filter_map(Value::as_u64).sum(),
            loads: counts["loads"].as_u64().expect("a number of loads"),
        }
    }

    pub(crate) fn change_database(&self, statement: &str) {
        let connection = Connection::open(&self.database).expect("the database can be opened");
        connection.execute(statement, []).expect("the statement is right");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
