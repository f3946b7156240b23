//! The socket, and the signs of life on it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::client::TlsStream;

/// What is known of a connection without asking: whether it is over, and whether anything came in.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    over: AtomicBool,
    heard: AtomicU64,
    end: Notify,
}

impl Pulse {
    /// Whether the connection is over: nothing that is sent from now on leaves the process.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// How often bytes came in. Equal numbers mean that the server was silent in between.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Says that the connection is over.
    pub(super) fn set_over(&self) {
        self.over.store(true, Ordering::Release);
        self.end.notify_waiters();
    }

    /// Waits until the connection is over.
    pub(super) async fn over(&self) {
        loop {
            // Made before the look, so that an end in between is not missed.
            let end = self.end.notified();
            if self.is_over() {
                return;
            }
            end.await;
        }
    }
}

/// Says so when whatever drives the connection ends: at the end of the stream, by an abort, or
/// because its runtime is gone.
#[derive(Debug)]
pub(super) struct Over(pub(super) Arc<Pulse>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.set_over();
    }
}

/// A socket that notes when bytes come in.
#[derive(Debug)]
pub(super) struct Stream {
    socket: Socket,
    pulse: Arc<Pulse>,
}

impl Stream {
    pub(super) fn new(socket: Socket, pulse: Arc<Pulse>) -> Self {
        Self { socket, pulse }
    }
}

/// With or without TLS.
#[derive(Debug)]
pub(super) enum Socket {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! socket {
    ($stream:expr, $method:ident($($argument:expr),*)) => {
        match &mut $stream.get_mut().socket {
            Socket::Plain(socket) => Pin::new(socket).$method($($argument),*),
            Socket::Tls(socket) => Pin::new(socket).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = socket!(self.as_mut(), poll_read(context, buffer));
        let came_in = buffer.filled().len() - before;
        if came_in > 0 {
            self.pulse.heard.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        socket!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        socket!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        socket!(self, poll_shutdown(context))
    }
}
