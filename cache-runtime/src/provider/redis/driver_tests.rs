use super::{Driver, MOST_TURNS, Message, Packed, QUEUE, READ, WORTH_KEEPING, WORTH_SENDING};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{mpsc, oneshot};

/// A socket that does what it is told.
struct Socket {
    /// What each read gives; nothing for the end of the stream.
    incoming: VecDeque<Vec<u8>>,
    /// What each write took.
    written: Vec<Vec<u8>>,
    /// How many bytes it takes for now.
    room: usize,
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(mut bytes) = self.incoming.pop_front() else { return Poll::Pending };
        let rest = bytes.split_off(bytes.len().min(buffer.remaining()));
        buffer.put_slice(&bytes);
        if !rest.is_empty() {
            self.incoming.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let taken = bytes.len().min(self.room);
        if taken == 0 {
            return Poll::Pending;
        }
        self.room -= taken;
        self.written.push(bytes[..taken].to_vec());
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Counts how often the task was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection whose task has its turns when a test says so.
struct Bench {
    driver: Driver<Socket>,
    commands: mpsc::Sender<Message>,
    woken: Arc<Woken>,
}

impl Bench {
    fn new() -> Self {
        let socket = Socket { incoming: VecDeque::new(), written: Vec::new(), room: usize::MAX };
        let (driver, commands) = Driver::new(socket, None);
        Self { driver, commands, woken: Arc::default() }
    }

    fn ask(&self, bytes: &[u8], answers: usize) -> oneshot::Receiver<Vec<u8>> {
        let (answered, receiver) = oneshot::channel();
        let message = Message { packed: Packed::of(bytes, answers), answered };
        self.commands.try_send(message).expect("the task is there");
        receiver
    }

    fn answer(&mut self, bytes: &[u8]) {
        self.driver.stream.incoming.push_back(bytes.to_vec());
    }

    /// A turn of the task; whether it has asked for another one at once.
    fn turn(&mut self) -> Poll<io::Result<bool>> {
        let before = self.woken.0.load(Ordering::Relaxed);
        let waker = Waker::from(self.woken.clone());
        match self.driver.poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(end) => Poll::Ready(end.map(|()| false)),
            Poll::Pending if self.woken.0.load(Ordering::Relaxed) > before => Poll::Ready(Ok(true)),
            Poll::Pending => Poll::Pending,
        }
    }

    /// A turn after which the task has nothing to do.
    fn last_turn(&mut self) {
        assert!(self.turn().is_pending());
    }

    /// A turn in which the task puts off what it could send.
    fn turn_for_others(&mut self) {
        assert!(matches!(self.turn(), Poll::Ready(Ok(true))));
        assert_eq!(self.written(), Vec::<String>::new());
    }

    /// What was written since it was asked last.
    fn written(&mut self) -> Vec<String> {
        let written = std::mem::take(&mut self.driver.stream.written);
        written.into_iter().map(|bytes| String::from_utf8(bytes).expect("plain text")).collect()
    }
}

#[test]
fn nothing_is_held_back_for_one_caller_alone() {
    let mut bench = Bench::new();
    for turn in 0..5 {
        let command = format!("GET {turn}");
        let mut answers = bench.ask(command.as_bytes(), 1);
        bench.last_turn();
        assert_eq!(bench.written(), [command], "it did not leave in the first turn");
        let answer = format!(":{turn}\r\n").into_bytes();
        bench.answer(&answer);
        bench.last_turn();
        assert_eq!(answers.try_recv(), Ok(answer));
    }
    // Nor where the next command comes before the task has had its turn.
    let _answers = bench.ask(b"GET 5", 1);
    bench.last_turn();
    bench.answer(b":5\r\n");
    let _more = bench.ask(b"GET 6", 1);
    bench.last_turn();
    assert_eq!(bench.written(), ["GET 5", "GET 6"]);
}

#[test]
fn those_who_are_answered_at_once_ask_together() {
    let mut bench = Bench::new();
    let waiting: Vec<_> = (0..3).map(|_| bench.ask(b"GET ", 1)).collect();
    bench.last_turn();
    assert_eq!(bench.written(), ["GET GET GET "]);
    bench.answer(b":1\r\n:2\r\n:3\r\n");
    let first = bench.ask(b"one ", 1);
    let second = bench.ask(b"two ", 1);
    bench.turn_for_others();
    let third = bench.ask(b"three ", 1);
    bench.last_turn();
    assert_eq!(bench.written(), ["one two three "]);
    drop((waiting, first, second, third));
}

#[test]
fn nobody_waits_for_more_turns_than_a_few_nor_for_those_who_have_asked() {
    let mut bench = Bench::new();
    let _waiting: Vec<_> = (0..4).map(|_| bench.ask(b"GET ", 1)).collect();
    bench.last_turn();
    bench.written();
    // Two were answered, and one of them asks nothing more.
    bench.answer(b":1\r\n:2\r\n");
    let _next = bench.ask(b"next", 1);
    for _ in 0..MOST_TURNS {
        bench.turn_for_others();
    }
    bench.last_turn();
    assert_eq!(bench.written(), ["next"]);
    // Two more were answered, and as many ask.
    bench.answer(b":3\r\n:4\r\n");
    let _both = (bench.ask(b"both ", 1), bench.ask(b"of them", 1));
    bench.last_turn();
    assert_eq!(bench.written(), ["both of them"]);
}

#[test]
fn answers_that_keep_coming_put_nothing_off_for_ever() {
    let mut bench = Bench::new();
    let _waiting: Vec<_> = (0..40).map(|_| bench.ask(b"GET ", 1)).collect();
    bench.last_turn();
    bench.written();
    let _next = bench.ask(b"next", 1);
    for _ in 0..MOST_TURNS {
        bench.answer(b":1\r\n:2\r\n");
        bench.turn_for_others();
    }
    bench.answer(b":1\r\n:2\r\n");
    bench.last_turn();
    assert_eq!(bench.written(), ["next"]);
}

#[test]
fn a_caller_that_gives_up_disturbs_nobody() {
    let mut bench = Bench::new();
    let given_up = bench.ask(b"GET 1 ", 1);
    let mut second = bench.ask(b"GET 2 ", 2);
    drop(given_up);
    let given_up = bench.ask(b"GET 3 ", 1);
    let mut fourth = bench.ask(b"GET 4 ", 1);
    bench.last_turn();
    // The first was not sent; the third was, and its answer is nobody's.
    assert_eq!(bench.written(), ["GET 2 GET 3 GET 4 "]);
    drop(given_up);
    for piece in ["$1", "\r\na", "\r\n:2\r\n:", "3\r\n:4", "\r"] {
        bench.answer(piece.as_bytes());
        assert!(!matches!(bench.turn(), Poll::Ready(Err(_))));
    }
    assert_eq!(second.try_recv(), Ok(b"$1\r\na\r\n:2\r\n".to_vec()));
    assert!(fourth.try_recv().is_err());
    bench.answer(b"\n");
    bench.last_turn();
    assert_eq!(fourth.try_recv(), Ok(b":4\r\n".to_vec()));
}

#[test]
fn a_socket_that_takes_little_gets_all_in_order_and_is_read_meanwhile() {
    let mut bench = Bench::new();
    bench.driver.stream.room = 4;
    let commands: Vec<String> = (0..10_000 + QUEUE).map(|at| format!("{at:>8}")).collect();
    let mut answered = Vec::new();
    for some in commands.chunks(2_000) {
        answered.extend(some.iter().map(|command| bench.ask(command.as_bytes(), 1)));
        bench.last_turn();
    }
    assert_eq!(bench.written(), ["    "]);
    // What cannot be sent is not taken, and whoever sends more has to wait.
    assert!(bench.driver.output.len() <= WORTH_SENDING + 2_000 * 8);
    assert_eq!(bench.commands.capacity(), 0);
    bench.answer(b":0\r\n");
    bench.last_turn();
    assert_eq!(answered[0].try_recv(), Ok(b":0\r\n".to_vec()));
    bench.driver.stream.room = usize::MAX;
    bench.last_turn();
    assert_eq!(bench.written().concat(), commands.concat()[4..]);
}

#[test]
fn answers_of_any_size_are_read_and_large_buffers_are_given_back() {
    let mut bench = Bench::new();
    let mut random = fastrand::Rng::with_seed(3);
    for length in [0, 1, READ - 20, READ / 2, READ, 3 * READ, 3 * WORTH_KEEPING, 5, 7] {
        let mut stream = b":1\r\n".to_vec();
        let held = vec![b'x'; length];
        stream.extend_from_slice(format!("${length}\r\n").as_bytes());
        stream.extend_from_slice(&held);
        stream.extend_from_slice(b"\r\n:2\r\n");
        let expected = stream.clone();
        let mut answers = bench.ask(b"GET", 3);
        bench.last_turn();
        while !stream.is_empty() {
            let rest = stream.split_off(random.usize(1..=2 * READ).min(stream.len()));
            bench.answer(&stream);
            stream = rest;
            bench.last_turn();
        }
        assert!(answers.try_recv() == Ok(expected), "{length} bytes");
    }
    assert!(bench.driver.input.buffer.len() <= WORTH_KEEPING);
    assert!(bench.driver.output.bytes.capacity() <= WORTH_KEEPING);
}

#[test]
fn the_end_of_the_stream_and_what_nobody_asked_for_end_the_connection() {
    for (bytes, kind) in [
        ("", io::ErrorKind::UnexpectedEof),
        (":1\r\n:2\r\n", io::ErrorKind::InvalidData),
        ("hello\r\n", io::ErrorKind::InvalidData),
    ] {
        let mut bench = Bench::new();
        let _waiting = bench.ask(b"GET", 1);
        bench.last_turn();
        bench.answer(bytes.as_bytes());
        match bench.turn() {
            Poll::Ready(Err(error)) => assert_eq!(error.kind(), kind, "{bytes:?}"),
            other => panic!("{bytes:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn whoever_waits_at_the_end_is_told() {
    let mut bench = Bench::new();
    let (sent, unsent) = (bench.ask(b"GET 1", 1), bench.ask(b"GET 2", 1));
    bench.answer(b"");
    bench.driver.run().await;
    assert!(sent.await.is_err());
    assert!(unsent.await.is_err());
    assert!(bench.commands.is_closed());
}

#[test]
fn the_task_ends_when_all_is_answered_and_nobody_can_ask() {
    let mut bench = Bench::new();
    let mut answers = bench.ask(b"GET", 1);
    let (others, _) = mpsc::channel(1);
    drop(std::mem::replace(&mut bench.commands, others));
    bench.last_turn();
    assert_eq!(bench.written(), ["GET"]);
    bench.answer(b":1\r\n");
    assert!(matches!(bench.turn(), Poll::Ready(Ok(_))));
    assert_eq!(answers.try_recv(), Ok(b":1\r\n".to_vec()));
}
