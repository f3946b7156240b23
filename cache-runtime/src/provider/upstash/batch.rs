//! Commands as JSON.

use std::fmt;

use crate::provider::commands::Batch;

/// Commands that change nothing, so that they may be sent twice.
const READS: [&str; 13] = [
    "DBSIZE", "EXISTS", "GET", "GETRANGE", "INFO", "MGET", "PING", "PTTL", "SCAN", "STRLEN",
    "TIME", "TTL", "TYPE",
];

/// Commands, each a JSON array, with a comma between two.
#[derive(Default)]
pub(crate) struct RestBatch {
    json: Vec<u8>,
    names: Vec<&'static str>,
    writes: bool,
    // JSON is text: a word that is not cannot be sent.
    has_bytes: bool,
}

impl Batch for RestBatch {
    fn command(&mut self, name: &'static str) -> &mut Self {
        self.json.extend_from_slice(if self.names.is_empty() { b"[\"" } else { b"],[\"" });
        self.json.extend_from_slice(name.as_bytes());
        self.json.push(b'"');
        self.names.push(name);
        self.writes |= !READS.contains(&name);
        self
    }

    fn arg(&mut self, word: &[u8]) -> &mut Self {
        self.json.push(b',');
        let text = std::str::from_utf8(word).unwrap_or_else(|_| {
            self.has_bytes = true;
            ""
        });
        // Writing text to memory does not fail.
        let _ = serde_json::to_writer(&mut self.json, text);
        self
    }
}

impl RestBatch {
    /// How many commands there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The commands' names, in order.
    pub(super) fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// How many bytes they are in a request, the brackets included.
    pub(super) fn size(&self) -> usize {
        self.json.len() + 2
    }

    /// Whether no command can change anything.
    pub(super) fn reads_only(&self) -> bool {
        !self.writes
    }

    /// Whether a word was no text, and is missing.
    pub(super) fn has_bytes(&self) -> bool {
        self.has_bytes
    }

    /// Writes the commands, without brackets around all of them.
    pub(super) fn write_to(&self, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.json);
        body.push(b']');
    }
}

/// Tells no key and no value.
impl fmt::Debug for RestBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestBatch")
            .field("names", &self.names)
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::RestBatch;
    use crate::provider::commands::Batch;

    fn json(batch: &RestBatch) -> String {
        let mut body = Vec::new();
        batch.write_to(&mut body);
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn commands_become_json_arrays() {
        let mut batch = RestBatch::default();
        batch.command("GET").arg("a\"\\\n\u{0}é".as_bytes());
        assert_eq!(json(&batch), "[\"GET\",\"a\\\"\\\\\\n\\u0000é\"]");
        assert!(batch.reads_only());
        batch.command("SET").arg(b"k").arg(b"");
        assert_eq!(json(&batch), "[\"GET\",\"a\\\"\\\\\\n\\u0000é\"],[\"SET\",\"k\",\"\"]");
        assert!(!batch.reads_only() && !batch.has_bytes());
        assert_eq!((batch.len(), batch.names()), (2, &["GET", "SET"][..]));
    }

    #[test]
    fn bytes_that_are_no_text_are_noticed() {
        let mut batch = RestBatch::default();
        batch.command("SET").arg(b"k").arg(&[0xff]);
        assert!(batch.has_bytes());
    }

    #[test]
    fn words_are_not_shown() {
        let mut batch = RestBatch::default();
        batch.command("SET").arg(b"key").arg(b"hidden");
        let shown = format!("{batch:?}");
        assert!(shown.contains("SET") && !shown.contains("hidden") && !shown.contains("key"));
    }
}
