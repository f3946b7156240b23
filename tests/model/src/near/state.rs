//! What the store, the processes and their connections remember.

/// The longest bound, in ticks.
pub const BOUND: u8 = 2;
/// The present, and the ends of as many ticks before it as a bound has.
pub const HISTORY: usize = BOUND as usize + 1;

/// What the store tells on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    Changed,
    /// A null push.
    Everything,
    /// The answer to a question, which is a sign of life.
    Answer,
}

/// How far a sign of life is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Asked,
    /// The first answer came, and the second question was sent.
    AskedAgain,
    /// The last answer is on its way.
    Answered,
    /// It has come, and is about to count (`Lease::renew`).
    Come,
}

/// A sign of life under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sign {
    pub stage: Stage,
    /// How many ticks ago it was asked for, the bound at most.
    pub age: u8,
    /// Whether nothing was lost since (`Sign::life`).
    pub is_of_this_life: bool,
}

/// A copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Copied {
    pub version: u8,
    pub id: u8,
    /// How many ticks it may still be served, where it is timed.
    pub left: u8,
}

/// A process with a near cache, and its connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub copy: Option<Copied>,
    /// How many ticks the lease still holds.
    pub lease: u8,
    pub sign: Option<Sign>,
    /// On the way to this process, in order.
    pub channel: Vec<Message>,
    /// What the server has not sent yet, and which of that it has to send before the next round.
    pub unsent: Vec<Message>,
    pub due: usize,
    /// Whether the server tells this process, and whether the process thinks so.
    pub is_told: bool,
    pub listens: bool,
    /// Whether it knows that it is registered.
    pub is_registered: bool,
}

impl Node {
    /// One that has just been given a sign of life.
    pub(super) fn with_copy(bound: u8) -> Self {
        Self {
            copy: Some(Copied { version: 0, id: 1, left: bound }),
            lease: bound,
            sign: None,
            channel: Vec::new(),
            unsent: Vec::new(),
            due: 0,
            is_told: true,
            listens: true,
            is_registered: true,
        }
    }
}

/// What a reader found before it asked (`Before`), and since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Looks {
    /// Whether a copy may be made at all, and whether nothing was told since.
    pub may_keep: bool,
    pub is_unchanged: bool,
    /// How many ticks ago that was.
    pub age: u8,
}

/// Where a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Idle,
    /// Copies may be served, and there may be one.
    Near,
    /// Past the copies: about to see how things are before it asks.
    Before,
    Asking,
    Answered {
        version: u8,
        id: u8,
        is_found: bool,
    },
    /// Asks whether its copy is current.
    Validating(Copied),
    Done,
}

/// Somebody who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reader {
    pub step: Step,
    pub node: u8,
    pub reads: u8,
    pub floor: u8,
    pub looks: Looks,
}

/// Where a writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WriterStep {
    Idle,
    Forget,
    Remove,
    Return,
    /// About to ask how long near caches serve their copies.
    Settle,
    /// Waits for so many ticks.
    Wait(u8),
    Done,
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub database: u8,
    /// What is acknowledged now, and what was at the ends of the ticks before.
    pub acknowledged: [u8; HISTORY],
    /// What an invalidation has waited for near caches with.
    pub settled: u8,
    /// The version and the id of the store's entry.
    pub entry: Option<(u8, u8)>,
    pub is_registered: bool,
    pub nodes: Vec<Node>,
    pub readers: Vec<Reader>,
    pub writers: Vec<(WriterStep, u8)>,
    pub losses: u8,
    pub evictions: u8,
    pub is_stale: bool,
}

impl State {
    /// An id that no entry and no copy has.
    pub(super) fn unused(&self) -> u8 {
        let copies = self.nodes.iter().filter_map(|node| node.copy.map(|copy| copy.id));
        let asked = self.readers.iter().filter_map(|reader| match reader.step {
            Step::Answered { id, .. } => Some(id),
            Step::Validating(copy) => Some(copy.id),
            _ => None,
        });
        let used: Vec<u8> = copies.chain(asked).chain(self.entry.map(|(_, id)| id)).collect();
        (1..).find(|id| !used.contains(id)).unwrap_or_default()
    }

    /// The store tells all who listen.
    pub(super) fn tell(&mut self, message: Message) {
        for node in self.nodes.iter_mut().filter(|node| node.is_told) {
            if node.unsent.last() != Some(&message) || node.due == node.unsent.len() {
                node.unsent.push(message);
            }
        }
    }

    /// A copy is forgotten, and none that was asked for before is made (`NearCache::forget`).
    pub(super) fn forget(&mut self, at: usize) {
        self.nodes[at].copy = None;
        for reader in self.readers.iter_mut().filter(|reader| usize::from(reader.node) == at) {
            reader.looks.is_unchanged = false;
        }
    }

    pub(super) fn tick(&mut self, bound: u8) {
        let (present, former) = (self.acknowledged[0], self.acknowledged);
        self.acknowledged[1..].copy_from_slice(&former[..HISTORY - 1]);
        self.acknowledged[0] = present;
        for node in &mut self.nodes {
            node.lease = node.lease.saturating_sub(1);
            if let Some(copy) = &mut node.copy {
                copy.left = copy.left.saturating_sub(1);
            }
            if let Some(sign) = &mut node.sign {
                sign.age = (sign.age + 1).min(bound);
            }
        }
        for reader in &mut self.readers {
            if matches!(reader.step, Step::Asking | Step::Answered { .. }) {
                reader.looks.age = (reader.looks.age + 1).min(bound);
            }
            if let Step::Validating(copy) = &mut reader.step {
                copy.left = copy.left.saturating_sub(1);
            }
        }
        for (step, _) in &mut self.writers {
            if let WriterStep::Wait(left) = step {
                *left = left.saturating_sub(1);
            }
        }
    }
}
