//! `#[cache_keys]` and `#[derive(KeyPart)]` at run time.

use std::net::IpAddr;

use cache_runtime::{KeyPart, cache_keys, cached};
use cache_tests::fixture::{in_cache, load, loads, seconds};

#[cache_keys]
trait CacheKeys {
    /// One user's name.
    #[key("user:<id>", ttl = 30, tags = ["users", "user:<id>"])]
    fn user(id: &str) -> String;
    #[key("user:<id>:organizations")]
    fn user_organizations(id: &str) -> Vec<String>;
    #[key("organization:<id>:members")]
    fn organization_members(id: u64) -> Vec<String>;
    #[key("ratelimit:<path>:<ip>")]
    fn rate_limit(ip: IpAddr, path: &str) -> u64;
}

#[tokio::test]
async fn typed_keys_are_the_texts_that_they_promise() {
    assert_eq!(CacheKeys::user("123").as_str(), "user:123");
    assert_eq!(CacheKeys::user_pattern("123").as_str(), "user:123:*");
    assert_eq!(CacheKeys::user_organizations("123").as_str(), "user:123:organizations");
    assert_eq!(CacheKeys::organization_members(5).as_str(), "organization:5:members");
    let ip: IpAddr = "192.168.1.1".parse().unwrap();
    assert_eq!(
        CacheKeys::rate_limit(ip, "/api/users").as_str(),
        "ratelimit:/api/users:192.168.1.1"
    );
    assert_eq!(CacheKeys::user("a:b*").as_str(), "user:a%3Ab%2A");
}

#[tokio::test]
async fn typed_keys_read_and_write_with_their_type_ttl_and_tags() {
    in_cache(async |cache, hand| {
        cache.set(CacheKeys::user("1"), &"Ada".to_owned()).await.unwrap();
        cache.set(CacheKeys::user_organizations("1"), &vec!["acm".to_owned()]).await.unwrap();
        let user = cache.get(CacheKeys::user("1")).await.unwrap();
        assert_eq!(user.as_deref(), Some("Ada"));
        assert_eq!(cache.invalidate_pattern(CacheKeys::user_pattern("1")).await.unwrap(), 1);
        assert!(cache.has(CacheKeys::user("1")).await.unwrap());
        assert!(!cache.has(CacheKeys::user_organizations("1")).await.unwrap());
        cache.invalidate_tag("user:1").await.unwrap();
        assert!(!cache.has(CacheKeys::user("1")).await.unwrap());
        let loaded = cache
            .get_or_set(CacheKeys::user("2"), || async { Ok::<_, ()>("Bob".to_owned()) })
            .await;
        assert_eq!(loaded.as_deref(), Ok("Bob"));
        hand.advance(seconds(30));
        assert!(!cache.has(CacheKeys::user("2")).await.unwrap());
    })
    .await;
}

#[cached(key = CacheKeys::user(id))]
async fn user(id: &str) -> String {
    format!("{id} load {}", load("user"))
}

#[tokio::test]
async fn a_function_may_take_its_key_from_there() {
    in_cache(async |cache, hand| {
        assert_eq!(user("1").await, "1 load 1");
        assert_eq!(cache.get(CacheKeys::user("1")).await.unwrap().as_deref(), Some("1 load 1"));
        cache.invalidate_tag("users").await.unwrap();
        assert_eq!(user("1").await, "1 load 2");
        hand.advance(seconds(30));
        assert_eq!(user("1").await, "1 load 3");
        cache.set(CacheKeys::user("1"), &"set".to_owned()).await.unwrap();
        assert_eq!(user("1").await, "set");
        user::invalidate("1").await.unwrap();
        assert_eq!(user("1").await, "1 load 4");
    })
    .await;
}

#[derive(Clone, Copy, KeyPart)]
struct UserId(u64);

#[derive(Clone, Copy, KeyPart)]
enum Plan {
    Free,
    PaidMonthly,
}

#[derive(Clone, KeyPart)]
struct Region {
    country: String,
    zone: u8,
}

#[cached(key = "derived:<id>:<plan>:<region>", ttl = 60)]
async fn derived(id: UserId, plan: Plan, region: Region) -> u64 {
    let _ = (id, plan, region);
    load("derived")
}

#[tokio::test]
async fn derived_parts_are_plain_text_and_tell_values_apart() {
    in_cache(async |_, _| {
        let region = |country: &str, zone| Region { country: country.to_owned(), zone };
        let key = derived::key(UserId(42), Plan::PaidMonthly, region("d,e", 1));
        assert!(key.as_str().starts_with("derived:42:paid_monthly:("), "{key}");
        derived(UserId(1), Plan::Free, region("de", 1)).await;
        derived(UserId(2), Plan::Free, region("de", 1)).await;
        derived(UserId(1), Plan::PaidMonthly, region("de", 1)).await;
        derived(UserId(1), Plan::Free, region("fr", 1)).await;
        derived(UserId(1), Plan::Free, region("de", 2)).await;
        assert_eq!(loads("derived"), 5);
        assert_eq!(derived(UserId(1), Plan::Free, region("de", 1)).await, 1);
    })
    .await;
}
