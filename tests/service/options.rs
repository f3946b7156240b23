//! Options of one call: `ttl`, `tags`, `namespace`, `skip_cache`; and the cache's own namespace.

use cache_runtime::{Cache, Key};
use cache_tests::fixture::{in_cache, in_cache_of, seconds};

#[tokio::test]
async fn the_ttl_of_the_call_beats_the_keys_and_that_the_default() {
    in_cache_of(
        |cache| cache.default_ttl(seconds(30)),
        async |cache, hand| {
            let key = |text: &str| Key::<u8>::new(text).with_ttl(seconds(20));
            cache.set("default", &1_u8).await.unwrap();
            cache.set(key("key"), &1).await.unwrap();
            cache.set(key("call"), &1).ttl(seconds(10)).await.unwrap();
            cache
                .get_or_set(key("loaded"), || async { Ok::<_, ()>(1) })
                .ttl(seconds(10))
                .await
                .unwrap();
            let there = async || {
                let all = cache.get_many::<u8>(["call", "loaded", "key", "default"]).await.unwrap();
                all.iter().map(|value| u8::from(value.is_some())).collect::<Vec<_>>()
            };
            assert_eq!(there().await, [1, 1, 1, 1]);
            hand.advance(seconds(10));
            assert_eq!(there().await, [0, 0, 1, 1]);
            hand.advance(seconds(10));
            assert_eq!(there().await, [0, 0, 0, 1]);
            hand.advance(seconds(10));
            assert_eq!(there().await, [0, 0, 0, 0]);
        },
    )
    .await;
}

#[tokio::test]
async fn tags_of_the_call_are_added_to_the_keys() {
    in_cache(async |cache, _| {
        for tag in ["mine", "call", "more"] {
            let key = Key::new("k").with_tags(["mine"]);
            cache.set(key, &1_u8).tags(["call", "more"]).await.unwrap();
            assert!(cache.has("k").await.unwrap());
            cache.invalidate_tag(tag).await.unwrap();
            assert!(!cache.has("k").await.unwrap(), "{tag}");
            let key = Key::new("k").with_tags(["mine"]);
            cache
                .get_or_set(key, || async { Ok::<_, ()>(1_u8) })
                .tags(["call"])
                .tags(["more"])
                .await
                .unwrap();
            cache.invalidate_tag(tag).await.unwrap();
            assert!(!cache.has("k").await.unwrap(), "{tag}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_may_go_below_a_namespace_of_its_own() {
    in_cache(async |cache, _| {
        cache.set("k", &1_u8).await.unwrap();
        cache.set("k", &2_u8).namespace("tenant").await.unwrap();
        assert_eq!(cache.get("k").await.unwrap(), Some(1_u8));
        assert_eq!(cache.get("k").namespace("tenant").await.unwrap(), Some(2_u8));
        assert_eq!(cache.get::<u8>("k").namespace("other").await.unwrap(), None);
        assert_eq!(cache.get("tenant:k").await.unwrap(), Some(2_u8));
        let loaded = cache.get_or_set("k", || async { Ok::<_, ()>(3_u8) }).namespace("other").await;
        assert_eq!(loaded, Ok(3));
        assert_eq!(cache.get_many::<u8>(["k"]).namespace("other").await.unwrap(), [Some(3)]);
        cache.set_many([("m", 4_u8)]).namespace("other").await.unwrap();
        assert_eq!(cache.get("other:m").await.unwrap(), Some(4_u8));
        assert_eq!(cache.invalidate_pattern("other:*").await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn skip_cache_goes_past_it_both_ways() {
    in_cache(async |cache, _| {
        cache.set("k", &1_u8).skip_cache(true).await.unwrap();
        assert!(!cache.has("k").await.unwrap());
        cache.set("k", &1_u8).skip_cache(false).await.unwrap();
        assert_eq!(cache.get::<u8>("k").skip_cache(true).await.unwrap(), None);
        assert_eq!(cache.get_many::<u8>(["k"]).skip_cache(true).await.unwrap(), [None]);
        let loaded = cache.get_or_set("k", || async { Ok::<_, ()>(2_u8) }).skip_cache(true).await;
        assert_eq!(loaded, Ok(2));
        cache.set_many([("k", 9_u8)]).skip_cache(true).await.unwrap();
        assert_eq!(cache.get("k").await.unwrap(), Some(1_u8));
    })
    .await;
}

#[tokio::test]
async fn keys_tags_patterns_and_clear_stay_within_the_caches_namespace() {
    in_cache_of(
        |cache| cache.namespace("shop"),
        async |cache, _| {
            cache.set("user:1", &1_u8).tags(["users"]).await.unwrap();
            assert!(cache.has("user:1").await.unwrap());
            assert!(!cache.has("shop:user:1").await.unwrap());
            assert_eq!(cache.invalidate_pattern("shop:user:*").await.unwrap(), 0);
            cache.invalidate_tag("users").await.unwrap();
            assert!(!cache.has("user:1").await.unwrap());
            cache.set("user:1", &1_u8).await.unwrap();
            cache.clear().await.unwrap();
            assert!(!cache.has("user:1").await.unwrap());
        },
    )
    .await;
}

#[tokio::test]
async fn a_builder_refuses_what_makes_no_sense() {
    let refused = [
        (Cache::builder().default_ttl(seconds(0)), "`default_ttl`"),
        (Cache::builder().max_entries(0), "bound of zero"),
        (Cache::builder().max_bytes(0), "bound of zero"),
    ];
    for (builder, part) in refused {
        let error = builder.build().await.unwrap_err();
        assert_eq!(error.kind(), cache_runtime::ErrorKind::Config);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_cache_that_is_off_keeps_nothing_and_fails_nothing() {
    let cache = Cache::builder().off().build().await.unwrap();
    cache.set("k", &1_u8).tags(["t"]).await.unwrap();
    assert_eq!(cache.get::<u8>("k").await.unwrap(), None);
    for expected in [1_u8, 2] {
        let loaded = cache.get_or_set("k", || async { Ok::<_, ()>(expected) }).await;
        assert_eq!(loaded, Ok(expected));
    }
    assert!(!cache.has("k").await.unwrap() && !cache.delete("k").await.unwrap());
    assert_eq!(cache.invalidate_pattern("*").await.unwrap(), 0);
    cache.invalidate_tags(["t"]).await.unwrap();
    cache.clear().await.unwrap();
    assert_eq!(cache.stats().await.unwrap().entries, Some(0));
}
