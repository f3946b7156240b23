//! Ours: annotated functions, called as a service calls them.
//!
//! Unless a row says otherwise, everything is on that most functions have: a TTL, a tag that is
//! checked, statistics, events at debug level that nobody listens to, and a `Result`.

use std::convert::Infallible;
use std::sync::{Arc, Once};

use cache_runtime::{Cache, cached};

use super::{Arguments, Contestant, Hits, Value, filled};
use crate::timing::block_on;
use crate::workload::{ENTRIES, User, member, name, number_of, organisation, shared_user, user};

#[cached(key = "ttl:<id>", ttl = 1800)]
async fn ttl_alone(id: u64) -> Arc<User> {
    shared_user(id)
}

#[cached(key = "user:<id>", ttl = 1800, tags = ["users"])]
async fn by_number(id: u64) -> Result<Arc<User>, Infallible> {
    Ok(shared_user(id))
}

#[cached(key = "own:<id>", ttl = 1800, tags = ["own:<id>"])]
async fn own_tag(id: u64) -> Result<Arc<User>, Infallible> {
    Ok(shared_user(id))
}

#[cached(key = "user-copy:<id>", ttl = 1800, tags = ["users"])]
async fn cloned_by_number(id: u64) -> Result<User, Infallible> {
    Ok(user(id))
}

#[cached(key = "name:<name>", ttl = 1800, tags = ["users"])]
async fn by_name(name: &str) -> Result<Arc<User>, Infallible> {
    Ok(shared_user(number_of(name)))
}

#[cached(key = "owned-name:<name>", ttl = 1800, tags = ["users"])]
async fn by_owned_name(name: String) -> Result<Arc<User>, Infallible> {
    Ok(shared_user(number_of(&name)))
}

#[cached(key = "org:<organisation>:<name>", ttl = 1800, tags = ["users", "org:<organisation>"])]
async fn by_two(organisation: u64, name: &str) -> Result<Arc<User>, Infallible> {
    Ok(shared_user(member(organisation, name)))
}

#[cached(key = "org-copy:<organisation>:<name>", ttl = 1800, tags = ["users", "org:<organisation>"])]
async fn cloned_by_two(organisation: u64, name: &str) -> Result<User, Infallible> {
    Ok(user(member(organisation, name)))
}

/// Fills the global cache, which all functions share and which has room for all of them.
fn full(hits: Hits) -> Hits {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let builder = Cache::builder().in_memory().max_entries(u64::from(ENTRIES) * 20);
        cache_runtime::install(block_on(builder.build()).expect("a cache in memory"));
    });
    filled(hits)
}

pub(super) const ROWS: &[Contestant] = &[
    Contestant {
        id: "ours-ttl",
        label: "**ours**, TTL alone",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || full(Hits::awaited(|step| ttl_alone(u64::from(step)))),
    },
    Contestant {
        id: "ours-u64",
        label: "**ours**, all on",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || full(Hits::awaited(|step| by_number(u64::from(step)))),
    },
    Contestant {
        id: "ours-own-tag",
        label: "**ours**, all on, a tag for each entry",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || full(Hits::awaited(|step| own_tag(u64::from(step)))),
    },
    Contestant {
        id: "ours-cloned",
        label: "**ours**, all on",
        arguments: Arguments::Number,
        value: Value::Cloned,
        build: || full(Hits::awaited(|step| cloned_by_number(u64::from(step)))),
    },
    Contestant {
        id: "ours-text",
        label: "**ours**, all on",
        arguments: Arguments::Text,
        value: Value::Shared,
        build: || full(Hits::awaited(|step| by_name(name(step)))),
    },
    Contestant {
        id: "ours-owned-text",
        label: "**ours**, all on",
        arguments: Arguments::OwnedText,
        value: Value::Shared,
        build: || full(Hits::awaited(|step| by_owned_name(name(step).to_owned()))),
    },
    Contestant {
        id: "ours-two",
        label: "**ours**, all on, two tags",
        arguments: Arguments::Two,
        value: Value::Shared,
        build: || full(Hits::awaited(|step| by_two(organisation(step), name(step)))),
    },
    Contestant {
        id: "ours-two-cloned",
        label: "**ours**, all on, two tags",
        arguments: Arguments::Two,
        value: Value::Cloned,
        build: || full(Hits::awaited(|step| cloned_by_two(organisation(step), name(step)))),
    },
];
