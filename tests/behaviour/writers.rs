//! `#[invalidates]` and `#[write_through]` at run time.

use std::sync::Arc;

use cache_runtime::{Error, cached, invalidates, write_through};
use cache_tests::fixture::{in_cache, load, loads, settle};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct User {
    team: u32,
    name: String,
}

fn named(name: &str, team: u32) -> User {
    User { team, name: name.to_owned() }
}

#[cached(key = "user:<org>:<id>", ttl = 60, tags = ["org:<org>", "team:<result.team>"])]
async fn get_user(org: u64, id: u64) -> Result<User, String> {
    Ok(named(&format!("load {}", load("get_user")), (org + id) as u32))
}

#[invalidates(get_user(org, id))]
async fn touch(org: u64, id: u64, fail: bool) -> Result<(), String> {
    if fail { Err("refused".to_owned()) } else { Ok(()) }
}

#[invalidates(tags = ["org:<org>", "team:<result.team>"])]
async fn move_user(org: u64, team: u32) -> Result<User, String> {
    Ok(named(&format!("moved within {org}"), team))
}

#[invalidates(get_user)]
async fn import() {}

#[invalidates(get_user(org, id), on_error = "return")]
async fn strict(org: u64, id: u64) -> Result<(), Error> {
    Ok(())
}

#[tokio::test]
async fn a_successful_writer_invalidates_its_key() {
    in_cache(async |_, _| {
        get_user(1, 1).await.unwrap();
        get_user(1, 2).await.unwrap();
        touch(1, 1, false).await.unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
        assert!(get_user::peek(1, 2).await.is_some());
        strict(1, 2).await.unwrap();
        assert_eq!(get_user::peek(1, 2).await, None);
    })
    .await;
}

#[tokio::test]
async fn nothing_happens_after_an_error() {
    in_cache(async |_, _| {
        get_user(1, 1).await.unwrap();
        assert_eq!(touch(1, 1, true).await, Err("refused".to_owned()));
        assert_eq!(get_user(1, 1).await.unwrap().name, "load 1");
    })
    .await;
}

#[tokio::test]
async fn tags_of_arguments_and_of_the_result_are_invalidated() {
    in_cache(async |_, _| {
        get_user(1, 1).await.unwrap();
        get_user(5, 4).await.unwrap();
        get_user(7, 7).await.unwrap();
        move_user(1, 9).await.unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
        assert_eq!(get_user::peek(5, 4).await, None);
        assert!(get_user::peek(7, 7).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_function_named_alone_is_invalidated_whole() {
    in_cache(async |_, _| {
        get_user(1, 1).await.unwrap();
        get_user(7, 7).await.unwrap();
        import().await;
        assert_eq!(get_user::peek(1, 1).await, None);
        assert_eq!(get_user::peek(7, 7).await, None);
    })
    .await;
}

#[derive(Clone)]
struct Repository(u32);

impl Repository {
    #[cached(key = "repo:<self.0>:<id>", ttl = 60)]
    async fn get(&self, id: u64) -> u64 {
        load("Repository::get") + id
    }

    #[invalidates(self.get(id))]
    async fn set(&self, id: u64) {}
}

#[tokio::test]
async fn a_method_is_invalidated_as_one_calls_it() {
    in_cache(async |_, _| {
        let (one, two) = (Repository(1), Repository(2));
        one.get(0).await;
        two.get(0).await;
        one.set(0).await;
        assert_eq!((one.get(0).await, two.get(0).await), (3, 2));
    })
    .await;
}

#[invalidates(get_user(org, id))]
async fn slow_write(org: u64, id: u64, gate: Arc<Notify>) -> Result<(), String> {
    gate.notified().await;
    Ok(())
}

#[tokio::test]
async fn a_writer_dropped_in_the_middle_invalidates_since_it_may_have_written() {
    in_cache(async |cache, _| {
        get_user(1, 1).await.unwrap();
        let gate = Arc::new(Notify::new());
        let writer = tokio::spawn(cache_runtime::scope(cache.clone(), slow_write(1, 1, gate)));
        settle().await;
        writer.abort();
        settle().await;
        assert_eq!(get_user::peek(1, 1).await, None);
    })
    .await;
}

#[write_through(get_user(org, id))]
async fn rename(org: u64, id: u64, name: &str) -> Result<User, String> {
    if name.is_empty() { Err("no name".to_owned()) } else { Ok(named(name, 3)) }
}

#[tokio::test]
async fn write_through_stores_what_the_writer_returned() {
    in_cache(async |cache, _| {
        get_user(1, 1).await.unwrap();
        rename(1, 1, "Ada").await.unwrap();
        assert_eq!(get_user(1, 1).await.unwrap(), named("Ada", 3));
        assert_eq!(rename(1, 1, "").await, Err("no name".to_owned()));
        assert_eq!(get_user(1, 1).await.unwrap(), named("Ada", 3));
        assert_eq!(loads("get_user"), 1);
        // With the tags of the value that was written, and those of the arguments.
        cache.invalidate_tag("team:3").await.unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
        rename(1, 1, "Bob").await.unwrap();
        cache.invalidate_tag("org:1").await.unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
    })
    .await;
}

#[write_through(get_user(org, id))]
async fn slow_rename(org: u64, id: u64, name: String, gate: Arc<Notify>) -> Result<User, String> {
    gate.notified().await;
    Ok(named(&name, 3))
}

#[tokio::test]
async fn of_two_writers_at_once_neither_value_is_kept() {
    in_cache(async |cache, _| {
        let gates = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        let spawn = |name: &str, gate: &Arc<Notify>| {
            let write = slow_rename(1, 1, name.to_owned(), Arc::clone(gate));
            tokio::spawn(cache_runtime::scope(cache.clone(), write))
        };
        let first = spawn("first", &gates[0]);
        settle().await;
        let second = spawn("second", &gates[1]);
        settle().await;
        // The database may have taken them in either order.
        gates[1].notify_one();
        second.await.unwrap().unwrap();
        gates[0].notify_one();
        first.await.unwrap().unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_key_invalidated_during_a_write_is_not_written() {
    in_cache(async |cache, _| {
        let gate = Arc::new(Notify::new());
        let write = slow_rename(1, 1, "old".to_owned(), Arc::clone(&gate));
        let write = tokio::spawn(cache_runtime::scope(cache.clone(), write));
        settle().await;
        get_user::invalidate(1, 1).await.unwrap();
        gate.notify_one();
        write.await.unwrap().unwrap();
        assert_eq!(get_user::peek(1, 1).await, None);
    })
    .await;
}
