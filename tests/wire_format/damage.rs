//! Entries that were damaged, cut, swapped, or written by another version: each is a miss for a
//! reason, and never another value.

use cache_runtime::entry::{
    FORMAT_VERSION, Flaw, Format, Incarnation, Mismatch, Payload, Prefix, Schema, TagsHash,
    Undecodable, Wanted, header_fields,
};

use crate::entries::{KEY, Miss, entry, golden, goldens, read, user, wanted};

/// The name of the header's field that a byte lies in.
fn field(at: usize) -> Option<&'static str> {
    let fields = header_fields();
    fields.iter().find(|field| (field.at..field.at + field.bytes).contains(&at)).map(|f| f.name)
}

fn names() -> Vec<String> {
    goldens().into_iter().map(|golden| golden.name).collect()
}

#[test]
fn every_flipped_bit_is_told_by_where_it_lies() {
    let mut tried = 0;
    for name in names() {
        let whole = golden(&name);
        for bit in 0..whole.len() * 8 {
            let at = bit / 8;
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (bit % 8);
            let miss = read(&bytes, &wanted(KEY)).expect_err("a bit was flipped");
            let expected = match field(at) {
                // One bit makes the kind that of a writer's cell, which is never so long.
                Some("kind") => Miss::Flaw(Flaw::Foreign),
                Some("version") => Miss::Flaw(Flaw::Version(bytes[at])),
                Some("stamps" | "names length" | "payload length") => Miss::Flaw(Flaw::Length),
                _ => Miss::Flaw(Flaw::Checksum),
            };
            assert_eq!(miss, expected, "{name}, bit {bit}");
            tried += 1;
        }
    }
    assert!(tried > 10_000, "{tried}");
}

#[test]
fn every_truncation_is_told() {
    for name in names() {
        let whole = golden(&name);
        for length in 0..whole.len() {
            let expected = if length < Prefix::LENGTH { Flaw::Foreign } else { Flaw::Length };
            let miss = read(&whole[..length], &wanted(KEY));
            assert_eq!(miss, Err(Miss::Flaw(expected)), "{name}, {length} bytes");
        }
    }
}

#[test]
fn every_extension_is_told() {
    for name in names() {
        let whole = golden(&name);
        for more in [&[0_u8][..], &[0xff; 9], b"\r\n", &whole] {
            let bytes = [&whole[..], more].concat();
            assert_eq!(read(&bytes, &wanted(KEY)), Err(Miss::Flaw(Flaw::Length)), "{name}");
        }
    }
}

#[test]
fn an_entry_under_another_key_is_told() {
    let payload = Format::default().encode(&user(1)).expect("it can be written");
    let keys: Vec<String> = (0..100).map(|number| format!("app:user:{number}")).collect();
    let entries: Vec<Vec<u8>> = keys.iter().map(|key| entry(key, &payload)).collect();
    for (at, key) in keys.iter().enumerate() {
        for (from, bytes) in entries.iter().enumerate() {
            let expected =
                if at == from { Ok(user(1)) } else { Err(Miss::Mismatch(Mismatch::Key)) };
            assert_eq!(read(bytes, &wanted(key)), expected);
        }
    }
}

#[test]
fn what_the_reader_wants_otherwise_is_told() {
    let bytes = golden("json");
    let miss = |wanted: Wanted| match read(&bytes, &wanted) {
        Err(Miss::Mismatch(mismatch)) => mismatch,
        other => panic!("a mismatch: {other:?}"),
    };
    let right = wanted(KEY);
    assert_eq!(miss(Wanted { schema: Schema::of_type::<u32>(), ..right }), Mismatch::Schema);
    let tags = Some(TagsHash::of(["T:users"]));
    assert_eq!(miss(Wanted { tags, ..right }), Mismatch::Tags);
    assert_eq!(miss(Wanted { incarnation: Incarnation::new(1), ..right }), Mismatch::Incarnation);
}

#[test]
fn every_other_version_is_told_whatever_follows() {
    for version in (0..=u8::MAX).filter(|version| *version != FORMAT_VERSION) {
        let mut bytes = golden("json");
        bytes[Prefix::LENGTH] = version;
        // Another version may have a shorter header, or a longer one.
        for length in [Prefix::LENGTH + 1, 40, bytes.len()] {
            let expected = Err(Miss::Flaw(Flaw::Version(version)));
            assert_eq!(read(&bytes[..length], &wanted(KEY)), expected);
        }
    }
}

#[test]
fn codecs_and_compressions_that_nobody_knows_yet_are_told() {
    let written = Format::default().encode(&user(1)).expect("it can be written");
    for number in 3..=u8::MAX {
        let mut payload = written.clone();
        payload.encoding.codec = number;
        let expected = Err(Miss::Undecodable(Undecodable::UnknownCodec(number)));
        assert_eq!(read(&entry(KEY, &payload), &wanted(KEY)), expected);
        let mut payload = written.clone();
        payload.encoding.compression = number;
        let expected = Err(Miss::Undecodable(Undecodable::UnknownCompression(number)));
        assert_eq!(read(&entry(KEY, &payload), &wanted(KEY)), expected);
    }
}

#[test]
fn a_payload_of_another_codec_is_never_the_wrong_value() {
    // The checksum is right here: somebody stored it so.
    for one in goldens() {
        let payload = one.format.encode(&one.user).expect("it can be written");
        for codec in 0..3 {
            for compression in 0..3 {
                let mut claimed = payload.clone();
                claimed.encoding.codec = codec;
                claimed.encoding.compression = compression;
                let found = read(&entry(KEY, &claimed), &wanted(KEY));
                if claimed.encoding == payload.encoding {
                    assert_eq!(found.as_ref(), Ok(&one.user), "{}", one.name);
                } else {
                    assert!(matches!(found, Err(Miss::Undecodable(_))), "{}: {found:?}", one.name);
                }
            }
        }
    }
}

#[test]
fn no_random_damage_gives_another_value() {
    let mut random = fastrand::Rng::with_seed(2_024);
    let wholes: Vec<(Vec<u8>, _)> =
        goldens().into_iter().map(|one| (golden(&one.name), one.user)).collect();
    let wanted = wanted(KEY);
    let (mut flaws, mut whole) = (0, 0);
    for _ in 0..400_000 {
        let (original, user) = &wholes[random.usize(..wholes.len())];
        let (other, _) = &wholes[random.usize(..wholes.len())];
        let mut bytes = original.clone();
        for _ in 0..random.usize(1..4) {
            damage(&mut bytes, other, &mut random);
        }
        match read(&bytes, &wanted) {
            Ok(found) if bytes == *original => {
                assert_eq!(found, *user);
                whole += 1;
            }
            // Two damages may make one whole entry of another.
            Ok(_) => assert!(wholes.iter().any(|(whole, _)| *whole == bytes)),
            Err(Miss::Flaw(_)) => flaws += 1,
            Err(miss) => panic!("{miss:?} of {bytes:02x?}"),
        }
    }
    assert!(flaws > 390_000 && whole < 5_000, "{flaws} flaws, {whole} whole");
}

fn damage(bytes: &mut Vec<u8>, other: &[u8], random: &mut fastrand::Rng) {
    if bytes.is_empty() {
        bytes.push(random.u8(..));
        return;
    }
    let at = random.usize(..bytes.len());
    match random.u8(..8) {
        0 => bytes[at] = random.u8(..),
        1 => bytes[at] ^= 1 << random.u8(..8),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, random.u8(..)),
        4 => drop(bytes.remove(at)),
        5 => bytes[at..].fill(0),
        6 => bytes[at..].reverse(),
        // The rest of another entry, as after a torn write.
        _ => {
            bytes.truncate(at);
            bytes.extend_from_slice(&other[at.min(other.len())..]);
        }
    }
}

#[test]
fn a_payload_that_is_no_value_is_told() {
    let mut random = fastrand::Rng::with_seed(2_025);
    for one in goldens() {
        let whole = one.format.encode(&one.user).expect("it can be written");
        for _ in 0..2_000 {
            let mut bytes = whole.bytes.clone();
            bytes.truncate(random.usize(..bytes.len()));
            let payload = Payload { bytes, encoding: whole.encoding };
            let found = read(&entry(KEY, &payload), &wanted(KEY));
            assert!(matches!(found, Err(Miss::Undecodable(_))), "{}: {found:?}", one.name);
        }
    }
}
