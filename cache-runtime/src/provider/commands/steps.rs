//! The provider on top of a link.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::join::join_all;
use super::link::{self, Answer, Batch, Bucket, Link, Reply, Sent};
use super::listener::Listener;
use super::names::Names;
use super::reply;
use super::scripts::{Call, Scripts};
use crate::provider::{
    Acquire, Acquired, Baseline, BoxFuture, Description, Fill, Filled, Incarnation, Lookup, Mark,
    Observed, Prefix, Provider, Removal, Usage, Watch,
};
use crate::{Error, ErrorKind, Pattern, Result};

/// How long a name may be over REST: Upstash takes no longer ones.
const LONGEST_NAME_OVER_REST: usize = 32 * 1024;

/// How long a name may be elsewhere: far more than keys have, and little enough to be sent along.
const LONGEST_NAME: usize = 64 * 1024;

/// The contract's steps as commands over a link.
///
/// # Consistency
///
/// Each step maps to commands as the texts of [`Provider`] say. Where a link has several buckets,
/// parts of a step that lie in different ones are sent in parallel, except where an order is
/// promised: guards are read before the fill, the marks of an entry after it, and a removal blocks
/// all that it names before it lets go of any. Each mark's stamp is made with the incarnation of the
/// server that answered for this mark.
///
/// # Cancel safety
///
/// As [`Provider`]: a step that is dropped is in doubt. Nothing is kept between steps but what
/// servers know of scripts, and being wrong about that costs a round trip.
pub(crate) struct Steps<L> {
    pub(super) link: L,
    pub(super) names: Names,
    pub(super) scripts: Scripts,
    is_closed: AtomicBool,
}

/// How a script ended.
pub(super) enum Ran {
    /// With a reply from a server in this incarnation.
    Replied(Reply, Incarnation),
    /// It was not sent: the server is in another life than the one asked for.
    OtherLife,
}

impl<L: Link> Steps<L> {
    /// The steps over this link, on the keys and marks of one namespace.
    pub(crate) fn new(link: L, namespace: &str) -> Self {
        let longest = if L::REST { LONGEST_NAME_OVER_REST } else { LONGEST_NAME };
        let names = Names::new(namespace, link.buckets(), longest);
        let scripts = Scripts::new(L::FORM, L::REST);
        Self { link, names, scripts, is_closed: AtomicBool::new(false) }
    }

    /// Fails once the provider was shut down, also for steps that would send nothing.
    pub(super) fn check_open(&self, step: &'static str) -> Result<()> {
        if self.is_closed.load(Ordering::Acquire) {
            let message = "the provider was shut down; build a new one";
            return Err(Error::new(ErrorKind::Shutdown, step, message));
        }
        Ok(())
    }

    /// Sends commands to whatever life the server is in.
    pub(super) async fn send(
        &self,
        step: &'static str,
        bucket: Bucket,
        batch: L::Batch,
    ) -> Result<Answer> {
        self.link.send(bucket, batch, None).await?.answer(step)
    }

    /// Runs a script, and sends it whole where the server does not know it.
    pub(super) async fn run(
        &self,
        step: &'static str,
        call: &Call<'_>,
        life: Option<Incarnation>,
    ) -> Result<Ran> {
        let mut whole = !call.script.is_known(call.bucket);
        loop {
            let sent = self.link.send(call.bucket, call.batch(whole), life).await?;
            let Sent::Answered(answer) = sent else { return Ok(Ran::OtherLife) };
            match reply::single(step, answer.replies)? {
                Reply::Refused(reason) if !whole && reason.starts_with("NOSCRIPT") => whole = true,
                Reply::Refused(reason) => return Err(reply::refused(step, &reason)),
                reply => {
                    call.script.learn(call.bucket);
                    return Ok(Ran::Replied(reply, answer.incarnation));
                }
            }
        }
    }

    /// Runs a script in whatever life the server is in.
    pub(super) async fn run_now(
        &self,
        step: &'static str,
        call: &Call<'_>,
    ) -> Result<(Reply, Incarnation)> {
        match self.run(step, call, None).await? {
            Ran::Replied(reply, incarnation) => Ok((reply, incarnation)),
            Ran::OtherLife => Err(link::other_life(step)),
        }
    }

    /// Asks a bucket's server for a sign of life.
    pub(super) async fn ping_bucket(
        &self,
        step: &'static str,
        bucket: Bucket,
    ) -> Result<Incarnation> {
        let mut batch = L::Batch::default();
        batch.command("PING");
        let answer = self.send(step, bucket, batch).await?;
        match reply::single(step, answer.replies)? {
            Reply::Status | Reply::Bytes(_) => Ok(answer.incarnation),
            other => Err(reply::unexpected(step, other)),
        }
    }
}

impl<L: Link> Steps<L> {
    /// Asks all servers for a sign of life at once; one is enough.
    async fn ping_any(&self, step: &'static str) -> Result<Incarnation> {
        let servers = self.link.nodes().await?;
        let one = async |server| {
            let mut batch = L::Batch::default();
            batch.command("PING");
            let answer = self.link.send_to(server, batch).await?;
            reply::single(step, answer.replies).map(|_| answer.incarnation)
        };
        let answers = join_all((0..servers).map(one)).await;
        let none = || Error::new(ErrorKind::Unavailable, step, "no server answers");
        answers.into_iter().find_map(Result::ok).ok_or_else(none)
    }
}

/// Tells no key and no value; what the link tells of itself holds no secret.
impl<L: Link> fmt::Debug for Steps<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps")
            .field("link", &self.link)
            .field("namespace", &self.names.namespace())
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<L: Link> Provider for Steps<L> {
    fn read<'a>(&'a self, lookups: &'a [Lookup<'a>]) -> BoxFuture<'a, Result<Vec<Observed>>> {
        Box::pin(self.look_up("read", lookups))
    }

    fn acquire<'a>(&'a self, request: Acquire<'a>) -> BoxFuture<'a, Result<Acquired>> {
        Box::pin(self.begin_load(request))
    }

    fn fill<'a>(&'a self, request: Fill<'a>) -> BoxFuture<'a, Result<Filled>> {
        Box::pin(self.end_load(request))
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        prefix: Prefix,
        ttl: Duration,
    ) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.prolong(key, prefix, ttl))
    }

    fn release<'a>(&'a self, key: &'a str, prefix: Prefix) -> BoxFuture<'a, Result<bool>> {
        Box::pin(self.give_up(key, prefix))
    }

    fn ensure_marks<'a>(
        &'a self,
        key: &'a str,
        marks: &'a [Mark<'a>],
        ttl: Duration,
    ) -> BoxFuture<'a, Result<Baseline>> {
        Box::pin(self.ensure(key, marks, ttl))
    }

    fn hold_marks<'a>(&'a self, marks: &'a [Mark<'a>], ttl: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.hold(marks, ttl))
    }

    fn release_marks<'a>(&'a self, marks: &'a [Mark<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.release_holds(marks))
    }

    fn remove<'a>(&'a self, removal: Removal<'a>) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.unlink(removal))
    }

    fn replicate<'a>(
        &'a self,
        names: Removal<'a>,
        replicas: u32,
        patience: Duration,
    ) -> BoxFuture<'a, Result<u32>> {
        Box::pin(self.confirm(names, replicas, patience))
    }

    fn remove_matching<'a>(&'a self, pattern: &'a Pattern) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.unlink_matching(pattern))
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.unlink_everything())
    }

    fn ping(&self) -> BoxFuture<'_, Result<Incarnation>> {
        Box::pin(async move {
            self.check_open("ping")?;
            match self.ping_bucket("ping", Bucket(0)).await {
                Err(error) if !self.names.is_single() => self.ping_any("ping").await.or(Err(error)),
                answer => answer,
            }
        })
    }

    fn usage(&self) -> BoxFuture<'_, Result<Usage>> {
        // Counting a namespace means to scan the server, which is not cheap.
        Box::pin(async move { self.check_open("usage").map(|()| Usage::default()) })
    }

    fn describe(&self) -> Description {
        Description::shared(self.link.name(), self.names.namespace(), self.link.is_fenced())
    }

    fn serves_in_part(&self) -> bool {
        self.link.serves_in_part()
    }

    fn watch(&self, watch: Watch) -> bool {
        !self.is_closed.load(Ordering::Acquire)
            && self.link.watch(Listener::new(self.names.clone(), watch))
    }

    fn shutdown(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.is_closed.swap(true, Ordering::AcqRel) {
                return Ok(());
            }
            self.link.shutdown().await
        })
    }
}
