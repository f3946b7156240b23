//! Seeded runs of a target: bytes by mutation of valid seeds, the same on every machine.

use cache_fuzzed::Target;

/// Numbers at which something may turn.
const EDGES: [u32; 12] =
    [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x8000_0000, 0xffff_ffff];

/// The longest case: long enough for every length that something turns at, and quick.
const LONGEST: usize = 4_096;

/// Runs a target over its seeds and mutations of them.
///
/// `FUZZED_CASE=<hexadecimal>` runs it over these bytes alone.
///
/// # Panics
///
/// If something does not hold; then it prints the seed, the bytes, and how to run them again.
pub(crate) fn run(target: &Target) {
    if let Some(case) = std::env::var_os("FUZZED_CASE") {
        let case = case.into_string().ok().and_then(|text| from_hex(&text));
        return (target.body)(&case.expect("`FUZZED_CASE` is hexadecimal"));
    }
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "`{}` has no seeds", target.name);
    for (number, seed) in seeds.iter().enumerate() {
        attempt(target, &format!("seed {number} as it is"), seed);
    }
    let is_long = std::env::var_os("CACHE_TEST_LONG").is_some();
    let runs = if is_long { target.long_runs } else { target.runs };
    let mut case = Vec::new();
    for number in 0..runs {
        mutate(&mut case, &seeds, target.words, number);
        attempt(target, &format!("mutation {number}"), &case);
    }
    println!("`{}`: {runs} mutations of {} seeds", target.name, seeds.len());
}

fn attempt(target: &Target, what: &str, bytes: &[u8]) {
    let _told = Told { target, what, bytes };
    (target.body)(bytes);
}

/// Tells of a case if it fails.
struct Told<'a> {
    target: &'a Target,
    what: &'a str,
    bytes: &'a [u8],
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let (name, what) = (self.target.name, self.what);
        let hex: String = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        eprintln!("`{name}` failed on {what}: {:?}", String::from_utf8_lossy(self.bytes));
        eprintln!("run it again: FUZZED_CASE={hex} cargo test -p cache-fuzzed {name}");
    }
}

/// Fills `case` with what this number makes of the seeds.
fn mutate(case: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&[u8]], number: u64) {
    let mut random = fastrand::Rng::with_seed(number);
    case.clear();
    // Now and then nothing but words.
    if random.u8(..16) > 0 {
        case.extend_from_slice(&seeds[random.usize(..seeds.len())]);
    }
    for _ in 0..random.usize(1..=6) {
        change(case, seeds, words, &mut random);
    }
    case.truncate(LONGEST);
}

fn change(case: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&[u8]], random: &mut fastrand::Rng) {
    let at = random.usize(..=case.len());
    let end = random.usize(at..=case.len().min(at + 16));
    match random.u8(..12) {
        0 => case.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.u8(..8)),
        1 => case.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
        2 => case.insert(at, random.u8(..)),
        3 => drop(case.drain(at..end)),
        4 => {
            let again = case[at..end].to_vec();
            let times = random.usize(1..4);
            case.splice(at..at, again.repeat(times));
        }
        5 => case.truncate(at),
        6 => {
            let edge = EDGES[random.usize(..EDGES.len())].to_le_bytes();
            let width = [1, 2, 4][random.usize(..3)].min(case.len() - at);
            case[at..at + width].copy_from_slice(&edge[..width]);
        }
        7 => {
            let other = &seeds[random.usize(..seeds.len())];
            let from = random.usize(..=other.len());
            case.truncate(at);
            case.extend_from_slice(&other[from..]);
        }
        8 => {
            let other = &seeds[random.usize(..seeds.len())];
            let from = random.usize(..=other.len());
            let to = random.usize(from..=other.len().min(from + 32));
            case.splice(at..end, other[from..to].iter().copied());
        }
        _ if words.is_empty() => case.insert(at, random.u8(..)),
        9 => drop(case.splice(at..end, words[random.usize(..words.len())].iter().copied())),
        _ => drop(case.splice(at..at, words[random.usize(..words.len())].iter().copied())),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.trim().chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}

#[test]
fn mutations_repeat_and_differ() {
    let seeds = [b"one".to_vec(), b"another".to_vec()];
    let made = |number| {
        let mut case = Vec::new();
        mutate(&mut case, &seeds, &[b"word"], number);
        case
    };
    let all: std::collections::HashSet<Vec<u8>> = (0..1_000).map(made).collect();
    assert!(all.len() > 700, "{}", all.len());
    assert!((0..1_000).all(|number| made(number) == made(number)));
    assert!(all.iter().all(|case| case.len() <= LONGEST));
}

#[test]
fn cases_are_hexadecimal() {
    assert_eq!(from_hex("00ff7a"), Some(vec![0, 255, 0x7a]));
    assert_eq!(from_hex(""), Some(Vec::new()));
    assert_eq!((from_hex("0"), from_hex("0g")), (None, None));
}
