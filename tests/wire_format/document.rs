//! `docs/wire-format.md` says what the code does.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use cache_runtime::entry::{
    Codec, Compression, FORMAT_VERSION, Format, Limits, Stored, header_fields,
};
use cache_runtime::provider::{Mark, MarkState, Provider, ProviderExt, RedisProvider};
use cache_tests::servers::RedisServer;

use crate::entries::{KEY, folder, from_hex, golden, read, to_hex, user, wanted};

fn document() -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/wire-format.md");
    fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{} can be read: {error}", file.display()))
}

/// The rows of the table whose head begins with these words.
fn table(document: &str, head: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = document.lines().skip_while(|line| !line.starts_with(head));
    assert!(lines.next().is_some(), "the document has a table `{head}`");
    let rows: Vec<_> = lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(!rows.is_empty(), "the table `{head}` has rows");
    rows
}

fn number(text: &str) -> usize {
    let digits: String = text.chars().filter(|c| *c != ',').collect();
    digits.parse().unwrap_or_else(|_| panic!("`{text}` is a number"))
}

/// The block of code that follows this line.
fn block<'d>(document: &'d str, title: &str) -> &'d str {
    let after = document.split_once(title).unwrap_or_else(|| panic!("there is `{title}`")).1;
    let code = after.split_once("```text\n").expect("a block follows").1;
    code.split_once("```").expect("the block ends").0
}

#[test]
fn the_header_is_as_documented() {
    let rows = table(&document(), "| at | bytes | field |");
    let told: Vec<(usize, usize, String)> =
        rows.iter().map(|row| (number(&row[0]), number(&row[1]), row[2].clone())).collect();
    let fields = header_fields().iter();
    let real: Vec<_> = fields.map(|field| (field.at, field.bytes, field.name.to_owned())).collect();
    assert_eq!(told, real);
    let mut end = 0;
    for (at, bytes, name) in real {
        assert_eq!(at, end, "`{name}` begins where the field before it ends");
        end = at + bytes;
    }
    assert_eq!(golden("nothing").len(), end);
}

#[tokio::test]
async fn marks_are_as_documented() {
    let document = document();
    let server = RedisServer::start();
    let provider = RedisProvider::new(&server.url(), "app").expect("the URL is right");
    let (hour, tag) = (Duration::from_secs(3_600), [Mark::tag("users")]);
    provider.ensure_marks("k", &tag, hour).await.expect("served");
    assert!(document.contains("It holds 8 random bytes"));
    assert_eq!(server.number(&["STRLEN", "app:t:users"]), 8);
    let (_, example) = document.split_once("decimal digits: `").expect("an example");
    let (example, _) = example.split_once("` is held by two").expect("an example of two");
    let shape = |text: &str| text.replace(|digit: char| digit.is_ascii_digit(), "0");
    for _ in 0..2 {
        provider.hold_marks(&tag, hour).await.expect("served");
    }
    let twice = server.text(&["GET", "app:t:users"]);
    assert_eq!(shape(&twice), shape(example));
    assert_eq!(provider.read_marks("k", &tag).await.expect("served"), [MarkState::Held]);
    provider.remove_marks(&tag).await.expect("served");
    provider.release_marks(&tag).await.expect("served");
    let once = server.text(&["GET", "app:t:users"]);
    assert!(once.len() == 17 && twice.contains(&once[4..]), "{once} of {twice}");
    let (end, now) = (once[4..].parse::<i64>().expect("digits"), server.text(&["TIME"]));
    let seconds: i64 = now.split_whitespace().next().expect("seconds").parse().expect("a number");
    assert!((end / 1_000 - seconds - 3_600).abs() <= 60, "{end} is an hour after {seconds}");
    provider.release_marks(&tag).await.expect("served");
    assert_eq!(server.number(&["EXISTS", "app:t:users"]), 0);
    // What holds something else is absent, also if it is alike.
    for other in ["held", "held1", "held00000001"] {
        server.command(&["SET", "app:t:users", other]);
        assert_eq!(provider.read_marks("k", &tag).await.expect("served"), [MarkState::Absent]);
    }
}

#[test]
fn the_version_is_as_documented() {
    assert!(document().contains(&format!("This is version {FORMAT_VERSION} of the format.")));
}

#[test]
fn the_codecs_and_compressions_are_as_documented() {
    let document = document();
    let told: Vec<(usize, String)> = table(&document, "| codec |")
        .into_iter()
        .map(|row| (number(&row[0]), row[1].clone()))
        .collect();
    let real = Codec::ALL.map(|codec| (usize::from(codec.number()), format!("`{codec}`")));
    assert_eq!(told, real);
    let told: Vec<(usize, String)> = table(&document, "| compression |")
        .into_iter()
        .map(|row| (number(&row[0]), row[1].clone()))
        .collect();
    let real = Compression::ALL
        .map(|compression| (usize::from(compression.number()), format!("`{compression}`")));
    assert_eq!(told, real);
}

#[test]
fn the_limits_are_as_documented() {
    let limits = Limits::default();
    let real = [
        ("`max_value_bytes`", limits.max_value_bytes),
        ("`max_key_bytes`", limits.max_key_bytes),
        ("`max_tags`", limits.max_tags),
        ("`max_tag_bytes`", limits.max_tag_bytes),
        ("`compress_above`", Format::default().compress_above),
    ];
    let told: Vec<(String, usize)> = table(&document(), "| limit |")
        .into_iter()
        .map(|row| (row[0].clone(), number(&row[1])))
        .collect();
    assert_eq!(told, real.map(|(name, number)| (name.to_owned(), number)));
}

#[test]
fn the_examples_are_entries() {
    let document = document();
    let bytes = from_hex(block(&document, "### A value"));
    assert_eq!(to_hex(&bytes), to_hex(&golden("json")));
    assert_eq!(read(&bytes, &wanted(KEY)), Ok(user(1)));
    for (title, name) in [("### Nothing", "nothing"), ("### A lease", "lease")] {
        assert_eq!(to_hex(&from_hex(block(&document, title))), to_hex(&golden(name)));
    }
    let json = block(&document, "### The payload").trim().to_owned();
    let stored = Stored::decode(&bytes).expect("it was read just now");
    assert_eq!(json.as_bytes(), stored.payload());
}

#[test]
fn the_text_form_is_as_documented() {
    let document = document();
    let text = block(&document, "### A lease as text").trim().to_owned();
    assert_eq!(text, base64url(&golden("lease")));
    let begins = block(&document, "### A value as text").trim().to_owned();
    let bytes = golden("json");
    let (prefix, rest) = bytes.split_at(17);
    assert_eq!(base64url(prefix).len(), 23);
    assert_eq!(begins.replace('\n', ""), base64url(prefix) + &base64url(rest));
}

#[test]
fn every_file_of_golden_bytes_is_read_by_a_test() {
    let files = fs::read_dir(folder().join("golden")).expect("the folder can be listed");
    let mut names: Vec<String> = files
        .map(|file| file.expect("an entry").file_name().into_string().expect("a UTF-8 name"))
        .collect();
    let goldens = crate::entries::goldens().into_iter().map(|golden| golden.name);
    let others = ["nothing", "lease", "write"].map(str::to_owned);
    let mut known: Vec<String> = goldens.chain(others).map(|name| name + ".hex").collect();
    names.sort();
    known.sort();
    assert_eq!(names, known);
}

/// As RFC 4648 says, section 5, without padding.
fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for letter in 0..=group.len() {
            let index = (bits >> (18 - 6 * letter)) & 63;
            text.push(char::from(LETTERS[index as usize]));
        }
    }
    text
}
