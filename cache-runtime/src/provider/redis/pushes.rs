//! What servers push without being asked: which keys have changed.

use std::sync::Arc;

use ::redis::{PushInfo, PushKind, Value};
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

    /// Never fails: the connection does not care who hears its pushes.
    pub(super) fn hear(&self, push: &PushInfo) -> Result<(), std::convert::Infallible> {
        match &push.kind {
            PushKind::Invalidate => match push.data.as_slice() {
                [Value::Array(names)] if names.iter().all(is_name) => {
                    self.listener.changed(names.iter().filter_map(name));
                }
                // `FLUSHALL` names nothing; and what cannot be understood may be anything.
                _ => self.listener.everything(),
            },
            PushKind::Disconnection => {
                self.listener.everything();
                self.wake.notify_one();
            }
            _ => {}
        }
        Ok(())
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
