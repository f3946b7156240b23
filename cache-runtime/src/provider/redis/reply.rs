//! What a server's answers mean: replies to pass on, or a reason why the whole batch failed.

use ::redis::{ServerError, Value};

use crate::provider::commands::Reply;
use crate::{Error, ErrorKind, Result};

/// Why a server did not serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// It cannot now: it loads, has no memory, runs a long script.
    Busy,
    /// It is not the primary any more, or does not know us any more: connect anew.
    Other,
    /// The cluster has no server for the slot, or does not agree about it.
    Cluster,
    /// Keys of one command lie on both sides of a slot that moves.
    TryAgain,
    /// Another server has the slot.
    Moved,
    /// Another server has this key, this once.
    Ask,
}

/// A refusal of the batch, or of some of its commands.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) cause: Cause,
    /// The server's words.
    pub(super) text: String,
    /// Whether every command was refused, so that surely nothing happened.
    pub(super) whole: bool,
}

impl Fault {
    /// The host and port that a redirection names.
    pub(super) fn address(&self) -> Option<(&str, u16)> {
        let address = self.text.split_ascii_whitespace().nth(2)?;
        let (host, port) = address.rsplit_once(':')?;
        Some((host.trim_matches(['[', ']']), port.parse().ok()?))
    }

    /// The error of the batch.
    pub(super) fn error(&self) -> Error {
        let kind = if self.whole { ErrorKind::Unavailable } else { ErrorKind::Unknown };
        let hint = match self.cause {
            _ if self.text.starts_with("NOAUTH") => {
                "; put the password into the URL of Redis (`REDIS_URL`)"
            }
            Cause::Moved | Cause::Ask => {
                "; if the server belongs to a cluster, the URL of Redis (`REDIS_URL`) begins with \
                 `redis+cluster://`"
            }
            _ => "",
        };
        Error::new(kind, "redis", format!("the server does not serve: {}{hint}", self.text))
    }
}

/// The replies, or why there are none.
///
/// # Errors
///
/// The fault in `Ok(Err(..))`; [`Unknown`](ErrorKind::Unknown) if an answer cannot be understood.
pub(super) fn replies(values: Vec<Value>) -> Result<Result<Vec<Reply>, Fault>> {
    let count = values.len();
    let mut faults = 0;
    let mut fault: Option<Fault> = None;
    let mut replies = Vec::with_capacity(count);
    for value in values {
        if let Value::ServerError(error) = &value
            && let Some(cause) = cause(error)
        {
            faults += 1;
            fault.get_or_insert_with(|| Fault { cause, text: words(error), whole: false });
            continue;
        }
        replies.push(reply(value)?);
    }
    match fault {
        None => Ok(Ok(replies)),
        Some(fault) => Ok(Err(Fault { whole: faults == count, ..fault })),
    }
}

fn reply(value: Value) -> Result<Reply> {
    Ok(match value {
        Value::Nil => Reply::Nil,
        Value::BulkString(bytes) => Reply::Bytes(bytes),
        Value::Int(number) => Reply::Integer(number),
        Value::Okay | Value::SimpleString(_) => Reply::Status,
        Value::Array(values) => {
            Reply::List(values.into_iter().map(reply).collect::<Result<Vec<_>>>()?)
        }
        Value::ServerError(error) => Reply::Refused(words(&error)),
        _ => {
            let text = "the server answered with a type that does not exist in RESP2";
            return Err(Error::new(ErrorKind::Unknown, "redis", text));
        }
    })
}

/// Why a server refused a whole batch; `None` if it refused a command alone.
pub(super) fn cause(error: &ServerError) -> Option<Cause> {
    Some(match error.code() {
        "MOVED" => Cause::Moved,
        "ASK" => Cause::Ask,
        "TRYAGAIN" => Cause::TryAgain,
        "CLUSTERDOWN" => Cause::Cluster,
        "LOADING" | "READONLY" | "MASTERDOWN" | "NOAUTH" | "WRONGPASS" => Cause::Other,
        "OOM" | "BUSY" | "MISCONF" | "NOREPLICAS" => Cause::Busy,
        // Before Redis 7 a script's error carries the code of what failed in it in its text.
        "ERR" => {
            let details = error.details().unwrap_or_default();
            if details.contains("-READONLY ") {
                Cause::Other
            } else if details.contains("-OOM ") {
                Cause::Busy
            } else {
                return None;
            }
        }
        _ => return None,
    })
}

/// The server's words as they came.
pub(super) fn words(error: &ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, replies};
    use crate::ErrorKind;
    use crate::provider::commands::Reply;
    use ::redis::{Value, parse_redis_value};

    fn parsed(text: &str) -> Value {
        parse_redis_value(text.as_bytes()).unwrap()
    }

    #[test]
    fn answers_are_passed_on() {
        let values = vec![
            parsed("$-1\r\n"),
            parsed("$2\r\n\0\u{1}\r\n"),
            parsed(":-7\r\n"),
            parsed("+OK\r\n"),
            parsed("+PONG\r\n"),
            parsed("*2\r\n*1\r\n:1\r\n$-1\r\n"),
            parsed("-NOSCRIPT No matching script. Please use EVAL.\r\n"),
            parsed("-ERR unknown command 'X'\r\n"),
        ];
        let expected = vec![
            Reply::Nil,
            Reply::Bytes(vec![0, 1]),
            Reply::Integer(-7),
            Reply::Status,
            Reply::Status,
            Reply::List(vec![Reply::List(vec![Reply::Integer(1)]), Reply::Nil]),
            Reply::Refused("NOSCRIPT No matching script. Please use EVAL.".to_owned()),
            Reply::Refused("ERR unknown command 'X'".to_owned()),
        ];
        assert_eq!(replies(values).unwrap().unwrap(), expected);
    }

    #[test]
    fn a_server_that_does_not_serve_fails_the_batch() {
        let cases = [
            ("-LOADING Redis is loading the dataset in memory", Cause::Other),
            ("-READONLY You can't write against a read only replica.", Cause::Other),
            ("-MASTERDOWN Link with MASTER is down", Cause::Other),
            ("-NOAUTH Authentication required.", Cause::Other),
            ("-OOM command not allowed when used memory > 'maxmemory'.", Cause::Busy),
            ("-ERR Error running script: @user_script: 2: -OOM command not allowed", Cause::Busy),
            ("-ERR Error running script: @user_script: 2: -READONLY no", Cause::Other),
            ("-BUSY Redis is busy running a script.", Cause::Busy),
            ("-CLUSTERDOWN Hash slot not served", Cause::Cluster),
            ("-TRYAGAIN Multiple keys request during rehashing of slot", Cause::TryAgain),
            ("-MOVED 3999 127.0.0.1:6381", Cause::Moved),
            ("-ASK 3999 127.0.0.1:6381", Cause::Ask),
        ];
        for (text, cause) in cases {
            let refused = format!("{text}\r\n");
            let fault = replies(vec![parsed(&refused)]).unwrap().unwrap_err();
            assert_eq!(fault.cause, cause, "{text}");
            assert_eq!(fault.error().kind(), ErrorKind::Unavailable, "{text}");
            let some = replies(vec![parsed("+OK\r\n"), parsed(&refused)]).unwrap().unwrap_err();
            assert_eq!(some.error().kind(), ErrorKind::Unknown, "something may have happened");
        }
    }

    #[test]
    fn a_redirection_names_an_address() {
        for (text, address) in [
            ("-MOVED 3999 10.0.0.1:6381", Some(("10.0.0.1", 6_381))),
            ("-ASK 3999 [::1]:6381", Some(("::1", 6_381))),
            ("-MOVED 3999 ::1:6381", Some(("::1", 6_381))),
            ("-MOVED 3999 :6381", Some(("", 6_381))),
            ("-MOVED 3999", None),
            ("-MOVED 3999 host:port", None),
        ] {
            let fault = replies(vec![parsed(&format!("{text}\r\n"))]).unwrap().unwrap_err();
            assert_eq!(fault.address(), address, "{text}");
        }
    }
}
