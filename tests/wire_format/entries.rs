//! The entries that lie in `golden/`, and what a reader makes of bytes.

use std::fs;
use std::path::PathBuf;

use cache_runtime::entry::{
    CellKind, Codec, Compression, Draft, Encoding, Flaw, Format, Incarnation, KeyHash, Limits,
    Mismatch, Payload, Prefix, Stamp, Stored, TagsHash, Undecodable, Wanted, decode_payload,
    schema_of,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) score: Option<f64>,
    pub(crate) roles: Vec<Role>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Role {
    Admin,
    Member { of: String },
}

pub(crate) const KEY: &str = "app:user:42";
pub(crate) const TAGS: [&str; 2] = ["T:users", "F:shop::get_user"];
pub(crate) const INCARNATION: Incarnation = Incarnation::new(0x0123_4567_89ab_cdef);
/// The stamps of the tags from the arguments, and of the one that the value named.
pub(crate) const STAMPS: [Stamp; 3] =
    [Stamp::from_bytes([1; 8]), Stamp::from_bytes([2; 8]), Stamp::from_bytes([3; 8])];

/// An entry that a version 1 of the library may find.
pub(crate) struct Golden {
    /// The file's name without `.hex`.
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) user: User,
}

/// One for each codec and compression.
pub(crate) fn goldens() -> Vec<Golden> {
    let mut all = Vec::new();
    for codec in Codec::ALL {
        for compression in Compression::ALL {
            let format = Format::new(codec).compression(compression).compress_above(0);
            // Compression shows only on what becomes smaller.
            let (name, roles) = match compression {
                Compression::None => (codec.to_string(), 1),
                _ => (format!("{codec}-{compression}"), 20),
            };
            all.push(Golden { name, format, user: user(roles) });
        }
    }
    all
}

pub(crate) fn user(roles: usize) -> User {
    let member = Role::Member { of: "team:5".to_owned() };
    let roles = std::iter::once(Role::Admin).chain(vec![member; roles]).collect();
    User { id: 42, name: "Ada \u{1F980}".to_owned(), score: Some(0.1), roles }
}

/// What a writer stores under a key.
pub(crate) fn entry(key: &str, payload: &Payload) -> Vec<u8> {
    let names = TAGS.into_iter().chain(["T:team:5"]);
    let named: Vec<(&str, Stamp)> = names.zip(STAMPS).collect();
    let id = std::array::from_fn(|at| at as u8);
    let draft = Draft {
        prefix: Prefix::new(CellKind::Value, id),
        encoding: payload.encoding,
        nothing: false,
        schema: schema_of::<User>(),
        key: KeyHash::of(key),
        incarnation: INCARNATION,
        tags: TagsHash::of(TAGS),
        stamps: &[],
        named: &named,
        soft_deadline: 1_700_000_000_000,
        fresh_while_kept: false,
        load_millis: 37,
        payload: &payload.bytes,
    };
    draft.encode().expect("it is small")
}

/// An entry for `None`.
pub(crate) fn nothing() -> Vec<u8> {
    let draft = Draft {
        prefix: Prefix::new(CellKind::Value, [0xaa; 16]),
        encoding: Encoding::default(),
        nothing: true,
        schema: schema_of::<User>(),
        key: KeyHash::of(KEY),
        incarnation: Incarnation::UNKNOWN,
        tags: TagsHash::of([]),
        stamps: &[],
        named: &[],
        soft_deadline: u64::MAX,
        fresh_while_kept: false,
        load_millis: 0,
        payload: b"",
    };
    draft.encode().expect("it is small")
}

/// Why a reader does not get the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    Flaw(Flaw),
    Mismatch(Mismatch),
    Undecodable(Undecodable),
}

/// What every reader does with bytes from a store.
pub(crate) fn read(bytes: &[u8], wanted: &Wanted) -> Result<User, Miss> {
    let stored = Stored::decode(bytes).map_err(Miss::Flaw)?;
    stored.verify(wanted, STAMPS.map(Some)).map_err(Miss::Mismatch)?;
    decode_payload(stored.encoding(), stored.payload(), &Limits::default())
        .map_err(Miss::Undecodable)
}

/// A reader that knows the key's tags.
pub(crate) fn wanted(key: &str) -> Wanted {
    Wanted {
        key: KeyHash::of(key),
        schema: schema_of::<User>(),
        tags: Some(TagsHash::of(TAGS)),
        incarnation: INCARNATION,
    }
}

/// A file in `golden/`: hexadecimal, with comments after `#`.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let file = folder().join("golden").join(format!("{name}.hex"));
    let text = fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{} can be read: {error}", file.display()));
    from_hex(&text)
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("wire_format")
}

/// The bytes of hexadecimal text, with comments after `#`.
pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits: Vec<u32> = lines
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).unwrap_or_else(|| panic!("`{c}` is no hexadecimal digit")))
        .collect();
    assert!(digits.len().is_multiple_of(2), "half a byte is left over");
    digits.chunks_exact(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let lines =
        bytes.chunks(32).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect());
    lines.collect::<Vec<String>>().join("\n")
}
