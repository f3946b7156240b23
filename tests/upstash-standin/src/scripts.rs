//! Scripts with the flag that only Upstash knows.
//!
//! `#!lua flags=allow-key-locking` tells Upstash to lock a script's keys instead of the whole
//! database. Redis refuses a flag that it does not know, so the flag is taken out on the way, and
//! the digests by which clients call such a script are translated.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::command::{Command, name};

const FLAG: &str = "allow-key-locking";

/// The digests of scripts as clients know them, with those that Redis knows.
#[derive(Debug, Default)]
pub(crate) struct Scripts {
    digests: Mutex<HashMap<String, String>>,
}

impl Scripts {
    /// The command as Redis understands it.
    pub(crate) fn translate(&self, command: &mut Command) {
        match name(command).as_str() {
            "EVAL" | "EVAL_RO" => self.translate_text(command.get_mut(1)),
            "EVALSHA" | "EVALSHA_RO" => self.translate_digests(command.get_mut(1..2)),
            "SCRIPT" => match name(command.get(1..).unwrap_or_default()).as_str() {
                "LOAD" => self.translate_text(command.get_mut(2)),
                "EXISTS" => self.translate_digests(command.get_mut(2..)),
                _ => {}
            },
            _ => {}
        }
    }

    /// The digest that a client expects, where Redis answered this one.
    pub(crate) fn original(&self, digest: &[u8]) -> Option<String> {
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = digests.iter();
        known.find(|(_, own)| own.as_bytes() == digest).map(|(original, _)| original.clone())
    }

    fn translate_text(&self, script: Option<&mut Vec<u8>>) {
        let Some((script, own)) = script.and_then(|script| {
            let own = without_flag(std::str::from_utf8(script).ok()?)?;
            Some((script, own))
        }) else {
            return;
        };
        let digest = |text: &[u8]| sha1_smol::Sha1::from(text).digest().to_string();
        let mut digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        digests.insert(digest(script), digest(own.as_bytes()));
        *script = own.into_bytes();
    }

    fn translate_digests(&self, words: Option<&mut [Vec<u8>]>) {
        let digests = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        for word in words.into_iter().flatten() {
            let digest = String::from_utf8_lossy(word).to_lowercase();
            if let Some(own) = digests.get(&digest) {
                *word = own.clone().into_bytes();
            }
        }
    }
}

/// The script without the flag; `None` where it has none.
fn without_flag(script: &str) -> Option<String> {
    let (first, rest) = script.split_once('\n')?;
    let (shebang, flags) = first.strip_prefix("#!").map(|_| first)?.split_once("flags=")?;
    let mut flags: Vec<&str> = flags.trim().split(',').collect();
    let before = flags.len();
    flags.retain(|flag| *flag != FLAG);
    if flags.len() == before {
        return None;
    }
    let shebang = shebang.trim_end();
    let flags =
        if flags.is_empty() { String::new() } else { format!(" flags={}", flags.join(",")) };
    Some(format!("{shebang}{flags}\n{rest}"))
}

#[cfg(test)]
mod tests {
    use super::without_flag;

    #[test]
    fn only_the_one_flag_is_taken_out() {
        let script = "#!lua flags=allow-key-locking\nreturn 1";
        assert_eq!(without_flag(script).as_deref(), Some("#!lua\nreturn 1"));
        let script = "#!lua flags=no-writes,allow-key-locking\nreturn 1";
        assert_eq!(without_flag(script).as_deref(), Some("#!lua flags=no-writes\nreturn 1"));
        assert_eq!(without_flag("#!lua flags=no-writes\nreturn 1"), None);
        assert_eq!(without_flag("return 'flags=allow-key-locking\n'"), None);
    }
}
