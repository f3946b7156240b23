//! A real replica whose replication stream is delayed or paused on its way.
//!
//! Between the primary and the replica stands a proxy. What the primary sends passes it late, or
//! not at all while the stream is paused, so the replica answers reads from exactly the state that
//! the primary had then.

use std::io;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::backend::Shared;
use crate::server::Server;

/// How far reads lag behind writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lag {
    /// Not at all: reads are answered by the primary.
    #[default]
    None,
    /// Reads are answered by a replica that gets the primary's writes so much later.
    By(Duration),
    /// Reads are answered by a replica that gets no writes any more.
    Paused,
}

#[derive(Debug)]
pub(crate) struct Replica {
    lag: watch::Sender<Lag>,
    connection: Shared,
    proxy: JoinHandle<()>,
    _server: Server,
}

impl Replica {
    pub(crate) async fn start(primary: u16) -> io::Result<Self> {
        let (lag, _) = watch::channel(Lag::None);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let proxy = tokio::spawn(forward(listener, primary, lag.clone()));
        let server = Server::start(Some(port)).await?;
        let client = redis::Client::open(server.url()).map_err(io::Error::other)?;
        let connection = Shared::connect(&client).await.map_err(io::Error::other)?;
        let replica = Self { lag, connection, proxy, _server: server };
        replica.wait_for_link().await?;
        Ok(replica)
    }

    pub(crate) fn set_lag(&self, lag: Lag) {
        self.lag.send_replace(lag);
    }

    pub(crate) fn lag(&self) -> Lag {
        *self.lag.borrow()
    }

    pub(crate) fn connection(&self) -> Shared {
        self.connection.clone()
    }

    /// How much of the primary's stream has been applied.
    pub(crate) async fn applied(&self) -> Result<u64, String> {
        self.connection().offset("slave_repl_offset").await
    }

    /// Waits until the first synchronisation is over.
    async fn wait_for_link(&self) -> io::Result<()> {
        let began = Instant::now();
        while self.connection().replication("master_link_status").await.as_deref() != Ok("up") {
            if began.elapsed() > Duration::from_secs(30) {
                return Err(io::Error::other("the replica does not reach its primary"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.proxy.abort();
    }
}

async fn forward(listener: TcpListener, primary: u16, lag: watch::Sender<Lag>) {
    let mut pairs = tokio::task::JoinSet::new();
    while let Ok((replica, _)) = listener.accept().await {
        let Ok(primary) = TcpStream::connect((Ipv4Addr::LOCALHOST, primary)).await else {
            continue;
        };
        let (mut from_replica, to_replica) = replica.into_split();
        let (mut from_primary, mut to_primary) = primary.into_split();
        let (queue, queued) = mpsc::unbounded_channel();
        pairs.spawn(late(queued, to_replica, lag.subscribe()));
        pairs.spawn(async move {
            let _ = tokio::io::copy(&mut from_replica, &mut to_primary).await;
        });
        pairs.spawn(async move {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_primary.read(&mut buffer).await {
                if queue.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
        });
    }
}

/// Hands on what the primary sent, each piece when its time has come.
async fn late(
    mut queued: mpsc::UnboundedReceiver<(Instant, Vec<u8>)>,
    mut to: OwnedWriteHalf,
    mut lag: watch::Receiver<Lag>,
) {
    while let Some((sent, bytes)) = queued.recv().await {
        loop {
            let wait = match *lag.borrow_and_update() {
                Lag::None => Some(Duration::ZERO),
                Lag::By(time) => Some((sent + time).saturating_duration_since(Instant::now())),
                Lag::Paused => None,
            };
            let changed = match wait {
                Some(Duration::ZERO) => break,
                Some(time) => tokio::time::timeout(time, lag.changed()).await.unwrap_or(Ok(())),
                None => lag.changed().await,
            };
            if changed.is_err() {
                return;
            }
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
