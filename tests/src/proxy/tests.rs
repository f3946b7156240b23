//! The proxy does what the tests build on.

use std::time::{Duration, Instant};

use redis::{Client, Connection, RedisResult, Value};

use super::Proxy;
use crate::servers::RedisServer;

const SHORT: Duration = Duration::from_millis(100);

fn pair() -> (RedisServer, Proxy) {
    let server = RedisServer::start();
    let proxy = Proxy::start(&server.address());
    (server, proxy)
}

fn connect(proxy: &Proxy) -> RedisResult<Connection> {
    let connection = Client::open(proxy.url())?.get_connection()?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(connection)
}

fn run(connection: &mut Connection, words: &[&str]) -> RedisResult<Value> {
    redis::cmd(words[0]).arg(&words[1..]).query(connection)
}

fn bytes(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

#[test]
fn commands_and_round_trips_are_counted() {
    let (_server, proxy) = pair();
    let mut connection = connect(&proxy).unwrap();
    let before = proxy.counts();
    run(&mut connection, &["SET", "a", "1"]).unwrap();
    run(&mut connection, &["GET", "a"]).unwrap();
    redis::pipe().get("a").get("b").get("c").query::<Value>(&mut connection).unwrap();
    let passed = proxy.counts().since(&before);
    assert_eq!((passed.commands, passed.round_trips), (5, 3), "{passed:?}");
    assert_eq!((passed.calls("get"), passed.calls("set")), (4, 1));
    assert_eq!((before.connections, before.commands), (1, 0), "{before:?}");
}

#[test]
fn replies_come_later_with_latency() {
    let (_server, proxy) = pair();
    let mut connection = connect(&proxy).unwrap();
    proxy.set_latency(SHORT);
    let began = Instant::now();
    redis::pipe().get("a").get("b").get("c").query::<Value>(&mut connection).unwrap();
    let took = began.elapsed();
    assert!(took >= SHORT && took < 3 * SHORT, "{took:?}");
}

#[test]
fn a_stalled_reply_comes_when_all_flows_again_and_its_command_took_effect() {
    let (server, proxy) = pair();
    for half_way in [false, true] {
        server.command(&["FLUSHALL"]);
        let mut connection = connect(&proxy).unwrap();
        if half_way {
            proxy.stall_half_way()
        } else {
            proxy.stall_replies()
        }
        connection.set_read_timeout(Some(SHORT)).unwrap();
        let first = redis::cmd("SET").arg("a").arg("1").arg("GET").query::<Value>(&mut connection);
        assert!(first.unwrap_err().is_timeout());
        assert_eq!(server.number(&["GET", "a"]), 1);

        let waiting = std::thread::spawn(move || {
            connection.set_read_timeout(None).unwrap();
            run(&mut connection, &["GET", "a"])
        });
        proxy.flow();
        assert!(waiting.join().is_ok());
        let mut fresh = connect(&proxy).unwrap();
        assert_eq!(run(&mut fresh, &["GET", "a"]).unwrap(), bytes("1"));
    }
}

#[test]
fn swallowed_commands_never_arrive() {
    let (server, proxy) = pair();
    let mut connection = connect(&proxy).unwrap();
    proxy.swallow_commands();
    connection.set_read_timeout(Some(SHORT)).unwrap();
    assert!(run(&mut connection, &["SET", "a", "1"]).unwrap_err().is_timeout());
    proxy.flow();
    let mut fresh = connect(&proxy).unwrap();
    assert_eq!(run(&mut fresh, &["GET", "a"]).unwrap(), Value::Nil);
    assert_eq!(server.number(&["DBSIZE"]), 0);
}

#[test]
fn connections_are_cut_and_refused_as_ordered() {
    let (_server, proxy) = pair();
    let mut connection = connect(&proxy).unwrap();
    proxy.refuse();
    assert!(connect(&proxy).err().is_some_and(|error| error.is_connection_refusal()));
    run(&mut connection, &["GET", "a"]).expect("what was connected stays so");
    proxy.cut();
    assert!(run(&mut connection, &["GET", "a"]).unwrap_err().is_connection_dropped());
    proxy.accept();
    let mut connection = connect(&proxy).unwrap();
    run(&mut connection, &["GET", "a"]).expect("all is well again");
}

#[test]
fn a_flipped_bit_is_seen_once() {
    let (server, proxy) = pair();
    server.command(&["SET", "a", "aaaaaaaa"]);
    let mut connection = connect(&proxy).unwrap();
    proxy.corrupt_next_payload();
    assert_eq!(run(&mut connection, &["GET", "a"]).unwrap(), bytes("aaaa`aaa"));
    assert_eq!(run(&mut connection, &["GET", "a"]).unwrap(), bytes("aaaaaaaa"));
    proxy.corrupt_next_framing();
    assert!(run(&mut connection, &["GET", "a"]).is_err());
}

#[test]
fn another_target_is_for_new_connections_and_a_dead_one_ends_them() {
    let (first, proxy) = pair();
    let mut second = RedisServer::start();
    let mut old = connect(&proxy).unwrap();
    proxy.set_target(&second.address());
    let mut new = connect(&proxy).unwrap();
    run(&mut old, &["SET", "a", "old"]).unwrap();
    run(&mut new, &["SET", "a", "new"]).unwrap();
    assert_eq!(
        (first.text(&["GET", "a"]), second.text(&["GET", "a"])),
        ("old".into(), "new".into())
    );
    second.kill();
    assert!(run(&mut new, &["GET", "a"]).is_err());
    run(&mut old, &["GET", "a"]).expect("its server lives");
}

#[test]
fn what_is_no_redis_protocol_passes_as_it_is() {
    let server = RedisServer::start();
    let proxy = Proxy::raw(&server.address());
    let mut connection = connect(&proxy).unwrap();
    run(&mut connection, &["SET", "a", "1"]).unwrap();
    assert_eq!(run(&mut connection, &["GET", "a"]).unwrap(), bytes("1"));
    assert_eq!((proxy.counts().connections, proxy.counts().commands), (1, 0));
}
