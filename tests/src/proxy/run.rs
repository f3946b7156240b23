//! The proxy's own thread: one task for the orders, one for each connection.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc as frames;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Damage, Order, Replies, Settings, Shared, resp};

type Orders = frames::UnboundedReceiver<(Order, mpsc::Sender<()>)>;

/// Runs until the order to end.
pub(super) fn run(port: u16, shared: &Arc<Shared>, orders: Orders) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(control(port, shared, orders));
}

async fn control(port: u16, shared: &Arc<Shared>, mut orders: Orders) {
    let mut listener: Option<TcpListener> = None;
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An order counts before a connection that comes at the same time.
            biased;
            order = orders.recv() => {
                let Some((order, done)) = order else { return };
                match order {
                    Order::Accept if listener.is_none() => {
                        listener = Some(listen(port).await);
                    }
                    Order::Accept => {}
                    Order::Refuse => listener = None,
                    Order::Cut => connections.shutdown().await,
                    Order::End => return,
                }
                // Nobody waits any more if the test has panicked.
                let _ = done.send(());
            }
            client = accept(listener.as_ref()) => {
                lock(&shared.counts).connections += 1;
                connections.spawn(serve(client, Arc::clone(shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Listens on the proxy's own port. A process that is just being started has a copy of the former
/// socket until its `exec`, so this may take another try.
async fn listen(port: u16) -> TcpListener {
    const LIMIT: Duration = Duration::from_secs(10);
    let began = Instant::now();
    loop {
        match TcpListener::bind(("127.0.0.1", port)).await {
            Ok(listener) => return listener,
            Err(error) => assert!(began.elapsed() < LIMIT, "port {port}: {error}"),
        }
        sleep(Duration::from_millis(1)).await;
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    match listener {
        Some(listener) => listener.accept().await.expect("connections can be taken").0,
        None => std::future::pending().await,
    }
}

/// Passes on in both directions until one of them ends; then both do.
async fn serve(client: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let target = shared.settings.borrow().target.clone();
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let under_way = AtomicI64::new(0);
    let (queue, queued) = frames::unbounded_channel();
    tokio::select! {
        ended = pass_commands(from_client, to_server, &shared, &under_way) => ended,
        ended = take_replies(from_server, queue, &shared, &under_way) => ended,
        ended = give_replies(queued, to_client, &shared) => ended,
    }
}

async fn pass_commands(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: &Shared,
    under_way: &AtomicI64,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(16 << 10);
    while client.read_buf(&mut bytes).await? > 0 {
        let settings = shared.settings.borrow().clone();
        let mut whole = 0;
        while let Some(length) = next_frame(&bytes[whole..], &settings) {
            let frame = &bytes[whole..whole + length];
            if !settings.is_raw {
                let before = under_way.fetch_add(1, Ordering::Relaxed);
                lock(&shared.counts).note(resp::name_of(frame), before);
            }
            whole += length;
        }
        if !settings.swallows {
            server.write_all(&bytes[..whole]).await?;
        }
        bytes.drain(..whole);
    }
    Ok(())
}

type Queued = (Instant, Vec<u8>);

async fn take_replies(
    mut server: OwnedReadHalf,
    queue: frames::UnboundedSender<Queued>,
    shared: &Shared,
    under_way: &AtomicI64,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(16 << 10);
    while server.read_buf(&mut bytes).await? > 0 {
        let settings = shared.settings.borrow().clone();
        let due = Instant::now() + settings.latency;
        while let Some(length) = next_frame(&bytes, &settings) {
            let mut frame: Vec<u8> = bytes.drain(..length).collect();
            if !settings.is_raw && resp::is_answer(&frame) {
                under_way.fetch_sub(1, Ordering::Relaxed);
            }
            damage(&mut frame, shared);
            // The other end of the queue lives as long as this does.
            let _ = queue.send((due, frame));
        }
    }
    // What waits in the queue is lost, as it is when a server dies.
    Ok(())
}

async fn give_replies(
    mut queued: frames::UnboundedReceiver<Queued>,
    mut client: OwnedWriteHalf,
    shared: &Shared,
) -> io::Result<()> {
    let mut settings = shared.settings.subscribe();
    while let Some((due, frame)) = queued.recv().await {
        if due > Instant::now() {
            sleep_until(due).await;
        }
        let replies = settings.borrow_and_update().replies;
        let given = if replies == Replies::StallHalfWay { frame.len() / 2 } else { 0 };
        client.write_all(&frame[..given]).await?;
        let flows = |settings: &Settings| settings.replies == Replies::Flow;
        if settings.wait_for(flows).await.is_err() {
            return Ok(());
        }
        client.write_all(&frame[given..]).await?;
    }
    Ok(())
}

fn next_frame(bytes: &[u8], settings: &Settings) -> Option<usize> {
    if settings.is_raw {
        return Some(bytes.len()).filter(|length| *length > 0);
    }
    resp::frame_length(bytes)
}

fn damage(frame: &mut [u8], shared: &Shared) {
    let mut damages = lock(&shared.damages);
    match damages.last() {
        Some(Damage::Framing) => frame[0] = b'?',
        Some(Damage::Payload) => {
            let Some(bulk) = resp::longest_bulk(frame) else { return };
            frame[bulk.start + bulk.len() / 2] ^= 1;
        }
        None => return,
    }
    damages.pop();
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
