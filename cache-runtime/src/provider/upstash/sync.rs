//! The token that stands for all that this provider has seen and written.

use std::sync::{Mutex, PoisonError};

use reqwest::header::HeaderValue;

/// The most recent `upstash-sync-token`.
///
/// Upstash answers a read from a replica only if the replica has all that the token stands for, so
/// a request has to carry the most recent one. Tokens tell no order, and answers overtake each
/// other; so what counts is what the request knew:
///
/// - A request carries the token of the moment, and its answer's token stands for that and for all
///   that the request did. If nothing came between, it replaces it.
/// - If another answer came between, the token of a write replaces the one that is there, since the
///   write is in no other; that of a read is let go, since it may be older.
#[derive(Debug, Default)]
pub(super) struct SyncToken {
    current: Mutex<Current>,
}

#[derive(Clone, Debug, Default)]
struct Current {
    token: Option<HeaderValue>,
    changes: u64,
}

/// Which token a request carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen(u64);

impl SyncToken {
    /// The token to send now.
    pub(super) fn current(&self) -> (Option<HeaderValue>, Seen) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        (current.token.clone(), Seen(current.changes))
    }

    /// The token that came back.
    pub(super) fn learn(&self, token: HeaderValue, sent: Seen, wrote: bool) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if wrote || sent.0 == current.changes {
            if current.token.as_ref() != Some(&token) {
                current.changes += 1;
            }
            current.token = Some(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SyncToken;
    use reqwest::header::HeaderValue;

    fn token(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn the_answer_to_the_last_request_counts() {
        let sync = SyncToken::default();
        let (none, seen) = sync.current();
        assert_eq!(none, None);
        sync.learn(token("1"), seen, false);
        let (first, seen) = sync.current();
        assert_eq!(first, Some(token("1")));
        sync.learn(token("2"), seen, true);
        assert_eq!(sync.current().0, Some(token("2")));
    }

    #[test]
    fn a_read_that_was_overtaken_by_a_write_does_not_take_its_token_away() {
        let sync = SyncToken::default();
        let (_, read) = sync.current();
        let (_, write) = sync.current();
        sync.learn(token("after the write"), write, true);
        sync.learn(token("before the write"), read, false);
        assert_eq!(sync.current().0, Some(token("after the write")));
    }

    #[test]
    fn a_write_that_was_overtaken_by_a_read_still_counts() {
        let sync = SyncToken::default();
        let (_, write) = sync.current();
        let (_, read) = sync.current();
        sync.learn(token("before the write"), read, false);
        sync.learn(token("after the write"), write, true);
        assert_eq!(sync.current().0, Some(token("after the write")));
    }
}
