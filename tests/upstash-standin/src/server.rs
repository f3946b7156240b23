//! Processes of `redis-server` that live as long as their handle.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(20);

/// A running `redis-server`.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server that keeps nothing on disk; with `primary`, a replica of that port.
    pub(crate) async fn start(primary: Option<u16>) -> io::Result<Self> {
        let mut last = io::Error::other("`redis-server` was not tried");
        // Between choosing a port and its use somebody else may take it.
        for _ in 0..5 {
            match Self::try_start(primary).await {
                Ok(server) => return Ok(server),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn try_start(primary: Option<u16>) -> io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = format!("upstash-standin-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder)?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
        command.args(["--appendonly", "no", "--repl-diskless-sync-delay", "0"]);
        // A paused stream to a replica is no reason to give it up.
        command.args(["--repl-timeout", "86400", "--loglevel", "warning"]);
        command.arg("--dir").arg(&folder);
        if let Some(primary) = primary {
            command.args(["--replicaof", "127.0.0.1", &primary.to_string()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().map_err(|error| {
            let message = format!("`redis-server` cannot be started (is it installed?): {error}");
            io::Error::new(error.kind(), message)
        })?;
        let mut server = Self { process, folder, port };
        server.wait().await?;
        Ok(server)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Waits until it answers.
    async fn wait(&mut self) -> io::Result<()> {
        let client = redis::Client::open(self.url()).map_err(io::Error::other)?;
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Err(io::Error::other(format!("`redis-server` ended at once: {status}")));
            }
            let answer: redis::RedisResult<String> = async {
                let mut connection = client.get_multiplexed_async_connection().await?;
                redis::cmd("PING").query_async(&mut connection).await
            }
            .await;
            match answer {
                Ok(_) => return Ok(()),
                Err(error) if began.elapsed() > START => return Err(io::Error::other(error)),
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
