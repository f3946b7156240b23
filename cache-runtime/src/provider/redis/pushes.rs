//! What servers push without being asked: which keys have changed.

use std::sync::Arc;

use ::redis::{PushKind, Value};
use tokio::sync::Notify;

use crate::provider::commands::Listener;

/// Hears pushes, in the task that reads the socket: a push that stands before an answer in the
/// stream has been heard before whoever asked has the answer.
#[derive(Clone, Debug)]
pub(super) struct Pushes {
    listener: Arc<Listener>,
    /// Notified when a connection is lost.
    wake: Arc<Notify>,
}

impl Pushes {
    pub(super) fn new(listener: Arc<Listener>, wake: Arc<Notify>) -> Self {
        Self { listener, wake }
    }

    /// A server said something.
    pub(super) fn hear(&self, kind: &PushKind, data: &[Value]) {
        if *kind != PushKind::Invalidate {
            return;
        }
        match data {
            [Value::Array(names)] if names.iter().all(is_name) => {
                self.listener.changed(names.iter().filter_map(name));
            }
            // `FLUSHALL` names nothing; and what cannot be understood may be anything.
            _ => self.listener.everything(),
        }
    }

    /// The connection is lost: whatever has changed since, nobody tells.
    pub(super) fn end(&self) {
        self.listener.everything();
        self.wake.notify_one();
    }
}

fn name(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(name) => Some(name),
        Value::SimpleString(name) => Some(name.as_bytes()),
        _ => None,
    }
}

fn is_name(value: &Value) -> bool {
    name(value).is_some()
}
