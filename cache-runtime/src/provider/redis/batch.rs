//! Commands as they travel.

use std::fmt;

use super::resp::push_head;
use crate::provider::commands::Batch;

/// What makes the next command be served by a server that its slot is on its way to.
const ASKING: &[u8] = b"*1\r\n$6\r\nASKING\r\n";

/// Enough for the usual command, so that nothing is moved while it grows.
const USUAL: usize = 256;

/// Commands for one server.
#[derive(Clone, Default)]
pub(crate) struct RedisBatch {
    /// The words of all commands, one after the other, each with its length before it.
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

    /// Whether an `ASKING` stands before each command, whose answers are nobody's business.
    pub(super) fn is_asking(&self) -> bool {
        self.asking
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

    /// The bytes to send.
    pub(super) fn pack(&self) -> Vec<u8> {
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
        bytes
    }
}

impl Batch for RedisBatch {
    fn command(&mut self, name: &'static str) -> &mut Self {
        if self.words.capacity() == 0 {
            self.words.reserve(USUAL);
        }
        let head = Head { at: self.words.len(), words: 0 };
        self.earlier.extend(self.last.replace(head));
        self.arg(name.as_bytes())
    }

    fn arg(&mut self, word: &[u8]) -> &mut Self {
        debug_assert!(self.last.is_some(), "a word before the first command");
        if let Some(head) = &mut self.last {
            head.words += 1;
            push_head(&mut self.words, b'$', word.len());
            self.words.extend_from_slice(word);
            self.words.extend_from_slice(b"\r\n");
        }
        self
    }
}

/// Tells how many commands there are: what they hold may be nobody else's business.
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
        assert_eq!(batch.pack(), b"");
        let mut pipeline = ::redis::Pipeline::new();
        for (name, words) in [
            ("GET", vec![b"app:k:user".to_vec()]),
            ("SET", vec![b"".to_vec(), b"\r\n\0\xff".to_vec(), vec![b'x'; 70_000]]),
            ("PING", Vec::new()),
        ] {
            batch.command(name);
            pipeline.cmd(name);
            for word in &words {
                batch.arg(word);
                pipeline.arg(word);
            }
            assert_eq!(batch.pack(), pipeline.get_packed_pipeline());
        }
        assert_eq!((batch.answers(), batch.asking().answers()), (3, 6));
        let mut asking = ::redis::Pipeline::new();
        for command in pipeline.cmd_iter() {
            asking.cmd("ASKING").add_command(command.clone());
        }
        assert_eq!(batch.asking().pack(), asking.get_packed_pipeline());
    }
}
