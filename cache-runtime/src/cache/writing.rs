//! A key that is about to be written through, whichever store it lies in.

use std::sync::Arc;
use std::time::Duration;

use super::claim::Outcome;
use super::core::{Core, Request, Tier};
#[cfg(feature = "entry")]
use super::remote::RemoteWrite;
use super::steps::Life;
use super::value::Cached;
use crate::error::Result;
use crate::near::meta::{TagSeen, unused_number};
use crate::near::store::Filled;

/// A writer's claim on a key, announced before its body runs: the value is stored only if nobody
/// else wrote or invalidated the key meanwhile.
pub(crate) enum WriteClaim {
    Memory(MemoryWrite),
    #[cfg(feature = "entry")]
    Remote(RemoteWrite),
}

pub(crate) struct MemoryWrite {
    claim: TagSeen,
    began: u64,
    tags: Vec<TagSeen>,
    families: Vec<TagSeen>,
}

impl WriteClaim {
    /// Announces a write; `None` where nothing is kept.
    pub(crate) async fn take(core: &Arc<Core>, request: &Request) -> Option<Self> {
        match &core.tier {
            Tier::Off(_) => None,
            Tier::Memory(_) => {
                let began = unused_number();
                let claim = core.claim_write(&request.text)?;
                let (tags, families) =
                    (core.see_tags(&request.tags), core.see_tags(&request.families));
                Some(Self::Memory(MemoryWrite { claim, began, tags, families }))
            }
            #[cfg(feature = "entry")]
            Tier::Remote(_) => Some(Self::Remote(RemoteWrite::claim(core, request).await)),
        }
    }

    /// Stores what was written if the claim still holds, else removes the key.
    ///
    /// # Errors
    ///
    /// Where the store acknowledged neither.
    pub(crate) async fn finish(
        self,
        core: &Arc<Core>,
        request: &Arc<Request>,
        value: &Cached,
        outcome: &Outcome<'_>,
    ) -> Result<Filled> {
        match self {
            Self::Memory(write) => Ok(write.finish(core, request, value, outcome)),
            #[cfg(feature = "entry")]
            Self::Remote(write) => {
                write.finish(core, request, value, outcome).await.map(|()| Filled::Stored)
            }
        }
    }
}

impl MemoryWrite {
    fn finish(
        mut self,
        core: &Core,
        request: &Request,
        value: &Cached,
        outcome: &Outcome<'_>,
    ) -> Filled {
        self.tags.extend(core.see_tags(outcome.tags));
        let families_hold = self.families.iter().all(TagSeen::holds);
        let Some(ttl) = outcome.ttl.filter(|_| families_hold) else {
            core.remove_here(&request.text);
            return Filled::Refused;
        };
        let life = Life::new(core, &request.policy, ttl, self.tags, Duration::ZERO, self.began);
        core.put_claimed(request, value, &life, &self.claim)
    }
}
