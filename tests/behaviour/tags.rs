//! Tags from constants, arguments, expressions and the result.

use cache_runtime::{Tag, cached};
use cache_tests::fixture::{in_cache, in_cache_of, load, loads, settle};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::Notify;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    team: u32,
    name: String,
}

fn editors() -> Tag {
    Tag::new("role:editor")
}

#[cached(
    key = "user:<org>:<id>",
    ttl = 60,
    tags = ["users", "org:<org>", editors(), "team:<result.team>", "seat:<org>:<result.name>"],
)]
async fn get_user(org: u64, id: u64) -> Result<User, String> {
    load("get_user");
    assert!(org < 10);
    Ok(User { team: (id % 10) as u32, name: format!("u{id}") })
}

#[tokio::test]
async fn every_kind_of_tag_invalidates_what_carries_it() {
    in_cache(async |cache, _| {
        let mut expected = 0;
        for tag in ["users", "org:3", "role:editor", "team:5", "seat:3:u15"] {
            get_user(3, 15).await.unwrap();
            expected += 1;
            assert_eq!(loads("get_user"), expected, "before `{tag}`");
            get_user(3, 15).await.unwrap();
            assert_eq!(loads("get_user"), expected, "before `{tag}`");
            cache.invalidate_tag(tag).await.unwrap();
            assert_eq!(get_user::peek(3, 15).await, None, "{tag}");
        }
    })
    .await;
}

#[tokio::test]
async fn tags_of_others_invalidate_nothing() {
    in_cache(async |cache, _| {
        get_user(3, 15).await.unwrap();
        for tag in ["user", "org:4", "org", "team:6", "team", "role", "seat:4:u15", "users:"] {
            cache.invalidate_tag(tag).await.unwrap();
        }
        get_user(3, 15).await.unwrap();
        assert_eq!(loads("get_user"), 1);
    })
    .await;
}

#[tokio::test]
async fn several_tags_go_at_once_and_other_entries_stay() {
    in_cache(async |cache, _| {
        for (org, id) in [(1, 1), (2, 2), (3, 3)] {
            get_user(org, id).await.unwrap();
        }
        cache.invalidate_tags(["org:1", "team:2"]).await.unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
        assert_eq!(get_user::peek(2, 2).await, None);
        assert!(get_user::peek(3, 3).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn tags_lie_within_the_namespace() {
    in_cache_of(
        |cache| cache.namespace("shop"),
        async |cache, _| {
            get_user(1, 1).await.unwrap();
            cache.invalidate_tag("shop:users").await.unwrap();
            assert!(get_user::peek(1, 1).await.is_some());
            cache.invalidate_tag("users").await.unwrap();
            assert_eq!(get_user::peek(1, 1).await, None);
        },
    )
    .await;
}

#[cached(key = "slow:<id>", ttl = 60, tags = ["slow", "team:<result.team>"], skip(gate))]
async fn slow(id: u64, gate: Arc<Notify>) -> User {
    let count = load("slow");
    if count == 1 {
        gate.notified().await;
    }
    User { team: 5, name: format!("{id} load {count}") }
}

/// Invalidates by `tag` while the first load runs; what that load read must not be kept.
async fn invalidated_during_the_load(tag: &'static str) {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let first = tokio::spawn(cache_runtime::scope(cache.clone(), slow(1, Arc::clone(&gate))));
        settle().await;
        assert_eq!(loads("slow"), 1);
        cache.invalidate_tag(tag).await.unwrap();
        // This call began after the invalidation: it may not share the first load.
        assert_eq!(slow(1, Arc::clone(&gate)).await.name, "1 load 2");
        gate.notify_one();
        assert_eq!(first.await.unwrap().name, "1 load 1");
        assert_eq!(slow(1, gate).await.name, "1 load 2");
        assert_eq!(loads("slow"), 2);
    })
    .await;
}

#[tokio::test]
async fn a_tag_invalidated_during_the_load_makes_its_value_dead_on_arrival() {
    invalidated_during_the_load("slow").await;
}

#[tokio::test]
async fn a_tag_of_the_result_invalidated_during_the_load_refuses_the_value() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let first = tokio::spawn(cache_runtime::scope(cache.clone(), slow(1, Arc::clone(&gate))));
        settle().await;
        // Nobody knows yet that the result will be of this team.
        cache.invalidate_tag("team:5").await.unwrap();
        gate.notify_one();
        assert_eq!(first.await.unwrap().name, "1 load 1");
        assert_eq!(slow(1, gate).await.name, "1 load 2");
    })
    .await;
}

#[cached(key = "whole:<id>", ttl = 60, tags = ["id:<id>", "text:<text>"], skip(text))]
async fn tagged_by_skipped(id: u64, text: &str) -> String {
    load("tagged_by_skipped");
    format!("{id}{text}")
}

#[tokio::test]
async fn put_and_peek_take_what_the_tags_need_too() {
    in_cache(async |cache, _| {
        tagged_by_skipped::put(1, "a b", &"put".to_owned()).await.unwrap();
        assert_eq!(tagged_by_skipped(1, "a b").await, "put");
        assert_eq!(tagged_by_skipped::peek(1, "a b").await.as_deref(), Some("put"));
        cache.invalidate_tag("text:a b").await.unwrap();
        assert_eq!(tagged_by_skipped::peek(1, "a b").await, None);
        assert_eq!(tagged_by_skipped(1, "a b").await, "1a b");
        tagged_by_skipped::invalidate(1).await.unwrap();
        assert_eq!(tagged_by_skipped::peek(1, "a b").await, None);
    })
    .await;
}
