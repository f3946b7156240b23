//! What carries the protocol's steps to Upstash.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::batch::RestBatch;
use super::lane::{Lane, UnderWay};
use super::post::Post;
use crate::entry::Incarnation;
use crate::provider::commands::{Answer, Bucket, Form, Link, Listener, Sent};
use crate::{Error, ErrorKind, Result};

/// One database, reached over HTTP.
pub(crate) struct Rest {
    post: Arc<Post>,
    reads: Arc<Lane>,
    writes: Arc<Lane>,
    under_way: Arc<UnderWay>,
    is_closed: AtomicBool,
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("post", &self.post).finish_non_exhaustive()
    }
}

impl Rest {
    pub(super) fn new(post: Post, largest_request: usize) -> Self {
        let post = Arc::new(post);
        let under_way = Arc::<UnderWay>::default();
        let lane = |reads_only| {
            Lane::new(Arc::clone(&post), reads_only, largest_request, Arc::clone(&under_way))
        };
        let (reads, writes) = (lane(true), lane(false));
        Self { post, reads, writes, under_way, is_closed: AtomicBool::new(false) }
    }

    async fn ask(&self, batch: RestBatch) -> Result<Answer> {
        if self.is_closed.load(Ordering::SeqCst) {
            let message = "the provider was shut down; build a new one";
            return Err(Error::new(ErrorKind::Shutdown, "upstash", message));
        }
        if batch.has_bytes() {
            let message = "a word of the command is no text, which JSON cannot carry";
            return Err(Error::new(ErrorKind::Codec, "upstash", message));
        }
        if batch.len() == 0 {
            let incarnation = self.post.life().current();
            return Ok(Answer { replies: Vec::new(), incarnation });
        }
        let lane = if batch.reads_only() { &self.reads } else { &self.writes };
        lane.send(batch).await
    }
}

impl Link for Rest {
    type Batch = RestBatch;

    const FORM: Form = Form::Text;
    const REST: bool = true;

    fn name(&self) -> &'static str {
        "upstash"
    }

    fn buckets(&self) -> u16 {
        1
    }

    fn is_fenced(&self) -> bool {
        self.post.life().is_fenced()
    }

    async fn send(
        &self,
        _bucket: Bucket,
        batch: RestBatch,
        life: Option<Incarnation>,
    ) -> Result<Sent> {
        if let Some(life) = life {
            // Nothing of the batch was sent, whatever went wrong with the question.
            let current = self.post.current_life().await.map_err(|failure| failure.error(true))?;
            if current != life {
                return Ok(Sent::OtherLife);
            }
        }
        self.ask(batch).await.map(Sent::Answered)
    }

    async fn send_apart(&self, _bucket: Bucket, batch: RestBatch) -> Result<Answer> {
        // Each request stands for itself.
        self.ask(batch).await
    }

    async fn nodes(&self) -> Result<usize> {
        Ok(1)
    }

    async fn send_to(&self, _node: usize, batch: RestBatch) -> Result<Answer> {
        self.ask(batch).await
    }

    fn watch(&self, _listener: Listener) -> bool {
        // REST tells nothing of itself.
        false
    }

    async fn shutdown(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::SeqCst);
        self.under_way.finished().await;
        Ok(())
    }
}
