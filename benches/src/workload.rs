//! What every contestant is asked for: the same users, by the same keys, in the same order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// How many entries are resident while hits are timed.
pub const ENTRIES: u32 = 10_000;

/// The skew of the hits that are timed.
pub const HIT_SKEW: f64 = 0.99;

/// The cached value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The number that it was asked for by.
    pub id: u64,
    /// A text that a clone has to copy.
    pub name: String,
    /// Another one.
    pub email: String,
    /// Something small.
    pub team: u32,
}

static LOADS: AtomicU64 = AtomicU64::new(0);

/// How often a user was made: while hits are timed, not once.
#[must_use]
pub fn loads() -> u64 {
    LOADS.load(Ordering::Relaxed)
}

/// The user with this number.
#[must_use]
pub fn user(id: u64) -> User {
    LOADS.fetch_add(1, Ordering::Relaxed);
    User {
        id,
        name: format!("user number {id}"),
        email: format!("user-{id}@example.org"),
        team: (id % 16) as u32,
    }
}

/// The user with this number, to be shared.
#[must_use]
pub fn shared_user(id: u64) -> Arc<User> {
    Arc::new(user(id))
}

/// The text key that names the user: what a service would write by hand.
#[must_use]
pub fn text_key(id: u64) -> String {
    format!("user:{id}")
}

/// The name that the `step`-th user is asked for by, where the argument is a text.
#[must_use]
pub fn name(step: u32) -> &'static str {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    &NAMES.get_or_init(|| (0..ENTRIES).map(|id| format!("name-{id}")).collect())[step as usize]
}

/// The organisation of the `step`-th user, where there are two arguments.
#[must_use]
pub fn organisation(step: u32) -> u64 {
    u64::from(step % 16)
}

/// The number in a name that [`name`] gave.
#[must_use]
pub fn number_of(name: &str) -> u64 {
    name.trim_start_matches("name-").parse().unwrap_or_default()
}

/// The number of the member of an organisation who has this name.
#[must_use]
pub fn member(organisation: u64, name: &str) -> u64 {
    let id = number_of(name);
    assert_eq!(organisation, id % 16, "the arguments of two users were mixed up");
    id
}

/// A small generator of random numbers (xorshift64*), the same in every run.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that starts from this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        (self.unit() * f64::from(bound)) as u32
    }
}

/// Ranks from 0 on, where rank `r` is drawn in proportion to `1 / (r + 1)^skew`.
#[derive(Clone, Debug)]
pub struct Zipf {
    cumulative: Vec<f64>,
}

impl Zipf {
    /// A distribution over `ranks` ranks.
    #[must_use]
    pub fn new(ranks: u32, skew: f64) -> Self {
        let mut sum = 0.0;
        let cumulative = (1..=ranks)
            .map(|rank| {
                sum += f64::from(rank).powf(-skew);
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// Draws a rank.
    pub fn draw(&self, random: &mut Random) -> u32 {
        let total = self.cumulative.last().copied().unwrap_or_default();
        let wanted = random.unit() * total;
        self.cumulative.partition_point(|sum| *sum < wanted) as u32
    }
}

/// The numbers `0..count` in random order, so that hot entries do not lie side by side.
#[must_use]
pub fn shuffled(count: u32, random: &mut Random) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count).collect();
    for place in (1..count).rev() {
        numbers.swap(place as usize, random.below(place + 1) as usize);
    }
    numbers
}

/// In which order the resident entries are hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// One entry, again and again.
    Hot,
    /// Zipf 0.99 over all resident entries.
    Zipf,
}

/// The steps of a round: which entry each hit asks for. Made once for the whole run.
#[must_use]
pub fn steps(order: Order) -> &'static [u32] {
    static HOT: OnceLock<Vec<u32>> = OnceLock::new();
    static ZIPF: OnceLock<Vec<u32>> = OnceLock::new();
    const STEPS: usize = 1 << 17;
    match order {
        Order::Hot => HOT.get_or_init(|| vec![4_242; STEPS]),
        Order::Zipf => ZIPF.get_or_init(|| {
            let mut random = Random::new(1);
            let entries = shuffled(ENTRIES, &mut random);
            let zipf = Zipf::new(ENTRIES, HIT_SKEW);
            (0..STEPS).map(|_| entries[zipf.draw(&mut random) as usize]).collect()
        }),
    }
}
