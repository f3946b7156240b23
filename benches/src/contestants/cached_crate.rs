//! The crate `cached`: the same idea as an annotated function.
//!
//! Its keys are the arguments unless `convert` builds another one; a service that wants the key's
//! text to be known elsewhere (as ours is) writes `convert = { format!(..) }`.

use std::sync::Arc;

use cached::macros::{cached, concurrent_cached};

use super::{Arguments, Contestant, Hits, Value, filled};
use crate::workload::{User, member, name, number_of, organisation, shared_user, user};

#[cached(max_size = 20_000, ttl_secs = 3600)]
async fn by_number(id: u64) -> Arc<User> {
    shared_user(id)
}

#[cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { format!("user:{id}") })]
async fn by_text_key(id: u64) -> Arc<User> {
    shared_user(id)
}

#[cached(max_size = 20_000, ttl_secs = 3600, key = "String", convert = { format!("user:{id}") })]
async fn cloned_by_text_key(id: u64) -> User {
    user(id)
}

#[cached(
    max_size = 20_000,
    ttl_secs = 3600,
    key = "String",
    convert = { format!("user:{id}") },
    sync_writes = "by_key"
)]
async fn deduplicated(id: u64) -> Arc<User> {
    shared_user(id)
}

#[cached(max_size = 20_000, ttl_secs = 3600)]
async fn by_name(name: String) -> Arc<User> {
    shared_user(number_of(&name))
}

#[cached(
    max_size = 20_000,
    ttl_secs = 3600,
    key = "String",
    convert = { format!("org:{organisation}:user:{name}") }
)]
async fn by_two(organisation: u64, name: &str) -> Arc<User> {
    shared_user(member(organisation, name))
}

#[concurrent_cached(max_size = 20_000, ttl_secs = 3600)]
async fn concurrent_by_number(id: u64) -> Arc<User> {
    shared_user(id)
}

#[concurrent_cached(
    max_size = 20_000,
    ttl_secs = 3600,
    key = "String",
    convert = { format!("user:{id}") }
)]
async fn concurrent_by_text_key(id: u64) -> Arc<User> {
    shared_user(id)
}

pub(super) const ROWS: &[Contestant] = &[
    Contestant {
        id: "cached-u64",
        label: "`#[cached]` u64 key, size + TTL",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| by_number(u64::from(step)))),
    },
    Contestant {
        id: "cached-string",
        label: "`#[cached]` String key, size + TTL",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| by_text_key(u64::from(step)))),
    },
    Contestant {
        id: "cached-by-key",
        label: "`#[cached]` String key, size + TTL, by_key (deduplicates loads)",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| deduplicated(u64::from(step)))),
    },
    Contestant {
        id: "cached-cloned",
        label: "`#[cached]` String key, size + TTL",
        arguments: Arguments::Number,
        value: Value::Cloned,
        build: || filled(Hits::awaited(|step| cloned_by_text_key(u64::from(step)))),
    },
    Contestant {
        id: "cached-text",
        label: "`#[cached]` with a String argument, size + TTL",
        arguments: Arguments::OwnedText,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| by_name(name(step).to_owned()))),
    },
    Contestant {
        id: "cached-two",
        label: "`#[cached]` String key, size + TTL",
        arguments: Arguments::Two,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| by_two(organisation(step), name(step)))),
    },
    Contestant {
        id: "concurrent-u64",
        label: "`#[concurrent_cached]` u64 key, size + TTL (cannot deduplicate)",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| concurrent_by_number(u64::from(step)))),
    },
    Contestant {
        id: "concurrent-string",
        label: "`#[concurrent_cached]` String key, size + TTL (cannot deduplicate)",
        arguments: Arguments::Number,
        value: Value::Shared,
        build: || filled(Hits::awaited(|step| concurrent_by_text_key(u64::from(step)))),
    },
];
