//! The Redis behind the stand-in.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Value};

use crate::command::{Command, name};
use crate::reply::{Outcome, error_text};

/// Commands that make no sense on a connection that all requests share.
const OF_A_CONNECTION: [&str; 12] = [
    "AUTH", "CLIENT", "DISCARD", "EXEC", "HELLO", "MULTI", "QUIT", "RESET", "SELECT", "UNWATCH",
    "WAIT", "WATCH",
];

/// Commands that read, although Redis does not flag them so.
const HARMLESS: [&str; 5] = ["COMMAND", "ECHO", "INFO", "PING", "TIME"];

/// Connections to one Redis, and what it says of its commands.
#[derive(Debug)]
pub(crate) struct Backend {
    client: Client,
    connection: Shared,
    table: HashMap<String, Traits>,
    refused: Mutex<HashSet<String>>,
}

/// What is known of a command.
#[derive(Clone, Copy, Debug, Default)]
struct Traits {
    reads_only: bool,
    denied: bool,
    first_key: usize,
    last_key: i64,
    step: usize,
}

impl Backend {
    pub(crate) async fn connect(url: &str) -> redis::RedisResult<Self> {
        let client = Client::open(url)?;
        let connection = Shared::connect(&client).await?;
        let table = table(connection.clone()).await?;
        Ok(Self { client, connection, table, refused: Mutex::default() })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn connection(&self) -> Shared {
        self.connection.clone()
    }

    /// Answers this command with NOPERM from now on, or no longer.
    pub(crate) fn refuse(&self, command: &str, refused: bool) {
        let mut set = self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if refused {
            set.insert(command.to_uppercase());
        } else {
            set.remove(&command.to_uppercase());
        }
    }

    pub(crate) fn reads_only(&self, command: &Command) -> bool {
        let name = name(command);
        HARMLESS.contains(&name.as_str())
            || self.table.get(&name).is_some_and(|traits| traits.reads_only)
    }

    /// The text of the refusal, if this command is not for clients.
    pub(crate) fn refusal(&self, command: &Command) -> Option<String> {
        let name = name(command);
        let refused = self.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if refused.contains(&name) {
            let name = name.to_lowercase();
            return Some(format!(
                "NOPERM this user has no permissions to run the '{name}' command"
            ));
        }
        let denied = self.table.get(&name).is_some_and(|traits| traits.denied);
        denied.then(|| format!("ERR Command is not available: '{name}'"))
    }

    /// The command's keys.
    pub(crate) fn keys<'a>(&self, command: &'a Command) -> Vec<&'a [u8]> {
        let name = name(command);
        if matches!(name.as_str(), "EVAL" | "EVALSHA" | "EVAL_RO" | "EVALSHA_RO") {
            let count =
                command.get(2).and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
            return command.iter().skip(3).take(count.unwrap_or(0)).map(Vec::as_slice).collect();
        }
        let Some(traits) = self.table.get(&name).filter(|traits| traits.first_key > 0) else {
            return Vec::new();
        };
        let length = i64::try_from(command.len()).unwrap_or(i64::MAX);
        let last = if traits.last_key < 0 { length + traits.last_key } else { traits.last_key };
        let last = usize::try_from(last).unwrap_or(0).min(command.len().saturating_sub(1));
        (traits.first_key..=last).step_by(traits.step.max(1)).map(|at| &command[at][..]).collect()
    }
}

/// One connection that all requests share; it reconnects on its own.
#[derive(Clone)]
pub(crate) struct Shared(ConnectionManager);

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

impl Shared {
    pub(crate) async fn connect(client: &Client) -> redis::RedisResult<Self> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(None)
            .set_min_delay(Duration::from_millis(20))
            .set_max_delay(Duration::from_millis(200));
        Ok(Self(ConnectionManager::new_with_config(client.clone(), config).await?))
    }

    /// Runs commands in order; the outer error says that Redis could not be asked.
    pub(crate) async fn run(&mut self, commands: &[Command]) -> Result<Vec<Outcome>, String> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::Pipeline::with_capacity(commands.len());
        pipeline.ignore_errors();
        for command in commands {
            let mut words = redis::Cmd::with_capacity(command.len(), 0);
            for word in command {
                words.arg(word.as_slice());
            }
            pipeline.add_command(words);
        }
        match self.0.req_packed_commands(&pipeline, 0, commands.len()).await {
            Ok(values) => Ok(values.into_iter().map(outcome).collect()),
            Err(error) => Err(format!("ERR internal: {error}")),
        }
    }

    /// Runs commands as one transaction; the inner error says that it was discarded.
    pub(crate) async fn transaction(
        &mut self,
        commands: &[Command],
    ) -> Result<Result<Vec<Outcome>, String>, String> {
        let mut all = vec![vec![b"MULTI".to_vec()]];
        all.extend_from_slice(commands);
        all.push(vec![b"EXEC".to_vec()]);
        let ended = self.run(&all).await?.pop();
        Ok(match ended {
            Some(Ok(Value::Array(values))) => Ok(values.into_iter().map(outcome).collect()),
            Some(Ok(other)) => Err(format!("ERR EXEC answered {other:?}")),
            Some(Err(message)) => Err(message),
            None => Err("ERR EXEC did not answer".to_owned()),
        })
    }

    /// A field of `INFO replication`.
    pub(crate) async fn replication(&mut self, field: &str) -> Result<String, String> {
        let command = vec![b"INFO".to_vec(), b"replication".to_vec()];
        let text = match self.run(&[command]).await?.pop() {
            Some(Ok(Value::BulkString(bytes))) => String::from_utf8_lossy(&bytes).into_owned(),
            other => return Err(format!("ERR INFO answered {other:?}")),
        };
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.map(|text| text.trim().to_owned()).ok_or_else(|| format!("ERR INFO has no `{field}`"))
    }

    /// A position in the stream of writes, out of `INFO replication`.
    pub(crate) async fn offset(&mut self, field: &str) -> Result<u64, String> {
        let text = self.replication(field).await?;
        text.parse().map_err(|_| format!("ERR INFO has no number in `{field}`"))
    }
}

fn outcome(value: Value) -> Outcome {
    match value {
        Value::ServerError(error) => Err(error_text(&error)),
        value => Ok(value),
    }
}

/// Asks Redis for its commands.
async fn table(mut connection: Shared) -> redis::RedisResult<HashMap<String, Traits>> {
    let commands: Vec<Vec<Value>> = redis::cmd("COMMAND").query_async(&mut connection.0).await?;
    Ok(commands.iter().filter_map(|command| row(command)).collect())
}

fn row(command: &[Value]) -> Option<(String, Traits)> {
    let [
        Value::BulkString(name),
        _,
        Value::Array(flags),
        Value::Int(first),
        Value::Int(last),
        Value::Int(step),
        ..,
    ] = command
    else {
        return None;
    };
    let name = String::from_utf8_lossy(name).to_uppercase();
    let has = |wanted: &str| {
        flags.iter().any(|flag| matches!(flag, Value::SimpleString(flag) if flag == wanted))
    };
    let messages = has("pubsub") && name != "PUBLISH" && name != "PUBSUB";
    let denied =
        has("blocking") || has("admin") || messages || OF_A_CONNECTION.contains(&name.as_str());
    let traits = Traits {
        reads_only: has("readonly"),
        denied,
        first_key: usize::try_from(*first).unwrap_or(0),
        last_key: *last,
        step: usize::try_from(*step).unwrap_or(1),
    };
    Some((name, traits))
}
