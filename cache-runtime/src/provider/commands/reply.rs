//! What answers mean, and refusals as errors.

use super::form::{Form, is_held};
use super::link::Reply;
use crate::entry::{Incarnation, Stamp};
use crate::provider::MarkState;
use crate::{Error, ErrorKind, Result};

/// How much of a server's text an error repeats: enough for the reason, too little for a value.
const LONGEST_REASON: usize = 200;

/// The state of a mark that holds this.
pub(super) fn mark_state(
    step: &'static str,
    form: Form,
    reply: Reply,
    incarnation: Incarnation,
) -> Result<MarkState> {
    match reply {
        Reply::Nil => Ok(MarkState::Absent),
        Reply::Bytes(stored) => Ok(string_mark(form, Some(&stored), incarnation)),
        other => Err(unexpected(step, other)),
    }
}

/// The state of a mark that holds this string, or none.
pub(crate) fn string_mark(
    form: Form,
    stored: Option<&[u8]>,
    incarnation: Incarnation,
) -> MarkState {
    match stored {
        Some(stored) if is_held(stored) => MarkState::Held,
        // Whatever else lies there was not made by a load, so it makes no entry valid.
        stored => stored
            .and_then(|stored| form.decode_nonce(stored))
            .map_or(MarkState::Absent, |nonce| MarkState::Live(Stamp::new(nonce, incarnation))),
    }
}

/// A whole number that is not negative.
pub(super) fn count(step: &'static str, reply: Reply) -> Result<u64> {
    match reply {
        Reply::Integer(number) => {
            u64::try_from(number).map_err(|_| unexpected(step, Reply::Integer(number)))
        }
        other => Err(unexpected(step, other)),
    }
}

/// Several replies.
pub(super) fn list(step: &'static str, reply: Reply) -> Result<Vec<Reply>> {
    match reply {
        Reply::List(replies) => Ok(replies),
        other => Err(unexpected(step, other)),
    }
}

/// The only reply of an answer.
pub(super) fn single(step: &'static str, mut replies: Vec<Reply>) -> Result<Reply> {
    match (replies.pop(), replies.is_empty()) {
        (Some(reply), true) => Ok(reply),
        _ => Err(miscounted(step)),
    }
}

/// The error for more or fewer replies than were asked for.
pub(super) fn miscounted(step: &'static str) -> Error {
    Error::new(ErrorKind::Unknown, step, "the server gave another number of replies than asked for")
}

/// The error for a reply that the command cannot have: a refusal, or something of another sort.
pub(super) fn unexpected(step: &'static str, reply: Reply) -> Error {
    let sort = match reply {
        Reply::Refused(reason) => return refused(step, &reason),
        Reply::Nil => "nothing",
        Reply::Status => "a status",
        Reply::Integer(_) => "a number",
        Reply::Bytes(_) => "bytes",
        Reply::List(_) => "a list",
    };
    let message = format!("the server answered with {sort}, which the command never does");
    Error::new(ErrorKind::Unknown, step, message)
}

/// The error for a refusal.
pub(super) fn refused(step: &'static str, reason: &str) -> Error {
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    let (kind, message) = match kind_of(&reason) {
        (kind, None) => (kind, format!("the server refused: {reason}")),
        (kind, Some(advice)) => (kind, format!("{advice}; the server refused: {reason}")),
    };
    Error::new(kind, step, message)
}

fn kind_of(reason: &str) -> (ErrorKind, Option<&'static str>) {
    let begins = |codes: &[&str]| codes.iter().any(|code| reason.starts_with(code));
    let holds = |parts: &[&str]| parts.iter().any(|part| reason.contains(part));
    if begins(&["OOM "]) {
        let advice = "the server is out of memory; raise its `maxmemory`, or let it evict \
                      (`maxmemory-policy`)";
        (ErrorKind::Unavailable, Some(advice))
    } else if begins(&["NOPERM"]) || holds(&["can't run this command", "No permissions"]) {
        (ErrorKind::Config, Some("the server's user lacks a permission that the cache needs"))
    } else if holds(&["max key size exceeded"]) {
        (ErrorKind::InvalidKey, None)
    } else if holds(&[
        "max single record size exceeded",
        "max request size exceeded",
        "string exceeds maximum allowed size",
    ]) {
        (ErrorKind::TooLarge, None)
    } else if begins(&["MISCONF", "NOREPLICAS", "BUSY ", "LOADING", "READONLY", "MASTERDOWN"])
        || begins(&["CLUSTERDOWN", "TRYAGAIN"])
        || holds(&["max daily request limit", "max requests limit", "capacity quota exceeded"])
    {
        (ErrorKind::Unavailable, None)
    } else if holds(&["unknown command"]) {
        (ErrorKind::Unsupported, None)
    } else {
        (ErrorKind::Unknown, None)
    }
}

/// The error of a step of which a part was done: that nothing happened is no longer sure.
pub(super) fn half_done(step: &'static str, error: Error) -> Error {
    if error.kind() != ErrorKind::Unavailable {
        return error;
    }
    let message = "a part was done before the store could no longer be reached";
    Error::new(ErrorKind::Unknown, step, message).with_source(error)
}

/// The results of all parts of a step that changes something, or the error of the first that failed.
pub(super) fn all_done<T>(step: &'static str, results: Vec<Result<T>>) -> Result<Vec<T>> {
    let is_partly_done = results.iter().any(Result::is_ok);
    let done: Result<Vec<T>> = results.into_iter().collect();
    done.map_err(|error| if is_partly_done { half_done(step, error) } else { error })
}

#[cfg(test)]
mod tests {
    use super::{all_done, refused, unexpected};
    use crate::provider::commands::Reply;
    use crate::{Error, ErrorKind};

    #[test]
    fn refusals_become_errors_that_a_program_can_act_on() {
        for (reason, kind) in [
            ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::Unavailable),
            ("NOPERM User app has no permissions to run the 'mget' command", ErrorKind::Config),
            ("ERR max key size exceeded. Limit: 32768 bytes", ErrorKind::InvalidKey),
            ("ERR max single record size exceeded", ErrorKind::TooLarge),
            ("ERR max request size exceeded", ErrorKind::TooLarge),
            ("ERR max daily request limit exceeded", ErrorKind::Unavailable),
            ("ERR DB capacity quota exceeded", ErrorKind::Unavailable),
            ("MISCONF Redis is configured to save RDB snapshots", ErrorKind::Unavailable),
            ("ERR unknown command 'GETRANGE'", ErrorKind::Unsupported),
            ("ERR something new", ErrorKind::Unknown),
        ] {
            let error = refused("fill", reason);
            assert_eq!(error.kind(), kind, "{reason}");
            assert!(error.to_string().contains(reason));
        }
        assert!(refused("fill", &"x".repeat(10_000)).to_string().len() < 300);
    }

    #[test]
    fn an_unexpected_reply_does_not_show_its_bytes() {
        let error = unexpected("read", Reply::Bytes(b"secret".to_vec()));
        assert_eq!(error.kind(), ErrorKind::Unknown);
        assert!(!format!("{error:?}").contains("secret"));
    }

    #[test]
    fn a_step_that_is_half_done_is_in_doubt() {
        let failed = || Err(Error::new(ErrorKind::Unavailable, "remove", "connection refused"));
        let kind =
            |results: Vec<Result<u8, Error>>| all_done("remove", results).err().map(|e| e.kind());
        assert_eq!(kind(vec![failed(), failed()]), Some(ErrorKind::Unavailable));
        assert_eq!(kind(vec![Ok(1), failed()]), Some(ErrorKind::Unknown));
        assert_eq!(kind(vec![Ok(1), Ok(2)]), None);
    }
}
