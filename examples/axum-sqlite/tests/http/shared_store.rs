//! Two processes of the service on one store: without a changed line, chosen by variables alone.

use std::path::{Path, PathBuf};

use cache_tests::servers::RedisServer;
use serde_json::Value;
use upstash_standin::StandIn;

use crate::service::Service;

/// A busy machine is not what is checked here.
const PATIENT: (&str, &str) = ("CACHE_TIMEOUT", "5s");

fn new_database(name: &str) -> PathBuf {
    let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    // Of an earlier run.
    let _ = std::fs::remove_file(&database);
    database
}

/// What one service has loaded the other one hits; what one writes the other one sees at once.
fn two_services_share_one_cache(database: PathBuf, store: &[(&str, &str)]) {
    let one = Service::start_on(database.clone(), store);
    let other = Service::start_on(database, store);
    for service in [&one, &other, &one, &other] {
        assert_eq!(service.get("/packages/tokio")["note"], Value::Null);
        assert_eq!(service.note_in_list("tokio", "MIT"), Value::Null);
    }
    for function in ["package", "packages_by_licence"] {
        let (loaded, shared) = (one.counts(function), other.counts(function));
        assert_eq!((loaded.loads, loaded.hits), (1, 1), "`{function}` where it was loaded");
        assert_eq!((shared.loads, shared.hits), (0, 2), "`{function}` where it was not");
    }
    // Each write is by the one and read by the other, at once and in turn.
    for (at, note) in ["first", "second", "third", "fourth"].into_iter().enumerate() {
        let (writer, reader) = if at % 2 == 0 { (&one, &other) } else { (&other, &one) };
        assert_eq!(writer.send("PUT", "/packages/tokio/note", note).status, 200);
        assert_eq!(reader.get("/packages/tokio")["note"], note);
        assert_eq!(reader.note_in_list("tokio", "MIT"), note);
    }
    // Nobody tells the cache of this change: until one service forgets, both still serve the old note.
    one.change_database("UPDATE package SET note = 'behind its back' WHERE name = 'tokio'");
    assert_eq!(other.get("/packages/tokio")["note"], "fourth");
    assert_eq!(one.send("DELETE", "/api/cache/packages/tokio", "").status, 204);
    assert_eq!(other.get("/packages/tokio")["note"], "behind its back");
    assert_eq!(other.note_in_list("tokio", "MIT"), "fourth");
    assert_eq!(one.send("DELETE", "/api/cache/tags/licence:MIT", "").status, 204);
    assert_eq!(other.note_in_list("tokio", "MIT"), "behind its back");
}

#[test]
fn on_redis() {
    let redis = RedisServer::start();
    let store = [("CACHE_PROVIDER", "redis"), ("REDIS_URL", &redis.url()), PATIENT];
    two_services_share_one_cache(new_database("on-redis.db"), &store);
}

#[test]
fn on_upstash() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime for the stand-in");
    let upstash = runtime.block_on(StandIn::start()).expect("the stand-in can be started");
    let store = [
        ("CACHE_PROVIDER", "upstash"),
        ("REDIS_REST_URL", &upstash.url()),
        ("REDIS_REST_TOKEN", upstash.token()),
        PATIENT,
    ];
    two_services_share_one_cache(new_database("on-upstash.db"), &store);
}
