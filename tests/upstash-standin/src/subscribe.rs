//! Messages as server-sent events.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Response};
use futures_util::StreamExt;
use futures_util::stream;
use redis::Msg;

use crate::state::State;

/// `data: message,<channel>,<payload>`, after one `data: subscribe,<channel>,<count>` each.
pub(crate) async fn answer(
    state: &State,
    topics: &[Vec<u8>],
    patterns: bool,
) -> Result<Response<Body>, String> {
    let failed = |error: redis::RedisError| format!("ERR internal: {error}");
    let mut messages = state.backend.client().get_async_pubsub().await.map_err(failed)?;
    let mut first = Vec::new();
    let kind = if patterns { "psubscribe" } else { "subscribe" };
    for (number, topic) in topics.iter().enumerate() {
        if patterns {
            messages.psubscribe(topic).await.map_err(failed)?;
        } else {
            messages.subscribe(topic).await.map_err(failed)?;
        }
        let topic = String::from_utf8_lossy(topic);
        first.push(event(format!("{kind},{topic},{}", number + 1)));
    }
    let later = messages.into_on_message().map(|message| event(words(&message)));
    let events = stream::iter(first).chain(later).map(Ok::<Bytes, Infallible>);
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn words(message: &Msg) -> String {
    let payload = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
    let channel = message.get_channel_name();
    match message.get_pattern::<Option<String>>() {
        Ok(Some(pattern)) => format!("pmessage,{pattern},{channel},{payload}"),
        _ => format!("message,{channel},{payload}"),
    }
}

/// A payload of several lines is several `data` lines of one event.
fn event(text: String) -> Bytes {
    Bytes::from(format!("data: {}\n\n", text.replace('\n', "\ndata: ")))
}
