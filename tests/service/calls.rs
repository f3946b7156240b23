//! Every direct call, one by one.

use std::sync::Arc;

use cache_runtime::{ErrorKind, Key};
use cache_tests::fixture::{in_cache, in_cache_of, seconds};

#[tokio::test]
async fn what_is_set_is_got_until_its_time_is_over() {
    in_cache_of(
        |cache| cache.default_ttl(seconds(10)),
        async |cache, hand| {
            assert_eq!(cache.get::<u32>("n:1").await.unwrap(), None);
            cache.set("n:1", &7_u32).await.unwrap();
            assert_eq!(cache.get("n:1").await.unwrap(), Some(7_u32));
            cache.set("n:1", &8_u32).await.unwrap();
            assert_eq!(cache.get("n:1").await.unwrap(), Some(8_u32));
            hand.advance(seconds(10));
            assert_eq!(cache.get::<u32>("n:1").await.unwrap(), None);
        },
    )
    .await;
}

#[tokio::test]
async fn keys_are_texts_of_every_kind_and_typed_keys() {
    in_cache(async |cache, _| {
        cache.set("k", &1_u8).await.unwrap();
        let (text, shared): (String, Arc<str>) = ("k".to_owned(), "k".into());
        assert_eq!(cache.get("k").await.unwrap(), Some(1_u8));
        assert_eq!(cache.get(&text).await.unwrap(), Some(1_u8));
        assert_eq!(cache.get(shared).await.unwrap(), Some(1_u8));
        assert_eq!(cache.get(std::borrow::Cow::Borrowed("k")).await.unwrap(), Some(1_u8));
        assert_eq!(cache.get(text.clone()).await.unwrap(), Some(1_u8));
        let key = Key::<u8>::new("k");
        assert_eq!(cache.get(&key).await.unwrap(), Some(1));
        assert!(
            cache.has(&key).await.unwrap()
                && cache.has(&text).await.unwrap()
                && cache.has(text).await.unwrap()
        );
        assert!(cache.delete(key).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn has_and_delete_tell_whether_there_was_a_value() {
    in_cache(async |cache, hand| {
        assert!(!cache.has("k").await.unwrap());
        assert!(!cache.delete("k").await.unwrap());
        cache.set("k", &1_u8).ttl(seconds(5)).await.unwrap();
        assert!(cache.has("k").await.unwrap());
        assert!(cache.delete("k").await.unwrap());
        assert!(!cache.has("k").await.unwrap());
        assert!(!cache.delete("k").await.unwrap());
        cache.set("k", &1_u8).ttl(seconds(5)).await.unwrap();
        hand.advance(seconds(5));
        assert!(!cache.has("k").await.unwrap());
        // A value that no read would be served is none.
        assert!(!cache.delete("k").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn get_or_set_loads_once_and_stores_only_ok() {
    in_cache(async |cache, hand| {
        let failed: Result<u32, String> =
            cache.get_or_set("k", || async { Err("no".to_owned()) }).await;
        assert_eq!(failed, Err("no".to_owned()));
        let loaded =
            cache.get_or_set("k", || async { Ok::<_, String>(5_u32) }).ttl(seconds(9)).await;
        assert_eq!(loaded, Ok(5));
        let again = cache.get_or_set("k", || async { Err::<u32, _>("not called") }).await;
        assert_eq!(again, Ok(5));
        hand.advance(seconds(9));
        let expired = cache.get_or_set("k", || async { Err::<u32, _>("called") }).await;
        assert_eq!(expired, Err("called"));
    })
    .await;
}

#[tokio::test]
async fn a_loader_may_borrow() {
    in_cache(async |cache, _| {
        let text = String::from("borrowed");
        let name = text.as_str();
        let loaded = cache.get_or_set("k", || async { Ok::<_, ()>(name.len()) }).await;
        assert_eq!(loaded, Ok(8));
    })
    .await;
}

#[tokio::test]
async fn patterns_remove_and_count_what_they_match() {
    in_cache(async |cache, hand| {
        for key in ["user:1", "user:2", "user:2:posts", "team:1"] {
            cache.set(key, &1_u8).await.unwrap();
        }
        assert_eq!(cache.invalidate_pattern("user:?").await.unwrap(), 2);
        assert_eq!(cache.invalidate_pattern("user:*").await.unwrap(), 1);
        assert_eq!(cache.invalidate_pattern("user:*").await.unwrap(), 0);
        assert_eq!(cache.invalidate_pattern("team:1").await.unwrap(), 1);
        cache.set("user:1", &1_u8).ttl(seconds(1)).await.unwrap();
        hand.advance(seconds(1));
        // What nobody would have been served does not count as removed.
        assert_eq!(cache.invalidate_pattern("*").await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn clear_removes_everything() {
    in_cache(async |cache, _| {
        for key in 0..100 {
            cache.set(format!("k:{key}"), &key).await.unwrap();
        }
        cache.clear().await.unwrap();
        assert_eq!(cache.stats().await.unwrap().entries, Some(0));
        assert_eq!(cache.get::<i32>("k:5").await.unwrap(), None);
        cache.set("k:5", &1).await.unwrap();
        assert_eq!(cache.get("k:5").await.unwrap(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn many_are_got_in_order_and_set_with_their_own_options() {
    in_cache(async |cache, hand| {
        cache.set_many([("a", 1_u32), ("b", 2)]).ttl(seconds(5)).tags(["few"]).await.unwrap();
        let own = Key::new("c").with_ttl(seconds(50)).with_tags(["one"]);
        cache.set_many([(own, 3_u32)]).tags(["few"]).await.unwrap();
        assert_eq!(
            cache.get_many::<u32>(["c", "x", "a", "b"]).await.unwrap(),
            [Some(3), None, Some(1), Some(2)]
        );
        hand.advance(seconds(5));
        assert_eq!(cache.get_many::<u32>(["a", "b", "c"]).await.unwrap(), [None, None, Some(3)]);
        cache.set_many([("a", 1_u32)]).tags(["few"]).await.unwrap();
        cache.invalidate_tag("one").await.unwrap();
        assert_eq!(cache.get_many::<u32>(["a", "c"]).await.unwrap(), [Some(1), None]);
        cache.invalidate_tag("few").await.unwrap();
        assert_eq!(cache.get_many::<u32>(["a", "c"]).await.unwrap(), [None, None]);
        assert_eq!(cache.get_many::<u32>(Vec::<&str>::new()).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_value_of_another_type_is_a_miss() {
    in_cache(async |cache, _| {
        cache.set("k", &7_u32).await.unwrap();
        assert_eq!(cache.get::<String>("k").await.unwrap(), None);
        assert_eq!(cache.get::<u64>("k").await.unwrap(), None);
        assert_eq!(cache.get("k").await.unwrap(), Some(7_u32));
        let replaced = cache.get_or_set("k", || async { Ok::<_, ()>("text".to_owned()) }).await;
        assert_eq!(replaced.as_deref(), Ok("text"));
        assert_eq!(cache.get::<u32>("k").await.unwrap(), None);
        assert_eq!(cache.get::<String>("k").await.unwrap().as_deref(), Some("text"));
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_an_error_that_says_why() {
    in_cache_of(
        |cache| cache.max_bytes(10_000),
        async |cache, _| {
            let error = cache.set("", &1_u8).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.to_string().as_str()),
                (ErrorKind::InvalidKey, "set: the key is empty")
            );
            let error = cache.set("k".repeat(70_000), &1_u8).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidKey);
            cache.set("big", &"small".to_owned()).await.unwrap();
            let error = cache.set("big", &"x".repeat(20_000)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge);
            assert!(error.to_string().contains("`big`"), "{error}");
            // What it should have replaced is not served any more.
            assert_eq!(cache.get::<String>("big").await.unwrap(), None);
            // And the loader's caller never sees such an error.
            let long = cache.get_or_set("k".repeat(70_000), || async { Ok::<_, ()>(5) }).await;
            let large = cache.get_or_set("big", || async { Ok::<_, ()>("x".repeat(20_000)) }).await;
            assert_eq!((long, large.map(|text| text.len())), (Ok(5), Ok(20_000)));
        },
    )
    .await;
}

#[tokio::test]
async fn a_ttl_may_be_as_long_as_a_duration_can_be() {
    in_cache(async |cache, hand| {
        cache.set("k", &1_u8).ttl(std::time::Duration::MAX).await.unwrap();
        hand.advance(seconds(86_400 * 365 * 50));
        assert_eq!(cache.get("k").await.unwrap(), Some(1_u8));
    })
    .await;
}
