//! Who answers: the life of a server and its role, read from `INFO`.

use std::borrow::Cow;

use ::redis::Value;
use xxhash_rust::xxh3::Xxh3;

use super::batch::RedisBatch;
use super::reply;
use super::wire::Wire;
use crate::provider::Incarnation;
use crate::provider::commands::Batch;
use crate::{Error, ErrorKind, Result};

/// One life of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// [`Incarnation::UNKNOWN`] where `INFO` is not allowed.
    pub(super) incarnation: Incarnation,
    /// Whether it copies another server.
    pub(super) is_replica: bool,
}

impl Identity {
    /// Asks a server.
    ///
    /// # Errors
    ///
    /// [`Unavailable`](ErrorKind::Unavailable) if it does not serve yet, or does not know us.
    pub(super) async fn ask(wire: &Wire) -> Result<Self> {
        let mut batch = RedisBatch::default();
        // A server that loads its data answers `INFO`, but no `PING`. The sections are asked for one
        // by one, since servers before 7.0 take one at a time.
        batch.command("PING");
        batch.command("INFO").arg(b"server");
        batch.command("INFO").arg(b"replication");
        let values = wire.send(&batch).await.map_err(nothing_happened)?;
        let mut info = String::new();
        for (index, value) in values.into_iter().enumerate() {
            match value {
                Value::ServerError(error) if error.code() == "NOPERM" => {}
                Value::ServerError(error) => {
                    let words = reply::words(&error);
                    return Err(unavailable(wire, &words, words.starts_with("NOAUTH")));
                }
                value if index > 0 => {
                    info.push_str(&text(&value).unwrap_or_default());
                    info.push('\n');
                }
                _ => {}
            }
        }
        Ok(Self::parse(&info))
    }

    fn parse(info: &str) -> Self {
        let incarnation = match (field(info, "run_id"), field(info, "master_replid")) {
            (Some(run), Some(replication)) => {
                let mut hash = Xxh3::new();
                hash.update(run.as_bytes());
                hash.update(b" ");
                hash.update(replication.as_bytes());
                // Zero stands for a life that is not known.
                Incarnation::new(hash.digest().max(1))
            }
            _ => Incarnation::UNKNOWN,
        };
        Self { incarnation, is_replica: field(info, "role") == Some("slave") }
    }
}

/// The role of a server and its history, which changes with its role: what can be asked often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it copies another server.
    pub(super) is_replica: bool,
    /// `None` where `INFO` is not allowed.
    history: Option<String>,
}

impl Standing {
    /// The question.
    pub(super) fn ask(batch: &mut RedisBatch) {
        batch.command("INFO").arg(b"replication");
    }

    /// The answer; `None` if the server did not say.
    pub(super) fn of(answer: &Value) -> Option<Self> {
        match answer {
            Value::ServerError(error) if error.code() == "NOPERM" => Some(Self::parse("")),
            answer => Some(Self::parse(&text(answer)?)),
        }
    }

    fn parse(info: &str) -> Self {
        let history = field(info, "master_replid").map(str::to_owned);
        Self { is_replica: field(info, "role") == Some("slave"), history }
    }
}

/// The value of a line `name:value`.
fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// The text of an answer to `INFO`, which RESP3 marks as plain text.
fn text(answer: &Value) -> Option<Cow<'_, str>> {
    match answer {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes)),
        Value::VerbatimString { text, .. } => Some(Cow::Borrowed(text)),
        _ => None,
    }
}

/// What fails while a connection is opened was no step of anybody's.
fn nothing_happened(error: Error) -> Error {
    Error::new(ErrorKind::Unavailable, "redis", "the connection was closed while it was opened")
        .with_source(error)
}

fn unavailable(wire: &Wire, words: &str, asks_for_password: bool) -> Error {
    let hint = if asks_for_password {
        "; put the password into the URL of Redis (`REDIS_URL`)"
    } else {
        ""
    };
    let message = format!("{} does not serve: {words}{hint}", wire.address());
    Error::new(ErrorKind::Unavailable, "redis", message)
}

#[cfg(test)]
mod tests {
    use super::{Identity, Standing};
    use crate::provider::Incarnation;
    use ::redis::{Value, VerbatimFormat};

    #[test]
    fn a_life_is_a_process_and_its_history() {
        let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:aa\r\n\n# Replication\r\nrole:master\r\nmaster_replid:bb\r\nmaster_replid2:00\r\n";
        let life = Identity::parse(info);
        assert!(!life.is_replica);
        assert_ne!(life.incarnation, Incarnation::UNKNOWN);
        assert_eq!(Identity::parse(info), life);
        for other in
            [info.replace("run_id:aa", "run_id:ab"), info.replace("replid:bb", "replid:bc")]
        {
            assert_ne!(Identity::parse(&other).incarnation, life.incarnation);
        }
        assert!(Identity::parse(&info.replace("role:master", "role:slave")).is_replica);
    }

    #[test]
    fn a_standing_is_read_from_either_protocol() {
        let text = "# Replication\r\nrole:slave\r\nmaster_replid:bb\r\n".to_owned();
        let plain = Standing::of(&Value::BulkString(text.clone().into_bytes())).unwrap();
        assert!(plain.is_replica);
        assert_eq!(plain.history.as_deref(), Some("bb"));
        let marked = Value::VerbatimString { format: VerbatimFormat::Text, text };
        assert_eq!(Standing::of(&marked), Some(plain));
        assert_eq!(Standing::of(&Value::Nil), None);
    }

    #[test]
    fn without_info_no_life_is_known() {
        assert_eq!(Identity::parse("").incarnation, Incarnation::UNKNOWN);
        assert_eq!(Identity::parse("run_id:aa\r\n").incarnation, Incarnation::UNKNOWN);
    }
}
