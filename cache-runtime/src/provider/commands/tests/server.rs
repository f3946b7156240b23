//! A `redis-server` of a test's own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use super::plain::PlainLink;
use crate::provider::commands::Steps;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Server {
    process: Child,
    port: u16,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(super) fn start_with(arguments: &[&str]) -> Self {
        // Somebody else may take the free port before the server does.
        (0..10).find_map(|_| Self::try_start(arguments)).expect("no redis-server came up")
    }

    fn try_start(arguments: &[&str]) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(arguments)
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests need `redis-server`: install Redis 7");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let is_up = lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept")));
        let server = Self { process, port };
        // What the server still says is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        is_up.then_some(server)
    }

    pub(super) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}/", self.port)).unwrap();
        // A busy machine is no failure.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        client.get_multiplexed_async_connection_with_config(&config).await.unwrap()
    }

    pub(super) async fn link<const TEXT: bool>(&self, buckets: u16) -> PlainLink<TEXT> {
        PlainLink::new(self.connection().await, buckets)
    }

    pub(super) async fn steps(&self, buckets: u16) -> Steps<PlainLink<false>> {
        Steps::new(self.link(buckets).await, "app")
    }

    /// Sends a command that is no step.
    pub(super) async fn command(&self, words: &[&str]) -> redis::Value {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut self.connection().await).await.unwrap()
    }

    /// The bytes that a command gives, as text.
    pub(super) async fn text(&self, words: &[&str]) -> String {
        redis::from_redis_value(self.command(words).await).unwrap()
    }

    /// The number that a command gives.
    pub(super) async fn number(&self, words: &[&str]) -> i64 {
        redis::from_redis_value(self.command(words).await).unwrap()
    }

    /// How often each command was called since the last time, by scripts too.
    pub(super) async fn take_counts(&self) -> Vec<(String, u64)> {
        let text = self.text(&["INFO", "commandstats"]).await;
        self.command(&["CONFIG", "RESETSTAT"]).await;
        let mut counts: Vec<(String, u64)> = text
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
                Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
            })
            // What this function itself and opening its connection call.
            .filter(|(name, _)| {
                !["info", "config|", "client|", "hello"].iter().any(|own| name.starts_with(own))
            })
            .collect();
        counts.sort();
        counts
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
