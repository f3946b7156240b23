//! The steps of the provider contract as values of their own, so that they can be late, be repeated
//! and be given to several stores.

use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, Baseline, Expected, Extent, Fill, Filled, Incarnation, Lookup, Mark,
    MarkKind, Observed, OnRefused, Prefix, Stamp,
};

/// The name of a mark.
pub(crate) type MarkName = (MarkKind, String);

/// One step of the contract.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Read(Vec<Question>),
    Acquire(Lease),
    Fill(Value),
    Renew(String, Prefix, Duration),
    Release(String, Prefix),
    Ensure(Vec<MarkName>, Duration),
    Hold(Vec<MarkName>, Duration),
    ReleaseMarks(Vec<MarkName>),
    Remove(Vec<String>, Vec<MarkName>),
    /// The keys of all cells: what a scan finds.
    Keys,
    /// Forgets everything but what is held.
    Clear,
    Ping,
}

/// One lookup of a read.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) key: String,
    pub(crate) extent: Extent,
    pub(crate) marks: Vec<MarkName>,
}

/// What [`Acquire`] asks for.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) key: String,
    pub(crate) expected: Expected,
    pub(crate) lease: Prefix,
    pub(crate) ttl: Duration,
    pub(crate) marks: Vec<MarkName>,
    pub(crate) mark_ttl: Duration,
}

/// What [`Fill`] asks for.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) key: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ttl: Duration,
    pub(crate) expected: Expected,
    pub(crate) incarnation: Option<Incarnation>,
    pub(crate) marks: Vec<MarkName>,
    pub(crate) mark_ttl: Duration,
    pub(crate) guards: Vec<(MarkName, Stamp)>,
    pub(crate) on_refused: OnRefused,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Observed(Vec<Observed>),
    Acquired(Acquired),
    Filled(Filled),
    Marks(Baseline),
    Is(bool),
    Count(u64),
    Keys(Vec<String>),
    Alive(Incarnation),
    Done,
}

impl Command {
    /// Whether nothing changes by it.
    pub(crate) fn only_reads(&self) -> bool {
        matches!(self, Command::Read(_) | Command::Keys | Command::Ping)
    }

    /// What traces call it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Command::Read(_) => "read",
            Command::Acquire(_) => "acquire",
            Command::Fill(_) => "fill",
            Command::Renew(..) => "renew",
            Command::Release(..) => "release",
            Command::Ensure(..) => "ensure",
            Command::Hold(..) => "hold",
            Command::ReleaseMarks(_) => "release marks",
            Command::Remove(..) => "remove",
            Command::Keys => "keys",
            Command::Clear => "clear",
            Command::Ping => "ping",
        }
    }
}

pub(crate) fn owned(marks: &[Mark<'_>]) -> Vec<MarkName> {
    marks.iter().map(|mark| (mark.kind, mark.name.to_owned())).collect()
}

pub(crate) fn borrowed(marks: &[MarkName]) -> Vec<Mark<'_>> {
    marks.iter().map(|(kind, name)| Mark { kind: *kind, name }).collect()
}

impl From<&Lookup<'_>> for Question {
    fn from(lookup: &Lookup<'_>) -> Self {
        Self { key: lookup.key.to_owned(), extent: lookup.extent, marks: owned(lookup.marks) }
    }
}

impl From<Acquire<'_>> for Lease {
    fn from(request: Acquire<'_>) -> Self {
        Self {
            key: request.key.to_owned(),
            expected: request.expected,
            lease: request.lease,
            ttl: request.lease_ttl,
            marks: owned(request.marks),
            mark_ttl: request.mark_ttl,
        }
    }
}

impl From<Fill<'_>> for Value {
    fn from(request: Fill<'_>) -> Self {
        let guards = request.guards.iter();
        Self {
            key: request.key.to_owned(),
            bytes: request.value.to_vec(),
            ttl: request.ttl,
            expected: request.expected,
            incarnation: request.incarnation,
            marks: owned(request.marks),
            mark_ttl: request.mark_ttl,
            guards: guards
                .map(|(mark, stamp)| ((mark.kind, mark.name.to_owned()), *stamp))
                .collect(),
            on_refused: request.on_refused,
        }
    }
}
