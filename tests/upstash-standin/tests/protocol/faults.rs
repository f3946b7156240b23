//! Each fault does what it says, and nothing is left of it when it is switched off.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use upstash_standin::{Fault, FaultKind, Lag, StandIn};

use crate::{client, finish, get, post, request, send, value};

/// Reads `a` until it holds this.
async fn until(upstash: &StandIn, expected: &str) {
    let expected = json!({ "result": expected });
    let read = async { while value(upstash, "a").await != expected {} };
    let limit = Duration::from_secs(20);
    tokio::time::timeout(limit, read).await.unwrap_or_else(|_| panic!("never {expected}"));
}

#[tokio::test]
async fn a_status_storm_refuses_before_or_after_the_command() {
    let upstash = StandIn::start().await.expect("a stand-in");
    upstash.inject(Fault::throttled());
    let answer = post(&upstash, "/", json!(["SET", "a", "1"])).await;
    assert_eq!(answer.status, 429);
    assert!(answer.json()["error"].as_str().is_some_and(|text| text.contains("max requests")));
    upstash.clear_faults();
    assert_eq!(value(&upstash, "a").await, json!({ "result": null }));

    upstash.inject(Fault::status_after(500, "ERR internal").times(1));
    assert_eq!(post(&upstash, "/", json!(["SET", "a", "2"])).await.status, 500);
    assert_eq!(value(&upstash, "a").await, json!({ "result": "2" }));
}

#[tokio::test]
async fn a_full_database_refuses_writes_and_answers_reads() {
    let upstash = StandIn::start().await.expect("a stand-in");
    upstash.inject(Fault::full());
    let answer = post(&upstash, "/", json!(["SET", "a", "1"])).await;
    assert_eq!(answer.status, 400);
    assert_eq!(value(&upstash, "a").await, json!({ "result": null }));
}

#[tokio::test]
async fn latency_comes_before_or_after_the_command() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let time = Duration::from_millis(150);
    for fault in [Fault::latency(time), Fault::reply_latency(time)] {
        upstash.inject(fault.clone());
        let began = Instant::now();
        get(&upstash, "/get/a").await;
        assert!(began.elapsed() >= time, "{fault:?}");
        upstash.clear_faults();
    }
}

#[tokio::test]
async fn bodies_are_cut_and_spoilt_after_the_command() {
    let upstash = StandIn::start().await.expect("a stand-in");
    upstash.inject(Fault::new(FaultKind::CutBody).times(1));
    let cut = request(&upstash, Method::POST, "/").body(r#"["SET","a","cut"]"#);
    let error = finish(cut).await.expect_err("a cut body");
    assert!(error.is_body() || error.is_decode(), "{error:?}");
    assert_eq!(value(&upstash, "a").await, json!({ "result": "cut" }));

    upstash.inject(Fault::new(FaultKind::Malformed).times(1));
    let answer = post(&upstash, "/", json!(["SET", "a", "spoilt"])).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.body).is_err());
    assert_eq!(value(&upstash, "a").await, json!({ "result": "spoilt" }));
}

#[tokio::test]
async fn connections_are_reset_before_or_after_the_command() {
    let upstash = StandIn::start().await.expect("a stand-in");
    for (executed, expected) in [(false, json!(null)), (true, json!("1"))] {
        upstash.inject(Fault::new(FaultKind::Reset { executed }).writes().times(1));
        let set = request(&upstash, Method::POST, "/").body(r#"["SET","a","1"]"#);
        finish(set).await.expect_err("a reset connection");
        assert_eq!(value(&upstash, "a").await, json!({ "result": expected }), "{executed}");
    }
}

#[tokio::test]
async fn what_hangs_is_let_go_when_faults_change() {
    let upstash = StandIn::start().await.expect("a stand-in");
    upstash.inject(Fault::new(FaultKind::Hang { executed: true }).writes());
    let set = request(&upstash, Method::POST, "/").body(r#"["SET","a","1"]"#);
    let hanging = tokio::spawn(finish(set));
    until(&upstash, "1").await;
    assert!(!hanging.is_finished());
    upstash.clear_faults();
    hanging.await.expect("the task").expect_err("a reset connection");
}

#[tokio::test]
async fn connections_are_refused_and_accepted_again() {
    let upstash = StandIn::start().await.expect("a stand-in");
    post(&upstash, "/", json!(["SET", "a", "1"])).await;
    upstash.refuse_connections().await;
    let error = finish(request(&upstash, Method::GET, "/get/a")).await.expect_err("no connection");
    assert!(error.is_connect());
    upstash.accept_connections().await.expect("the address");
    assert_eq!(value(&upstash, "a").await, json!({ "result": "1" }));
}

#[tokio::test]
async fn reads_lag_unless_the_client_has_seen_more() {
    let upstash = StandIn::builder().replica(true).start().await.expect("a stand-in");
    let old = post(&upstash, "/", json!(["SET", "a", "old"])).await;
    upstash.set_lag(Lag::By(Duration::ZERO));
    let current = |token: &str| {
        let read = request(&upstash, Method::GET, "/get/a").header("upstash-sync-token", token);
        send(read)
    };
    // The replica has to have the first write before its stream is paused.
    until(&upstash, "old").await;
    upstash.set_lag(Lag::Paused);
    let new = post(&upstash, "/", json!(["SET", "a", "new"])).await;

    assert_eq!(value(&upstash, "a").await, json!({ "result": "old" }), "without a token");
    let read = current(old.sync_token()).await;
    assert_eq!(read.json(), json!({ "result": "old" }), "with the token of before");
    let read = current(new.sync_token()).await;
    assert_eq!(read.json(), json!({ "result": "new" }), "with the token of the write");
    upstash.set_lag(Lag::By(Duration::ZERO));
    until(&upstash, "new").await;
}

#[tokio::test]
async fn a_refused_command_is_answered_with_noperm() {
    let upstash = StandIn::start().await.expect("a stand-in");
    upstash.refuse_command("info", true);
    let answer = post(&upstash, "/", json!(["INFO", "server"])).await;
    assert!(answer.json()["error"].as_str().is_some_and(|text| text.starts_with("NOPERM")));
    upstash.refuse_command("INFO", false);
    assert_eq!(post(&upstash, "/", json!(["INFO", "server"])).await.status, 200);
}

#[tokio::test]
async fn faults_are_switched_over_http_as_well() {
    let upstash = StandIn::start().await.expect("a stand-in");
    let control = format!("{}/__control", upstash.url());
    let change = json!({
        "faults": [{ "kind": { "status": { "code": 503, "message": "ERR later" } }, "times": 1 }],
        "refuse": ["INFO"],
        "reset_counts": true,
    });
    let answer = send(client().post(&control).body(change.to_string())).await;
    assert_eq!(answer.status, 200);
    assert_eq!(get(&upstash, "/get/a").await.status, 503);
    assert_eq!(get(&upstash, "/info").await.status, 400);
    let shown = send(client().get(&control)).await.json();
    assert_eq!(shown["counts"]["requests"], json!(2));
    assert_eq!(shown["counts"]["by_status"]["503"], json!(1));
    let wrong = send(client().post(&control).body(r#"{"lag": "paused"}"#)).await;
    assert_eq!(wrong.status, 400);
}
