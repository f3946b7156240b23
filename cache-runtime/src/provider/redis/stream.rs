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

/// After so many bytes of answers in one read, several callers are about to go on, and to send.
const SEVERAL_ANSWERS: usize = 1_024;

/// So many bytes are worth a system call of their own.
const WORTH_SENDING: usize = 8 * 1_024;

/// A socket that notes when bytes come in, and gathers small writes.
///
/// Commands leave at once (`TCP_NODELAY`): Nagle's algorithm would hold them back until what was
/// sent before is acknowledged, which is a whole round trip. But where many tasks share the
/// connection, each would leave in a packet of its own. So a write that follows the answers to
/// several commands is put off for one turn of the executor, in which those who were answered send
/// their next ones.
#[derive(Debug)]
pub(super) struct Stream {
    socket: Socket,
    pulse: Arc<Pulse>,
    /// Whether the next write is to be put off.
    gathers: bool,
    /// Whether the last one was: none is put off twice, however much comes in meanwhile.
    put_off: bool,
}

impl Stream {
    pub(super) fn new(socket: Socket, pulse: Arc<Pulse>) -> Self {
        Self { socket, pulse, gathers: false, put_off: false }
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
            self.gathers = came_in >= SEVERAL_ANSWERS;
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let gathers = std::mem::take(&mut self.gathers) && bytes.len() < WORTH_SENDING;
        self.put_off = gathers && !self.put_off;
        if self.put_off {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        socket!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        socket!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        socket!(self, poll_shutdown(context))
    }
}

#[cfg(test)]
mod tests {
    use super::{SEVERAL_ANSWERS, Socket, Stream};
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};
    use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    async fn connected() -> (Stream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the port");
        let socket = TcpStream::connect(address).await.expect("somebody listens");
        let (server, _) = listener.accept().await.expect("somebody connects");
        (Stream::new(Socket::Plain(socket), Arc::default()), server)
    }

    fn write(stream: &mut Stream) -> Poll<usize> {
        let mut context = Context::from_waker(Waker::noop());
        let polled = Pin::new(stream).poll_write(&mut context, b"PING");
        polled.map(|written| written.expect("the connection is open"))
    }

    #[tokio::test]
    async fn a_write_after_several_answers_is_put_off_once() {
        let (mut stream, mut server) = connected().await;
        // A socket learns at its first turn that it can be written to.
        stream.write_all(b"PING").await.expect("the connection is open");
        let mut answers = vec![0; SEVERAL_ANSWERS];
        for _ in 0..2 {
            server.write_all(&answers).await.expect("the connection is open");
            // Looked at once all of it has come, so that one read gets it.
            if let Socket::Plain(socket) = &stream.socket {
                while socket.peek(&mut answers).await.expect("an open connection") < answers.len() {
                    tokio::task::yield_now().await;
                }
            }
            stream.read_exact(&mut answers).await.expect("the connection is open");
            assert_eq!(write(&mut stream), Poll::Pending);
            stream.gathers = true;
            assert_eq!(write(&mut stream), Poll::Ready(4), "put off twice");
            assert_eq!(write(&mut stream), Poll::Ready(4), "nothing came in since");
        }
    }

    #[tokio::test]
    async fn a_write_after_one_small_answer_leaves_at_once() {
        let (mut stream, mut server) = connected().await;
        stream.write_all(b"PING").await.expect("the connection is open");
        server.write_all(b"+PONG\r\n").await.expect("the connection is open");
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).await.expect("the connection is open");
        assert_eq!(write(&mut stream), Poll::Ready(4));
    }
}
