//! What the fuzz targets see of Upstash: URLs, tokens, and all steps over answers that are given.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use reqwest::StatusCode;
use tokio::time::Instant;

use super::address::{Address, authorisation};
use super::batch::RestBatch;
use super::failure::{Certainty, Failure};
use super::lane::nobody_served;
use super::life::{Life, Question};
use super::post::understood;
use super::reply;
use crate::config::REST_NAMES;
use crate::entry::Incarnation;
use crate::provider::Provider;
use crate::provider::commands::{Answer, Bucket, Form, Link, Listener, Reply, Sent, Steps};
use crate::{Error, ErrorKind, Result};

/// Understands a REST URL: where commands go alone and where several go, and whether that is this
/// machine.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config), as for [`UpstashProvider::new`](super::UpstashProvider::new).
pub fn rest_url(url: &str, allow_plain_http: bool) -> Result<(String, String, bool)> {
    let address = Address::parse(url, allow_plain_http, REST_NAMES)?;
    Ok((address.single.into(), address.pipeline.into(), address.is_loopback))
}

/// Understands a token; as the header that it becomes is shown.
///
/// # Errors
///
/// [`Config`](ErrorKind::Config), as for [`UpstashProvider::new`](super::UpstashProvider::new).
pub fn rest_token(token: &str) -> Result<String> {
    authorisation(token, REST_NAMES).map(|header| format!("{header:?}"))
}

/// A provider that gets these answers, each a status and a body, one after the other.
///
/// Its futures are ready at once. `asks_for_life` says whether it asks which life the server is in,
/// as all do whose server did not refuse to tell.
pub fn rest_provider(answers: Vec<(u16, Vec<u8>)>, asks_for_life: bool) -> Box<dyn Provider> {
    let life = Life::default();
    if !asks_for_life && let Some(question) = life.question(Instant::now()) {
        life.learn(question, &Reply::Refused("NOPERM".to_owned()));
    }
    let link = Given { answers: Mutex::new(answers.into()), life };
    Box::new(Steps::new(link, "app"))
}

/// A link whose answers are given beforehand.
struct Given {
    answers: Mutex<VecDeque<(u16, Vec<u8>)>>,
    life: Life,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("life", &self.life).finish_non_exhaustive()
    }
}

impl Given {
    fn exchange(&self, count: usize, question: Option<Question>) -> Result<Vec<Reply>, Failure> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = answers
            .pop_front()
            .ok_or_else(|| Failure::new(Certainty::NotSent, "there are no more answers"))?;
        // No HTTP client hands out what is no status.
        let status = StatusCode::from_u16(status)
            .map_err(|_| Failure::new(Certainty::InDoubt, "the answer has no status"))?;
        understood(status, &body, count, question, &self.life)
    }

    fn ask(&self, batch: &RestBatch) -> Result<Answer> {
        if batch.has_bytes() {
            let message = "a word of the command is no text, which JSON cannot carry";
            return Err(Error::new(ErrorKind::Codec, "upstash", message));
        }
        let question = self.life.question(Instant::now());
        let replies = self.exchange(batch.len(), question);
        let replies = replies.map_err(|failure| failure.error(batch.reads_only()))?;
        let restored = batch.names().iter().zip(replies);
        let replies: Vec<Reply> =
            restored.map(|(name, reply)| reply::restore(name, reply)).collect();
        match nobody_served(&replies, batch.reads_only()) {
            Some(error) => Err(error),
            None => Ok(Answer { replies, incarnation: self.life.current() }),
        }
    }
}

impl Link for Given {
    type Batch = RestBatch;

    const FORM: Form = Form::Text;
    const REST: bool = true;

    fn name(&self) -> &'static str {
        "upstash"
    }

    fn buckets(&self) -> u16 {
        1
    }

    fn is_fenced(&self) -> bool {
        self.life.is_fenced()
    }

    async fn send(
        &self,
        _bucket: Bucket,
        batch: RestBatch,
        life: Option<Incarnation>,
    ) -> Result<Sent> {
        if let Some(life) = life {
            if let Some(question) = self.life.question_before(Instant::now()) {
                self.exchange(0, Some(question)).map_err(|failure| failure.error(true))?;
            }
            if self.life.current() != life {
                return Ok(Sent::OtherLife);
            }
        }
        self.ask(&batch).map(Sent::Answered)
    }

    async fn send_apart(&self, _bucket: Bucket, batch: RestBatch) -> Result<Answer> {
        // Each request stands for itself.
        self.ask(&batch)
    }

    async fn nodes(&self) -> Result<usize> {
        Ok(1)
    }

    async fn send_to(&self, _node: usize, batch: RestBatch) -> Result<Answer> {
        self.ask(&batch)
    }

    fn watch(&self, _listener: Listener) -> bool {
        false
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}
