//! Which life the server is in, as far as `INFO` tells.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

use super::failure::serves_nobody;
use crate::entry::Incarnation;
use crate::provider::commands::Reply;

/// For how long an answer counts.
const FRESH: Duration = Duration::from_secs(5);

/// What `INFO` said last.
///
/// There are no connections whose beginning would be the time to ask: HTTP hides them. So the
/// question rides along in front of commands that are sent anyway: of the first, of those after a
/// failure, and of one every five seconds. Where it is refused it is not asked again.
#[derive(Debug, Default)]
pub(super) struct Life {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    known: Known,
    /// When the question was sent last; `None` to ask with the next request.
    asked_at: Option<Instant>,
    /// Questions are numbered in the order in which they are sent.
    asked: u64,
    answered: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Known {
    #[default]
    NotYet,
    Told(Incarnation),
    Refused,
}

impl State {
    fn is_fresh(&self, now: Instant) -> bool {
        self.asked_at.is_some_and(|asked_at| now < asked_at + FRESH)
    }

    fn ask(&mut self, now: Instant) -> Question {
        self.asked_at = Some(now);
        self.asked += 1;
        Question(self.asked)
    }
}

/// The number of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Question(u64);

impl Life {
    /// Whether the next request shall ask; the answer to it goes to [`learn`](Self::learn).
    pub(super) fn question(&self, now: Instant) -> Option<Question> {
        let mut state = self.lock();
        let ask = match state.known {
            // Whoever is answered before has to know it, so every request asks.
            Known::NotYet => true,
            Known::Told(_) => !state.is_fresh(now),
            Known::Refused => false,
        };
        ask.then(|| state.ask(now))
    }

    /// Whether to ask before something is sent that may arrive in one life only: also while
    /// somebody else's question is under way.
    pub(super) fn question_before(&self, now: Instant) -> Option<Question> {
        let mut state = self.lock();
        let is_certain = state.is_fresh(now) && state.answered == state.asked;
        let ask = state.known != Known::Refused && !is_certain;
        ask.then(|| state.ask(now))
    }

    /// Takes an answer, unless a later question was answered already.
    pub(super) fn learn(&self, question: Question, reply: &Reply) {
        if matches!(reply, Reply::Refused(text) if serves_nobody(text) || text.contains("exceeded"))
        {
            // Everything is refused at the moment, which says nothing of `INFO`.
            return self.doubt();
        }
        let mut state = self.lock();
        if question.0 <= state.answered {
            return;
        }
        state.answered = question.0;
        state.known = match reply {
            Reply::Bytes(info) => incarnation(info).map_or(Known::Refused, Known::Told),
            _ => Known::Refused,
        };
    }

    /// Asks again with the next request: the server may have been replaced.
    pub(super) fn doubt(&self) {
        self.lock().asked_at = None;
    }

    /// The life that is known.
    pub(super) fn current(&self) -> Incarnation {
        match self.lock().known {
            Known::Told(incarnation) => incarnation,
            Known::NotYet | Known::Refused => Incarnation::UNKNOWN,
        }
    }

    /// Whether lives can be told apart.
    pub(super) fn is_fenced(&self) -> bool {
        matches!(self.lock().known, Known::Told(_))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A hash of the run's and the replication's id; `None` where there is neither.
fn incarnation(info: &[u8]) -> Option<Incarnation> {
    let info = String::from_utf8_lossy(info);
    let field = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(str::trim).filter(|text| !text.is_empty())
    };
    let (run, replication) = (field("run_id"), field("master_replid"));
    run.or(replication)?;
    let text = format!("{}/{}", run.unwrap_or_default(), replication.unwrap_or_default());
    // 0 is what stands for an unknown life.
    Some(Incarnation::new(xxh3_64(text.as_bytes()).max(1)))
}

#[cfg(test)]
mod tests {
    use super::{FRESH, Life};
    use crate::entry::Incarnation;
    use crate::provider::commands::Reply;
    use tokio::time::Instant;

    fn info(run: &str, replication: &str) -> Reply {
        let text =
            format!("# Server\r\nrun_id:{run}\r\n# Replication\r\nmaster_replid:{replication}\r\n");
        Reply::Bytes(text.into_bytes())
    }

    #[test]
    fn another_run_or_another_history_is_another_life() {
        let life = |run, replication| {
            let life = Life::default();
            let question = life.question(Instant::now()).unwrap();
            life.learn(question, &info(run, replication));
            life.current()
        };
        assert_eq!(life("a", "b"), life("a", "b"));
        assert_ne!(life("a", "b"), life("c", "b"));
        assert_ne!(life("a", "b"), life("a", "c"));
        assert_ne!(life("a", "b"), Incarnation::UNKNOWN);
    }

    #[test]
    fn the_question_is_asked_until_answered_then_now_and_then_and_after_failures() {
        let (life, now) = (Life::default(), Instant::now());
        let first = life.question(now).unwrap();
        assert!(life.question(now).is_some() && !life.is_fenced());
        life.learn(first, &info("a", "b"));
        assert!(life.is_fenced() && life.question(now).is_none());
        let later = now + FRESH;
        assert!(life.question(later).is_some());
        assert!(life.question(later).is_none());
        life.doubt();
        let second = life.question(later).unwrap();
        assert!(life.question(later).is_none());
        let third = life.question_before(later).unwrap();
        life.learn(second, &info("a", "b"));
        assert!(life.question_before(later).is_some(), "one is still under way");
        life.learn(third, &info("a", "b"));
    }

    #[test]
    fn where_it_is_refused_it_is_asked_no_more() {
        for refusal in [Reply::Refused("NOPERM".to_owned()), Reply::Bytes(b"# Server".to_vec())] {
            let (life, now) = (Life::default(), Instant::now());
            let question = life.question(now).unwrap();
            life.learn(question, &refusal);
            life.doubt();
            assert!(life.question(now + FRESH * 2).is_none() && !life.is_fenced());
            assert_eq!(life.current(), Incarnation::UNKNOWN);
        }
    }

    #[test]
    fn a_server_that_refuses_everything_has_not_refused_the_question() {
        let life = Life::default();
        for text in ["LOADING Redis is loading", "ERR max daily request limit exceeded"] {
            let question = life.question(Instant::now()).unwrap();
            life.learn(question, &Reply::Refused(text.to_owned()));
            assert!(life.question(Instant::now()).is_some(), "{text}");
        }
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_count() {
        let (life, now) = (Life::default(), Instant::now());
        let (slow, fast) = (life.question(now).unwrap(), life.question(now).unwrap());
        life.learn(fast, &info("new", "x"));
        let current = life.current();
        life.learn(slow, &info("old", "x"));
        assert_eq!(life.current(), current);
    }
}
