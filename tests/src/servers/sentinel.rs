//! A primary with replicas, watched by three Sentinels.

use std::time::{Duration, Instant};

use super::binary::Kind;
use super::process::START;
use super::single::{RedisServer, RedisServerBuilder};
use super::wait::{until, until_some};

/// What the Sentinels call the primary.
const SERVICE: &str = "main";

const SENTINELS: usize = 3;
const REPLICAS: usize = 2;

/// One primary, two replicas and three Sentinels; all are killed when this is dropped.
#[derive(Debug)]
pub struct SentinelServers {
    servers: Vec<RedisServer>,
    sentinels: Vec<RedisServer>,
}

impl SentinelServers {
    /// Starts them on Redis.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(RedisServer::builder())
    }

    /// The same with options for the primary and its replicas.
    ///
    /// # Panics
    ///
    /// If they do not find each other in time.
    #[must_use]
    pub fn start_with(server: RedisServerBuilder) -> Self {
        let primary = server.clone().start();
        let port = primary.port().to_string();
        let replica = server.option("replicaof", &format!("127.0.0.1 {port}"));
        let replicas = (0..REPLICAS).map(|_| replica.clone().start());
        let servers: Vec<RedisServer> = std::iter::once(primary).chain(replicas).collect();
        until(START, "replicas that are linked", || {
            let linked = |server: &RedisServer| server.info("replication", "master_link_status");
            servers[1..].iter().all(|server| linked(server) == "up")
        });
        let password = servers[0].user_part();
        let sentinels = (0..SENTINELS).map(|_| sentinel(&port, password.trim_matches([':', '@'])));
        let all = Self { sentinels: sentinels.collect(), servers };
        until(START, "Sentinels that know everybody", || {
            all.sentinels.iter().all(|sentinel| {
                let state = sentinel.text(&["SENTINEL", "MASTER", SERVICE]);
                let lines: Vec<&str> = state.lines().collect();
                let says = |name: &str, value: &str| {
                    lines.chunks(2).any(|pair| pair[0] == name && pair[1] == value)
                };
                says("num-slaves", "2") && says("num-other-sentinels", "2")
            })
        });
        all
    }

    /// `redis+sentinel://host:port,host:port,host:port/main/0`.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.sentinels.iter().map(RedisServer::address).collect();
        format!("redis+sentinel://{}{}/{SERVICE}/0", self.servers[0].user_part(), hosts.join(","))
    }

    /// The three data servers; the first began as the primary.
    #[must_use]
    pub fn servers(&self) -> &[RedisServer] {
        &self.servers
    }

    /// The Sentinels.
    #[must_use]
    pub fn sentinels(&self) -> &[RedisServer] {
        &self.sentinels
    }

    /// One data server.
    pub fn server(&mut self, number: usize) -> &mut RedisServer {
        &mut self.servers[number]
    }

    /// The number of the server that all Sentinels call the primary and that sees itself as such.
    #[must_use]
    pub fn primary(&self) -> Option<usize> {
        let named = |sentinel: &RedisServer| {
            let answer = sentinel.text(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE]);
            answer.lines().nth(1)?.parse::<u16>().ok()
        };
        let port = named(&self.sentinels[0])?;
        let agree = self.sentinels.iter().all(|sentinel| named(sentinel) == Some(port));
        let number = self.servers.iter().position(|server| server.port() == port)?;
        let server = &self.servers[number];
        // A server that changes its role ends its connections.
        let role = || server.try_info("replication", "role");
        let is_primary = server.is_running() && role().is_ok_and(|role| role == "master");
        (agree && is_primary).then_some(number)
    }

    /// Kills the primary and waits until another one serves; returns its number and how long it
    /// took.
    ///
    /// # Panics
    ///
    /// If there is no primary, or nobody takes over.
    pub fn kill_primary(&mut self) -> (usize, Duration) {
        let old = self.primary().expect("there is a primary");
        self.servers[old].kill();
        self.wait_for_another(old)
    }

    /// Has the Sentinels put another server in the primary's place while both run; returns its
    /// number and how long it took.
    ///
    /// # Panics
    ///
    /// If there is no primary, or nobody takes over.
    pub fn fail_over(&self) -> (usize, Duration) {
        let old = self.primary().expect("there is a primary");
        self.sentinels[0].command(&["SENTINEL", "FAILOVER", SERVICE]);
        self.wait_for_another(old)
    }

    fn wait_for_another(&self, old: usize) -> (usize, Duration) {
        let began = Instant::now();
        let heir = until_some(START, "another primary", || self.primary().filter(|n| *n != old));
        (heir, began.elapsed())
    }
}

fn sentinel(primary: &str, password: &str) -> RedisServer {
    let mut config = format!(
        "sentinel monitor {SERVICE} 127.0.0.1 {primary} 2\n\
         sentinel down-after-milliseconds {SERVICE} 1000\n\
         sentinel failover-timeout {SERVICE} 3000\n\
         sentinel parallel-syncs {SERVICE} 2\n"
    );
    if !password.is_empty() {
        config += &format!("sentinel auth-pass {SERVICE} {password}\n");
    }
    RedisServer::builder().kind(Kind::Redis).sentinel(config).start()
}
