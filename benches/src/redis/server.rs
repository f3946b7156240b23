//! The server that the figures are of.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo};

/// How long the server may take until it answers.
const START: Duration = Duration::from_secs(20);

/// No command of a benchmark takes longer; the default of 500 ms is short on a loaded machine.
const RESPONSE: Duration = Duration::from_secs(20);

/// As many commands wait for the socket's task as in our own link.
const QUEUE: usize = 2_048;

/// A `redis-server` of this process, without persistence; killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts it on a free port.
    ///
    /// # Errors
    ///
    /// Where `redis-server` is missing, or does not answer in time.
    pub async fn start() -> Result<Self, String> {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let folder = std::env::temp_dir().join(format!("cache-benches-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("`redis-server` cannot be started: {error}"))?;
        let server = Self { child, folder, port };
        let began = Instant::now();
        loop {
            match server.connect(Settings::Ours).await {
                Ok(_) => return Ok(server),
                Err(error) if began.elapsed() > START => return Err(error),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// A connection of the bare client.
    ///
    /// # Errors
    ///
    /// Where the server does not take it.
    pub async fn connect(&self, settings: Settings) -> Result<MultiplexedConnection, String> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE));
        let config = match settings {
            Settings::Ours => config.set_pipeline_buffer_size(QUEUE),
            Settings::Defaults => config,
        };
        let told = self.url().into_connection_info().map_err(|error| error.to_string())?;
        let told = match settings {
            Settings::Ours => told.set_tcp_settings(TcpSettings::default().set_nodelay(true)),
            Settings::Defaults => told,
        };
        let client = Client::open(told).map_err(|error| error.to_string())?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await;
        connection.map_err(|error| format!("{}: {error}", self.url()))
    }

    /// Ends it at once, as a crash does.
    ///
    /// # Errors
    ///
    /// Where the process cannot be killed.
    pub fn kill(&mut self) -> Result<(), String> {
        // As long as it is not waited for, its number belongs to it.
        self.child.kill().and_then(|()| self.child.wait()).map_err(|error| error.to_string())?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing it twice, and a folder that stays behind, are no reason to fail.
        let _ = self.kill();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// How a connection of the bare client is set up, apart from the time that it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settings {
    /// With the queue and the socket option (`TCP_NODELAY`) of our own link.
    Ours,
    /// As it comes: a queue of 50, and Nagle's algorithm, which sends less often and later.
    Defaults,
}

fn free_port() -> std::io::Result<u16> {
    // Nobody else gets it in the moment until the server binds it: ports are given out in turn.
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// What a server has done since it was started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    /// Commands on keys that it ran, with those that scripts run.
    pub commands: u64,
    /// Scripts that it ran.
    pub scripts: u64,
    /// Processor time of its main thread and others.
    pub processor: Duration,
}

impl Work {
    /// As the server tells it.
    ///
    /// # Errors
    ///
    /// Where it does not answer.
    pub async fn of(connection: &mut MultiplexedConnection) -> Result<Self, String> {
        let text: Result<String, _> =
            redis::cmd("INFO").arg("everything").query_async(connection).await;
        let text = text.map_err(|error| format!("INFO: {error}"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or_default()
        };
        let processor = field("used_cpu_sys") + field("used_cpu_user");
        Ok(Self {
            commands: text.lines().filter_map(calls).map(|(_, calls)| calls).sum(),
            scripts: text
                .lines()
                .filter_map(calls)
                .filter(|(name, _)| name.starts_with("eval"))
                .map(|(_, calls)| calls)
                .sum(),
            processor: Duration::from_secs_f64(processor),
        })
    }

    /// What was done since an earlier look.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            commands: self.commands - earlier.commands,
            scripts: self.scripts - earlier.scripts,
            processor: self.processor.saturating_sub(earlier.processor),
        }
    }
}

/// A command's name and how often it was run, from its line in the statistics; none for commands by
/// which a client only asks whom it is talking to.
fn calls(line: &str) -> Option<(&str, u64)> {
    let (name, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    let is_about_keys = !ABOUT_THE_SERVER.contains(&name.split('|').next()?);
    let calls = figures.split(',').next()?.parse().ok()?;
    is_about_keys.then_some((name, calls))
}

const ABOUT_THE_SERVER: [&str; 9] =
    ["info", "ping", "role", "hello", "auth", "select", "client", "config", "slowlog"];

/// The words of the command that the server ran last for somebody else, oldest word first.
///
/// # Errors
///
/// Where it ran none that `wanted` names.
pub async fn last_command(
    connection: &mut MultiplexedConnection,
    wanted: &str,
) -> Result<Vec<String>, String> {
    type Entry = (u64, u64, u64, Vec<Vec<u8>>, String, String);
    let log: Result<Vec<Entry>, _> =
        redis::cmd("SLOWLOG").arg("GET").arg(32).query_async(connection).await;
    let log = log.map_err(|error| format!("SLOWLOG: {error}"))?;
    let found = log.into_iter().map(|entry| entry.3).find(|words| words[0] == wanted.as_bytes());
    let found = found.ok_or_else(|| format!("the server ran no {wanted}"))?;
    Ok(found.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect())
}

/// Lets the server note every command, or none.
///
/// # Errors
///
/// Where it refuses.
pub async fn note_commands(
    connection: &mut MultiplexedConnection,
    all: bool,
) -> Result<(), String> {
    let least = if all { "0" } else { "-1" };
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg("slowlog-log-slower-than").arg(least);
    command.query_async::<()>(connection).await.map_err(|error| format!("CONFIG: {error}"))
}
