//! Commands of many callers in few requests.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

use super::batch::RestBatch;
use super::failure::{Certainty, Failure, serves_nobody, shortened};
use super::post::Post;
use super::reply;
use crate::provider::commands::{Answer, Reply};
use crate::{Error, ErrorKind, Result};

/// How many commands one request may hold.
const MOST_COMMANDS: usize = 1_000;

/// Room for what is put in front of the commands.
const ROOM: usize = 256;

/// One direction of traffic: what only reads, or what may write.
///
/// The first batch has a flush scheduled; batches that arrive before the scheduler comes to it go
/// along in the same request, and each caller gets the replies to its own. Requests run in tasks of
/// their own, so a caller that goes away takes nothing from the others.
#[derive(Debug)]
pub(super) struct Lane {
    post: Arc<Post>,
    reads_only: bool,
    largest_request: usize,
    queue: Mutex<Queue>,
    under_way: Arc<UnderWay>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<Waiting>,
    flush_is_due: bool,
}

#[derive(Debug)]
struct Waiting {
    batch: RestBatch,
    caller: oneshot::Sender<Result<Answer>>,
}

/// How many requests and flushes there are, so that a shutdown can wait for them.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    count: AtomicUsize,
    ended: Notify,
}

impl UnderWay {
    /// Waits until nothing is under way.
    pub(super) async fn finished(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            ended.await;
        }
    }

    fn enter(self: &Arc<Self>) -> Ticket {
        self.count.fetch_add(1, Ordering::SeqCst);
        Ticket(Arc::clone(self))
    }
}

struct Ticket(Arc<UnderWay>);

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

impl Lane {
    pub(super) fn new(
        post: Arc<Post>,
        reads_only: bool,
        largest_request: usize,
        under_way: Arc<UnderWay>,
    ) -> Arc<Self> {
        let queue = Mutex::default();
        Arc::new(Self { post, reads_only, largest_request, queue, under_way })
    }

    /// Sends a batch, together with others that come at the same time.
    pub(super) async fn send(self: &Arc<Self>, batch: RestBatch) -> Result<Answer> {
        if batch.size() + ROOM > self.largest_request || batch.len() > MOST_COMMANDS {
            let sizes = format!("{} bytes, {} commands", batch.size(), batch.len());
            let message = format!("the request is larger than Upstash takes ({sizes})");
            return Err(Error::new(ErrorKind::TooLarge, "upstash", message));
        }
        let runtime = Handle::try_current().map_err(|error| {
            let message = "HTTP needs a Tokio runtime, and there is none here";
            Error::new(ErrorKind::Unavailable, "upstash", message).with_source(error)
        })?;
        let (caller, answer) = oneshot::channel();
        if self.queue(Waiting { batch, caller }) {
            let flush = Flush { lane: Some(Arc::clone(self)), _ticket: self.under_way.enter() };
            runtime.spawn(flush.run());
        }
        answer.await.unwrap_or_else(|_| {
            let message = "the Tokio runtime that carried the request has ended";
            Err(Failure::new(Certainty::InDoubt, message).error(self.reads_only))
        })
    }

    /// Puts a batch in the queue; true if somebody has to schedule the flush.
    fn queue(&self, waiting: Waiting) -> bool {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.waiting.push(waiting);
        !std::mem::replace(&mut queue.flush_is_due, true)
    }

    /// Takes everything out of the queue, and what comes later has to schedule a flush of its own.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.flush_is_due = false;
        std::mem::take(&mut queue.waiting)
    }

    /// Divides what waits into requests. Whoever has gone away meanwhile is left out.
    fn divided(&self, waiting: Vec<Waiting>) -> Vec<Vec<Waiting>> {
        let mut requests: Vec<Vec<Waiting>> = Vec::with_capacity(1);
        let (mut commands, mut size) = (0, 0);
        for one in waiting.into_iter().filter(|one| !one.caller.is_closed()) {
            let fits = commands + one.batch.len() <= MOST_COMMANDS
                && size + one.batch.size() + ROOM <= self.largest_request;
            if requests.is_empty() || !fits {
                requests.push(Vec::new());
                (commands, size) = (0, 0);
            }
            commands += one.batch.len();
            size += one.batch.size();
            if let Some(request) = requests.last_mut() {
                request.push(one);
            }
        }
        requests
    }

    /// Carries out one request, and tells every caller what came of it.
    async fn carry_out(self: Arc<Self>, mut request: Vec<Waiting>, _ticket: Ticket) {
        let batches: Vec<RestBatch> =
            request.iter_mut().map(|one| std::mem::take(&mut one.batch)).collect();
        let whole: Vec<&RestBatch> = batches.iter().collect();
        let asked = if self.reads_only {
            // A read that nobody waits for any more need not go on; a write may as well.
            tokio::select! {
                asked = self.post.send(&whole, true) => asked,
                () = all_gone(&mut request) => return,
            }
        } else {
            self.post.send(&whole, false).await
        };
        match asked {
            Ok(replies) => self.hand_out(request, &batches, replies),
            Err(failure) => {
                for one in request {
                    // A caller that has gone away does not hear it.
                    let _ = one.caller.send(Err(failure.error(self.reads_only)));
                }
            }
        }
    }

    fn hand_out(&self, request: Vec<Waiting>, batches: &[RestBatch], replies: Vec<Reply>) {
        // What is known by now: an answer that came before the last change of lives fits no entry.
        let incarnation = self.post.life().current();
        let mut replies = replies.into_iter();
        for (one, batch) in request.into_iter().zip(batches) {
            let own = batch.names().iter().zip(&mut replies);
            let own: Vec<Reply> = own.map(|(name, reply)| reply::restore(name, reply)).collect();
            let answer = match nobody_served(&own, self.reads_only) {
                Some(error) => {
                    self.post.life().doubt();
                    Err(error)
                }
                None => Ok(Answer { replies: own, incarnation }),
            };
            // A caller that has gone away does not hear it.
            let _ = one.caller.send(answer);
        }
    }
}

/// The error of a batch of which a command was refused because the server serves nobody now.
pub(super) fn nobody_served(replies: &[Reply], reads_only: bool) -> Option<Error> {
    let mut refusals = replies.iter().filter_map(|reply| match reply {
        Reply::Refused(text) if serves_nobody(text) => Some(text),
        _ => None,
    });
    let text = refusals.next()?;
    let whole = refusals.count() + 1 == replies.len();
    let certainty = if whole { Certainty::NothingDone } else { Certainty::InDoubt };
    let message = format!("the server does not serve: {}", shortened(text));
    Some(Failure::new(certainty, message).error(reads_only))
}

/// A flush that is due. If its task is dropped before it ran, because its runtime ends, nobody may
/// wait for it for ever.
struct Flush {
    lane: Option<Arc<Lane>>,
    _ticket: Ticket,
}

impl Flush {
    async fn run(mut self) {
        // One turn of the scheduler: what is ready to send now goes along.
        tokio::task::yield_now().await;
        let Some(lane) = self.lane.take() else { return };
        let mut requests = lane.divided(lane.take());
        let last = requests.pop();
        for request in requests {
            let ticket = lane.under_way.enter();
            tokio::spawn(Arc::clone(&lane).carry_out(request, ticket));
        }
        if let Some(request) = last {
            let ticket = lane.under_way.enter();
            lane.carry_out(request, ticket).await;
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(lane) = self.lane.take() {
            // The callers' channels close, which tells them.
            drop(lane.take());
        }
    }
}

/// Ends when no caller waits any more.
async fn all_gone(request: &mut [Waiting]) {
    poll_fn(|context| {
        let gone = request.iter_mut().all(|one| one.caller.poll_closed(context).is_ready());
        if gone { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
