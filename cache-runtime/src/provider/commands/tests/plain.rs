//! The least that is a link: one connection to one server, with as many buckets as one likes.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};

use crate::entry::Incarnation;
use crate::provider::commands::{Answer, Batch, Bucket, Form, Link, Listener, Reply, Sent};
use crate::{Error, ErrorKind, Result};

#[derive(Clone, Debug)]
pub(super) struct PlainLink<const TEXT: bool> {
    connection: MultiplexedConnection,
    buckets: u16,
    /// The server's life, for all buckets or for each a little different.
    life: Incarnation,
    is_one_life: bool,
    /// The bucket whose server is down.
    down: Option<Bucket>,
    /// The bucket whose server refuses the next connection.
    refuses_next: Arc<Mutex<Option<Bucket>>>,
    sends: Arc<AtomicU64>,
    /// The names of the commands that were sent.
    names: Arc<Mutex<Vec<String>>>,
    /// How many servers there seem to be; each is the same one.
    nodes: usize,
    /// The lives that answer the next commands to a server, before the usual one.
    scan_lives: Arc<Mutex<VecDeque<u64>>>,
    /// The cursors that pages were asked for with.
    cursors: Arc<Mutex<Vec<String>>>,
}

impl<const TEXT: bool> PlainLink<TEXT> {
    pub(super) fn new(connection: MultiplexedConnection, buckets: u16) -> Self {
        let (life, sends) = (Incarnation::new(0x1234_5678), Arc::default());
        let (scan_lives, cursors) = (Arc::default(), Arc::default());
        Self {
            connection,
            buckets,
            life,
            is_one_life: true,
            down: None,
            refuses_next: Arc::default(),
            sends,
            names: Arc::default(),
            nodes: 1,
            scan_lives,
            cursors,
        }
    }

    /// As if each bucket lay on a server of its own.
    pub(super) fn with_many_lives(self) -> Self {
        Self { is_one_life: false, ..self }
    }

    /// As if the server had been restarted.
    pub(super) fn in_life(self, life: u64) -> Self {
        Self { life: Incarnation::new(life), ..self }
    }

    /// As if the server of one bucket were down.
    pub(super) fn without(self, bucket: Bucket) -> Self {
        Self { down: Some(bucket), ..self }
    }

    /// As if the server of one bucket were down for a moment.
    pub(super) fn failing_once(self, bucket: Bucket) -> Self {
        Self { refuses_next: Arc::new(Mutex::new(Some(bucket))), ..self }
    }

    /// As if there were several servers, and others took their place while they are scanned.
    pub(super) fn scanned_in(self, nodes: usize, lives: impl IntoIterator<Item = u64>) -> Self {
        Self { nodes, scan_lives: Arc::new(Mutex::new(lives.into_iter().collect())), ..self }
    }

    /// The cursors that the pages so far were asked for with.
    pub(super) fn cursors(&self) -> Vec<String> {
        self.cursors.lock().unwrap().clone()
    }

    /// How often commands were sent since the last time: with one bucket, the round trips.
    pub(super) fn take_sends(&self) -> u64 {
        self.sends.swap(0, Ordering::Relaxed)
    }

    /// The names of the commands that were sent since the last time.
    pub(super) fn take_names(&self) -> Vec<String> {
        std::mem::take(&mut *self.names.lock().unwrap())
    }

    pub(super) fn life_of(&self, bucket: Bucket) -> Incarnation {
        let offset = if self.is_one_life { 0 } else { u64::from(bucket.0) + 1 };
        Incarnation::new(self.life.get() + offset)
    }

    async fn exchange(&self, batch: Commands) -> Result<Vec<Reply>> {
        assert!(!batch.0.is_empty(), "an empty batch was sent");
        self.sends.fetch_add(1, Ordering::Relaxed);
        self.names.lock().unwrap().extend(batch.0.iter().map(name));
        let mut connection = self.connection.clone();
        if let [command] = batch.0.as_slice() {
            let value = connection.send_packed_command(command).await;
            return value.map(|value| vec![reply(value)]).map_err(broken);
        }
        let count = batch.0.len();
        let mut pipeline = redis::Pipeline::with_capacity(count);
        for command in batch.0 {
            pipeline.add_command(command);
        }
        let values = connection.send_packed_commands(pipeline.ignore_errors(), 0, count).await;
        values.map(|values| values.into_iter().map(reply).collect()).map_err(broken)
    }
}

fn name(command: &Cmd) -> String {
    match command.args_iter().next() {
        Some(redis::Arg::Simple(name)) => String::from_utf8_lossy(name).into_owned(),
        other => panic!("no name: {other:?}"),
    }
}

fn broken(error: redis::RedisError) -> Error {
    Error::new(ErrorKind::Unknown, "plain", error.to_string())
}

fn reply(value: Value) -> Reply {
    match value {
        Value::Nil => Reply::Nil,
        Value::Int(number) => Reply::Integer(number),
        Value::BulkString(bytes) => Reply::Bytes(bytes),
        Value::Array(values) => Reply::List(values.into_iter().map(reply).collect()),
        Value::Okay | Value::SimpleString(_) => Reply::Status,
        Value::ServerError(error) => {
            Reply::Refused(format!("{} {}", error.code(), error.details().unwrap_or_default()))
        }
        other => panic!("the link does not know {other:?}"),
    }
}

fn words(command: &Cmd) -> Vec<&[u8]> {
    let word = |word| match word {
        redis::Arg::Simple(word) => word,
        other => panic!("no word: {other:?}"),
    };
    command.args_iter().map(word).collect()
}

fn text<'a>(words: &[&'a [u8]], at: usize) -> Cow<'a, str> {
    String::from_utf8_lossy(words[at])
}

#[derive(Debug, Default)]
pub(super) struct Commands(Vec<Cmd>);

impl Batch for Commands {
    fn command(&mut self, name: &'static str) -> &mut Self {
        self.0.push(redis::cmd(name));
        self
    }

    fn arg(&mut self, word: &[u8]) -> &mut Self {
        self.0.last_mut().expect("a command was begun").arg(word);
        self
    }
}

impl<const TEXT: bool> Link for PlainLink<TEXT> {
    type Batch = Commands;

    const FORM: Form = if TEXT { Form::Text } else { Form::Raw };
    const REST: bool = false;

    fn name(&self) -> &'static str {
        "plain"
    }

    fn buckets(&self) -> u16 {
        self.buckets
    }

    fn is_fenced(&self) -> bool {
        true
    }

    async fn send(
        &self,
        bucket: Bucket,
        batch: Commands,
        life: Option<Incarnation>,
    ) -> Result<Sent> {
        assert!(bucket.0 < self.buckets, "there is no {bucket:?}");
        for command in &batch.0 {
            self.check_names(bucket, command);
        }
        if self.down == Some(bucket)
            || self.refuses_next.lock().unwrap().take_if(|refused| *refused == bucket).is_some()
        {
            return Err(Error::new(ErrorKind::Unavailable, "plain", "connection refused"));
        }
        let incarnation = self.life_of(bucket);
        if life.is_some_and(|life| life != incarnation) {
            return Ok(Sent::OtherLife);
        }
        let replies = self.exchange(batch).await?;
        Ok(Sent::Answered(Answer { replies, incarnation }))
    }

    async fn send_apart(&self, bucket: Bucket, batch: Commands) -> Result<Answer> {
        match self.send(bucket, batch, None).await? {
            Sent::Answered(answer) => Ok(answer),
            Sent::OtherLife => unreachable!("no life was asked for"),
        }
    }

    async fn nodes(&self) -> Result<usize> {
        Ok(self.nodes)
    }

    async fn send_to(&self, node: usize, batch: Commands) -> Result<Answer> {
        assert!(node < self.nodes, "there is no node {node}");
        let [command] = batch.0.as_slice() else { panic!("no single command: {batch:?}") };
        self.cursors.lock().unwrap().push(text(&words(command), 1).into_owned());
        let life = self.scan_lives.lock().unwrap().pop_front();
        let incarnation = life.map_or(self.life_of(Bucket(node as u16)), Incarnation::new);
        Ok(Answer { replies: self.exchange(batch).await?, incarnation })
    }

    fn watch(&self, _listener: Listener) -> bool {
        false
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }
}

impl<const TEXT: bool> PlainLink<TEXT> {
    /// A cluster refuses what mixes slots, and one server does not: so it is looked at here.
    fn check_names(&self, bucket: Bucket, command: &Cmd) {
        let words = words(command);
        let names = match &*text(&words, 0) {
            "MGET" | "UNLINK" => 1..words.len(),
            "GET" | "GETRANGE" | "SET" => 1..2,
            "EVAL" | "EVALSHA" => {
                3..3 + text(&words, 2).parse::<usize>().expect("a number of keys")
            }
            "PING" => 0..0,
            other => panic!("{other} was not expected"),
        };
        for name in &words[names] {
            let tag = format!(":{{{}}}:", bucket.0).into_bytes();
            let lies_here = self.buckets == 1 || name.windows(tag.len()).any(|part| part == tag);
            assert!(lies_here, "{} does not lie in {bucket:?}", name.escape_ascii());
            assert!(!TEXT || words.iter().all(|word| std::str::from_utf8(word).is_ok()), "no text");
        }
    }
}
