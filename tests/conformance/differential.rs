//! Random sequences of operations mean the same on the memory provider and on the reference.

use std::collections::HashMap;
use std::time::Duration;

use cache_runtime::provider::{
    Acquire, Acquired, CellKind, Expected, Extent, Fill, Filled, Incarnation, Lookup, Mark,
    MarkState, MemoryProvider, OnRefused, Prefix, Provider, Removal, Stamp,
};
use cache_runtime::{Clock, Pattern};
use cache_tests::providers::reference::Reference;
use fastrand::Rng;

const OPERATIONS: usize = 100_000;
const KEYS: [&str; 8] = ["a", "b", "a:1", "a:2", "a*", "", "[b]", "ä:1"];
const PATTERNS: [&str; 10] = ["*", "a*", "a:?", "?", "[ab]", "a\\*", "ä*", "[^a]*", "\\[*", "a"];
const MARKS: [Mark<'static>; 6] = [
    Mark::tag("t"),
    Mark::tag("u"),
    Mark::epoch("t"),
    Mark::scope("t"),
    Mark::scope(""),
    Mark::tag("t*"),
];

/// One operation, the same for both; stamps and incarnations are written as what they are called
/// in [`Names`].
#[derive(Clone, Debug)]
enum Operation {
    Read(Vec<(&'static str, Extent, Vec<Mark<'static>>)>),
    Acquire(&'static str, Expected, Prefix, Duration, Vec<Mark<'static>>, Duration),
    Fill(FillWords),
    Renew(&'static str, Prefix, Duration),
    Release(&'static str, Prefix),
    Ensure(&'static str, Vec<Mark<'static>>, Duration),
    Hold(Vec<Mark<'static>>, Duration),
    ReleaseHolds(Vec<Mark<'static>>),
    Remove(Vec<&'static str>, Vec<Mark<'static>>),
    RemoveMatching(&'static str),
    Clear,
    Usage,
    Advance(Duration),
}

#[derive(Clone, Debug)]
struct FillWords {
    key: &'static str,
    value: Vec<u8>,
    ttl: Duration,
    expected: Expected,
    own_incarnation: Option<bool>,
    marks: Vec<Mark<'static>>,
    mark_ttl: Duration,
    guards: Vec<(Mark<'static>, usize)>,
    on_refused: OnRefused,
}

/// Each provider draws its own nonces: stamps are compared by the order in which they appeared.
#[derive(Default)]
struct Names {
    numbers: HashMap<Stamp, usize>,
    stamps: Vec<Stamp>,
}

impl Names {
    fn say(&mut self, states: &[MarkState]) -> String {
        let say = |state: &MarkState| match state {
            MarkState::Absent => "absent ".to_owned(),
            MarkState::Held => "held ".to_owned(),
            MarkState::Live(stamp) => {
                let number = *self.numbers.entry(*stamp).or_insert_with(|| {
                    self.stamps.push(*stamp);
                    self.stamps.len() - 1
                });
                format!("live {number} ")
            }
        };
        states.iter().map(say).collect()
    }

    fn stamp(&self, number: usize) -> Stamp {
        self.stamps.get(number).copied().unwrap_or(Stamp::from_bytes([1; 8]))
    }
}

/// Does it, and says what came out.
async fn apply(provider: &dyn Provider, operation: &Operation, names: &mut Names) -> String {
    let own = provider.ping().await.expect("in memory");
    match operation {
        Operation::Read(lookups) => {
            let asked: Vec<Lookup<'_>> = lookups
                .iter()
                .map(|(key, extent, marks)| Lookup::new(key).extent(*extent).marks(marks))
                .collect();
            let seen = provider.read(&asked).await.expect("in memory");
            let say = |seen: &cache_runtime::provider::Observed| {
                assert_eq!(seen.incarnation, own);
                format!("{:?} {}", seen.cell.as_deref(), names.say(&seen.marks))
            };
            seen.iter().map(say).collect()
        }
        Operation::Acquire(key, expected, lease, ttl, marks, mark_ttl) => {
            let request =
                Acquire::new(key, *lease, *ttl).expected(*expected).marks(marks, *mark_ttl);
            match provider.acquire(request).await.expect("in memory") {
                Acquired::Granted(baseline) => format!("granted {}", names.say(&baseline.marks)),
                Acquired::Busy(found) => format!("busy {found:?}"),
            }
        }
        Operation::Fill(words) => fill(provider, words, own, names).await,
        Operation::Renew(key, prefix, ttl) => {
            provider.renew(key, *prefix, *ttl).await.expect("in memory").to_string()
        }
        Operation::Release(key, prefix) => {
            provider.release(key, *prefix).await.expect("in memory").to_string()
        }
        Operation::Ensure(key, marks, ttl) => {
            let baseline = provider.ensure_marks(key, marks, *ttl).await.expect("in memory");
            names.say(&baseline.marks)
        }
        Operation::Hold(marks, ttl) => {
            format!("{:?}", provider.hold_marks(marks, *ttl).await.is_ok())
        }
        Operation::ReleaseHolds(marks) => {
            format!("{:?}", provider.release_marks(marks).await.is_ok())
        }
        Operation::Remove(keys, marks) => {
            let removal = Removal::of_keys(keys).and_marks(marks);
            provider.remove(removal).await.expect("in memory").to_string()
        }
        Operation::RemoveMatching(pattern) => {
            let pattern = Pattern::from(*pattern);
            provider.remove_matching(&pattern).await.expect("in memory").to_string()
        }
        Operation::Clear => format!("{:?}", provider.clear().await.is_ok()),
        Operation::Usage => format!("{:?}", provider.usage().await.expect("in memory").cells),
        Operation::Advance(_) => String::new(),
    }
}

async fn fill(
    provider: &dyn Provider,
    words: &FillWords,
    own: Incarnation,
    names: &mut Names,
) -> String {
    let guards: Vec<(Mark<'_>, Stamp)> =
        words.guards.iter().map(|(mark, number)| (*mark, names.stamp(*number))).collect();
    let mut request = Fill::new(words.key, &words.value, words.ttl)
        .expected(words.expected)
        .marks(&words.marks, words.mark_ttl)
        .guards(&guards)
        .on_refused(words.on_refused);
    if let Some(is_own) = words.own_incarnation {
        request = request.incarnation(Incarnation::new(own.get() ^ u64::from(!is_own)));
    }
    match provider.fill(request).await {
        Ok(Filled::Stored(states)) => format!("stored {}", names.say(&states)),
        // Where several reasons hold, any of them may be named.
        Ok(Filled::Refused(_)) => "refused".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

struct Inventor {
    random: Rng,
    prefixes: Vec<Prefix>,
    drawn: u128,
}

impl Inventor {
    fn key(&mut self) -> &'static str {
        KEYS[self.random.usize(..KEYS.len())]
    }

    fn marks(&mut self) -> Vec<Mark<'static>> {
        (0..self.random.usize(..4)).map(|_| MARKS[self.random.usize(..MARKS.len())]).collect()
    }

    /// Ends never fall on a moment that is reached: those are multiples of ten.
    fn ttl(&mut self) -> Duration {
        Duration::from_millis(self.random.u64(..20) * 10 + 5)
    }

    fn new_prefix(&mut self, kind: CellKind) -> Prefix {
        self.drawn += 1;
        let prefix = Prefix::new(kind, self.drawn.to_le_bytes());
        self.prefixes.push(prefix);
        prefix
    }

    /// One that was drawn lately, and so is likely to lie somewhere.
    fn known_prefix(&mut self) -> Prefix {
        let lately = self.prefixes.len().saturating_sub(12);
        let at = self.random.usize(lately..=self.prefixes.len());
        self.prefixes.get(at).copied().unwrap_or(Prefix::ABSENT)
    }

    fn expected(&mut self) -> Expected {
        match self.random.u8(..4) {
            0 => Expected::Anything,
            1 => Expected::ABSENT,
            _ => Expected::Prefix(self.known_prefix()),
        }
    }

    fn fill(&mut self, known_stamps: usize) -> Operation {
        let mut value = self.new_prefix(CellKind::Value).as_bytes().to_vec();
        value.extend((0..self.random.usize(..40)).map(|_| self.random.u8(..)));
        value.truncate(if self.random.u8(..50) == 0 { 10 } else { usize::MAX });
        let guards = (0..self.random.usize(..6).saturating_sub(3)).map(|_| {
            let lately = known_stamps.saturating_sub(8);
            (MARKS[self.random.usize(..MARKS.len())], self.random.usize(lately..=known_stamps))
        });
        Operation::Fill(FillWords {
            guards: guards.collect(),
            key: self.key(),
            value,
            ttl: self.ttl(),
            expected: self.expected(),
            own_incarnation: [None, None, Some(true), Some(false)][self.random.usize(..4)],
            marks: self.marks(),
            mark_ttl: self.ttl(),
            on_refused: [OnRefused::Keep, OnRefused::Remove][self.random.usize(..2)],
        })
    }

    fn next(&mut self, known_stamps: usize) -> Operation {
        match self.random.u8(..100) {
            0..20 => {
                let extents = [Extent::Whole, Extent::Prefix, Extent::Nothing];
                let lookup = |_| (self.key(), extents[self.random.usize(..3)], self.marks());
                Operation::Read((0..3).map(lookup).collect())
            }
            20..40 => {
                let expected = self.expected();
                let kind = [CellKind::Lease, CellKind::Write][self.random.usize(..2)];
                let lease = self.new_prefix(kind);
                Operation::Acquire(
                    self.key(),
                    expected,
                    lease,
                    self.ttl(),
                    self.marks(),
                    self.ttl(),
                )
            }
            40..62 => self.fill(known_stamps),
            62..68 => Operation::Renew(self.key(), self.known_prefix(), self.ttl()),
            68..74 => Operation::Release(self.key(), self.known_prefix()),
            74..79 => Operation::Ensure(self.key(), self.marks(), self.ttl()),
            79..81 => Operation::Hold(self.marks(), self.ttl()),
            81 => Operation::ReleaseHolds(self.marks()),
            82..88 => Operation::Remove(vec![self.key(), self.key()], self.marks()),
            88..90 => Operation::RemoveMatching(PATTERNS[self.random.usize(..PATTERNS.len())]),
            90 if self.random.u8(..5) == 0 => Operation::Clear,
            90..92 => Operation::Usage,
            _ => Operation::Advance(Duration::from_millis(self.random.u64(..8) * 10)),
        }
    }
}

#[tokio::test]
async fn random_operations_mean_the_same_on_both() {
    let (clock, hand) = Clock::manual();
    let memory = MemoryProvider::builder().clock(clock).namespace("d").build();
    let reference = Reference::new("d");
    let (mut ours, mut theirs) = (Names::default(), Names::default());
    let random = Rng::with_seed(0xd1ff);
    let mut inventor = Inventor { random, prefixes: Vec::new(), drawn: 0 };
    let mut outcomes: HashMap<String, usize> = HashMap::new();

    for number in 0..OPERATIONS {
        let operation = inventor.next(ours.stamps.len());
        if let Operation::Advance(by) = &operation {
            // The same instant on both, whatever the clock's fractions: two steps could round
            // differently, so the end of a TTL never falls on a step.
            hand.advance(*by);
            reference.advance(*by);
        }
        let found = apply(&memory, &operation, &mut ours).await;
        let wanted = apply(&reference, &operation, &mut theirs).await;
        assert_eq!(found, wanted, "operation {number}: {operation:?}");
        let first = found.split(' ').next().unwrap_or_default();
        if matches!(operation, Operation::Acquire(..) | Operation::Fill(_)) {
            *outcomes.entry(first.to_owned()).or_default() += 1;
        }
    }
    // A run in which hardly anything succeeds would compare nothing.
    println!("{OPERATIONS} operations, {} stamps, {outcomes:?}", ours.stamps.len());
    for outcome in ["granted", "busy", "stored", "refused", "Codec"] {
        assert!(outcomes.get(outcome).is_some_and(|count| *count > 100), "{outcome}: {outcomes:?}");
    }
}
