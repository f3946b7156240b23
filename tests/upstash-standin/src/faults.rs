//! Faults that can be switched on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something that goes wrong with some of the requests.
///
/// # Examples
///
/// ```
/// use upstash_standin::{Fault, FaultKind};
///
/// // Every second write is done, and its answer is lost.
/// let fault = Fault::new(FaultKind::Reset { executed: true }).writes().share(0.5);
/// assert_eq!(fault.share, 0.5);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// With which requests.
    #[serde(default)]
    pub only: Target,
    /// With which share of them, from 0 to 1. They are spread evenly, not drawn.
    #[serde(default = "all")]
    pub share: f64,
    /// How many more times; `None` for ever.
    #[serde(default)]
    pub times: Option<u64>,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The command waits so long before it is run (milliseconds).
    Latency(u64),
    /// The command is run at once, and its answer waits so long (milliseconds).
    ReplyLatency(u64),
    /// This status and error body.
    Status {
        /// The HTTP status.
        code: u16,
        /// The text in `error`.
        message: String,
        /// Whether the command is run all the same.
        #[serde(default)]
        executed: bool,
        /// The header `Retry-After`, in seconds.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The body ends half way, and with it the connection. The command is run.
    CutBody,
    /// The body is complete, and no JSON. The command is run.
    Malformed,
    /// The connection is reset instead of an answer.
    Reset {
        /// Whether the command is run before.
        #[serde(default)]
        executed: bool,
    },
    /// No answer, until faults are changed; then a reset.
    Hang {
        /// Whether the command is run before.
        #[serde(default)]
        executed: bool,
    },
}

/// Which requests a fault meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// All.
    #[default]
    All,
    /// Those that only read.
    Reads,
    /// Those that may write.
    Writes,
}

fn all() -> f64 {
    1.0
}

impl Fault {
    /// A fault of every request.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, only: Target::All, share: 1.0, times: None }
    }

    /// Commands wait this long before they are run.
    pub fn latency(time: Duration) -> Self {
        Self::new(FaultKind::Latency(millis(time)))
    }

    /// Commands are run at once, and their answers wait this long.
    pub fn reply_latency(time: Duration) -> Self {
        Self::new(FaultKind::ReplyLatency(millis(time)))
    }

    /// A status with an error body; nothing is run.
    pub fn status(code: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(FaultKind::Status { code, message, executed: false, retry_after: None })
    }

    /// A status with an error body, after the commands were run.
    pub fn status_after(code: u16, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::new(FaultKind::Status { code, message, executed: true, retry_after: None })
    }

    /// Too many commands a second: 429, as a throttled database answers.
    pub fn throttled() -> Self {
        Self::status(429, "ERR max requests limit exceeded. Limit: 10000, Usage: 10001")
    }

    /// The plan's requests of the day are used up.
    pub fn daily_limit() -> Self {
        Self::status(400, "ERR max daily request limit exceeded. Limit: 10000, Usage: 10000")
    }

    /// The database is full: writes are refused.
    pub fn full() -> Self {
        Self::status(400, "ERR DB capacity quota exceeded. Limit: 268435456 bytes").writes()
    }

    /// Meets only requests that read.
    #[must_use]
    pub fn reads(self) -> Self {
        Self { only: Target::Reads, ..self }
    }

    /// Meets only requests that may write.
    #[must_use]
    pub fn writes(self) -> Self {
        Self { only: Target::Writes, ..self }
    }

    /// Meets this share of the requests.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// Meets so many requests and is over.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times: Some(times), ..self }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What the faults do to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) before: Duration,
    pub(crate) after: Duration,
    pub(crate) end: Option<FaultKind>,
}

/// The faults that are switched on, and how many requests each has seen.
#[derive(Debug, Default)]
pub(crate) struct Active {
    faults: Vec<(Fault, u64)>,
}

impl Active {
    pub(crate) fn set(&mut self, faults: Vec<Fault>) {
        self.faults = faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.faults.push((fault, 0));
    }

    pub(crate) fn list(&self) -> Vec<Fault> {
        self.faults.iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// Draws up what happens to the next request. Delays add up; of endings the first counts.
    pub(crate) fn plan(&mut self, reads_only: bool) -> Plan {
        let mut plan = Plan::default();
        for (fault, seen) in &mut self.faults {
            let meant = match fault.only {
                Target::All => true,
                Target::Reads => reads_only,
                Target::Writes => !reads_only,
            };
            if !meant || fault.times == Some(0) || !due(fault.share, seen) {
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
            match &fault.kind {
                FaultKind::Latency(time) => plan.before += Duration::from_millis(*time),
                FaultKind::ReplyLatency(time) => plan.after += Duration::from_millis(*time),
                kind => plan.end = plan.end.or_else(|| Some(kind.clone())),
            }
        }
        plan
    }
}

/// Whether the fault meets the next request: evenly spread, the first one included.
fn due(share: f64, seen: &mut u64) -> bool {
    let before = (*seen as f64 * share).ceil();
    *seen += 1;
    (*seen as f64 * share).ceil() > before
}

#[cfg(test)]
mod tests {
    use super::{Active, Fault, FaultKind};

    fn ends(active: &mut Active, reads_only: bool, requests: usize) -> usize {
        (0..requests).filter(|_| active.plan(reads_only).end.is_some()).count()
    }

    #[test]
    fn a_share_is_spread_evenly() {
        let mut active = Active::default();
        active.add(Fault::throttled().share(0.25));
        assert_eq!(ends(&mut active, true, 100), 25);
        assert_eq!(ends(&mut active, true, 4), 1);
    }

    #[test]
    fn a_fault_meets_whom_it_is_meant_for_and_no_more_often_than_asked() {
        let mut active = Active::default();
        active.add(Fault::new(FaultKind::CutBody).writes().times(2));
        assert_eq!(ends(&mut active, true, 5), 0);
        assert_eq!(ends(&mut active, false, 5), 2);
    }

    #[test]
    fn a_fault_can_be_written_as_json() {
        let json =
            r#"{"kind":{"status":{"code":500,"message":"ERR x"}},"only":"writes","share":0.5}"#;
        let fault: Fault = serde_json::from_str(json).expect("a fault");
        assert_eq!(fault, Fault::status(500, "ERR x").writes().share(0.5));
    }
}
