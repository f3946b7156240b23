//! Connections that can be reset in the middle of an answer.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Resets the connection that a request came in on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plug {
    pulled: Arc<AtomicBool>,
    notify: Arc<Notify>,
}

impl Plug {
    pub(crate) fn pull(&self) {
        self.pulled.store(true, Ordering::SeqCst);
        self.notify.notify_one();
    }
}

/// Takes connections at one address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    task: JoinHandle<()>,
    address: SocketAddr,
}

impl Door {
    pub(crate) async fn open(
        address: SocketAddr,
        router: Router,
        tls: Option<TlsAcceptor>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { task: tokio::spawn(take(listener, router, tls)), address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the address and resets every connection.
    pub(crate) async fn close(mut self) {
        self.task.abort();
        // Cancelled, which is what was asked for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>) {
    // Dropped with this future, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Small answers must not wait for each other.
        let _ = stream.set_nodelay(true);
        connections.spawn(accept(stream, router.clone(), tls.clone()));
    }
}

async fn accept(stream: TcpStream, router: Router, tls: Option<TlsAcceptor>) {
    let plug = Plug::default();
    let socket = Socket { stream, plug: plug.clone() };
    match tls {
        None => serve(socket, router, plug).await,
        Some(tls) => {
            // A client that does not trust the certificate goes away, which is its own business.
            if let Ok(stream) = tls.accept(socket).await {
                serve(stream, router, plug).await;
            }
        }
    }
}

async fn serve<S>(stream: S, router: Router, plug: Plug)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.layer(axum::Extension(plug.clone())));
    let builder = Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Clients go away in all sorts of ways: none of them matters to anybody else.
        _ = connection => {}
        () = plug.notify.notified() => {}
    }
}

/// A stream whose end is a reset if its plug was pulled.
struct Socket {
    stream: TcpStream,
    plug: Plug,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.plug.pulled.load(Ordering::SeqCst) {
            // Without it the end is a plain close, which is as good a fault.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
