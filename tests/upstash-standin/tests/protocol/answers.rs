//! What is answered where nothing goes wrong on the way.

use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value as Json, json};
use upstash_standin::{Limits, StandIn};

use crate::{client, get, post, request, send, value};

#[tokio::test]
async fn commands_travel_in_the_body_the_path_and_the_query() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let answer = post(&upstash, "/", json!(["SET", "a", "1", "EX", 100])).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "result": "OK" })));
    assert_eq!(get(&upstash, "/get/a").await.json(), json!({ "result": "1" }));
    assert_eq!(get(&upstash, "/set/b%2Fc/v%20w/EX/100").await.json(), json!({ "result": "OK" }));
    assert_eq!(value(&upstash, "b/c").await, json!({ "result": "v w" }));

    let body = request(&upstash, Method::POST, "/set/d?EX=100").body("from the body");
    assert_eq!(send(body).await.json(), json!({ "result": "OK" }));
    assert_eq!(value(&upstash, "d").await, json!({ "result": "from the body" }));
    // It had a time to live.
    assert_eq!(get(&upstash, "/persist/d").await.json(), json!({ "result": 1 }));

    let put = request(&upstash, Method::PUT, "/set/e").body("put");
    assert_eq!(send(put).await.json(), json!({ "result": "OK" }));
    let head = send(request(&upstash, Method::HEAD, "/get/e")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[tokio::test]
async fn pipelines_go_on_after_errors_and_transactions_are_discarded_whole() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let commands = json!([["SET", "a", "x"], ["INCR", "a"], ["GET", "a"], ["NOSUCH"]]);
    let answer = post(&upstash, "/pipeline", commands).await;
    let items = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!((&items[0], &items[2]), (&json!({ "result": "OK" }), &json!({ "result": "x" })));
    let not_a_number = "ERR value is not an integer or out of range";
    assert_eq!(items[1], json!({ "error": not_a_number }));
    assert!(items[3]["error"].as_str().is_some_and(|text| text.starts_with("ERR unknown command")));

    let commands = json!([["SET", "b", "1"], ["INCR", "a"], ["INCR", "b"]]);
    let answer = post(&upstash, "/multi-exec", commands).await;
    let expected = json!([{ "result": "OK" }, { "error": not_a_number }, { "result": 2 }]);
    assert_eq!((answer.status, answer.json()), (200, expected));

    let answer = post(&upstash, "/multi-exec", json!([["SET", "b", "9"], ["NOSUCH"]])).await;
    let text = answer.json()["error"].as_str().map(str::to_owned);
    assert_eq!(answer.status, 400);
    assert!(text.is_some_and(|text| text.starts_with("EXECABORT")));
    assert_eq!(value(&upstash, "b").await, json!({ "result": "2" }));
}

#[tokio::test]
async fn scripts_pass_through() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let script = "#!lua flags=allow-key-locking\nreturn ARGV[1]";
    let answer =
        post(&upstash, "/", json!(["EVAL", "return {KEYS[1], ARGV[1]}", 1, "k", "v"])).await;
    assert_eq!(answer.json(), json!({ "result": ["k", "v"] }));
    // The flag that only Upstash knows is no error.
    let answer = post(&upstash, "/", json!(["EVAL", script, 1, "k", "v"])).await;
    assert_eq!(answer.json(), json!({ "result": "v" }));
    let load = post(&upstash, "/", json!(["SCRIPT", "LOAD", script])).await.json();
    let answer = post(&upstash, "/", json!(["EVALSHA", load["result"], 1, "k", "v"])).await;
    assert_eq!(answer.json(), json!({ "result": "v" }));
    let answer = post(&upstash, "/", json!(["EVALSHA", "0".repeat(40), 0])).await;
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].as_str().is_some_and(|text| text.starts_with("NOSCRIPT")));
}

#[tokio::test]
async fn bytes_survive_in_base64_and_in_resp2_only() {
    let upstash = StandIn::start().await.expect("a stand-in");
    send(request(&upstash, Method::POST, "/set/bytes").body(vec![0xff, 0x00, b'a'])).await;
    assert_eq!(value(&upstash, "bytes").await, json!({ "result": "\u{fffd}\u{0}a" }));
    let encoded = request(&upstash, Method::POST, "/").header("Upstash-Encoding", "base64");
    let encoded = encoded.body(r#"["MGET","bytes","absent"]"#);
    assert_eq!(send(encoded).await.json(), json!({ "result": ["/wBh", null] }));
    let raw =
        request(&upstash, Method::GET, "/get/bytes").header("Upstash-Response-Format", "resp2");
    assert_eq!(send(raw).await.body, b"$3\r\n\xff\x00a\r\n");

    let both = request(&upstash, Method::GET, "/get/bytes")
        .header("Upstash-Response-Format", "resp2")
        .header("Upstash-Encoding", "base64");
    assert_eq!(send(both).await.status, 400);
}

#[tokio::test]
async fn tokens_are_checked_and_one_may_only_read() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let url = upstash.url();
    let none = send(client().get(format!("{url}/get/a"))).await;
    assert_eq!(none.status, 401);
    assert!(none.json()["error"].as_str().is_some_and(|text| text.starts_with("WRONGPASS")));
    let wrong = send(client().get(format!("{url}/get/a")).bearer_auth("guessed")).await;
    assert_eq!(wrong.status, 401);
    let in_query = format!("{url}/set/a/1?_token={}", upstash.token());
    assert_eq!(send(client().get(in_query)).await.json(), json!({ "result": "OK" }));

    let reader =
        |path: &str| client().get(format!("{url}{path}")).bearer_auth(upstash.read_only_token());
    assert_eq!(send(reader("/get/a")).await.json(), json!({ "result": "1" }));
    assert_eq!(send(reader("/ping")).await.json(), json!({ "result": "PONG" }));
    let refused = send(reader("/set/a/2")).await;
    assert_eq!(refused.status, 403);
    assert!(refused.json()["error"].as_str().is_some_and(|text| text.starts_with("NOPERM")));
    assert_eq!(value(&upstash, "a").await, json!({ "result": "1" }));
}

#[tokio::test]
async fn malformed_requests_have_their_codes() {
    let upstash = StandIn::start().await.expect("a stand-in");
    for (body, path) in [("{}", "/"), ("", "/"), ("[\"GET\"", "/"), ("[]", "/pipeline")] {
        let answer = send(request(&upstash, Method::POST, path).body(body)).await;
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(answer.json()["error"].is_string());
    }
    assert_eq!(send(request(&upstash, Method::DELETE, "/get/a")).await.status, 405);
    let blocked = post(&upstash, "/", json!(["BLPOP", "list", 0])).await;
    assert_eq!(blocked.status, 400);
    let shared = post(&upstash, "/pipeline", json!([["MULTI"], ["SET", "a", "1"]])).await;
    assert!(shared.json()[0]["error"].is_string());
    assert_eq!(shared.json()[1], json!({ "result": "OK" }));
}

#[tokio::test]
async fn sizes_are_limited() {
    let limits = Limits { request: 1_000, key: 64, record: 300 };
    let upstash = StandIn::builder().limits(limits).start().await.expect("a stand-in");
    let error = |answer: Json| answer["error"].as_str().unwrap_or_default().to_owned();
    let large = post(&upstash, "/", json!(["SET", "a", "x".repeat(2_000)])).await;
    assert_eq!(large.status, 413);
    assert!(error(large.json()).starts_with("ERR max request size exceeded"));
    let long = post(&upstash, "/", json!(["MGET", "short", "k".repeat(65)])).await;
    assert_eq!(long.status, 400);
    let expected = "ERR max key size exceeded. Limit: 64 bytes, Actual: 65 bytes";
    assert_eq!(error(long.json()), expected);
    let record = post(&upstash, "/", json!(["SET", "a", "x".repeat(400)])).await;
    assert!(error(record.json()).starts_with("ERR max single record size exceeded"));
    assert_eq!(value(&upstash, "a").await, json!({ "result": null }));
}

#[tokio::test]
async fn messages_arrive_as_events() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let response =
        request(&upstash, Method::GET, "/subscribe/news").send().await.expect("a stream");
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = response.bytes_stream();
    let first = events.next().await.expect("an event").expect("bytes");
    assert_eq!(&first[..], b"data: subscribe,news,1\n\n");
    assert_eq!(get(&upstash, "/publish/news/hello").await.json(), json!({ "result": 1 }));
    let second = events.next().await.expect("an event").expect("bytes");
    assert_eq!(&second[..], b"data: message,news,hello\n\n");
}

#[tokio::test]
async fn requests_and_commands_are_counted() {
    let upstash = StandIn::start().await.expect("a stand-in");
    post(&upstash, "/pipeline", json!([["get", "a"], ["GET", "b"], ["SET", "c", 1]])).await;
    get(&upstash, "/get/a").await;
    let counts = upstash.counts();
    assert_eq!((counts.requests, counts.commands), (2, 4));
    assert_eq!((counts.by_name["GET"], counts.by_name["SET"]), (3, 1));
    assert_eq!(counts.by_status[&200], 2);
    assert_eq!(upstash.log()[0].commands, ["GET", "GET", "SET"]);
    upstash.reset_counts();
    assert_eq!(upstash.counts(), upstash_standin::Counts::default());
}
