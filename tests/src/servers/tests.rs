//! The servers do what the tests build on.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use redis::ErrorKind;

use super::{ClusterServers, RedisServer, SentinelServers, ValkeyServer, until};

fn version(server: &RedisServer, field: &str) -> String {
    server.info("server", field)
}

#[test]
fn servers_of_both_kinds_start_side_by_side() {
    let (redis, valkey) = (RedisServer::start(), ValkeyServer::start());
    assert!(version(&redis, "redis_version").starts_with('7'));
    assert!(version(&valkey, "valkey_version").starts_with('9'));
    assert_ne!(redis.port(), valkey.port());
    redis.command(&["SET", "a", "1"]);
    assert_eq!(redis.number(&["GET", "a"]), 1);
    assert_eq!(valkey.command(&["GET", "a"]), redis::Value::Nil);
}

#[test]
fn a_killed_server_comes_back_empty_on_the_same_port() {
    let mut server = RedisServer::start();
    let (port, life) = (server.port(), version(&server, "run_id"));
    server.command(&["SET", "a", "1"]);
    server.kill();
    assert!(!server.is_running());
    assert!(server.try_command(&["PING"]).is_err());
    server.restart();
    assert_eq!(server.port(), port);
    assert_ne!(version(&server, "run_id"), life);
    assert_eq!(server.number(&["DBSIZE"]), 0);
}

#[test]
fn an_append_only_server_keeps_what_was_written() {
    let mut server = ValkeyServer::builder().append_only().start();
    server.command(&["SET", "a", "1"]);
    server.restart();
    assert_eq!(server.number(&["GET", "a"]), 1);
}

#[test]
fn a_stopped_server_takes_connections_and_answers_only_when_resumed() {
    let server = RedisServer::start();
    server.stop();
    let url = server.url();
    let asked = std::thread::spawn(move || {
        let mut connection = redis::Client::open(url)?.get_connection()?;
        redis::cmd("PING").query::<String>(&mut connection)
    });
    std::net::TcpStream::connect(server.address()).expect("the kernel takes connections");
    assert!(!asked.is_finished());
    server.resume();
    assert_eq!(asked.join().expect("no panic").expect("an answer"), "PONG");
}

#[test]
fn options_reach_the_server() {
    let server = RedisServer::builder().password("let me in").max_memory("20mb").start();
    assert!(server.text(&["CONFIG", "GET", "maxmemory-policy"]).ends_with("allkeys-lru"));
    let client = redis::Client::open(format!("redis://{}/", server.address())).unwrap();
    let refused = client.get_connection().and_then(|mut connection| {
        redis::cmd("GET").arg("a").query::<Option<String>>(&mut connection)
    });
    assert!(refused.unwrap_err().to_string().contains("NOAUTH"));
}

#[test]
fn tls_is_offered_under_an_authority_of_its_own() {
    let server = RedisServer::builder().tls().start();
    assert!(server.tls_url().starts_with("rediss://localhost:"));
    assert!(server.roots_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    let listens = server.tls_url().trim_start_matches("rediss://").trim_end_matches('/').to_owned();
    assert!(std::net::TcpStream::connect(listens).is_ok());
}

#[test]
fn commands_are_counted_by_the_server_and_heard_by_a_monitor() {
    let server = RedisServer::start();
    let (before, mut monitor) = (server.command_stats(), server.monitor());
    server.command(&["MSET", "a", "1", "b", "2"]);
    server.command(&["MGET", "a", "b"]);
    server.command(&["EVAL", "return redis.call('GET', KEYS[1])", "1", "a"]);
    let ran = server.command_stats().since(&before);
    assert_eq!((ran.calls("mset"), ran.calls("mget"), ran.calls("get")), (1, 1, 1));
    assert_eq!(ran.total(), 4, "{ran:?}");
    let heard = monitor.take();
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert_eq!(heard[1], "\"MGET\" \"a\" \"b\"");
    assert_eq!(monitor.take(), Vec::<String>::new());
}

#[test]
fn a_primary_that_is_killed_is_replaced_and_slots_can_be_moved() {
    let mut cluster = ClusterServers::start(3, 1);
    let owners: BTreeSet<_> = [0, 6_000, 16_383].map(|slot| cluster.owner(slot)).into();
    assert_eq!(owners, [Some(0), Some(1), Some(2)].into());

    let slot = cluster.slot_of("{a}:1");
    let (source, target) = (cluster.owner(slot).unwrap(), (cluster.owner(slot).unwrap() + 1) % 3);
    cluster.nodes()[source].command(&["SET", "{a}:1", "moved"]);
    cluster.move_slots(slot..=slot, target);
    assert_eq!(cluster.owner(slot), Some(target));
    assert_eq!(cluster.nodes()[target].text(&["GET", "{a}:1"]), "moved");
    let refused = cluster.nodes()[source].try_command(&["GET", "{a}:1"]).unwrap_err();
    assert!(refused.to_string().contains("Moved"), "{refused}");

    let (heir, took) = cluster.kill_primary(0);
    println!("replica in place after {took:?}");
    assert!(heir >= 3 && took < Duration::from_secs(15));
    cluster.restart(0);
    assert_eq!(cluster.nodes()[0].info("replication", "role"), "slave");
}

#[test]
fn a_cluster_forms_on_valkey() {
    let cluster = ClusterServers::valkey(2, 0);
    assert_eq!((cluster.owner(0), cluster.owner(16_383)), (Some(0), Some(1)));
    assert!(cluster.url().starts_with("redis+cluster://127.0.0.1:"));
}

#[test]
fn sentinels_put_a_replica_in_the_primarys_place() {
    let mut servers = SentinelServers::start();
    assert_eq!(servers.primary(), Some(0));
    servers.server(0).command(&["SET", "a", "1"]);
    let (heir, took) = servers.kill_primary();
    println!("replica in place after {took:?}");
    assert_ne!(heir, 0);
    servers.server(heir).command(&["SET", "b", "1"]);
}

#[test]
fn servers_do_not_outlive_a_test_process_that_is_killed() {
    const CHILD: &str = "CACHE_TEST_STARTS_A_SERVER_AND_HANGS";
    if let Ok(file) = std::env::var(CHILD) {
        let server = RedisServer::start();
        let found = format!("{} {}", server.port(), server.folder().display());
        std::fs::write(format!("{file}.part"), found).unwrap();
        std::fs::rename(format!("{file}.part"), &file).unwrap();
        loop {
            std::thread::park();
        }
    }
    let file = std::env::temp_dir().join(format!("cache-tests-orphan-{}", std::process::id()));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "servers::tests::servers_do_not_outlive_a_test_process_that_is_killed"])
        .env(CHILD, &file)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until(Duration::from_secs(30), "the child's server", || file.exists());
    let found = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let (port, folder) = found.split_once(' ').unwrap();
    assert!(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
    until(Duration::from_secs(10), "the end of the server", || {
        std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err()
    });
    until(Duration::from_secs(10), "the end of its folder", || {
        !std::path::Path::new(folder).exists()
    });
}

#[test]
#[should_panic(expected = "ended with")]
fn a_server_that_cannot_start_says_why() {
    let _ = RedisServer::builder().option("maxmemory-policy", "nonsense").start();
}

#[test]
fn an_error_is_told_apart_from_an_answer() {
    let server = RedisServer::start();
    let error = server.try_command(&["NONSENSE"]).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::Io);
}
