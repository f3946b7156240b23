//! Commands as they travel.

use std::fmt;

use super::resp::{Line, push_head};
use crate::provider::commands::Batch;

/// What makes the next command be served by a server that its slot is on its way to.
const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

/// Enough for the usual command, so that nothing is moved while it grows.
const USUAL: usize = 256;

/// So much is left free before the first word, for the line that says how many there are.
const FREE: usize = 16;

/// Commands for one server.
#[derive(Clone, Default)]
pub(crate) struct RedisBatch {
    /// The words of all commands, one after the other, each with its length before it, behind
    /// [`FREE`] bytes.
    words: Vec<u8>,
    /// All commands but the last one. Most batches have one command, and need no list.
    earlier: Vec<Head>,
    last: Option<Head>,
    /// Whether an `ASKING` stands before each command.
    asking: bool,
}

/// Where a command's words begin, and how many there are.
#[derive(Clone, Copy)]
struct Head {
    at: usize,
    words: usize,
}

impl RedisBatch {
    /// A batch of one command.
    pub(super) fn of(name: &'static str, words: &[&[u8]]) -> Self {
        let mut batch = Self::default();
        batch.command(name);
        for word in words {
            batch.arg(word);
        }
        batch
    }

    /// The commands' answers: those to an `ASKING` are nobody's business.
    pub(super) fn without_asking<T>(&self, answers: Vec<T>) -> Vec<T> {
        match self.asking {
            true => answers.into_iter().skip(1).step_by(2).collect(),
            false => answers,
        }
    }

    /// How many answers there will be.
    pub(super) fn answers(&self) -> usize {
        self.len() * if self.asking { 2 } else { 1 }
    }

    fn len(&self) -> usize {
        self.earlier.len() + usize::from(self.last.is_some())
    }

    /// The same commands, each after an `ASKING`: for a slot that is on its way to the server.
    pub(super) fn asking(&self) -> Self {
        Self { asking: true, ..self.clone() }
    }

    /// The commands as they are sent; they are kept, to be sent again.
    pub(super) fn pack(&self) -> Packed {
        let around = 24 + if self.asking { ASKING.len() } else { 0 };
        let mut bytes = Vec::with_capacity(self.words.len() + self.len() * around);
        let mut heads = self.earlier.iter().chain(&self.last).peekable();
        while let Some(head) = heads.next() {
            let end = heads.peek().map_or(self.words.len(), |next| next.at);
            if self.asking {
                bytes.extend_from_slice(ASKING);
            }
            push_head(&mut bytes, b'*', head.words);
            bytes.extend_from_slice(&self.words[head.at..end]);
        }
        Packed { bytes, start: 0, answers: self.answers() }
    }

    /// The same without a copy, where there is one command.
    pub(super) fn into_packed(mut self) -> Packed {
        let Some(Head { at: FREE, words }) = self.last else { return self.pack() };
        if self.asking {
            return self.pack();
        }
        let line = Line::new(b'*', words);
        let start = FREE - line.as_bytes().len();
        self.words[start..FREE].copy_from_slice(line.as_bytes());
        Packed { bytes: self.words, start, answers: 1 }
    }
}

/// Commands as they are sent.
pub(super) struct Packed {
    bytes: Vec<u8>,
    start: usize,
    answers: usize,
}

impl Packed {
    /// These bytes, for so many answers.
    #[cfg(test)]
    pub(super) fn of(bytes: &[u8], answers: usize) -> Self {
        Self { bytes: bytes.to_vec(), start: 0, answers }
    }

    /// What is sent.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// How many answers there will be.
    pub(super) fn answers(&self) -> usize {
        self.answers
    }
}

impl Batch for RedisBatch {
    fn command(&mut self, name: &'static str) -> &mut Self {
        if self.words.is_empty() {
            self.words.reserve(USUAL);
            self.words.resize(FREE, 0);
        }
        let head = Head { at: self.words.len(), words: 0 };
        self.earlier.extend(self.last.replace(head));
        self.arg(name.as_bytes())
    }

    fn arg(&mut self, word: &[u8]) -> &mut Self {
        self.arg_of(&[word])
    }

    fn arg_of(&mut self, pieces: &[&[u8]]) -> &mut Self {
        debug_assert!(self.last.is_some(), "a word before the first command");
        if let Some(head) = &mut self.last {
            head.words += 1;
            push_head(&mut self.words, b'$', pieces.iter().map(|piece| piece.len()).sum());
            for piece in pieces {
                self.words.extend_from_slice(piece);
            }
            self.words.extend_from_slice(b"\r\n");
        }
        self
    }
}

/// Tells the length alone: what commands hold may be nobody else's business.
impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.bytes().len())
    }
}

/// Tells how many commands there are, as [`Packed`] does.
impl fmt::Debug for RedisBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisBatch({} commands)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::RedisBatch;
    use crate::provider::commands::Batch;

    #[test]
    fn commands_are_packed_as_the_client_packs_them() {
        let mut batch = RedisBatch::default();
        assert_eq!(batch.pack().bytes(), b"");
        assert_eq!(batch.clone().into_packed().bytes(), b"");
        let mut pipeline = ::redis::Pipeline::new();
        for (name, words) in [
            ("GET", vec![b"app:k:user".to_vec()]),
            ("SET", vec![b"".to_vec(), b"\r\n\0\xff".to_vec(), vec![b'x'; 70_000]]),
            ("PING", Vec::new()),
        ] {
            batch.command(name);
            pipeline.cmd(name);
            for word in &words {
                batch.arg_of(&[&word[..word.len() / 2], &word[word.len() / 2..], b""]);
                pipeline.arg(word);
            }
            assert_eq!(batch.pack().bytes(), pipeline.get_packed_pipeline());
            assert_eq!(batch.clone().into_packed().bytes(), pipeline.get_packed_pipeline());
        }
        assert_eq!((batch.answers(), batch.asking().answers()), (3, 6));
        let mut asking = ::redis::Pipeline::new();
        for command in pipeline.cmd_iter() {
            asking.cmd("ASKING").add_command(command.clone());
        }
        assert_eq!(batch.asking().pack().bytes(), asking.get_packed_pipeline());
        assert_eq!(batch.asking().into_packed().bytes(), asking.get_packed_pipeline());
    }

    #[test]
    fn one_command_of_any_number_of_words_is_packed_where_it_stands() {
        for words in [0, 1, 8, 9, 98, 99, 100, 99_998, 99_999] {
            let mut batch = RedisBatch::default();
            batch.command("DEL");
            for _ in 0..words {
                batch.arg(b"x");
            }
            let copied = batch.pack();
            let place = batch.words.as_ptr();
            let packed = batch.into_packed();
            assert_eq!(packed.bytes(), copied.bytes(), "{words} words");
            assert_eq!((packed.answers(), packed.bytes.as_ptr()), (1, place));
        }
        let asking = RedisBatch::of("GET", &[b"x"]).asking().into_packed();
        assert_eq!(
            (asking.answers(), asking.bytes().starts_with(b"*1\r\n$6\r\nASKING")),
            (2, true)
        );
    }
}
