//! The steps that have to be atomic, as scripts that the server runs.
//!
//! A script is sent as a whole the first time that a bucket needs it, which also makes the server
//! remember it, and by its digest from then on. A server that has forgotten it (restarted, failed
//! over, `SCRIPT FLUSH`) says so without having done anything, and is sent the whole again.

use std::sync::atomic::{AtomicU64, Ordering};

use super::form::Form;
use super::link::{Batch, Bucket};

const CELL: &str = include_str!("lua/cell.lua");
const HELD: &str = include_str!("lua/held.lua");
const MARKS: &str = include_str!("lua/marks.lua");
const PUT_HOLD: &str = include_str!("lua/put_hold.lua");

/// On Upstash a script keeps all others waiting unless it says that its keys alone need a lock.
const REST_HEADER: &str = "#!lua flags=allow-key-locking\n";

/// All scripts, for one form and one sort of link.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) acquire: Script,
    pub(super) fill: Script,
    pub(super) renew: Script,
    pub(super) release: Script,
    pub(super) ensure: Script,
    pub(super) touch: Script,
    pub(super) hold: Script,
    pub(super) lift: Script,
    pub(super) unlink: Script,
}

impl Scripts {
    /// The scripts for what is stored in this form.
    pub(super) fn new(form: Form, is_rest: bool) -> Self {
        let (cell, marks) = (specialised(CELL, form), specialised(MARKS, form));
        let header = if is_rest { REST_HEADER } else { "" };
        let script =
            |parts: &[&str], body: &str| Script::new([&[header], parts, &[body]].concat().concat());
        Self {
            acquire: script(&[&cell, HELD, &marks], include_str!("lua/acquire.lua")),
            fill: script(&[&cell, HELD, &marks], include_str!("lua/fill.lua")),
            renew: script(&[&cell], include_str!("lua/renew.lua")),
            release: script(&[&cell], include_str!("lua/release.lua")),
            ensure: script(&[HELD, &marks], include_str!("lua/ensure.lua")),
            touch: script(&[HELD, &marks], include_str!("lua/touch.lua")),
            hold: script(&[HELD, PUT_HOLD], include_str!("lua/hold.lua")),
            lift: script(&[HELD, PUT_HOLD], include_str!("lua/lift.lua")),
            unlink: script(&[HELD], include_str!("lua/unlink.lua")),
        }
    }
}

fn specialised(part: &str, form: Form) -> String {
    let nonces = match form {
        #[cfg(any(feature = "redis", test))]
        Form::Raw => "''",
        // The last character has two bits that no nonce sets.
        #[cfg(feature = "upstash")]
        Form::Text => "'^[%w_-]+[AEIMQUYcgkosw048]$'",
    };
    part.replace("PREFIX_WIDTH", &form.prefix_width().to_string())
        .replace("NONCE_WIDTH", &form.nonce_width().to_string())
        .replace("NONCE_PATTERN", nonces)
}

/// A script, and which buckets' servers are thought to know it.
#[derive(Debug)]
pub(super) struct Script {
    text: String,
    digest: String,
    /// One bit for each bucket, or for each few of them.
    known: AtomicU64,
}

impl Script {
    fn new(text: String) -> Self {
        let digest = sha1_smol::Sha1::from(&text).digest().to_string();
        Self { text, digest, known: AtomicU64::new(0) }
    }

    /// Whether the bucket's server has run the script.
    pub(super) fn is_known(&self, bucket: Bucket) -> bool {
        self.known.load(Ordering::Relaxed) & bit(bucket) != 0
    }

    /// Remembers that the bucket's server has run the script.
    pub(super) fn learn(&self, bucket: Bucket) {
        if !self.is_known(bucket) {
            self.known.fetch_or(bit(bucket), Ordering::Relaxed);
        }
    }
}

const fn bit(bucket: Bucket) -> u64 {
    1 << (bucket.0 % 64)
}

/// One run of a script.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) script: &'a Script,
    pub(super) bucket: Bucket,
    pub(super) keys: Words,
    pub(super) arguments: Words,
    /// The last argument, which may be large and is not copied before it is sent.
    pub(super) value: Option<&'a [u8]>,
}

impl<'a> Call<'a> {
    /// A run without keys or arguments so far.
    pub(super) fn new(script: &'a Script, bucket: Bucket) -> Self {
        let (keys, arguments) = (Words::default(), Words::default());
        Self { script, bucket, keys, arguments, value: None }
    }

    /// The command, with the whole script or with its digest.
    pub(super) fn batch<B: Batch>(&self, whole: bool) -> B {
        let mut batch = B::default();
        if whole {
            batch.command("EVAL").arg(self.script.text.as_bytes());
        } else {
            batch.command("EVALSHA").arg(self.script.digest.as_bytes());
        }
        batch.arg(self.keys.len().to_string().as_bytes());
        for word in self.keys.iter().chain(self.arguments.iter()).chain(self.value) {
            batch.arg(word);
        }
        batch
    }
}

/// Words in one buffer.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Words {
    pub(super) fn push(&mut self, word: &[u8]) {
        self.bytes.extend_from_slice(word);
        self.ends.push(self.bytes.len());
    }

    /// A number as text.
    pub(super) fn push_number(&mut self, number: u64) {
        self.push(number.to_string().as_bytes());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(begin, end)| &self.bytes[begin..*end])
    }
}

#[cfg(all(test, feature = "redis", feature = "upstash"))]
mod tests {
    use super::{Bucket, REST_HEADER, Script, Scripts, Words};
    use crate::provider::commands::Form;

    #[test]
    fn a_digest_is_the_sha1_of_the_text() {
        let script = Script::new("return 1".to_owned());
        assert_eq!(script.digest, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }

    #[test]
    fn each_form_has_its_own_widths_and_nothing_is_left_open() {
        for (form, width) in [(Form::Raw, "0, 17 - 1"), (Form::Text, "0, 23 - 1")] {
            let scripts = Scripts::new(form, false);
            assert!(scripts.acquire.text.contains(width));
            for script in [&scripts.acquire, &scripts.fill, &scripts.renew, &scripts.ensure] {
                assert!(!script.text.contains("_WIDTH") && !script.text.contains("_PATTERN"));
            }
        }
    }

    #[test]
    fn only_over_rest_a_script_asks_for_locks_of_its_keys() {
        assert!(Scripts::new(Form::Text, true).hold.text.starts_with(REST_HEADER));
        assert!(!Scripts::new(Form::Text, false).hold.text.contains("#!"));
    }

    #[test]
    fn buckets_learn_a_script_one_by_one() {
        let script = Script::new(String::new());
        script.learn(Bucket(63));
        assert!(script.is_known(Bucket(63)) && !script.is_known(Bucket(0)));
    }

    #[test]
    fn words_come_back_as_they_were_put_in() {
        let mut words = Words::default();
        for word in [&b"a"[..], b"", b"\0\xff", b""] {
            words.push(word);
        }
        words.push_number(42);
        assert_eq!(words.iter().collect::<Vec<_>>(), [&b"a"[..], b"", b"\0\xff", b"", b"42"]);
        assert_eq!(words.len(), 5);
    }
}
