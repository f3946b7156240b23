//! The service as its users meet it: the program is started, driven over HTTP and stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use rusqlite::Connection;
use serde_json::Value;

#[test]
fn a_second_read_is_a_hit() {
    let service = Service::start("a-second-read");
    let first = service.get("/packages/serde");
    assert_eq!(first["name"], "serde");
    assert_eq!(service.get("/packages/serde"), first);
    let counts = service.counts("package");
    assert_eq!((counts.hits, counts.misses, counts.loads), (1, 1, 1));
}

#[test]
fn a_read_is_served_from_the_cache_until_it_is_invalidated() {
    let service = Service::start("until-invalidated");
    assert_eq!(service.get("/packages/serde")["note"], Value::Null);
    // Nobody tells the service of this change, so that a hit can be seen from outside.
    service.change_database("UPDATE package SET note = 'changed' WHERE name = 'serde'");
    assert_eq!(service.get("/packages/serde")["note"], Value::Null);
    assert_eq!(service.send("DELETE", "/api/cache/packages/serde", "").status, 204);
    assert_eq!(service.get("/packages/serde")["note"], "changed");
}

#[test]
fn a_tag_drops_the_list_that_carries_it_and_no_other() {
    let service = Service::start("a-tag");
    let notes = |licence: &str| {
        let list = service.get(&format!("/packages?licence={licence}"));
        let list = list.as_array().expect("a list").clone();
        assert!(!list.is_empty(), "there are packages under {licence}");
        list.iter().filter(|package| package["note"] == "changed").count()
    };
    assert_eq!((notes("MIT"), notes("MIT+OR+Apache-2.0")), (0, 0));
    service.change_database("UPDATE package SET note = 'changed'");
    assert_eq!(service.send("DELETE", "/api/cache/tags/licence:MIT", "").status, 204);
    assert_ne!(notes("MIT"), 0);
    assert_eq!(notes("MIT+OR+Apache-2.0"), 0);
}

#[test]
fn a_write_is_seen_by_every_read_after_it() {
    let service = Service::start("a-write");
    let note_in_list = || {
        let list = service.get("/packages?licence=MIT");
        let tokio = list
            .as_array()
            .into_iter()
            .flatten()
            .find(|package| package["name"] == "tokio")
            .cloned();
        tokio.expect("tokio is under MIT")["note"].clone()
    };
    assert_eq!(service.get("/packages/tokio")["note"], Value::Null);
    assert_eq!(note_in_list(), Value::Null);
    let dependents = service.get("/packages/tokio/dependents");

    let written = service.send("PUT", "/packages/tokio/note", "read this first");
    assert_eq!((written.status, &written.json()["note"]), (200, &Value::from("read this first")));

    assert_eq!(service.get("/packages/tokio")["note"], "read this first");
    assert_eq!(note_in_list(), "read this first");
    assert_eq!(service.get("/packages/tokio/dependents"), dependents);
    assert_eq!(service.counts("package").loads, 2);
    assert_eq!(service.counts("packages_by_licence").loads, 2);
    assert_eq!(service.counts("dependents").loads, 1);
}

#[test]
fn an_unknown_package_is_not_found_and_remembered_as_such() {
    let service = Service::start("unknown");
    for _ in 0..2 {
        let answer = service.send("GET", "/packages/no-such-package", "");
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["error"], "no package is called `no-such-package`");
    }
    assert_eq!(service.counts("package").loads, 1);
    assert_eq!(service.send("PUT", "/packages/no-such-package/note", "lost").status, 404);
}

#[cfg(unix)]
#[test]
fn the_service_stops_when_it_is_asked_to() {
    let mut service = Service::start("stops");
    let asked = Command::new("kill").arg(service.process.id().to_string()).status();
    assert!(asked.expect("`kill` can be run").success());
    let mut rest = String::new();
    service.output.read_to_string(&mut rest).expect("the rest of the output is text");
    assert_eq!(rest, "stopped\n");
    assert!(service.process.wait().expect("the service was started").success());
}

/// The program, started on a free port with a database of its own; killed at the end of a test.
struct Service {
    process: Child,
    output: BufReader<ChildStdout>,
    address: String,
    database: PathBuf,
}

/// What the statistics say of one function.
struct Counts {
    hits: u64,
    misses: u64,
    loads: u64,
}

struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("JSON instead of `{}`: {error}", self.body))
    }
}

impl Service {
    fn start(test: &str) -> Self {
        let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}.db"));
        let _ = std::fs::remove_file(&database);
        let mut process = Command::new(env!("CARGO_BIN_EXE_axum-sqlite"))
            .args(["--listen", "127.0.0.1:0", "--database"])
            .arg(&database)
            .env("CACHE_PROVIDER", "in-memory")
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

    fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// One request on a connection of its own.
    fn send(&self, method: &str, path: &str, body: &str) -> Answer {
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

    fn counts(&self, function: &str) -> Counts {
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

    fn change_database(&self, statement: &str) {
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
