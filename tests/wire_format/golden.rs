//! Bytes that were written once and can be read for ever, or are told to be of another version.

use cache_runtime::entry::{CellKind, Compression, Flaw, Prefix, Stored, Wanted};

use crate::entries::{KEY, TAGS, entry, golden, goldens, nothing, read, to_hex, wanted};

#[test]
fn what_was_written_once_is_read_for_ever() {
    for one in goldens() {
        let bytes = golden(&one.name);
        assert_eq!(read(&bytes, &wanted(KEY)).as_ref(), Ok(&one.user), "{}", one.name);
        let stored = Stored::decode(&bytes).expect("it was read just now");
        assert_eq!(stored.encoding().codec, one.format.codec.number());
        assert_eq!(stored.encoding().compression, one.format.compression.number());
        assert_eq!((stored.load_millis(), stored.soft_deadline()), (37, 1_700_000_000_000));
        let names: Vec<&str> = stored.named_tags().collect();
        assert_eq!(names, [TAGS[0], TAGS[1], "T:team:5"]);
    }
}

#[test]
fn a_reader_that_knows_no_tags_goes_by_those_in_the_entry() {
    let unaware = Wanted { tags: None, ..wanted(KEY) };
    for one in goldens() {
        assert_eq!(read(&golden(&one.name), &unaware), Ok(one.user));
    }
}

#[test]
fn what_is_written_today_is_what_was_written_once() {
    for one in goldens() {
        let payload = one.format.encode(&one.user).expect("it can be written");
        assert_eq!(payload.encoding.compression, one.format.compression.number());
        let bytes = entry(KEY, &payload);
        assert_eq!(read(&bytes, &wanted(KEY)), Ok(one.user), "{}", one.name);
        // A compressor may find something shorter in a later version; what it means stays.
        if one.format.compression == Compression::None {
            let now = to_hex(&bytes);
            assert_eq!(now, to_hex(&golden(&one.name)), "`{}.hex`, now:\n{now}", one.name);
        }
    }
}

#[test]
fn other_cells_are_what_they_were() {
    let now = to_hex(&nothing());
    assert_eq!(now, to_hex(&golden("nothing")), "`nothing.hex`, now:\n{now}");
    let bytes = nothing();
    let stored = Stored::decode(&bytes).expect("it is intact");
    assert!(stored.is_nothing() && stored.payload().is_empty());
    for (kind, name) in [(CellKind::Lease, "lease"), (CellKind::Write, "write")] {
        let bytes = golden(name);
        assert_eq!(Prefix::of(&bytes), Prefix::new(kind, [0xaa; 16]));
        assert_eq!(Prefix::of(&bytes).as_bytes(), bytes);
        assert_eq!(Stored::decode(&bytes).map(drop), Err(Flaw::Leased));
    }
}
