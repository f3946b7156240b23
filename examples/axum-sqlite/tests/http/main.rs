//! The service as its users meet it: the program is started, driven over HTTP and stopped.

mod service;
#[cfg(all(feature = "redis", feature = "upstash"))]
mod shared_store;

use std::io::Read;
use std::process::Command;

use serde_json::Value;
use service::Service;

#[test]
fn a_second_read_is_a_hit() {
    let service = Service::start("a-second-read");
    let first = service.get("/packages/serde");
    assert_eq!(first["name"], "serde");
    assert_eq!(service.get("/packages/serde"), first);
    let counts = service.counts("package");
    assert_eq!((counts.hits, counts.misses, counts.loads), (1, 1, 1));
}

#[test]
fn a_read_is_served_from_the_cache_until_it_is_invalidated() {
    let service = Service::start("until-invalidated");
    assert_eq!(service.get("/packages/serde")["note"], Value::Null);
    // Nobody tells the service of this change, so that a hit can be seen from outside.
    service.change_database("UPDATE package SET note = 'changed' WHERE name = 'serde'");
    assert_eq!(service.get("/packages/serde")["note"], Value::Null);
    assert_eq!(service.send("DELETE", "/api/cache/packages/serde", "").status, 204);
    assert_eq!(service.get("/packages/serde")["note"], "changed");
}

#[test]
fn a_tag_drops_the_list_that_carries_it_and_no_other() {
    let service = Service::start("a-tag");
    let notes = |licence: &str| {
        let list = service.get(&format!("/packages?licence={licence}"));
        let list = list.as_array().expect("a list").clone();
        assert!(!list.is_empty(), "there are packages under {licence}");
        list.iter().filter(|package| package["note"] == "changed").count()
    };
    assert_eq!((notes("MIT"), notes("MIT+OR+Apache-2.0")), (0, 0));
    service.change_database("UPDATE package SET note = 'changed'");
    assert_eq!(service.send("DELETE", "/api/cache/tags/licence:MIT", "").status, 204);
    assert_ne!(notes("MIT"), 0);
    assert_eq!(notes("MIT+OR+Apache-2.0"), 0);
}

#[test]
fn a_write_is_seen_by_every_read_after_it() {
    let service = Service::start("a-write");
    assert_eq!(service.get("/packages/tokio")["note"], Value::Null);
    assert_eq!(service.note_in_list("tokio", "MIT"), Value::Null);
    let dependents = service.get("/packages/tokio/dependents");

    let written = service.send("PUT", "/packages/tokio/note", "read this first");
    assert_eq!((written.status, &written.json()["note"]), (200, &Value::from("read this first")));

    assert_eq!(service.get("/packages/tokio")["note"], "read this first");
    assert_eq!(service.note_in_list("tokio", "MIT"), "read this first");
    assert_eq!(service.get("/packages/tokio/dependents"), dependents);
    assert_eq!(service.counts("package").loads, 2);
    assert_eq!(service.counts("packages_by_licence").loads, 2);
    assert_eq!(service.counts("dependents").loads, 1);
}

#[test]
fn an_unknown_package_is_not_found_and_remembered_as_such() {
    let service = Service::start("unknown");
    for _ in 0..2 {
        let answer = service.send("GET", "/packages/no-such-package", "");
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["error"], "no package is called `no-such-package`");
    }
    assert_eq!(service.counts("package").loads, 1);
    assert_eq!(service.send("PUT", "/packages/no-such-package/note", "lost").status, 404);
}

#[cfg(unix)]
#[test]
fn the_service_stops_when_it_is_asked_to() {
    let mut service = Service::start("stops");
    let asked = Command::new("kill").arg(service.process.id().to_string()).status();
    assert!(asked.expect("`kill` can be run").success());
    let mut rest = String::new();
    service.output.read_to_string(&mut rest).expect("the rest of the output is text");
    assert_eq!(rest, "stopped\n");
    assert!(service.process.wait().expect("the service was started").success());
}
