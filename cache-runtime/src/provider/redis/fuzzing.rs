//! What the fuzz targets see of a URL of Redis, and of what a server answers.

use super::resp::{self, Frame};
use super::url::{Login, Target, Topology};
use super::{hit, reply};
use crate::provider::commands::{Answer, Form, hit_answer};
use crate::provider::{Incarnation, Observed};
use crate::{Result, Secret};

/// What a URL was understood as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrl {
    /// All of it, as a log may show it.
    pub shown: String,
    /// The user and the password.
    pub login: (Option<String>, Option<String>),
    /// The user and the password for Sentinel.
    pub sentinel_login: (Option<String>, Option<String>),
    /// Hosts and ports, in order.
    pub hosts: Vec<(String, u16)>,
    /// What Sentinel calls the primary.
    pub service: Option<String>,
    /// The number of the database.
    pub database: u32,
    /// Whether connections are encrypted.
    pub tls: bool,
}

/// Understands a URL.
///
/// # Errors
///
/// [`Config`](crate::ErrorKind::Config), as for [`RedisProvider::new`](super::RedisProvider::new).
pub fn redis_url(url: &str) -> Result<RedisUrl> {
    let target = Target::parse(url)?;
    let shown = format!("{target:?}");
    let (hosts, service, sentinel) = match target.topology {
        Topology::Standalone(address) => (vec![address], None, Login::default()),
        Topology::Sentinel { sentinels, service, login } => (sentinels, Some(service), login),
        Topology::Cluster { seeds } => (seeds, None, Login::default()),
    };
    Ok(RedisUrl {
        shown,
        login: exposed(&target.login),
        sentinel_login: exposed(&sentinel),
        hosts: hosts.into_iter().map(|address| (address.host, address.port)).collect(),
        service,
        database: target.database,
        tls: target.tls,
    })
}

fn exposed(login: &Login) -> (Option<String>, Option<String>) {
    let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    (text(&login.username), text(&login.password))
}

/// What was found in bytes from a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RedisStream {
    /// Where each answer begins and ends, and the value in it, as it is shown for debugging.
    pub answers: Vec<(usize, usize, Option<String>)>,
    /// Whether what follows cannot be an answer.
    pub is_garbled: bool,
}

/// Finds the answers in what a server sends, when it has come up to each of these places.
pub fn redis_stream(bytes: &[u8], places: impl IntoIterator<Item = usize>) -> RedisStream {
    let (mut found, mut start, mut frame) = (RedisStream::default(), 0, Frame::default());
    for place in places.into_iter().chain([bytes.len()]) {
        let came = &bytes[start..place.clamp(start, bytes.len())];
        let mut behind = 0;
        while behind < came.len() {
            match frame.end(&came[behind..]) {
                Ok(Some(length)) => {
                    let answer = &came[behind..behind + length];
                    let value = resp::value(answer).ok().map(|value| format!("{value:?}"));
                    found.answers.push((start + behind, start + behind + length, value));
                    (behind, frame) = (behind + length, Frame::default());
                }
                Ok(None) => break,
                Err(_) => return RedisStream { is_garbled: true, ..found },
            }
        }
        start += behind;
    }
    found
}

/// What a hit finds in an answer: read where it lies, if it can be, and by way of replies.
pub fn redis_hit(answer: &[u8], marks: usize) -> (Option<Observed>, Option<Observed>) {
    let life = Incarnation::new(1);
    let direct = hit::observed(answer.to_vec(), marks, life).ok();
    let values = resp::values(answer, 1).ok();
    let replies = values.and_then(|values| reply::replies(values).ok()?.ok());
    let by_replies = replies.and_then(|replies| {
        hit_answer("read", Form::Raw, marks, Answer { replies, incarnation: life }).ok()
    });
    (direct, by_replies)
}
