//! Replies of Redis as JSON and as RESP2.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis::Value;
use serde_json::{Value as Json, json};

/// How strings travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As text; what is not UTF-8 becomes U+FFFD.
    Text,
    /// In base64, except exactly `OK`.
    Base64,
}

/// What one command came to.
pub(crate) type Outcome = Result<Value, String>;

/// `{"result": ..}` or `{"error": ..}`.
pub(crate) fn object(outcome: &Outcome, encoding: Encoding) -> Json {
    match outcome {
        Ok(value) => json!({ "result": json_of(value, encoding) }),
        Err(message) => json!({ "error": message }),
    }
}

fn json_of(value: &Value, encoding: Encoding) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Int(number) => json!(number),
        Value::Okay => json!("OK"),
        Value::BulkString(bytes) => string(bytes, encoding),
        Value::SimpleString(text) => string(text.as_bytes(), encoding),
        Value::Array(items) => items.iter().map(|item| json_of(item, encoding)).collect(),
        Value::ServerError(error) => json!({ "error": error_text(error) }),
        other => json!(format!("{other:?}")),
    }
}

fn string(bytes: &[u8], encoding: Encoding) -> Json {
    match encoding {
        Encoding::Base64 if bytes != b"OK" => json!(STANDARD.encode(bytes)),
        _ => json!(String::from_utf8_lossy(bytes)),
    }
}

/// The error as the server wrote it, `WRONGTYPE Operation against ..`.
pub(crate) fn error_text(error: &redis::ServerError) -> String {
    match error.details() {
        Some(details) => format!("{} {details}", error.code()),
        None => error.code().to_owned(),
    }
}

/// The bytes that a client over TCP would have got.
pub(crate) fn resp2(outcome: &Outcome, into: &mut Vec<u8>) {
    match outcome {
        Ok(value) => resp2_of(value, into),
        Err(message) => line(b'-', message.as_bytes(), into),
    }
}

fn resp2_of(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Nil => into.extend_from_slice(b"$-1\r\n"),
        Value::Int(number) => line(b':', number.to_string().as_bytes(), into),
        Value::Okay => into.extend_from_slice(b"+OK\r\n"),
        Value::SimpleString(text) => line(b'+', text.as_bytes(), into),
        Value::BulkString(bytes) => {
            line(b'$', bytes.len().to_string().as_bytes(), into);
            into.extend_from_slice(bytes);
            into.extend_from_slice(b"\r\n");
        }
        Value::Array(items) => {
            line(b'*', items.len().to_string().as_bytes(), into);
            items.iter().for_each(|item| resp2_of(item, into));
        }
        Value::ServerError(error) => line(b'-', error_text(error).as_bytes(), into),
        other => line(b'+', format!("{other:?}").as_bytes(), into),
    }
}

fn line(sign: u8, text: &[u8], into: &mut Vec<u8>) {
    into.push(sign);
    into.extend_from_slice(text);
    into.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::{Encoding, object, resp2};
    use redis::Value;
    use serde_json::json;

    fn nested() -> Value {
        let inner = Value::Array(vec![Value::BulkString(vec![0xff, b'a']), Value::Nil]);
        Value::Array(vec![Value::Okay, Value::Int(-3), inner, Value::BulkString(b"OK".to_vec())])
    }

    #[test]
    fn base64_reaches_every_depth_and_spares_ok() {
        let expected = json!({ "result": ["OK", -3, ["/2E=", null], "OK"] });
        assert_eq!(object(&Ok(nested()), Encoding::Base64), expected);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let expected = json!({ "result": ["OK", -3, ["\u{fffd}a", null], "OK"] });
        assert_eq!(object(&Ok(nested()), Encoding::Text), expected);
    }

    #[test]
    fn resp2_is_what_redis_would_have_sent() {
        let mut bytes = Vec::new();
        resp2(&Ok(nested()), &mut bytes);
        resp2(&Err("ERR no".to_owned()), &mut bytes);
        let expected = b"*4\r\n+OK\r\n:-3\r\n*2\r\n$2\r\n\xffa\r\n$-1\r\n$2\r\nOK\r\n-ERR no\r\n";
        assert_eq!(bytes, expected);
    }
}
