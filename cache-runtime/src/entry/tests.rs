//! The format as bytes, and what becomes of bytes that are not it.

use super::{
    CellKind, Draft, Encoding, Flaw, Incarnation, KeyHash, Mismatch, Prefix, Schema, Stamp, Stored,
    TagsHash, Wanted,
};
use crate::ErrorKind;

const STAMPS: [Stamp; 2] = [Stamp::from_bytes([1; 8]), Stamp::from_bytes([2; 8])];
const NAMED: [(&str, Stamp); 1] = [("team:5", Stamp::from_bytes([3; 8]))];

fn draft() -> Draft<'static> {
    Draft {
        prefix: Prefix::new(CellKind::Value, [0xaa; 16]),
        encoding: Encoding { codec: 1, compression: 2 },
        nothing: false,
        schema: Schema::of("User{id:u64,name:String}"),
        key: KeyHash::of("app:user:42"),
        incarnation: Incarnation::new(0x0123_4567_89ab_cdef),
        tags: TagsHash::of(["fn:get_user", "users"]),
        stamps: &STAMPS,
        named: &NAMED,
        soft_deadline: 1_700_000_000_000,
        fresh_while_kept: false,
        load_millis: 37,
        payload: b"{\"id\":42}",
    }
}

fn wanted(draft: &Draft<'_>) -> Wanted {
    Wanted {
        key: draft.key,
        schema: draft.schema,
        tags: Some(draft.tags),
        incarnation: draft.incarnation,
    }
}

fn current() -> Vec<Option<Stamp>> {
    STAMPS.into_iter().chain(NAMED.map(|(_, stamp)| stamp)).map(Some).collect()
}

/// A draft of random parts; the seed tells which.
fn random_draft(random: &mut fastrand::Rng) -> Vec<u8> {
    let stamps: Vec<Stamp> =
        (0..random.usize(..5)).map(|_| Stamp::from_bytes(random.u64(..).to_le_bytes())).collect();
    let names: Vec<String> = (0..random.usize(..3)).map(|n| format!("tag:{n}:ü")).collect();
    let named: Vec<(&str, Stamp)> = names
        .iter()
        .map(|name| (name.as_str(), Stamp::from_bytes(random.u64(..).to_le_bytes())))
        .collect();
    let payload: Vec<u8> = (0..random.usize(..60)).map(|_| random.u8(..)).collect();
    let draft = Draft {
        prefix: Prefix::unique(CellKind::Value),
        key: KeyHash(random.u128(..)),
        nothing: random.bool(),
        stamps: &stamps,
        named: &named,
        payload: &payload,
        ..draft()
    };
    draft.encode().expect("it is small")
}

#[test]
fn an_entry_is_these_bytes() {
    // The hashes were computed with another implementation of xxh3.
    let golden = "56aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
        01010200\
        036234e85ca6d522\
        baac93d6004b87c65324d533950e8b5e\
        efcdab8967452301\
        845a810ebe312375\
        0068e5cf8b010000\
        25000000\
        0300\
        0100\
        08000000\
        09000000\
        27aef5e3771b97e8\
        0101010101010101\
        0202020202020202\
        0303030303030303\
        06007465616d3a35\
        7b226964223a34327d";
    let bytes = draft().encode().expect("it is small");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden);
}

#[test]
fn what_was_encoded_is_read_back() {
    let draft = draft();
    let bytes = draft.encode().expect("it is small");
    let stored = Stored::decode(&bytes).expect("it is intact");
    assert_eq!(stored.prefix(), draft.prefix);
    assert_eq!(stored.encoding(), draft.encoding);
    assert!(!stored.is_nothing());
    assert_eq!(stored.schema(), draft.schema);
    assert_eq!(stored.key(), draft.key);
    assert_eq!(stored.incarnation(), draft.incarnation);
    assert_eq!(stored.tags(), draft.tags);
    assert_eq!(stored.soft_deadline(), draft.soft_deadline);
    assert_eq!(stored.load_millis(), draft.load_millis);
    assert_eq!(stored.stamps().map(Some).collect::<Vec<_>>(), current());
    assert_eq!(stored.named_tags().collect::<Vec<_>>(), ["team:5"]);
    assert_eq!(stored.payload(), draft.payload);
    assert_eq!(stored.verify(&wanted(&draft), current()), Ok(()));
    assert!(!format!("{stored:?}").contains("id\":42"));
}

#[test]
fn the_smallest_entry_is_a_header() {
    let draft = Draft { stamps: &[], named: &[], payload: b"", nothing: true, ..draft() };
    let bytes = draft.encode().expect("it is small");
    assert_eq!(bytes.len(), 93);
    let stored = Stored::decode(&bytes).expect("it is intact");
    assert!(stored.is_nothing());
    assert_eq!(stored.verify(&wanted(&draft), []), Ok(()));
}

#[test]
fn every_mismatch_is_told() {
    let draft = draft();
    let bytes = draft.encode().expect("it is small");
    let stored = Stored::decode(&bytes).expect("it is intact");
    let wanted = wanted(&draft);
    let verify = |wanted: Wanted, current: Vec<Option<Stamp>>| stored.verify(&wanted, current);

    let other = Wanted { key: KeyHash::of("app:user:43"), ..wanted };
    assert_eq!(verify(other, current()), Err(Mismatch::Key));
    let other = Wanted { schema: Schema::of("User{id:u64}"), ..wanted };
    assert_eq!(verify(other, current()), Err(Mismatch::Schema));
    let other = Wanted { tags: Some(TagsHash::of(["fn:get_user", "users", "new"])), ..wanted };
    assert_eq!(verify(other, current()), Err(Mismatch::Tags));
    let other = Wanted { incarnation: Incarnation::new(1), ..wanted };
    assert_eq!(verify(other, current()), Err(Mismatch::Incarnation));
    for at in 0..3 {
        let mut stamps = current();
        stamps[at] = None;
        assert_eq!(verify(wanted, stamps), Err(Mismatch::Stamp(at)));
        let mut stamps = current();
        stamps[at] = Some(Stamp::from_bytes([9; 8]));
        assert_eq!(verify(wanted, stamps), Err(Mismatch::Stamp(at)));
        assert_eq!(verify(wanted, current()[..at].to_vec()), Err(Mismatch::Stamp(at)));
    }
    let longer = current().into_iter().chain([None]).collect();
    assert_eq!(verify(wanted, longer), Err(Mismatch::Tags));
}

#[test]
fn other_cells_are_told_apart() {
    let mut bytes = draft().encode().expect("it is small");
    for kind in [CellKind::Lease, CellKind::Write] {
        let flaw = Stored::decode(Prefix::unique(kind).as_bytes()).map(drop);
        assert_eq!(flaw, Err(Flaw::Leased));
    }
    assert_eq!(Stored::decode(b"").map(drop), Err(Flaw::Foreign));
    assert_eq!(Stored::decode(b"{\"some\":\"json of others\"}").map(drop), Err(Flaw::Foreign));
    assert_eq!(Stored::decode(&bytes[..17]).map(drop), Err(Flaw::Length));
    bytes[17] = 2;
    assert_eq!(Stored::decode(&bytes).map(drop), Err(Flaw::Version(2)));
}

#[test]
fn tag_lists_that_read_alike_differ() {
    let lists: [&[&str]; 6] = [&[], &[""], &["ab"], &["a", "b"], &["b", "a"], &["ab", ""]];
    for (at, list) in lists.iter().enumerate() {
        for other in &lists[at + 1..] {
            let (list, other) = (list.iter().copied(), other.iter().copied());
            assert_ne!(TagsHash::of(list), TagsHash::of(other));
        }
    }
}

#[test]
fn what_the_format_cannot_hold_is_an_error() {
    let long = "n".repeat(70_000);
    let named = [(long.as_str(), STAMPS[0])];
    let error = Draft { named: &named, ..draft() }.encode().expect_err("a long name");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let stamps = vec![STAMPS[0]; 65_536];
    let error = Draft { stamps: &stamps, ..draft() }.encode().expect_err("many tags");
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let lease = Prefix::unique(CellKind::Lease);
    let error = Draft { prefix: lease, ..draft() }.encode().expect_err("a lease");
    assert_eq!(error.kind(), ErrorKind::Codec);
}

#[test]
fn every_flipped_bit_is_a_flaw() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut tried = 0;
    for _ in 0..200 {
        let mut bytes = random_draft(&mut random);
        assert!(Stored::decode(&bytes).is_ok());
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Stored::decode(&bytes).is_err(), "bit {bit} of {bytes:02x?}");
            bytes[bit / 8] ^= 1 << (bit % 8);
            tried += 1;
        }
    }
    assert!(tried > 100_000, "{tried}");
}

#[test]
fn every_truncation_and_extension_is_a_flaw() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..500 {
        let mut bytes = random_draft(&mut random);
        for length in 0..bytes.len() {
            assert!(Stored::decode(&bytes[..length]).is_err());
        }
        bytes.push(random.u8(..));
        assert_eq!(Stored::decode(&bytes).map(drop), Err(Flaw::Length));
    }
}

#[test]
fn two_entries_joined_anywhere_are_a_flaw() {
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..500 {
        let (first, second) = (random_draft(&mut random), random_draft(&mut random));
        for at in 1..first.len().min(second.len()) {
            let joined = [&first[..at], &second[at..]].concat();
            let is_whole = joined == first || joined == second;
            assert!(is_whole || Stored::decode(&joined).is_err());
        }
    }
}

#[test]
fn an_entry_under_another_key_is_a_mismatch_of_the_key() {
    let mut random = fastrand::Rng::with_seed(4);
    for number in 0..10_000 {
        let key = KeyHash::of(&format!("user:{number}"));
        let draft = Draft { key, ..draft() };
        let bytes = draft.encode().expect("it is small");
        let stored = Stored::decode(&bytes).expect("it is intact");
        let other = KeyHash::of(&format!("user:{}", number + random.u32(1..1_000)));
        let asked = Wanted { key: other, ..wanted(&draft) };
        assert_eq!(stored.verify(&asked, current()), Err(Mismatch::Key));
    }
}

#[test]
fn no_bytes_make_decoding_panic() {
    let mut random = fastrand::Rng::with_seed(5);
    let template = draft().encode().expect("it is small");
    for round in 0..200_000_u32 {
        // Half from nothing, half from an entry whose lengths and checksum are made to fit or not.
        let mut bytes: Vec<u8> = if round % 2 == 0 {
            (0..random.usize(..200)).map(|_| random.u8(..)).collect()
        } else {
            let mut bytes = template.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(18..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes
        };
        if bytes.len() >= 93 {
            bytes[0] = b'V';
            bytes[17] = 1;
            // A checksum that is right lets what is behind it be looked at too.
            let checksum = super::layout::checksum(&bytes);
            bytes[85..93].copy_from_slice(&checksum.to_le_bytes());
        }
        if let Ok(stored) = Stored::decode(&bytes) {
            let named: usize = stored.named_tags().count();
            assert!(named <= stored.stamps().len());
            assert!(stored.payload().len() <= bytes.len());
        }
    }
}
