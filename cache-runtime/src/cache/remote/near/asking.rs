//! Asking the store whether a copy is still current.

use std::sync::Arc;

use super::super::age::{Age, Lifetime};
use super::super::names::mark;
use super::super::share::Answered;
use super::super::{Found, Remote};
use crate::cache::core::{Core, Look, Request, Seen};
use crate::cache::value::Cached;
use crate::near::origin::Origin;
use crate::provider::{CellKind, Extent, Lookup, Mark, Observed, Provider};
use crate::stats::MissReason;

/// Up to so many bytes an entry is read whole: that is one command instead of two, and what is found
/// in place of the copy need not be asked for again.
const SMALL: usize = 1_024;

impl Remote {
    /// Looks a key up of which there is a copy: one round trip where it is current. `None` if the
    /// store holds another value by now, which has to be read.
    pub(in crate::cache::remote) async fn validate(
        &self,
        core: &Core,
        request: &Request,
        value: Cached,
        origin: &Origin,
    ) -> Option<Look> {
        // The entry has to carry all that its reader may be invalidated by.
        let known = request.tags.len();
        if origin.asked != Some(known) || !origin.marks.names.starts_with(&request.tags) {
            return None;
        }
        let marks: Vec<Mark<'_>> = origin.marks.names.iter().map(|name| mark(name)).collect();
        let extent = if origin.bytes <= SMALL { Extent::Whole } else { Extent::Prefix };
        let lookup = [Lookup::new(&request.text).extent(extent).marks(&marks)];
        let observed = match self.provider.read(&lookup).await {
            Ok(observed) => observed.into_iter().next()?,
            Err(error) => return Some(self.failed(request, &error)),
        };
        self.note(observed.incarnation);
        let stamps = observed.marks.iter().map(|state| state.stamp());
        let is_current = observed.prefix() == origin.prefix
            && observed.incarnation == origin.incarnation
            && stamps.eq(origin.marks.stamps.iter().copied().map(Some));
        let prefix = observed.prefix();
        let seen = |observed: Observed| {
            let marks = observed.marks.into_iter().take(known).collect();
            let observed = Answered::Alone(Observed { marks, ..observed });
            Seen::There(Arc::new(Found { prefix, observed }))
        };
        if is_current {
            let age = Lifetime::from(origin).age(core.clock.unix_millis(), &request.policy);
            // Of a fresh value nobody who looks for it compares anything later.
            let seen = if age == Age::Fresh { Seen::NOTHING } else { seen(observed) };
            return Some(age.look(value, seen));
        }
        if let Some(near) = &self.near {
            near.forget(&request.text);
        }
        match prefix.kind() {
            // Of an entry whose first byte was damaged the prefix alone does not tell.
            Some(CellKind::Lease | CellKind::Write) => None,
            // The same entry, of which a tag was invalidated: nothing else is to be found there.
            Some(CellKind::Value) if prefix == origin.prefix => {
                Some(Look::Miss { seen: seen(observed), reason: MissReason::Invalidated })
            }
            None if observed.cell.is_none() => {
                Some(Look::Miss { seen: seen(observed), reason: MissReason::Absent })
            }
            _ => None,
        }
    }
}
