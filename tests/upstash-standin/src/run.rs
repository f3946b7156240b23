//! Runs a request's commands and writes down what came of them.

use axum::http::StatusCode;
use redis::Value;
use serde_json::{Value as Json, json};

use crate::backend::Shared;
use crate::command::{Command, Request, name};
use crate::http::{Format, Refused};
use crate::replica::Lag;
use crate::reply::{Encoding, Outcome, object, resp2};
use crate::state::State;

/// The answer, and up to where it has seen the writes.
pub(crate) struct Ran {
    pub(crate) response: (StatusCode, &'static str, Vec<u8>),
    pub(crate) sync_token: u64,
}

pub(crate) async fn run(
    state: &State,
    request: &Request,
    reads_only: bool,
    format: Format,
    asked: Option<u64>,
) -> Result<Ran, Refused> {
    let unavailable = |message| Refused::new(StatusCode::BAD_GATEWAY, message);
    let (mut connection, seen) = source(state, reads_only, asked).await.map_err(unavailable)?;
    let response = match request {
        Request::Single(command) => single(state, &mut connection, command, format).await,
        Request::Pipeline(commands) => pipeline(state, &mut connection, commands, format).await,
        Request::Transaction(commands) => {
            transaction(state, &mut connection, commands, format).await
        }
        Request::Subscribe { .. } => Err("ERR a subscription is no command".to_owned()),
    };
    let response = response.map_err(unavailable)?;
    if !reads_only {
        state.wrote();
    }
    let sync_token = match seen {
        Some(seen) => seen,
        None => state.sync_token().await.map_err(unavailable)?,
    };
    Ok(Ran { response, sync_token })
}

/// Who answers: the primary, or the replica if reads may lag and the client has seen nothing newer.
async fn source(
    state: &State,
    reads_only: bool,
    asked: Option<u64>,
) -> Result<(Shared, Option<u64>), String> {
    let lagging = state.replica.as_ref().filter(|_| reads_only && state.lag() != Lag::None);
    if let Some(replica) = lagging {
        let applied = replica.applied().await?;
        if asked.is_none_or(|asked| asked <= applied) {
            return Ok((replica.connection(), Some(applied)));
        }
    }
    Ok((state.backend.connection(), None))
}

async fn single(
    state: &State,
    connection: &mut Shared,
    command: &Command,
    format: Format,
) -> Result<(StatusCode, &'static str, Vec<u8>), String> {
    let outcome = each(state, connection, std::slice::from_ref(command)).await?.pop();
    let outcome = outcome.unwrap_or_else(|| Err("ERR no answer".to_owned()));
    let status = if outcome.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Ok(match format {
        Format::Json(encoding) => json_body(status, &object(&outcome, encoding)),
        Format::Resp2 => resp2_body(status, &[outcome]),
    })
}

async fn pipeline(
    state: &State,
    connection: &mut Shared,
    commands: &[Command],
    format: Format,
) -> Result<(StatusCode, &'static str, Vec<u8>), String> {
    let outcomes = each(state, connection, commands).await?;
    Ok(match format {
        Format::Json(encoding) => json_body(StatusCode::OK, &list(&outcomes, encoding)),
        Format::Resp2 => resp2_body(StatusCode::OK, &outcomes),
    })
}

async fn transaction(
    state: &State,
    connection: &mut Shared,
    commands: &[Command],
    format: Format,
) -> Result<(StatusCode, &'static str, Vec<u8>), String> {
    // Transactions are answered in JSON, whatever the client prefers.
    let encoding = match format {
        Format::Json(encoding) => encoding,
        Format::Resp2 => Encoding::Text,
    };
    let outcomes = if commands.iter().any(|command| refusal(state, command).is_some()) {
        Err("EXECABORT Transaction discarded because of previous errors.".to_owned())
    } else {
        let commands: Vec<Command> =
            commands.iter().map(|command| translated(state, command)).collect();
        connection.transaction(&commands).await?
    };
    Ok(match outcomes {
        Ok(outcomes) => json_body(StatusCode::OK, &list(&outcomes, encoding)),
        Err(message) => json_body(StatusCode::BAD_REQUEST, &json!({ "error": message })),
    })
}

/// Runs commands, each on its own: those that are refused here never reach Redis.
async fn each(
    state: &State,
    connection: &mut Shared,
    commands: &[Command],
) -> Result<Vec<Outcome>, String> {
    let refusals: Vec<Option<String>> =
        commands.iter().map(|command| refusal(state, command)).collect();
    let admitted = commands.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none());
    let admitted: Vec<Command> = admitted.map(|(command, _)| translated(state, command)).collect();
    let outcomes = connection.run(&admitted).await?;
    let mut outcomes = admitted.iter().zip(outcomes).map(|(command, outcome)| {
        if name(command) == "SCRIPT" { digests_back(state, outcome) } else { outcome }
    });
    let mut missing = || outcomes.next().unwrap_or_else(|| Err("ERR no answer".to_owned()));
    Ok(refusals.into_iter().map(|refusal| refusal.map_or_else(&mut missing, Err)).collect())
}

fn translated(state: &State, command: &Command) -> Command {
    let mut command = command.clone();
    state.scripts.translate(&mut command);
    command
}

/// `SCRIPT LOAD` answers with the digest of the script as the client knows it.
fn digests_back(state: &State, outcome: Outcome) -> Outcome {
    match outcome {
        Ok(Value::BulkString(digest)) => match state.scripts.original(&digest) {
            Some(original) => Ok(Value::BulkString(original.into_bytes())),
            None => Ok(Value::BulkString(digest)),
        },
        outcome => outcome,
    }
}

fn refusal(state: &State, command: &Command) -> Option<String> {
    let limits = state.limits;
    let sizes = |limit, actual| format!("Limit: {limit} bytes, Actual: {actual} bytes");
    let long = state.backend.keys(command).into_iter().find(|key| key.len() > limits.key);
    if let Some(key) = long {
        return Some(format!("ERR max key size exceeded. {}", sizes(limits.key, key.len())));
    }
    let record: usize = command.iter().map(Vec::len).sum();
    if record > limits.record {
        let sizes = sizes(limits.record, record);
        return Some(format!("ERR max single record size exceeded. {sizes}"));
    }
    state.backend.refusal(command)
}

fn list(outcomes: &[Outcome], encoding: Encoding) -> Json {
    outcomes.iter().map(|outcome| object(outcome, encoding)).collect()
}

fn json_body(status: StatusCode, body: &Json) -> (StatusCode, &'static str, Vec<u8>) {
    (status, "application/json", body.to_string().into_bytes())
}

fn resp2_body(status: StatusCode, outcomes: &[Outcome]) -> (StatusCode, &'static str, Vec<u8>) {
    let mut body = Vec::new();
    outcomes.iter().for_each(|outcome| resp2(outcome, &mut body));
    (status, "application/octet-stream", body)
}
