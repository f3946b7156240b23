//! Writes without a load: `set`, and functions that write through.

use std::sync::Arc;
use std::time::Duration;

use super::claim::RemoteClaim;
use super::names::{mark_ttl, marks, stamps};
use super::{NO_DEADLINE, Remote};
use crate::cache::claim::{Claim, Outcome, Taken};
use crate::cache::core::{Core, Request, Tier};
use crate::cache::value::Cached;
use crate::entry::{Draft, Encoding, TagsHash};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{
    CellKind, Expected, Fill, Filled, Incarnation, Prefix, Provider, Refusal, Stamp,
};
use crate::stats::count;

/// What an entry is made of besides its value and its tags.
pub(super) struct Draught {
    pub(super) ttl: Duration,
    pub(super) took: Duration,
    pub(super) incarnation: Incarnation,
}

/// How long the store keeps an entry: its TTL, and the time in which it may be served stale. For a
/// TTL that is not known yet, what it will be where the value does not decide.
pub(super) fn physical_ttl(core: &Core, request: &Request, ttl: Option<Duration>) -> Duration {
    let ttl = ttl.or(request.policy.ttl).unwrap_or(core.default_ttl);
    ttl.saturating_add(request.policy.kept())
}

impl Remote {
    /// The bytes of an entry; `None` where the value cannot be encoded, which is counted.
    pub(super) fn encode(
        &self,
        core: &Core,
        request: &Request,
        value: &Cached,
        names: &[&String],
        stamps: &[Stamp],
        draught: &Draught,
    ) -> Option<Vec<u8>> {
        match self.try_encode(core, request, value, names, stamps, draught) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                count(&request.counters.errors);
                tracing::warn!(target: "cache", key = %request.text, %error, "not stored");
                None
            }
        }
    }

    fn try_encode(
        &self,
        core: &Core,
        request: &Request,
        value: &Cached,
        names: &[&String],
        stamps: &[Stamp],
        draught: &Draught,
    ) -> Result<Vec<u8>> {
        let payload = match value {
            Cached::Nothing => None,
            Cached::Value(value) => Some((request.ops.encode)(value, &self.format)?),
        };
        let plain = Encoding { codec: self.format.codec.number(), compression: 0 };
        let encoding = payload.as_ref().map_or(plain, |payload| payload.encoding);
        let policy = &request.policy;
        let jitter = policy.jitter.unwrap_or(0.0).clamp(0.0, 1.0);
        let ttl = draught.ttl.saturating_sub(draught.ttl.mul_f64(jitter * fastrand::f64()));
        let ends_softly = policy.may_serve_expired() || policy.early_beta() > 0.0 || jitter > 0.0;
        let millis = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let named: Vec<(&str, Stamp)> =
            names.iter().map(|name| name.as_str()).zip(stamps.iter().copied()).collect();
        let draft = Draft {
            prefix: Prefix::unique(CellKind::Value),
            encoding,
            nothing: payload.is_none(),
            schema: (request.ops.schema)(),
            key: self.key_hash(&request.text),
            incarnation: draught.incarnation,
            tags: TagsHash::of(request.tags.iter().map(String::as_str)),
            stamps: &[],
            named: &named,
            soft_deadline: core.clock.unix_millis().saturating_add(millis).min(NO_DEADLINE - 1),
            fresh_while_kept: !ends_softly,
            load_millis: u32::try_from(draught.took.as_millis()).unwrap_or(u32::MAX),
            payload: payload.as_ref().map_or(&[], |payload| &payload.bytes),
        };
        draft.encode()
    }

    /// Stores a value whatever the cell holds: one command where there are no tags and the server
    /// is the one that answered last, two else.
    pub(crate) async fn put(
        &self,
        core: &Core,
        request: &Request,
        value: &Cached,
        ttl: Duration,
    ) -> Result<()> {
        let physical = physical_ttl(core, request, Some(ttl));
        let names: Vec<&String> = request.tags.iter().collect();
        let marks = marks(&request.tags);
        let mut guess = Some(self.guessed_incarnation())
            .filter(|guess| marks.is_empty() && *guess != Incarnation::UNKNOWN);
        loop {
            let (incarnation, tags) = match guess {
                Some(incarnation) => (incarnation, Vec::new()),
                None => {
                    let ttl = mark_ttl(physical);
                    let now = self.provider.ensure_marks(&request.text, &marks, ttl).await?;
                    self.note(now.incarnation);
                    let Some(tags) = stamps(&now.marks) else {
                        // A tag is on hold: nothing that carries it may be stored.
                        return self.remove(core, &request.text).await.map(|_| ());
                    };
                    (now.incarnation, tags)
                }
            };
            let draught = Draught { ttl, took: Duration::ZERO, incarnation };
            let bytes = self.try_encode(core, request, value, &names, &tags, &draught)?;
            let mut fill =
                Fill::new(&request.text, &bytes, physical).marks(&marks, mark_ttl(physical));
            if incarnation != Incarnation::UNKNOWN {
                fill = fill.incarnation(incarnation);
            }
            let filled = self.provider.fill(fill).await;
            if let Some(near) = &self.near {
                near.forget(&request.text);
            }
            match (filled?, guess.take()) {
                (Filled::Refused(Refusal::Incarnation), Some(_)) => {}
                (Filled::Refused(why), _) => {
                    let message = format!("the server changed while it stored ({why:?})");
                    return Err(Error::new(ErrorKind::Unavailable, "set", message));
                }
                (Filled::Stored(_), _) => {
                    count(&request.counters.stores);
                    tracing::debug!(target: "cache", key = %request.text, "store");
                    return Ok(());
                }
            }
        }
    }
}

/// A key that is about to be written through.
pub(crate) struct RemoteWrite(Option<RemoteClaim>);

impl RemoteWrite {
    /// Announces a write. Where the key holds a value, that stays, and is what the write replaces;
    /// else a writer's claim takes its place, under which readers load and store nothing. Either
    /// way another writer, a load that ends meanwhile and any invalidation make the write fail.
    pub(crate) async fn claim(core: &Arc<Core>, request: &Request) -> Self {
        let Tier::Remote(remote) = &core.tier else { return Self(None) };
        if let Some(claim) = RemoteClaim::over_value(core, remote, request).await {
            return Self(Some(claim));
        }
        let anything = Expected::Anything;
        match RemoteClaim::acquire(core, remote, request, anything, CellKind::Write).await {
            Taken::Claim(Claim::Remote(mut claim)) => {
                claim.removes_when_refused();
                Self(Some(claim))
            }
            _ => Self(None),
        }
    }

    /// Stores what was written if the claim still holds, else removes the key.
    ///
    /// # Errors
    ///
    /// Where neither was acknowledged; the removal then goes on in the background.
    pub(crate) async fn finish(
        mut self,
        core: &Arc<Core>,
        request: &Arc<Request>,
        value: &Cached,
        outcome: &Outcome<'_>,
    ) -> Result<()> {
        if let (Some(claim), Some(_)) = (self.0.take(), outcome.ttl)
            && claim.conclude(core, request, value, outcome).await.held
        {
            return Ok(());
        }
        core.remove(&request.text).await.map(|_| ())
    }
}
