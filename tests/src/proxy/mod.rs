//! A proxy in front of a server, with faults that a test switches on and off.
//!
//! It runs on a thread of its own, so that it works beside any runtime of the test, also one with
//! a paused clock. What a method here says has happened when it returns.

mod counts;
mod resp;
mod run;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc as orders, watch};

use crate::servers::Port;

pub use counts::Counts;

/// What happens to replies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Replies {
    #[default]
    Flow,
    /// Nothing more comes.
    Stall,
    /// The first half of the next reply comes, then nothing.
    StallHalfWay,
}

/// What happens to a damaged reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// A bit in the middle of its longest string is another.
    Payload,
    /// Its first byte is another: it is no reply any more.
    Framing,
}

/// What the connections obey.
#[derive(Clone, Debug, Default)]
struct Settings {
    target: String,
    latency: Duration,
    replies: Replies,
    /// Commands are taken and never passed on.
    swallows: bool,
    /// Each chunk is a frame: for what is not the Redis protocol.
    is_raw: bool,
}

/// What the control loop does next.
#[derive(Debug)]
enum Order {
    Refuse,
    Accept,
    Cut,
    End,
}

#[derive(Debug)]
struct Shared {
    settings: watch::Sender<Settings>,
    counts: Mutex<Counts>,
    damages: Mutex<Vec<Damage>>,
}

/// A proxy on a loopback port of its own, which ends when it is dropped.
///
/// Faults add to each other; [`flow`](Self::flow) takes all of them back.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    shared: Arc<Shared>,
    orders: orders::UnboundedSender<(Order, mpsc::Sender<()>)>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one in front of a server, `127.0.0.1:6379` or alike, that speaks the Redis protocol
    /// without TLS. The server need not run.
    #[must_use]
    pub fn start(target: &str) -> Self {
        Self::start_with(Settings { target: target.to_owned(), ..Settings::default() })
    }

    /// Starts one that passes on whatever there is: TLS, HTTP. It cannot count commands, and half
    /// a reply is half of what came at once.
    #[must_use]
    pub fn raw(target: &str) -> Self {
        let target = target.to_owned();
        Self::start_with(Settings { target, is_raw: true, ..Settings::default() })
    }

    fn start_with(settings: Settings) -> Self {
        let port = Port::take();
        let shared = Arc::new(Shared {
            settings: watch::Sender::new(settings),
            counts: Mutex::default(),
            damages: Mutex::default(),
        });
        let (orders, received) = orders::unbounded_channel();
        let (number, for_thread) = (port.number(), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name(format!("proxy-{number}"))
            .spawn(move || run::run(number, &for_thread, received))
            .expect("a thread can be started");
        let proxy = Self { port, shared, orders, thread: Some(thread) };
        proxy.order(Order::Accept);
        proxy
    }

    /// `127.0.0.1:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.number())
    }

    /// `redis://127.0.0.1:port/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}/", self.address())
    }

    /// What has passed so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every reply comes so much later. Those that came together stay together.
    pub fn set_latency(&self, latency: Duration) {
        self.set(|settings| settings.latency = latency);
    }

    /// Commands reach the server and take effect; no reply comes.
    pub fn stall_replies(&self) {
        self.set(|settings| settings.replies = Replies::Stall);
    }

    /// The same, but half of the next reply of each connection comes.
    pub fn stall_half_way(&self) {
        self.set(|settings| settings.replies = Replies::StallHalfWay);
    }

    /// Commands are taken and do not reach the server, now or later: the connection is half open.
    pub fn swallow_commands(&self) {
        self.set(|settings| settings.swallows = true);
    }

    /// Takes back all faults. Held replies come now; swallowed commands stay lost.
    pub fn flow(&self) {
        self.set(|settings| {
            settings.latency = Duration::ZERO;
            settings.replies = Replies::Flow;
            settings.swallows = false;
        });
        self.shared.damages.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.accept();
    }

    /// In the next reply that holds a string, one bit in the middle of the longest one is another.
    /// Asked for several times, so many replies are damaged.
    pub fn corrupt_next_payload(&self) {
        self.damage(Damage::Payload);
    }

    /// The next reply begins with another byte, which is none that a reply begins with.
    pub fn corrupt_next_framing(&self) {
        self.damage(Damage::Framing);
    }

    /// Cuts all connections that there are. New ones are taken as before.
    pub fn cut(&self) {
        self.order(Order::Cut);
    }

    /// New connections are refused. Those that there are stay.
    pub fn refuse(&self) {
        self.order(Order::Refuse);
    }

    /// New connections are taken again.
    pub fn accept(&self) {
        self.order(Order::Accept);
    }

    /// New connections go to another server from now on. Those that there are stay with theirs.
    pub fn set_target(&self, target: &str) {
        self.set(|settings| target.clone_into(&mut settings.target));
    }

    fn set(&self, change: impl FnOnce(&mut Settings)) {
        self.shared.settings.send_modify(change);
    }

    fn damage(&self, damage: Damage) {
        self.shared.damages.lock().unwrap_or_else(PoisonError::into_inner).push(damage);
    }

    fn order(&self, order: Order) {
        let (done, wait) = mpsc::channel();
        self.orders.send((order, done)).expect("the proxy's thread runs");
        wait.recv().expect("the proxy's thread runs");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let (done, _wait) = mpsc::channel();
        // Where the thread panicked, there is nothing to end, and the test has failed already.
        let _ = self.orders.send((Order::End, done));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
