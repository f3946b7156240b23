//! Why there was no answer, and what that means for what was asked.

use std::error::Error as StdError;
use std::sync::Arc;

use reqwest::StatusCode;
use serde_json::error::Category;

use super::reply;
use crate::{Error, ErrorKind};

/// How much of a server's text an error repeats: enough for the reason, too little for a value.
const LONGEST_REASON: usize = 200;

/// What is known of a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Surely it was not carried out.
    NothingDone,
    /// Surely not, since no connection could be opened: it may be sent again, whatever it is.
    NotSent,
    /// It is larger than the server takes, and was not carried out.
    TooLarge,
    /// It may have been carried out.
    InDoubt,
    /// It was probably carried out, and the answer cannot be understood.
    Garbled,
}

/// A request without an answer.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) certainty: Certainty,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Failure {
    pub(super) fn new(certainty: Certainty, message: impl Into<String>) -> Self {
        Self { certainty, message: message.into(), source: None }
    }

    /// What went wrong on the way, without the address, which may be nobody's business.
    pub(super) fn of_transport(error: reqwest::Error) -> Self {
        let (certainty, message) = if error.is_builder() {
            (Certainty::NothingDone, "the request cannot be built")
        } else if error.is_connect() {
            (Certainty::NotSent, "the REST URL (`REDIS_REST_URL`) cannot be reached")
        } else if error.is_timeout() {
            (Certainty::InDoubt, "no answer in time")
        } else if error.is_body() || error.is_decode() {
            (Certainty::Garbled, "the answer ended before it was complete")
        } else {
            (Certainty::InDoubt, "the connection ended before the answer")
        };
        Self { certainty, message: message.to_owned(), source: Some(Arc::new(error.without_url())) }
    }

    /// A body that is no answer. What the parser says of it is left out: it cites the body, which may
    /// hold values, at full length.
    pub(super) fn of_body(error: &serde_json::Error) -> Self {
        let (what, line, column) = (error.classify(), error.line(), error.column());
        let what = match what {
            Category::Eof => "it ends early",
            Category::Syntax | Category::Io => "it is no JSON",
            Category::Data => "it is other JSON",
        };
        let message = format!(
            "the answer is not what the REST API of Upstash answers: {what} (line {line}, column \
             {column})"
        );
        Self::new(Certainty::Garbled, message)
    }

    /// A status that is neither success nor the refusal of a command.
    pub(super) fn of_status(status: StatusCode, body: &[u8]) -> Self {
        let said = reply::refusal(body).map(|text| shortened(&text));
        let said = said.map_or_else(String::new, |text| format!(": {text}"));
        let (certainty, advice) = match status.as_u16() {
            401 => (
                Certainty::NothingDone,
                "the token is not valid there; set `REDIS_REST_TOKEN` to the REST token of this \
                 database",
            ),
            403 => (
                Certainty::NothingDone,
                "the token may not do this; set `REDIS_REST_TOKEN` to the REST token that may \
                 write, not to the read-only one",
            ),
            404 => (
                Certainty::NothingDone,
                "there is no database; set `REDIS_REST_URL` to the REST URL of one",
            ),
            405 => (
                Certainty::NothingDone,
                "the address does not take commands; set `REDIS_REST_URL` to the REST URL of a \
                 database",
            ),
            413 => (Certainty::TooLarge, "the request is larger than the server takes"),
            429 => {
                (Certainty::NothingDone, "the database is asked more often than its plan allows")
            }
            300..=399 => (
                Certainty::NothingDone,
                "the address only redirects; set `REDIS_REST_URL` to the REST URL itself",
            ),
            400..=499 => (Certainty::NothingDone, "the server refused the request"),
            _ => (Certainty::InDoubt, "the server failed"),
        };
        Self::new(certainty, format!("{advice} (status {}){said}", status.as_u16()))
    }

    /// Whether another attempt may follow.
    pub(super) fn is_repeatable(&self, reads_only: bool) -> bool {
        match self.certainty {
            Certainty::NotSent => true,
            Certainty::InDoubt | Certainty::Garbled => reads_only,
            Certainty::NothingDone | Certainty::TooLarge => false,
        }
    }

    /// Whether the server, or this side, refused the request for what it was.
    pub(super) fn is_of_the_request(&self) -> bool {
        matches!(self.certainty, Certainty::NothingDone | Certainty::TooLarge)
    }

    /// The error for commands that only read, or for such as may write.
    pub(super) fn error(&self, reads_only: bool) -> Error {
        let kind = match self.certainty {
            Certainty::NothingDone | Certainty::NotSent => ErrorKind::Unavailable,
            Certainty::TooLarge => ErrorKind::TooLarge,
            Certainty::InDoubt if reads_only => ErrorKind::Unavailable,
            Certainty::InDoubt | Certainty::Garbled => ErrorKind::Unknown,
        };
        let error = Error::new(kind, "upstash", self.message.clone());
        match &self.source {
            Some(source) => error.with_source(Arc::clone(source)),
            None => error,
        }
    }
}

/// A refusal that says that the server cannot serve anybody now, or does not know us.
pub(super) fn serves_nobody(text: &str) -> bool {
    let codes = ["LOADING", "READONLY", "MASTERDOWN", "BUSY ", "NOAUTH", "WRONGPASS"];
    codes.iter().any(|code| text.starts_with(code))
}

/// The beginning of what a server said.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::{Certainty, Failure};
    use crate::ErrorKind;
    use reqwest::StatusCode;

    fn kinds(status: u16) -> (ErrorKind, ErrorKind) {
        let failure = Failure::of_status(StatusCode::from_u16(status).unwrap(), b"");
        (failure.error(true).kind(), failure.error(false).kind())
    }

    #[test]
    fn each_status_has_its_kind_for_reads_and_for_writes() {
        use ErrorKind::{TooLarge, Unavailable, Unknown};
        for status in [301, 400, 401, 403, 404, 405, 429] {
            assert_eq!(kinds(status), (Unavailable, Unavailable), "{status}");
        }
        assert_eq!(kinds(413), (TooLarge, TooLarge));
        for status in [500, 502, 503, 504, 599] {
            assert_eq!(kinds(status), (Unavailable, Unknown), "{status}");
        }
        let garbled = Failure::new(Certainty::Garbled, "x");
        assert_eq!(garbled.error(true).kind(), Unknown);
    }

    #[test]
    fn the_servers_words_and_the_fix_are_named() {
        let body = br#"{"error":"ERR max requests limit exceeded."}"#;
        let error = Failure::of_status(StatusCode::TOO_MANY_REQUESTS, body).error(true);
        assert!(error.to_string().contains("ERR max requests limit exceeded."));
        let error = Failure::of_status(StatusCode::UNAUTHORIZED, b"").error(true);
        assert!(error.to_string().contains("`REDIS_REST_TOKEN`"));
    }

    #[test]
    fn only_reads_and_what_was_not_sent_are_repeated() {
        let repeatable = |certainty, reads| Failure::new(certainty, "x").is_repeatable(reads);
        assert!(repeatable(Certainty::NotSent, false) && repeatable(Certainty::InDoubt, true));
        assert!(!repeatable(Certainty::InDoubt, false) && !repeatable(Certainty::Garbled, false));
        assert!(!repeatable(Certainty::NothingDone, true));
    }
}
