//! One Redis or Valkey server.

use std::time::Duration;

use redis::{Client, Connection, RedisResult, Value};

use super::binary::Kind;
use super::ports::Port;
use super::process::{Folder, Process, START};
use super::stats::{CommandStats, Monitor};
use super::tls::Certificates;
use super::wait::until;

/// How long an administrative command may take before the test is wrong.
const ANSWER: Duration = Duration::from_secs(20);

/// A server on loopback with a port and a folder of its own; killed when it is dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    port: Port,
    tls: Option<(Port, Certificates)>,
    password: Option<String>,
    is_sentinel: bool,
}

/// Valkey 9 instead of Redis 7.
#[derive(Debug)]
pub enum ValkeyServer {}

impl ValkeyServer {
    /// Starts one without options.
    #[must_use]
    pub fn start() -> RedisServer {
        Self::builder().start()
    }

    /// Starts one with options.
    pub fn builder() -> RedisServerBuilder {
        RedisServerBuilder { kind: Kind::Valkey, ..RedisServer::builder() }
    }
}

/// What a server is started with.
#[derive(Clone, Debug)]
#[must_use = "nothing starts before `start`"]
pub struct RedisServerBuilder {
    kind: Kind,
    options: Vec<(String, String)>,
    password: Option<String>,
    port: Option<u16>,
    with_tls: bool,
    sentinel_config: Option<String>,
}

impl RedisServerBuilder {
    /// Which program.
    pub const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Any line of the server's configuration.
    pub fn option(mut self, name: &str, value: &str) -> Self {
        self.options.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The default user's password.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self.option("requirepass", password).option("masterauth", password)
    }

    /// This port instead of a free one.
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// What is written survives a restart.
    pub fn append_only(self) -> Self {
        self.option("appendonly", "yes").option("appendfsync", "always")
    }

    /// Evicts any key, the one least recently used first, beyond so much memory (`"20mb"`).
    pub fn max_memory(self, memory: &str) -> Self {
        self.option("maxmemory", memory).option("maxmemory-policy", "allkeys-lru")
    }

    /// Also listens with TLS, on another port.
    pub const fn tls(mut self) -> Self {
        self.with_tls = true;
        self
    }

    /// As a Sentinel that begins with this configuration.
    pub(super) fn sentinel(mut self, config: String) -> Self {
        self.sentinel_config = Some(config);
        self
    }

    /// Starts the server and waits until it answers.
    ///
    /// # Panics
    ///
    /// If the program is missing, ends by itself, or does not answer.
    #[must_use]
    pub fn start(self) -> RedisServer {
        let program = self.kind.program();
        let folder = Folder::new();
        let port = self.port.map_or_else(Port::take, Port::take_number);
        let tls = self.with_tls.then(|| (Port::take(), Certificates::in_folder(folder.path())));
        let arguments = match &self.sentinel_config {
            None => self.arguments(&port, tls.as_ref()),
            Some(config) => {
                let file = folder.path().join("sentinel.conf");
                let text = format!("port {}\nbind 127.0.0.1\nlogfile log\n{config}", port.number());
                std::fs::write(&file, text).expect("the folder can be written");
                vec![file.display().to_string(), "--sentinel".to_owned()]
            }
        };
        let mut server = RedisServer {
            process: Process::new(folder, program, arguments),
            port,
            tls,
            password: self.password,
            is_sentinel: self.sentinel_config.is_some(),
        };
        server.restart();
        server
    }

    fn arguments(&self, port: &Port, tls: Option<&(Port, Certificates)>) -> Vec<String> {
        let port = port.number().to_string();
        let mut lines: Vec<(&str, String)> = [
            ("port", port.as_str()),
            ("bind", "127.0.0.1"),
            ("daemonize", "no"),
            ("logfile", "log"),
            ("save", ""),
            ("stop-writes-on-bgsave-error", "no"),
            ("enable-debug-command", "local"),
            ("repl-diskless-sync-delay", "0"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .to_vec();
        if let Some((port, files)) = tls {
            lines.push(("tls-port", port.number().to_string()));
            lines.push(("tls-cert-file", files.certificate.display().to_string()));
            lines.push(("tls-key-file", files.key.display().to_string()));
            lines.push(("tls-ca-cert-file", files.authority.display().to_string()));
            lines.push(("tls-auth-clients", "no".to_owned()));
        }
        let given = self.options.iter().map(|(name, value)| (name.as_str(), value.clone()));
        lines
            .into_iter()
            .chain(given)
            .flat_map(|(name, value)| [format!("--{name}"), value])
            .collect()
    }
}

impl RedisServer {
    /// Starts one without options: nothing is kept on disk, and there is no password.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Starts one with options.
    pub const fn builder() -> RedisServerBuilder {
        RedisServerBuilder {
            kind: Kind::Redis,
            options: Vec::new(),
            password: None,
            port: None,
            with_tls: false,
            sentinel_config: None,
        }
    }

    /// Its port, which stays its own while it is down.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// `redis://127.0.0.1:port/`, with the password where there is one.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}{}/", self.user_part(), self.address())
    }

    /// `rediss://localhost:port/`.
    ///
    /// # Panics
    ///
    /// If it was started without TLS.
    #[must_use]
    pub fn tls_url(&self) -> String {
        let (port, _) = self.tls.as_ref().expect("started with `tls()`");
        format!("rediss://{}localhost:{}/", self.user_part(), port.number())
    }

    /// The authority that signed its certificate, as PEM.
    ///
    /// # Panics
    ///
    /// If it was started without TLS.
    #[must_use]
    pub fn roots_pem(&self) -> &str {
        &self.tls.as_ref().expect("started with `tls()`").1.authority_pem
    }

    /// What stands before the host in a URL: nothing, or `:password@`.
    pub(crate) fn user_part(&self) -> String {
        self.password.as_ref().map_or_else(String::new, |password| format!(":{password}@"))
    }

    /// The folder with its log and data.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        self.process.folder()
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port and folder, having killed it if it runs, and waits until
    /// it answers and has read its data.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub fn restart(&mut self) {
        self.process.kill();
        let url = self.url();
        self.process.start(|process| {
            // Only our own process counts: another may have been quicker to take the port.
            let info = query(&url, &["INFO", "server"]).map(|value| text(&value));
            info.is_ok_and(|info| info.lines().any(|line| line == format!("process_id:{process}")))
        });
        if !self.is_sentinel {
            until(START, "the end of loading", || self.info("persistence", "loading") == "0");
        }
    }

    /// Lets it stand still (`SIGSTOP`): its connections stay open and nothing answers.
    pub fn stop(&self) {
        self.process.stop();
    }

    /// Lets it go on (`SIGCONT`).
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Whether it was started and not killed.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.process.is_running()
    }

    /// Sends one command over a connection of its own, which does not go through any proxy.
    ///
    /// # Panics
    ///
    /// If the server does not answer, or with an error.
    pub fn command(&self, words: &[&str]) -> Value {
        self.try_command(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// The same where the error matters.
    ///
    /// # Errors
    ///
    /// What the server or the connection says.
    pub fn try_command(&self, words: &[&str]) -> RedisResult<Value> {
        query(&self.url(), words)
    }

    /// The answer as text; lists as lines.
    pub fn text(&self, words: &[&str]) -> String {
        text(&self.command(words))
    }

    /// The answer as a number.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn number(&self, words: &[&str]) -> i64 {
        let answer = self.text(words);
        answer.parse().unwrap_or_else(|_| panic!("{words:?} is no number: {answer}"))
    }

    /// One field of `INFO section`; empty where there is none.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn info(&self, section: &str, field: &str) -> String {
        self.try_info(section, field).unwrap_or_else(|error| panic!("INFO {section}: {error}"))
    }

    /// The same of a server that may end connections at any time.
    ///
    /// # Errors
    ///
    /// What the server or the connection says.
    pub fn try_info(&self, section: &str, field: &str) -> RedisResult<String> {
        let info = text(&self.try_command(&["INFO", section])?);
        let found = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(found.unwrap_or_default().to_owned())
    }

    /// A connection for many commands, or for a pipeline.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn connect(&self) -> Connection {
        connect(&self.url()).unwrap_or_else(|error| panic!("{}: {error}", self.address()))
    }

    /// How often each command ran since the server started. A script counts as itself and as all
    /// that it calls.
    pub fn command_stats(&self) -> CommandStats {
        CommandStats::parse(&self.text(&["INFO", "commandstats"]))
    }

    /// Begins to listen to all commands as they come (`MONITOR`).
    pub fn monitor(&self) -> Monitor {
        Monitor::start(self)
    }
}

fn connect(url: &str) -> RedisResult<Connection> {
    let connection = Client::open(url)?.get_connection_with_timeout(ANSWER)?;
    connection.set_read_timeout(Some(ANSWER))?;
    connection.set_write_timeout(Some(ANSWER))?;
    Ok(connection)
}

fn query(url: &str, words: &[&str]) -> RedisResult<Value> {
    redis::cmd(words[0]).arg(&words[1..]).query(&mut connect(url)?)
}

/// The answer of the server at this address as text; lists as lines.
///
/// # Panics
///
/// If it does not answer, or with an error.
pub(crate) fn text_of(url: &str, words: &[&str]) -> String {
    text(&query(url, words).unwrap_or_else(|error| panic!("{words:?}: {error}")))
}

/// A reply as people read it.
fn text(value: &Value) -> String {
    match value {
        Value::Nil => String::new(),
        Value::Int(number) => number.to_string(),
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Okay => "OK".to_owned(),
        Value::VerbatimString { text, .. } => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join("\n"),
        other => format!("{other:?}"),
    }
}
