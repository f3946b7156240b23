//! One request and its answer.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, StatusCode, Url};
use tokio::time::Instant;

use super::address::Address;
use super::batch::RestBatch;
use super::budget::Budget;
use super::failure::{Certainty, Failure};
use super::life::{Life, Question};
use super::reply;
use super::sync::SyncToken;
use crate::entry::Incarnation;
use crate::provider::commands::Reply;

const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");
const ENCODING: HeaderName = HeaderName::from_static("upstash-encoding");

/// Asks which life the server is in.
const INFO: &[u8] = br#"["INFO","server","replication"]"#;

/// Sends requests to one database.
pub(super) struct Post {
    client: Client,
    address: Address,
    sync: SyncToken,
    life: Life,
    budget: Budget,
}

/// Tells neither the address nor the client, whose headers hold the token.
impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("life", &self.life).finish_non_exhaustive()
    }
}

/// The headers that every request has.
pub(super) fn headers(authorisation: HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::AUTHORIZATION, authorisation);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ENCODING, HeaderValue::from_static("base64"));
    headers
}

impl Post {
    pub(super) fn new(client: Client, address: Address) -> Self {
        let (sync, life, budget) = (SyncToken::default(), Life::default(), Budget::default());
        Self { client, address, sync, life, budget }
    }

    pub(super) fn life(&self) -> &Life {
        &self.life
    }

    /// The life that the server is in, asked if it was not lately.
    pub(super) async fn current_life(&self) -> Result<Incarnation, Failure> {
        if let Some(question) = self.life.question_before(Instant::now()) {
            self.attempt(&[], true, Some(question)).await?;
        }
        Ok(self.life.current())
    }

    /// Sends batches in one request; one reply for each command, in order.
    ///
    /// What only reads is sent a second time if something went wrong on the way, and so is what
    /// could not be sent at all; nothing else is.
    pub(super) async fn send(
        &self,
        batches: &[&RestBatch],
        reads_only: bool,
    ) -> Result<Vec<Reply>, Failure> {
        let question = self.life.question(Instant::now());
        let failure = match self.attempt(batches, reads_only, question).await {
            Ok(replies) => return Ok(replies),
            Err(failure) => failure,
        };
        if !failure.is_repeatable(reads_only) || !self.budget.spend() {
            return Err(failure);
        }
        // Not all that failed at the same moment come back at the same moment.
        let pause = Duration::from_millis(fastrand::u64(5..30));
        tokio::time::sleep(pause).await;
        let question = self.life.question(Instant::now());
        self.attempt(batches, reads_only, question).await
    }

    async fn attempt(
        &self,
        batches: &[&RestBatch],
        reads_only: bool,
        question: Option<Question>,
    ) -> Result<Vec<Reply>, Failure> {
        let asked = self.ask(batches, reads_only, question).await;
        match &asked {
            Ok(_) => self.budget.earn(),
            // Whoever refuses a request is alive; who breaks off may be another one when it is back.
            Err(failure) if failure.is_of_the_request() => {}
            Err(_) => self.life.doubt(),
        }
        asked
    }

    async fn ask(
        &self,
        batches: &[&RestBatch],
        reads_only: bool,
        question: Option<Question>,
    ) -> Result<Vec<Reply>, Failure> {
        let count: usize = batches.iter().map(|batch| batch.len()).sum();
        let is_single = count == 1 && question.is_none();
        let url = if is_single { &self.address.single } else { &self.address.pipeline };
        let body = body(batches, question.is_some(), is_single);
        let (status, body) = self.exchange(url.clone(), body, !reads_only).await?;
        understood(status, &body, count, question, &self.life)
    }

    async fn exchange(
        &self,
        url: Url,
        body: Vec<u8>,
        wrote: bool,
    ) -> Result<(StatusCode, Vec<u8>), Failure> {
        let (token, seen) = self.sync.current();
        let mut request = self.client.post(url).body(body);
        if let Some(token) = token {
            request = request.header(SYNC_TOKEN, token);
        }
        let response = request.send().await.map_err(Failure::of_transport)?;
        let status = response.status();
        let token = response.headers().get(SYNC_TOKEN).filter(|token| !token.is_empty()).cloned();
        let body = response.bytes().await.map_err(Failure::of_transport)?;
        if let Some(token) = token {
            self.sync.learn(token, seen, wrote);
        }
        Ok((status, body.into()))
    }
}

/// What an answer says to `count` commands; what it says to a question before them goes to `life`.
pub(super) fn understood(
    status: StatusCode,
    body: &[u8],
    count: usize,
    question: Option<Question>,
    life: &Life,
) -> Result<Vec<Reply>, Failure> {
    if !status.is_success() && status != StatusCode::BAD_REQUEST {
        return Err(Failure::of_status(status, body));
    }
    if count == 1 && question.is_none() {
        return Ok(vec![reply::one(body).map_err(|error| Failure::of_body(&error))?]);
    }
    if status == StatusCode::BAD_REQUEST {
        // The pipeline was refused whole: so was each of its commands.
        let text = reply::refusal(body);
        let text = text.ok_or_else(|| Failure::of_status(status, body))?;
        return Ok(vec![Reply::Refused(text); count]);
    }
    let mut replies = reply::several(body).map_err(|error| Failure::of_body(&error))?;
    if let Some(question) = question.filter(|_| !replies.is_empty()) {
        life.learn(question, &replies.remove(0));
    }
    if replies.len() != count {
        let message = "the server gave another number of replies than asked for";
        return Err(Failure::new(Certainty::Garbled, message));
    }
    Ok(replies)
}

fn body(batches: &[&RestBatch], asks_for_life: bool, is_single: bool) -> Vec<u8> {
    let size: usize = batches.iter().map(|batch| batch.size()).sum();
    let mut body = Vec::with_capacity(size + INFO.len() + 3);
    if is_single {
        batches.iter().for_each(|batch| batch.write_to(&mut body));
        return body;
    }
    body.push(b'[');
    if asks_for_life {
        body.extend_from_slice(INFO);
    }
    for batch in batches {
        if body.len() > 1 {
            body.push(b',');
        }
        batch.write_to(&mut body);
    }
    body.push(b']');
    body
}
