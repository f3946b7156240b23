//! What comes back, as replies.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::provider::commands::Reply;

/// The replies to the commands of a pipeline, in order.
pub(super) fn several(body: &[u8]) -> Result<Vec<Reply>, serde_json::Error> {
    let outcomes: Vec<Outcome> = serde_json::from_slice(body)?;
    Ok(outcomes.into_iter().map(|outcome| outcome.0).collect())
}

/// The reply to a command that was sent alone.
pub(super) fn one(body: &[u8]) -> Result<Reply, serde_json::Error> {
    serde_json::from_slice::<Outcome>(body).map(|outcome| outcome.0)
}

/// The text of `{"error": ..}`.
pub(super) fn refusal(body: &[u8]) -> Option<String> {
    match one(body) {
        Ok(Reply::Refused(text)) => Some(text),
        _ => None,
    }
}

/// What `GET` found is bytes, also where they happen to read `OK`, which alone is not encoded.
pub(super) fn restore(name: &str, reply: Reply) -> Reply {
    match reply {
        Reply::Status if matches!(name, "GET" | "GETRANGE") => Reply::Bytes(b"OK".to_vec()),
        reply => reply,
    }
}

/// `{"result": ..}` or `{"error": ".."}`.
struct Outcome(Reply);

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OutcomeVisitor)
    }
}

struct OutcomeVisitor;

impl<'de> Visitor<'de> for OutcomeVisitor {
    type Value = Outcome;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `result` or `error`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outcome, A::Error> {
        let mut outcome = None;
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "result" => outcome = Some(top_level(map.next_value::<Encoded>()?.0)),
                "error" => {
                    if let Some(text) = map.next_value::<Option<String>>()? {
                        outcome = Some(Reply::Refused(text));
                    }
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        outcome.map(Outcome).ok_or_else(|| A::Error::custom("neither `result` nor `error`"))
    }
}

fn top_level(reply: Reply) -> Reply {
    match reply {
        Reply::Bytes(bytes) if bytes == b"OK" => Reply::Status,
        reply => reply,
    }
}

/// A reply whose strings are base64, except exactly `OK`.
struct Encoded(Reply);

impl<'de> Deserialize<'de> for Encoded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EncodedVisitor)
    }
}

struct EncodedVisitor;

impl<'de> Visitor<'de> for EncodedVisitor {
    type Value = Encoded;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply of Redis in JSON")
    }

    fn visit_unit<E>(self) -> Result<Encoded, E> {
        Ok(Encoded(Reply::Nil))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Encoded, E> {
        Ok(Encoded(Reply::Integer(truth.into())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Encoded, E> {
        Ok(Encoded(Reply::Integer(number)))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Encoded, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("a number beyond 64 bits"))?;
        Ok(Encoded(Reply::Integer(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Encoded, E> {
        Ok(Encoded(Reply::Bytes(number.to_string().into_bytes())))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Encoded, E> {
        if text == "OK" {
            return Ok(Encoded(Reply::Bytes(b"OK".to_vec())));
        }
        let bytes = STANDARD.decode(text).map_err(|_| E::custom("a string that is no base64"))?;
        Ok(Encoded(Reply::Bytes(bytes)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Encoded, A::Error> {
        let mut replies = Vec::with_capacity(items.size_hint().unwrap_or(0).min(1_024));
        while let Some(Encoded(reply)) = items.next_element()? {
            replies.push(reply);
        }
        Ok(Encoded(Reply::List(replies)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Encoded, A::Error> {
        OutcomeVisitor.visit_map(map).map(|outcome| Encoded(outcome.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{one, refusal, restore, several};
    use crate::provider::commands::Reply;

    fn bytes(text: &str) -> Reply {
        Reply::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn strings_are_decoded_at_every_depth() {
        let body = br#"{"result":["YQ==",null,-3,["/w==","OK"]]}"#;
        let deep = Reply::List(vec![Reply::Bytes(vec![0xff]), bytes("OK")]);
        let expected = Reply::List(vec![bytes("a"), Reply::Nil, Reply::Integer(-3), deep]);
        assert_eq!(one(body).unwrap(), expected);
        assert_eq!(one(br#"{"result":"UE9ORw=="}"#).unwrap(), bytes("PONG"));
        assert_eq!(one(br#"{"result":"OK","more":[1]}"#).unwrap(), Reply::Status);
    }

    #[test]
    fn a_pipeline_answers_one_by_one() {
        let body = br#"[{"result":"OK"},{"error":"ERR no"},{"result":null}]"#;
        let expected = vec![Reply::Status, Reply::Refused("ERR no".to_owned()), Reply::Nil];
        assert_eq!(several(body).unwrap(), expected);
    }

    #[test]
    fn a_stored_ok_is_bytes() {
        assert_eq!(restore("GET", Reply::Status), bytes("OK"));
        assert_eq!(restore("SET", Reply::Status), Reply::Status);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let malformed: [&[u8]; 8] = [
            b"",
            b"<html>",
            b"{}",
            b"{\"result\":\"not base64!\"}",
            b"[]",
            b"{\"result\":",
            b"{\"result\":\"T0s\"}",
            b"{\"error\":1}",
        ];
        for body in malformed {
            assert!(one(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert!(several(b"{\"result\":1}").is_err());
        assert_eq!(refusal(b"{\"error\":\"WRONGPASS x\"}").as_deref(), Some("WRONGPASS x"));
        assert_eq!(refusal(b"<html>"), None);
    }
}
