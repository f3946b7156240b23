//! Entries as they lie in a store: any bytes, bytes with the right checksum, and valid entries that
//! were damaged.

use std::sync::LazyLock;

use cache_runtime::entry::{
    CellKind, Codec, Compression, Draft, Encoding, Format, Incarnation, KeyHash, Limits, Mismatch,
    Prefix, Schema, Stamp, Stored, TagsHash, Wanted, decode_payload, header_fields, schema_of,
};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::Target;
use crate::source::Source;

/// A byte for what to do, and bytes of an entry, or damages.
pub const TARGET: Target = Target {
    name: "entries",
    body,
    seeds,
    words: &[b"V", b"L", b"W", b"\x01", b"\0\0", b"\xff\xff", b"\x08\0", b"\x02\0T:"],
    runs: 40_000,
    long_runs: 3_000_000,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    id: u64,
    name: String,
    score: Option<f64>,
    roles: Vec<Role>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Role {
    Admin,
    Member { of: String },
}

const KEY: &str = "app:user:42";
const TAGS: [&str; 2] = ["T:users", "F:shop::get_user"];
const LIFE: Incarnation = Incarnation::new(0x0123_4567_89ab_cdef);
const STAMPS: [Stamp; 3] =
    [Stamp::from_bytes([1; 8]), Stamp::from_bytes([2; 8]), Stamp::from_bytes([3; 8])];

/// One valid entry for each codec and compression, and the value in it.
static VALID: LazyLock<Vec<(Vec<u8>, User)>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for codec in Codec::ALL {
        for compression in Compression::ALL {
            let format = Format::new(codec).compression(compression).compress_above(0);
            let member = Role::Member { of: "team:5".to_owned() };
            // Compression shows only on what becomes smaller.
            let members = if compression == Compression::None { 1 } else { 20 };
            let roles = std::iter::once(Role::Admin).chain(vec![member; members]).collect();
            let user = User { id: all.len() as u64, name: "Ada".into(), score: Some(0.1), roles };
            let payload = format.encode(&user).expect("it can be written");
            all.push((entry(payload.encoding, &payload.bytes), user));
        }
    }
    all
});

fn entry(encoding: Encoding, payload: &[u8]) -> Vec<u8> {
    let draft = Draft {
        prefix: Prefix::new(CellKind::Value, [9; 16]),
        encoding,
        nothing: false,
        schema: schema_of::<User>(),
        key: KeyHash::of(KEY),
        incarnation: LIFE,
        tags: TagsHash::of(TAGS),
        stamps: &STAMPS[..2],
        named: &[("T:team:5", STAMPS[2])],
        soft_deadline: 1_700_000_000_000,
        fresh_while_kept: false,
        load_millis: 37,
        payload,
    };
    draft.encode().expect("it is small")
}

fn wanted() -> Wanted {
    Wanted {
        key: KeyHash::of(KEY),
        schema: schema_of::<User>(),
        tags: Some(TagsHash::of(TAGS)),
        incarnation: LIFE,
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (bytes, _) in VALID.iter() {
        seeds.push([&[0], &bytes[..]].concat());
        seeds.push([&[1], &bytes[..]].concat());
    }
    for which in 0..VALID.len() as u8 {
        seeds.push(vec![2, which, 0, 90, 0, 7]);
        seeds.push(vec![2, which, 1, 93, 0, 7, 3, 20, 0, 1, 2, 100, 0, 0]);
    }
    seeds.push(b"\0LLLLLLLLLLLLLLLLL".to_vec());
    seeds
}

/// No bytes make the decoder panic; what it accepts says the same when it is written again, and is
/// valid for nobody else; and a damaged entry is a miss.
pub fn body(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return check(data) };
    match how % 3 {
        0 => check(rest),
        1 => check(&sealed(rest)),
        _ => damaged(&mut Source::new(rest)),
    }
}

/// The bytes with the checksum that belongs to them.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let fields = header_fields();
    let checksum = fields.iter().find(|field| field.name == "checksum").expect("there is one");
    let (start, end) = (checksum.at, checksum.at + checksum.bytes);
    if bytes.len() >= end {
        let sum = xxh3_64_with_seed(&bytes[end..], xxh3_64(&bytes[..start]));
        bytes[start..end].copy_from_slice(&sum.to_le_bytes());
    }
    bytes
}

fn check(bytes: &[u8]) {
    let Ok(stored) = Stored::decode(bytes) else { return };
    let stamps: Vec<Stamp> = stored.stamps().collect();
    let names: Vec<&str> = stored.named_tags().collect();
    let (known, rest) = stamps.split_at(stamps.len() - names.len());
    let named: Vec<(&str, Stamp)> = names.into_iter().zip(rest.iter().copied()).collect();
    let draft = Draft {
        prefix: stored.prefix(),
        encoding: stored.encoding(),
        nothing: stored.is_nothing(),
        schema: stored.schema(),
        key: stored.key(),
        incarnation: stored.incarnation(),
        tags: stored.tags(),
        stamps: known,
        named: &named,
        soft_deadline: stored.soft_deadline(),
        fresh_while_kept: stored.is_fresh_while_kept(),
        load_millis: stored.load_millis(),
        payload: stored.payload(),
    };
    assert_eq!(draft.encode().expect("it was an entry"), bytes);
    assert!(format!("{stored:?}").len() < 400);

    let own = Wanted {
        key: stored.key(),
        schema: stored.schema(),
        tags: Some(stored.tags()),
        incarnation: stored.incarnation(),
    };
    let current = || stamps.iter().copied().map(Some);
    assert_eq!(stored.verify(&own, current()), Ok(()));
    assert_eq!(stored.verify(&Wanted { tags: None, ..own }, current()), Ok(()));
    // Names after what is stored are another's, even where somebody made the hashes meet.
    let name = format!("not {own:?}");
    let other = Wanted { key: KeyHash::of(&name), ..own };
    assert_eq!(stored.verify(&other, current()), Err(Mismatch::Key));
    let other = Wanted { schema: Schema::of(&name), ..own };
    assert_eq!(stored.verify(&other, current()), Err(Mismatch::Schema));
    let other = Wanted { tags: Some(TagsHash::of([name.as_str()])), ..own };
    assert_eq!(stored.verify(&other, current()), Err(Mismatch::Tags));
    let other = Incarnation::new(stored.incarnation().get() ^ 1);
    let other = Wanted { incarnation: other, ..own };
    assert_eq!(stored.verify(&other, current()), Err(Mismatch::Incarnation));
    let more = current().chain([Some(STAMPS[0])]);
    assert_eq!(stored.verify(&own, more), Err(Mismatch::Tags));
    if let Some(last) = stamps.len().checked_sub(1) {
        let gone = stored.verify(&own, current().take(last));
        assert_eq!(gone, Err(Mismatch::Stamp(last)));
        let other = current().take(last).chain([None]);
        assert_eq!(stored.verify(&own, other), Err(Mismatch::Stamp(last)));
    }
    // Whatever comes out, it comes out.
    let _ = decode_payload::<User>(stored.encoding(), stored.payload(), &Limits::default());
}

/// A valid entry after some damages: it is a miss, or what some writer wrote.
fn damaged(source: &mut Source<'_>) {
    let mut bytes = source.pick(&VALID).0.clone();
    for _ in 0..8 {
        if source.is_empty() {
            break;
        }
        let how = source.byte();
        let at = usize::from(u16::from_le_bytes(source.array())) % (bytes.len() + 1);
        let value = source.byte();
        match how % 6 {
            0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (value % 8)),
            2 => bytes.insert(at, value),
            3 => drop(bytes.drain(at..(at + usize::from(value)).min(bytes.len()))),
            4 => {
                let other = &VALID[usize::from(value) % VALID.len()].0;
                bytes.truncate(at);
                bytes.extend_from_slice(&other[at.min(other.len())..]);
            }
            _ => {
                let end = (at + usize::from(value)).min(bytes.len());
                bytes[at..end].reverse();
            }
        }
    }
    let Ok(stored) = Stored::decode(&bytes) else { return };
    let written = VALID.iter().find(|(valid, _)| *valid == bytes);
    let Some((_, user)) = written else { panic!("nobody wrote {bytes:02x?}") };
    assert_eq!(stored.verify(&wanted(), STAMPS.map(Some)), Ok(()));
    let found = decode_payload::<User>(stored.encoding(), stored.payload(), &Limits::default());
    assert_eq!(found.as_ref(), Ok(user));
}
