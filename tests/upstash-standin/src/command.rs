//! Commands as clients send them: in JSON, or in the path.

use axum::http::{Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;

/// The words of one command; the first is its name.
pub(crate) type Command = Vec<Vec<u8>>;

/// What one request asks for.
#[derive(Debug)]
pub(crate) enum Request {
    /// One command.
    Single(Command),
    /// Several, each on its own.
    Pipeline(Vec<Command>),
    /// Several as one transaction.
    Transaction(Vec<Command>),
    /// A stream of messages.
    Subscribe {
        /// The channels or patterns.
        topics: Vec<Vec<u8>>,
        /// Whether they are patterns.
        patterns: bool,
    },
}

impl Request {
    /// The commands, in order.
    pub(crate) fn commands(&self) -> &[Command] {
        match self {
            Request::Single(command) => std::slice::from_ref(command),
            Request::Pipeline(commands) | Request::Transaction(commands) => commands,
            Request::Subscribe { .. } => &[],
        }
    }
}

/// A command's name in capitals.
pub(crate) fn name(command: &[Vec<u8>]) -> String {
    command.first().map(|word| String::from_utf8_lossy(word).to_uppercase()).unwrap_or_default()
}

/// Reads a request; the error is the text of a 400.
pub(crate) fn parse(method: &Method, uri: &Uri, body: &[u8]) -> Result<Request, String> {
    // `EX=100` in the query stands for the words `EX` and `100` behind the value in the body.
    let path: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
    let may_have_body = *method == Method::POST || *method == Method::PUT;
    match path.as_slice() {
        [] if may_have_body => Ok(Request::Single(one(body)?)),
        [] => Err("ERR empty command".to_owned()),
        ["pipeline"] if may_have_body => Ok(Request::Pipeline(several(body)?)),
        ["multi-exec"] if may_have_body => Ok(Request::Transaction(several(body)?)),
        [kind @ ("subscribe" | "psubscribe"), topics @ ..] if !topics.is_empty() => {
            let topics = topics.iter().map(|topic| decoded(topic)).collect();
            Ok(Request::Subscribe { topics, patterns: *kind == "psubscribe" })
        }
        words => {
            let mut command: Command = words.iter().map(|word| decoded(word)).collect();
            if may_have_body && !body.is_empty() {
                command.push(body.to_vec());
            }
            for (name, value) in query(uri).filter(|(name, _)| name != b"_token") {
                command.push(name);
                if !value.is_empty() {
                    command.push(value);
                }
            }
            Ok(Request::Single(command))
        }
    }
}

/// The names and values of the query.
pub(crate) fn query(uri: &Uri) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let parts = uri.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    parts.map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
    })
}

fn decoded(text: &str) -> Vec<u8> {
    percent_decode_str(text).collect()
}

fn one(body: &[u8]) -> Result<Command, String> {
    let words: Vec<Box<RawValue>> = serde_json::from_slice(body).map_err(refuse)?;
    command(&words)
}

fn several(body: &[u8]) -> Result<Vec<Command>, String> {
    let commands: Vec<Vec<Box<RawValue>>> = serde_json::from_slice(body).map_err(refuse)?;
    if commands.is_empty() {
        return Err("ERR empty pipeline request".to_owned());
    }
    commands.iter().map(|words| command(words)).collect()
}

fn refuse(_: serde_json::Error) -> String {
    "ERR failed to parse command".to_owned()
}

fn command(words: &[Box<RawValue>]) -> Result<Command, String> {
    if words.is_empty() {
        return Err("ERR empty command".to_owned());
    }
    words.iter().map(|word| argument(word.get())).collect()
}

/// Text as it is, numbers and truth values as they are written; lists and objects are refused.
fn argument(json: &str) -> Result<Vec<u8>, String> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(json).map(String::into_bytes).map_err(refuse),
        Some(b'[' | b'{') | None => Err("ERR failed to parse command".to_owned()),
        Some(_) => Ok(json.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, parse};
    use axum::http::{Method, Uri};

    fn words(method: Method, uri: &str, body: &str) -> Vec<String> {
        let uri: Uri = uri.parse().expect("a URI");
        match parse(&method, &uri, body.as_bytes()) {
            Ok(Request::Single(command)) => {
                command.into_iter().map(|word| String::from_utf8(word).expect("text")).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_may_stand_in_the_path_the_query_and_the_body() {
        assert_eq!(words(Method::GET, "/set/a%2Fb/v/EX/100", ""), ["set", "a/b", "v", "EX", "100"]);
        assert_eq!(
            words(Method::POST, "/set/k?EX=100&_token=t&NX", "body"),
            ["set", "k", "body", "EX", "100", "NX"]
        );
        assert_eq!(words(Method::GET, "/get/k?_token=t", "ignored"), ["get", "k"]);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let sent = r#"["ZADD","z",1.50,9007199254740993,true,"\u00e9"]"#;
        let expected = ["ZADD", "z", "1.50", "9007199254740993", "true", "é"];
        assert_eq!(words(Method::POST, "/", sent), expected);
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for body in ["", "{}", "[]", "[[1]]", "[{}]", "[\"GET\"", "null"] {
            assert!(
                parse(&Method::POST, &Uri::from_static("/"), body.as_bytes()).is_err(),
                "{body}"
            );
        }
        assert!(parse(&Method::POST, &Uri::from_static("/pipeline"), b"[]").is_err());
    }
}
