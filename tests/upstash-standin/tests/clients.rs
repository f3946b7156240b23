//! The official clients work with the stand-in, and get what Redis itself answers.
//!
//! npm's `@upstash/redis` and PyPI's `upstash-redis` are installed into the target folder, at the
//! versions that `clients/` pins. Without Node or Python these tests fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use redis::Value;
use serde_json::{Value as Json, json};
use upstash_standin::StandIn;

/// What a step sends, and whether its answer has no order.
struct Step {
    name: &'static str,
    commands: Vec<Vec<&'static str>>,
    unordered: bool,
}

fn step(name: &'static str, commands: &[&[&'static str]]) -> Step {
    let unordered = matches!(name, "hgetall" | "smembers" | "scan");
    Step { name, commands: commands.iter().map(|words| words.to_vec()).collect(), unordered }
}

const SCRIPT: &str = "return {KEYS[1], ARGV[1], redis.call('INCR', KEYS[1]), {1, {2, 'deep'}}}";
const ECHO: &str = "return ARGV[1]";
const ECHO_SHA: &str = "098e0f0d1448c0a81dafe820f66d460eb09263da";
const NO_SHA: &str = "0000000000000000000000000000000000000000";

/// The steps of `steps.mjs` and `steps.py`, in their order, as commands.
fn steps() -> Vec<Step> {
    let mut steps = strings();
    steps.extend(collections());
    steps.extend(scripts());
    steps
}

fn strings() -> Vec<Step> {
    let unicode = "žluťoučký 🐎 \"quoted\" \\ \n";
    vec![
        step("set", &[&["SET", "text", "plain"]]),
        step("get", &[&["GET", "text"]]),
        step("get_absent", &[&["GET", "absent"]]),
        step("set_with_options", &[&["SET", "short", "v", "EX", "100", "NX"]]),
        step("set_refused", &[&["SET", "short", "w", "NX"]]),
        step("set_unicode", &[&["SET", "unicode", unicode]]),
        step("get_unicode", &[&["GET", "unicode"]]),
        step("set_ok", &[&["SET", "ok", "OK"]]),
        step("get_ok", &[&["GET", "ok"]]),
        step("mset", &[&["MSET", "m1", "1", "m2", "two"]]),
        step("mget", &[&["MGET", "m1", "absent", "m2", "text"]]),
        step("del", &[&["DEL", "m1", "absent"]]),
        step("exists", &[&["EXISTS", "m1", "m2"]]),
        step("expire", &[&["EXPIRE", "m2", "100"]]),
        step("persist", &[&["PERSIST", "m2"]]),
        step("incr", &[&["INCR", "counter"]]),
        step("incrby", &[&["INCRBY", "counter", "41"]]),
        step("append", &[&["APPEND", "text", "!"]]),
        step("getrange", &[&["GETRANGE", "text", "0", "3"]]),
    ]
}

fn collections() -> Vec<Step> {
    vec![
        step("hset", &[&["HSET", "hash", "a", "1", "b", "two"]]),
        step("hget", &[&["HGET", "hash", "b"]]),
        step("hgetall", &[&["HGETALL", "hash"]]),
        step("hdel", &[&["HDEL", "hash", "a"]]),
        step("sadd", &[&["SADD", "set", "x", "y", "x"]]),
        step("smembers", &[&["SMEMBERS", "set"]]),
        step("sismember", &[&["SISMEMBER", "set", "x"]]),
        step("zadd", &[&["ZADD", "sorted", "1.5", "a", "3", "b"]]),
        step("zrange", &[&["ZRANGE", "sorted", "0", "-1", "WITHSCORES"]]),
        step("zscore", &[&["ZSCORE", "sorted", "a"]]),
        step("rpush", &[&["RPUSH", "list", "1", "2", "3"]]),
        step("lrange", &[&["LRANGE", "list", "0", "-1"]]),
        step("scan_prepare", &[&["MSET", "scan:1", "a", "scan:2", "b", "scan:3", "c"]]),
        step("scan", &[&["KEYS", "scan:*"]]),
    ]
}

fn scripts() -> Vec<Step> {
    let pipeline: [&[&'static str]; 4] =
        [&["SET", "p", "1"], &["INCR", "p"], &["GET", "p"], &["GET", "absent"]];
    vec![
        step("eval", &[&["EVAL", SCRIPT, "1", "scripted", "argument"]]),
        step("script_load", &[&["SCRIPT", "LOAD", ECHO]]),
        step("evalsha", &[&["EVALSHA", ECHO_SHA, "0", "loaded"]]),
        step("evalsha_absent", &[&["EVALSHA", NO_SHA, "0"]]),
        step("pipeline", &pipeline),
        step("multi", &[&["SET", "t", "1"], &["INCRBY", "t", "9"], &["GET", "t"]]),
        step("wrong_type", &[&["INCR", "hash"]]),
        step("unknown_command", &[&["NOSUCHCOMMAND", "x"]]),
        step("wrong_arity", &[&["GET"]]),
        step("failed_script", &[&["EVAL", "return redis.error_reply('MINE no')", "0"]]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_npm_gets_what_redis_answers() {
    let folder = node();
    for encoding in ["base64", "text"] {
        let upstash = StandIn::start().await.expect("a stand-in");
        let mut command = Command::new("node");
        command.arg("steps.mjs").args([&upstash.url(), upstash.token(), encoding]);
        same_as_redis(&upstash, &answers(command.current_dir(folder)), encoding).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_pypi_gets_what_redis_answers() {
    let folder = python();
    for encoding in ["base64", "text"] {
        let upstash = StandIn::start().await.expect("a stand-in");
        let mut command = Command::new(folder.join("environment/bin/python"));
        command.arg("steps.py").args([&upstash.url(), upstash.token(), encoding]);
        same_as_redis(&upstash, &answers(command.current_dir(folder)), encoding).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_npm_subscribes_and_publishes() {
    let folder = node();
    let upstash = StandIn::start().await.expect("a stand-in");
    let mut command = Command::new("node");
    command.arg("messages.mjs").args([&upstash.url(), upstash.token()]).current_dir(folder);
    let expected = json!({
        "receivers": 1, "channel": "news", "message": { "hello": "world, and others" },
    });
    assert_eq!(answers(&mut command), expected);
}

/// Sends the same commands to Redis directly, on empty data, and compares every answer.
async fn same_as_redis(upstash: &StandIn, answers: &Json, encoding: &str) {
    let asked_for_base64 = upstash.log().iter().all(|request| request.base64);
    assert_eq!(asked_for_base64, encoding == "base64", "the client's encoding");
    let client = redis::Client::open(upstash.redis_url()).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
    let flush: redis::RedisResult<Value> =
        redis::cmd("FLUSHALL").query_async(&mut connection).await;
    flush.expect("FLUSHALL");
    let mut answers: BTreeMap<String, Json> =
        serde_json::from_value(answers.clone()).expect("an object of answers");
    for Step { name, commands, unordered } in steps() {
        let mut expected = Vec::new();
        for words in commands {
            let mut command = redis::cmd(words[0]);
            words[1..].iter().for_each(|word| _ = command.arg(word));
            match command.query_async::<Value>(&mut connection).await {
                Ok(value) => flatten_value(&value, &mut expected),
                Err(error) => expected.push(refusal(&error)),
            }
        }
        let mut found = Vec::new();
        let answer = answers.remove(name).unwrap_or_else(|| panic!("no answer to `{name}`"));
        flatten_json(&answer, &mut found);
        if unordered {
            expected.sort();
            found.sort();
        }
        let same = found.len() == expected.len()
            && found.iter().zip(&expected).all(|(found, expected)| means(found, expected));
        assert!(same, "`{name}` in {encoding}: {found:?} instead of {expected:?}");
    }
    assert!(answers.is_empty(), "answers that nobody compares: {answers:?}");
}

fn refusal(error: &redis::RedisError) -> String {
    let code = error.code().unwrap_or_default();
    error.detail().map_or_else(|| code.to_owned(), |detail| format!("{code} {detail}"))
}

/// Clients present lists, pairs, numbers and truth values each in their own way: all that they have
/// in common is the sequence of the single answers.
fn flatten_value(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Nil => into.push("nothing".to_owned()),
        Value::Int(number) => into.push(number.to_string()),
        Value::Okay => into.push("OK".to_owned()),
        Value::BulkString(bytes) => into.push(number(&String::from_utf8_lossy(bytes))),
        Value::SimpleString(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| flatten_value(item, into)),
        other => into.push(format!("{other:?}")),
    }
}

fn flatten_json(json: &Json, into: &mut Vec<String>) {
    match json {
        Json::Null => into.push("nothing".to_owned()),
        Json::Bool(truth) => into.push(truth.to_string()),
        Json::Number(value) => into.push(number(&value.to_string())),
        Json::String(text) => into.push(number(text)),
        Json::Array(items) => items.iter().for_each(|item| flatten_json(item, into)),
        Json::Object(fields) => fields.iter().for_each(|(name, value)| {
            into.push(name.clone());
            flatten_json(value, into);
        }),
    }
}

/// Python says `True` where Redis says `OK` or 1.
fn means(found: &str, expected: &str) -> bool {
    match found {
        "true" => matches!(expected, "OK" | "1"),
        "false" => matches!(expected, "nothing" | "0"),
        found => found == expected,
    }
}

/// `3.0`, as Python has it, is `3`.
fn number(text: &str) -> String {
    text.strip_suffix(".0").unwrap_or(text).to_owned()
}

/// Runs a script and reads what it printed.
fn answers(command: &mut Command) -> Json {
    let output = run(command);
    serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error} in {output}"))
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| {
        panic!("`{}` cannot be run (is it installed?): {error}", command.get_program().display())
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}:\n{text}\n{errors}", output.status);
    text
}

/// The folder with npm's client and the scripts, made once.
fn node() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = prepare("node");
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder));
        folder
    })
}

/// The folder with PyPI's client and the scripts, made once.
fn python() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = prepare("python");
        run(Command::new("python3").args(["-m", "venv", "environment"]).current_dir(&folder));
        let pip = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt"];
        run(Command::new("environment/bin/python").args(pip).current_dir(&folder));
        folder
    })
}

/// Copies what `clients/` holds into the target folder, where it can be built upon.
fn prepare(client: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(client);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("upstash-clients").join(client);
    std::fs::create_dir_all(&target).expect("a folder in the target folder");
    for entry in std::fs::read_dir(&source).expect("the client's folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        // Nothing that was built beside the sources by hand.
        if path.is_file() {
            std::fs::copy(&path, target.join(name)).expect("a copy");
        }
    }
    target
}
