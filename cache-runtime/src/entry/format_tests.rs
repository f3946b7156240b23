//! What a build makes of features that it does not have. With all features on, `tests/` checks
//! what it makes of those that it has.

use super::{Codec, Compression, Encoding, Format, Limits, Undecodable, decode_payload};
use crate::ErrorKind;

fn formats() -> impl Iterator<Item = Format> {
    let with =
        |codec| Compression::ALL.map(|compression| Format::new(codec).compression(compression));
    Codec::ALL.into_iter().flat_map(with)
}

#[test]
fn a_format_whose_feature_is_off_is_refused_by_name() {
    for format in formats() {
        let (codec, compression) = (format.codec, format.compression);
        let missing = match (codec.is_available(), compression.is_available()) {
            (true, true) => None,
            (false, _) => Some(codec.name()),
            (true, false) => Some(compression.name()),
        };
        let Some(missing) = missing else {
            format.check().expect("it is in this build");
            assert!(format.encode(&1).is_ok());
            continue;
        };
        for error in [format.check().err(), format.encode(&1).err()] {
            let error = error.expect("it is not in this build");
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(&format!("the feature `{missing}`")), "{error}");
        }
    }
}

#[test]
fn an_entry_whose_feature_is_off_is_a_miss_of_its_own() {
    for format in formats() {
        let encoding =
            Encoding { codec: format.codec.number(), compression: format.compression.number() };
        let read = decode_payload::<String>(encoding, b"?", &Limits::default());
        let expected = if !format.codec.is_available() {
            Undecodable::CodecUnavailable(format.codec)
        } else if !format.compression.is_available() {
            Undecodable::CompressionUnavailable(format.compression)
        } else if format.compression == Compression::None {
            Undecodable::Value
        } else {
            Undecodable::Compression
        };
        assert_eq!(read, Err(expected), "{format:?}");
    }
}

#[test]
fn json_needs_no_feature() {
    assert!(Format::default().check().is_ok());
    assert_eq!(Format::default().codec, Codec::Json);
    assert_eq!(Format::default().compression, Compression::None);
}
