//! Different arguments never give one key: random templates over random types, with values made to
//! collide. A failure prints the seed of its round; `KEYS_SEED=<seed>` runs that round alone.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use cache_runtime::{ArgBytes, Args, KeyPart, PartWriter, Piece, render};

/// Rounds of one template and `CASES` argument lists each: a million cases.
const ROUNDS: u64 = 10_000;
const CASES: usize = 100;

/// What escaping has to deal with, and what escapes are made of.
const NASTY: &[&str] = &[
    ":", "%", ",", "(", ")", "*", "?", "[", "]", "\\", "{", "}", "-", "/", ";", " ", "a", "b", "0",
    "1", "2", "3", "5", "8", "9", "A", "C", "F", "e", "m", "n", "o", "s", "none", "some", "empty",
    "%none", "%some", "%empty", "%3A", "%25", "%2", "\0", "\n", "\u{2}", "\u{7f}", "\u{80}",
    "\u{9f}", "£", "é", "日", "🦀", "\u{301}", "\u{2028}",
];

#[test]
fn different_arguments_never_give_one_key() {
    let only =
        std::env::var("KEYS_SEED").ok().map(|seed| seed.parse().expect("`KEYS_SEED` is a number"));
    let seeds = only.map_or(0..ROUNDS, |seed| seed..seed + 1);
    let mut tally = Tally::default();
    for seed in seeds {
        round(seed, &mut tally);
    }
    println!("{tally:?}");
    if only.is_none() {
        assert_eq!(tally.cases, 1_000_000);
        // The values must be alike enough to collide, and not all the same.
        assert!(tally.repeated > 20_000 && tally.repeated < 500_000, "{tally:?}");
    }
}

#[test]
fn short_texts_never_collide_around_any_separator() {
    let letters = [":", "%", "0", "2", "5", "n", "-", ",", "é"];
    let mut texts = vec![String::new()];
    for first in letters {
        texts.push(first.to_owned());
        texts.extend(letters.iter().map(|second| format!("{first}{second}")));
    }
    for separator in [":", "%", "0", "5", "n", "-", ",", "é", "::", "%%", "%25", "%3A", "0%", "2%2"]
    {
        let pieces = [Piece::Arg(0), Piece::Text(separator), Piece::Arg(1)];
        let mut seen = HashMap::new();
        for first in &texts {
            for second in &texts {
                let mut key = String::new();
                render(&pieces, &(first, second), &mut key);
                if let Some(other) = seen.insert(key, (first, second)) {
                    panic!(
                        "around `{separator}`, {:?} and {other:?} give one key",
                        (first, second)
                    );
                }
            }
        }
    }
}

#[test]
fn any_text_goes_through_every_type() {
    let mut random = Random(7);
    for _ in 0..20_000 {
        let text: String = (0..random.below(40)).map(|_| random.character()).collect();
        let (mut alone, mut listed) = (String::new(), String::new());
        text.write_part(&mut PartWriter::new(&mut alone));
        [text.as_str()].as_slice().write_part(&mut PartWriter::new(&mut listed));
        assert_eq!(unescaped(&alone), text);
        assert!(listed.starts_with('(') && listed.ends_with(')'));
        let inner = &listed[1..listed.len() - 1];
        assert!(
            !inner.contains([',', '(', ')'])
                && !alone.contains([':', '*', '?', '[', ']', '\\', '{', '}'])
        );
        assert!(!alone.contains(char::is_control));
    }
}

/// What the rounds were made of.
#[derive(Debug, Default)]
struct Tally {
    cases: u64,
    /// Cases whose arguments an earlier case of the round had, too.
    repeated: u64,
    longest: usize,
}

/// One template and one list of types, with many lists of arguments.
fn round(seed: u64, tally: &mut Tally) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let types: Vec<Type> = (0..=random.below(4)).map(|_| random.part_type(3)).collect();
    let pieces = random.template(types.len());
    let mut by_text: HashMap<String, Vec<Value>> = HashMap::new();
    let mut by_bytes: HashMap<Vec<u8>, Vec<Value>> = HashMap::new();
    let mut lists: Vec<Vec<Value>> = Vec::new();
    let mut last_key = String::new();
    for _ in 0..CASES {
        let list = match lists.last() {
            // Close neighbours: one argument differs, or text of the key before is in an argument.
            Some(last) if random.below(2) == 0 => random.neighbour(last, &types, &last_key),
            _ => types.iter().map(|part| random.value(part, "")).collect(),
        };
        let (text, bytes) = key_of(&pieces, &list);
        tally.cases += 1;
        tally.longest = tally.longest.max(text.len());
        let repeated = note(&mut by_text, text.clone(), &list, seed, &pieces);
        let repeated_bytes = note(&mut by_bytes, bytes, &list, seed, &pieces);
        assert_eq!(
            repeated, repeated_bytes,
            "seed {seed}: {pieces:?} with {list:?}: equal lists differ as text or bytes"
        );
        tally.repeated += u64::from(repeated);
        last_key = text;
        lists.push(list);
    }
}

/// Notes whose key this is, and says whether the same list had it before; another list fails.
fn note<K: std::hash::Hash + Eq + std::fmt::Debug + Clone>(
    seen: &mut HashMap<K, Vec<Value>>,
    key: K,
    list: &[Value],
    seed: u64,
    pieces: &[Piece],
) -> bool {
    match seen.entry(key) {
        Entry::Vacant(entry) => {
            entry.insert(list.to_vec());
            false
        }
        Entry::Occupied(entry) => {
            let (key, other) = (entry.key(), entry.get());
            assert_eq!(other, list, "seed {seed}: {pieces:?} gives {key:?} for two lists");
            true
        }
    }
}

fn key_of(pieces: &[Piece], list: &[Value]) -> (String, Vec<u8>) {
    match list {
        [a] => key_of_args(pieces, &(a,)),
        [a, b] => key_of_args(pieces, &(a, b)),
        [a, b, c] => key_of_args(pieces, &(a, b, c)),
        [a, b, c, d] => key_of_args(pieces, &(a, b, c, d)),
        _ => unreachable!("a round has one to four arguments"),
    }
}

fn key_of_args(pieces: &[Piece], args: &impl Args) -> (String, Vec<u8>) {
    let (mut text, mut bytes) = (String::new(), ArgBytes::new());
    render(pieces, args, &mut text);
    args.encode(&mut bytes);
    (text, bytes.as_slice().to_vec())
}

/// A type, made at random. A [`Value`] of it behaves as the real type does: it calls its `KeyPart`.
#[derive(Clone, Debug)]
enum Type {
    Small,
    Number,
    Signed,
    Flag,
    Letter,
    Text,
    /// A type of the user's own, which has a text alone.
    Custom,
    Maybe(Box<Type>),
    List(Box<Type>),
    Pair(Box<(Type, Type)>),
    Triple(Box<(Type, Type, Type)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Small(u8),
    Number(u64),
    Signed(i32),
    Flag(bool),
    Letter(char),
    Text(String),
    Custom(Custom),
    Maybe(Option<Box<Value>>),
    List(Vec<Value>),
    Pair(Box<(Value, Value)>),
    Triple(Box<(Value, Value, Value)>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Custom(String);

impl KeyPart for Custom {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        out.write_display(&self.0);
    }
}

/// A part whose type is known only at run time.
trait AnyPart {
    fn write(&self, out: &mut PartWriter<'_>);
    fn encode(&self, out: &mut ArgBytes);
}

impl<T: KeyPart> AnyPart for T {
    fn write(&self, out: &mut PartWriter<'_>) {
        self.write_part(out);
    }

    fn encode(&self, out: &mut ArgBytes) {
        self.encode_part(out);
    }
}

impl Value {
    fn part(&self) -> &dyn AnyPart {
        match self {
            Self::Small(value) => value,
            Self::Number(value) => value,
            Self::Signed(value) => value,
            Self::Flag(value) => value,
            Self::Letter(value) => value,
            Self::Text(value) => value,
            Self::Custom(value) => value,
            Self::Maybe(value) => value,
            Self::List(value) => value,
            Self::Pair(value) => &**value,
            Self::Triple(value) => &**value,
        }
    }
}

impl KeyPart for Value {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.part().write(out);
    }

    fn encode_part(&self, out: &mut ArgBytes) {
        self.part().encode(out);
    }
}

/// SplitMix64: small, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn nasty(&mut self) -> &'static str {
        NASTY[self.below(NASTY.len())]
    }

    fn character(&mut self) -> char {
        let range = [0x20, 0x80, 0x800, 0x11_0000][self.below(4)];
        char::from_u32(self.below(range) as u32).unwrap_or('%')
    }

    fn part_type(&mut self, depth: usize) -> Type {
        match self.below(if depth == 0 { 8 } else { 14 }) {
            0 => Type::Small,
            1 => Type::Number,
            2 => Type::Signed,
            3 => Type::Flag,
            4 => Type::Letter,
            5 | 6 => Type::Text,
            7 => Type::Custom,
            8..=10 => Type::Maybe(Box::new(self.part_type(depth - 1))),
            11 | 12 => Type::List(Box::new(self.part_type(depth - 1))),
            _ if self.below(2) == 0 => {
                Type::Pair(Box::new((self.part_type(depth - 1), self.part_type(depth - 1))))
            }
            _ => Type::Triple(Box::new((
                self.part_type(depth - 1),
                self.part_type(depth - 1),
                self.part_type(depth - 1),
            ))),
        }
    }

    /// Texts around `args` arguments: at least one character between two of them.
    fn template(&mut self, args: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for index in 0..=args {
            let least = usize::from(index > 0 && index < args);
            let text: String = (0..least + self.below(2)).map(|_| self.nasty()).collect();
            // Templates live as long as the program, and so does this text.
            pieces.push(Piece::Text(text.leak()));
            if index < args {
                pieces.push(Piece::Arg(index as u8));
            }
        }
        pieces
    }

    /// A value of a type, with text out of `pool` now and then.
    fn value(&mut self, part: &Type, pool: &str) -> Value {
        match part {
            Type::Small => Value::Small(self.below(12) as u8),
            Type::Number => {
                Value::Number([self.below(130) as u64, u64::MAX, 1 << 63][self.below(40) / 19])
            }
            Type::Signed => Value::Signed(self.below(130) as i32 - 65),
            Type::Flag => Value::Flag(self.below(2) == 0),
            Type::Letter => Value::Letter(self.nasty().chars().next().unwrap_or(':')),
            Type::Text => Value::Text(self.text(pool)),
            Type::Custom => Value::Custom(Custom(self.text(pool))),
            Type::Maybe(_) if self.below(3) == 0 => Value::Maybe(None),
            Type::Maybe(inner) => Value::Maybe(Some(Box::new(self.value(inner, pool)))),
            Type::List(inner) => {
                Value::List((0..self.below(4)).map(|_| self.value(inner, pool)).collect())
            }
            Type::Pair(inner) => {
                Value::Pair(Box::new((self.value(&inner.0, pool), self.value(&inner.1, pool))))
            }
            Type::Triple(inner) => Value::Triple(Box::new((
                self.value(&inner.0, pool),
                self.value(&inner.1, pool),
                self.value(&inner.2, pool),
            ))),
        }
    }

    fn text(&mut self, pool: &str) -> String {
        match self.below(30) {
            0 => self.nasty().repeat(150),
            1..=10 if !pool.is_empty() => self.part_of(pool),
            _ => (0..self.below(4)).map(|_| self.nasty()).collect(),
        }
    }

    /// A stretch of text, up to 12 characters long.
    fn part_of(&mut self, text: &str) -> String {
        let start = self.below(text.chars().count());
        let len = self.below(13);
        text.chars().skip(start).take(len).collect()
    }

    /// The same list but for one argument or two, which may hold text of the last key.
    fn neighbour(&mut self, list: &[Value], types: &[Type], last_key: &str) -> Vec<Value> {
        let mut list = list.to_vec();
        for _ in 0..=self.below(2) {
            let at = self.below(list.len());
            list[at] = self.value(&types[at], last_key);
        }
        list
    }
}

/// What an escaped text was before, for the texts that escapes alone can make.
fn unescaped(text: &str) -> String {
    let rest = Cell::new(text.as_bytes());
    let bytes = std::iter::from_fn(|| match rest.get() {
        [] => None,
        [b'%', high, low, tail @ ..] => {
            rest.set(tail);
            let hex = [*high, *low];
            let hex = std::str::from_utf8(&hex).expect("hex digits are ASCII");
            assert_eq!(hex, hex.to_uppercase());
            Some(u8::from_str_radix(hex, 16).expect("two hex digits follow `%`"))
        }
        [byte, tail @ ..] => {
            rest.set(tail);
            Some(*byte)
        }
    });
    String::from_utf8(bytes.collect()).expect("escaped text was UTF-8")
}
