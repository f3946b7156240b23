//! The small store against a real server: the same random commands, the same answers, and the same
//! times to live.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use cache_runtime::Pattern;
use cache_runtime::provider::{
    Acquire, Baseline, CellKind, Expected, Extent, Fill, Filled, Incarnation, Lookup, Mark,
    MarkKind, MarkState, OnRefused, Prefix, Provider, RedisProvider, Removal, Stamp,
};
use cache_tests::servers::RedisServer;
use fastrand::Rng;

use crate::command::{Command, Lease, MarkName, Question, Reply, Value, borrowed};
use crate::store::MiniStore;

const SEQUENCES: u64 = 6;
const STEPS: usize = 700;
const NAMESPACE: &str = "differential";
const KEYS: [&str; 4] = ["a", "b", "a:1", "a:2"];
const PATTERNS: [&str; 4] = ["*", "a*", "a:?", "[b]"];
const MARKS: [(MarkKind, &str); 5] = [
    (MarkKind::Tag, "t"),
    (MarkKind::Tag, "u"),
    (MarkKind::Epoch, "t"),
    (MarkKind::Scope, "t"),
    (MarkKind::Scope, "u"),
];

/// Times to live are whole thousands of seconds, so that a slow machine changes no comparison.
const UNIT: Duration = Duration::from_secs(1_000);

/// Calls a provider's method.
async fn apply(provider: &dyn Provider, command: &Command) -> cache_runtime::Result<Reply> {
    Ok(match command {
        Command::Read(questions) => {
            let marks: Vec<Vec<Mark<'_>>> =
                questions.iter().map(|question| borrowed(&question.marks)).collect();
            let lookups = questions.iter().zip(&marks).map(|(question, marks)| {
                Lookup::new(&question.key).extent(question.extent).marks(marks)
            });
            let lookups: Vec<Lookup<'_>> = lookups.collect();
            Reply::Observed(provider.read(&lookups).await?)
        }
        Command::Acquire(lease) => {
            let marks = borrowed(&lease.marks);
            let request = Acquire::new(&lease.key, lease.lease, lease.ttl)
                .expected(lease.expected)
                .marks(&marks, lease.mark_ttl);
            Reply::Acquired(provider.acquire(request).await?)
        }
        Command::Fill(value) => Reply::Filled(fill(provider, value).await?),
        Command::Renew(key, prefix, ttl) => Reply::Is(provider.renew(key, *prefix, *ttl).await?),
        Command::Release(key, prefix) => Reply::Is(provider.release(key, *prefix).await?),
        Command::Ensure(marks, ttl) => {
            Reply::Marks(provider.ensure_marks("a", &borrowed(marks), *ttl).await?)
        }
        Command::Hold(marks, ttl) => {
            provider.hold_marks(&borrowed(marks), *ttl).await?;
            Reply::Done
        }
        Command::ReleaseMarks(marks) => {
            provider.release_marks(&borrowed(marks)).await?;
            Reply::Done
        }
        Command::Remove(keys, marks) => {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let marks = borrowed(marks);
            Reply::Count(provider.remove(Removal::of_keys(&keys).and_marks(&marks)).await?)
        }
        Command::Clear => {
            provider.clear().await?;
            Reply::Done
        }
        Command::Ping => Reply::Alive(provider.ping().await?),
        Command::Keys => unreachable!("no provider lists its keys"),
    })
}

async fn fill(provider: &dyn Provider, value: &Value) -> cache_runtime::Result<Filled> {
    let marks = borrowed(&value.marks);
    let guards: Vec<(Mark<'_>, Stamp)> = value
        .guards
        .iter()
        .map(|((kind, name), stamp)| (Mark { kind: *kind, name }, *stamp))
        .collect();
    let mut request = Fill::new(&value.key, &value.bytes, value.ttl)
        .expected(value.expected)
        .marks(&marks, value.mark_ttl)
        .guards(&guards)
        .on_refused(value.on_refused);
    if let Some(incarnation) = value.incarnation {
        request = request.incarnation(incarnation);
    }
    provider.fill(request).await
}

/// What one store calls by one name and the other by another.
struct Words<T> {
    theirs: HashMap<T, T>,
    ours: HashMap<T, T>,
}

impl<T: Copy + Eq + Hash + std::fmt::Debug> Words<T> {
    fn new() -> Self {
        Self { theirs: HashMap::new(), ours: HashMap::new() }
    }

    /// Notes that they mean the same, and that neither means anything else.
    fn meet(&mut self, our: T, their: T) {
        assert_eq!(*self.theirs.entry(our).or_insert(their), their, "{our:?} became another");
        assert_eq!(*self.ours.entry(their).or_insert(our), our, "{their:?} became another");
    }

    fn translate(&self, our: T) -> T {
        self.theirs.get(&our).copied().unwrap_or(our)
    }
}

struct Interpreter {
    stamps: Words<Stamp>,
    lives: Words<Incarnation>,
}

impl Interpreter {
    fn command(&self, command: &Command) -> Command {
        let mut command = command.clone();
        if let Command::Fill(value) = &mut command {
            value.incarnation = value.incarnation.map(|life| self.lives.translate(life));
            for (_, stamp) in &mut value.guards {
                *stamp = self.stamps.translate(*stamp);
            }
        }
        command
    }

    fn states(&mut self, ours: &[MarkState], theirs: &[MarkState]) -> bool {
        let agree = |(our, their): (&MarkState, &MarkState)| match (our, their) {
            (MarkState::Live(our), MarkState::Live(their)) => {
                self.stamps.meet(*our, *their);
                true
            }
            (our, their) => our == their,
        };
        ours.len() == theirs.len() && ours.iter().zip(theirs).all(agree)
    }

    fn baselines(&mut self, our: &Baseline, their: &Baseline) -> bool {
        self.lives.meet(our.incarnation, their.incarnation);
        self.states(&our.marks, &their.marks)
    }

    /// Whether two answers mean the same.
    fn agree(&mut self, our: &Reply, their: &Reply) -> bool {
        use cache_runtime::provider::Acquired::{Busy, Granted};
        match (our, their) {
            (Reply::Observed(ours), Reply::Observed(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().zip(theirs).all(|(our, their)| {
                        self.lives.meet(our.incarnation, their.incarnation);
                        our.cell == their.cell && self.states(&our.marks, &their.marks)
                    })
            }
            (Reply::Acquired(Granted(our)), Reply::Acquired(Granted(their))) => {
                self.baselines(our, their)
            }
            (Reply::Acquired(Busy(our)), Reply::Acquired(Busy(their))) => our == their,
            (Reply::Filled(Filled::Stored(our)), Reply::Filled(Filled::Stored(their))) => {
                self.states(our, their)
            }
            // Where several reasons hold, any of them may be named.
            (Reply::Filled(Filled::Refused(_)), Reply::Filled(Filled::Refused(_))) => true,
            (Reply::Marks(our), Reply::Marks(their)) => self.baselines(our, their),
            (Reply::Alive(our), Reply::Alive(their)) => {
                self.lives.meet(*our, *their);
                true
            }
            (our, their) => our == their,
        }
    }
}

/// Draws commands that often meet what others left.
struct Inventor {
    random: Rng,
    prefixes: Vec<Prefix>,
    stamps: Vec<Stamp>,
    lives: Vec<Incarnation>,
}

impl Inventor {
    fn key(&mut self) -> String {
        KEYS[self.random.usize(..KEYS.len())].to_owned()
    }

    fn mark(&mut self) -> MarkName {
        let (kind, name) = MARKS[self.random.usize(..MARKS.len())];
        (kind, name.to_owned())
    }

    fn marks(&mut self) -> Vec<MarkName> {
        (0..self.random.usize(..4)).map(|_| self.mark()).collect()
    }

    fn ttl(&mut self) -> Duration {
        UNIT * self.random.u32(1..5) * 2
    }

    /// Never what a mark has left: a server lets one live longer only if that is less.
    fn odd_ttl(&mut self) -> Duration {
        UNIT * (self.random.u32(..4) * 2 + 1)
    }

    fn new_prefix(&mut self, kind: CellKind) -> Prefix {
        let prefix = Prefix::new(kind, self.random.u128(..).to_le_bytes());
        self.prefixes.push(prefix);
        prefix
    }

    fn known_prefix(&mut self) -> Prefix {
        let lately = self.prefixes.len().saturating_sub(6);
        let at = self.random.usize(lately..=self.prefixes.len());
        self.prefixes.get(at).copied().unwrap_or(Prefix::ABSENT)
    }

    fn expected(&mut self) -> Expected {
        match self.random.u8(..3) {
            0 => Expected::Anything,
            _ => Expected::Prefix(self.known_prefix()),
        }
    }

    fn value(&mut self) -> Value {
        let mut bytes = self.new_prefix(CellKind::Value).as_bytes().to_vec();
        bytes.extend((0..self.random.usize(..40)).map(|_| self.random.u8(..)));
        let mut guards = Vec::new();
        for _ in 0..self.random.usize(..5).saturating_sub(2) {
            let lately = self.stamps.len().saturating_sub(8);
            let at = self.random.usize(lately..=self.stamps.len());
            let stamp = self.stamps.get(at).copied().unwrap_or(Stamp::from_bytes([1; 8]));
            guards.push((self.mark(), stamp));
        }
        let life = self.random.usize(..=self.lives.len() * 2);
        Value {
            key: self.key(),
            bytes,
            ttl: self.ttl(),
            expected: self.expected(),
            incarnation: self.lives.get(life).copied(),
            marks: self.marks(),
            mark_ttl: self.odd_ttl(),
            guards,
            on_refused: [OnRefused::Keep, OnRefused::Remove][self.random.usize(..2)],
        }
    }

    fn question(&mut self) -> Question {
        let marks = self.marks();
        // Who asks nothing is answered by nobody.
        let extents = if marks.is_empty() { 2 } else { 3 };
        let extent = [Extent::Whole, Extent::Prefix, Extent::Nothing][self.random.usize(..extents)];
        Question { key: self.key(), extent, marks }
    }

    fn command(&mut self) -> Command {
        match self.random.u8(..100) {
            0..20 => Command::Read((0..self.random.usize(1..4)).map(|_| self.question()).collect()),
            20..40 => {
                let kinds = [CellKind::Lease, CellKind::Write];
                let kind = kinds[self.random.usize(..2)];
                Command::Acquire(Lease {
                    key: self.key(),
                    expected: self.expected(),
                    lease: self.new_prefix(kind),
                    ttl: self.ttl(),
                    marks: self.marks(),
                    mark_ttl: self.ttl(),
                })
            }
            40..60 => Command::Fill(self.value()),
            60..65 => Command::Renew(self.key(), self.known_prefix(), self.ttl()),
            65..70 => Command::Release(self.key(), self.known_prefix()),
            70..76 => Command::Ensure(self.marks(), self.ttl()),
            76..82 => Command::Hold(self.marks(), self.ttl()),
            82..88 => Command::ReleaseMarks(self.marks()),
            88..98 => {
                let keys = (0..self.random.usize(..3)).map(|_| self.key()).collect();
                Command::Remove(keys, self.marks())
            }
            98 => Command::Clear,
            _ => Command::Ping,
        }
    }

    /// Remembers what an answer told, to ask for it again.
    fn learn(&mut self, reply: &Reply) {
        let (marks, life) = match reply {
            Reply::Marks(baseline)
            | Reply::Acquired(cache_runtime::provider::Acquired::Granted(baseline)) => {
                (&baseline.marks[..], Some(baseline.incarnation))
            }
            Reply::Filled(Filled::Stored(marks)) => (&marks[..], None),
            _ => (&[][..], None),
        };
        self.stamps.extend(marks.iter().filter_map(|state| state.stamp()));
        if let Some(life) = life.filter(|life| !self.lives.contains(life)) {
            self.lives.push(life);
        }
    }
}

/// The time to live of everything, in half units; the server's is a moment less.
fn compare_times(server: &RedisServer, store: &MiniStore) {
    let texts = KEYS.map(|key| (format!("{NAMESPACE}:k:{key}"), store.cell_ttl(key)));
    let marks = MARKS.map(|(kind, name)| {
        let letter = match kind {
            MarkKind::Tag => 't',
            MarkKind::Epoch => 'e',
            _ => 's',
        };
        (format!("{NAMESPACE}:{letter}:{name}"), store.mark_ttl(&(kind, name.to_owned())))
    });
    // What is lengthened is lengthened by half.
    let unit = UNIT.as_millis() as i64 / 2;
    for (text, ours) in texts.into_iter().chain(marks) {
        let theirs = server.number(&["PTTL", &text]);
        let theirs = (theirs >= 0).then(|| (theirs + unit / 2) / unit);
        assert_eq!(ours.map(|millis| millis as i64 / unit), theirs, "{text}");
    }
}

/// Which life the server is in, once it can be reached.
async fn life_of(provider: &RedisProvider) -> Incarnation {
    let asking = async {
        loop {
            match provider.ping().await {
                Ok(life) => return life,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("the server is back")
}

#[tokio::test]
async fn the_small_store_answers_as_a_real_server_does() {
    let mut server = RedisServer::start();
    let provider = RedisProvider::new(&server.url(), NAMESPACE).expect("a sound URL");
    let mut store = MiniStore::new();
    let (stamps, lives) = (Words::new(), Words::new());
    let mut interpreter = Interpreter { stamps, lives };
    for seed in 0..SEQUENCES {
        let (prefixes, stamps, lives) = (Vec::new(), Vec::new(), Vec::new());
        let random = Rng::with_seed(seed);
        let mut inventor = Inventor { random, prefixes, stamps, lives };
        let theirs = life_of(&provider).await;
        interpreter.lives.meet(store.incarnation(), theirs);
        inventor.lives.push(store.incarnation());
        for step in 0..STEPS {
            let command = inventor.command();
            let ours = store.execute(&command);
            let theirs = apply(&provider, &interpreter.command(&command)).await;
            let theirs = theirs.expect("the server answers");
            let agree = interpreter.agree(&ours, &theirs);
            assert!(agree, "seed {seed}, step {step}: {command:?} gives {ours:?} and {theirs:?}");
            inventor.learn(&ours);
            if step % 25 == 0 {
                compare_times(&server, &store);
            }
        }
        let pattern = Pattern::from(PATTERNS[seed as usize % PATTERNS.len()]);
        let Reply::Keys(keys) = store.execute(&Command::Keys) else { unreachable!() };
        let keys = keys.into_iter().filter(|key| pattern.matches(key)).collect();
        let ours = store.execute(&Command::Remove(keys, Vec::new()));
        let theirs = provider.remove_matching(&pattern).await.expect("the server answers");
        assert_eq!(ours, Reply::Count(theirs), "{pattern:?}");
        if seed % 3 == 2 {
            // Nothing of the former life is known, and what began in it is refused.
            server.restart();
            store.fail_over(&MiniStore::new());
        }
    }
}
