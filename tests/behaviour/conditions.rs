//! What is stored and what is not: `cache_if`, `none_ttl`.

use cache_runtime::cached;
use cache_tests::fixture::{in_cache, load, loads, seconds};

#[cached(key = "even:<id>", ttl = 60, cache_if = |value: &u64| value % 2 == 0)]
async fn only_even(id: u64) -> u64 {
    load("only_even");
    id
}

fn is_long(text: &str) -> bool {
    text.len() > 3
}

#[cached(key = "long:<text>", ttl = 60, cache_if = |value: &String| is_long(value))]
async fn only_long(text: &str) -> Result<String, ()> {
    load("only_long");
    Ok(text.to_owned())
}

#[tokio::test]
async fn cache_if_false_stores_nothing_and_returns_all_the_same() {
    in_cache(async |cache, _| {
        for _ in 0..2 {
            assert_eq!((only_even(1).await, only_even(2).await), (1, 2));
            assert_eq!(only_long("abc").await, Ok("abc".to_owned()));
            assert_eq!(only_long("abcd").await, Ok("abcd".to_owned()));
        }
        assert_eq!((loads("only_even"), loads("only_long")), (3, 3));
        assert!(!cache.has("even:1").await.unwrap() && !cache.has("long:abc").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn cache_if_holds_for_put_too() {
    in_cache(async |_, _| {
        only_even(2).await;
        only_even::put(2, &3).await.unwrap();
        // The odd value is not stored, and the even one is no longer the truth.
        assert_eq!(only_even::peek(2).await, None);
    })
    .await;
}

#[cached(key = "plain:<id>", ttl = 60)]
async fn option(id: u8) -> Option<u64> {
    let count = load("option");
    (id > 0).then_some(count)
}

#[cached(key = "negative:<id>", ttl = 60, none_ttl = 5)]
async fn negative(id: u8) -> Option<u64> {
    let count = load("negative");
    (id > 0).then_some(count)
}

#[cached(key = "negative_ok:<id>", ttl = 60, none_ttl = "5s")]
async fn negative_ok(id: u8) -> Result<Option<u64>, &'static str> {
    let count = load("negative_ok");
    match id {
        0 => Ok(None),
        1 => Err("no"),
        _ => Ok(Some(count)),
    }
}

#[tokio::test]
async fn none_is_not_cached_unless_asked_for() {
    in_cache(async |_, _| {
        assert_eq!((option(0).await, option(0).await), (None, None));
        assert_eq!(loads("option"), 2);
        assert_eq!((option(1).await, option(1).await), (Some(3), Some(3)));
    })
    .await;
}

#[tokio::test]
async fn none_is_cached_for_its_own_time() {
    in_cache(async |cache, hand| {
        assert_eq!((negative(0).await, negative_ok(0).await), (None, Ok(None)));
        assert_eq!((negative(1).await, negative_ok(2).await), (Some(2), Ok(Some(2))));
        assert_eq!((negative_ok(1).await, negative_ok(1).await), (Err("no"), Err("no")));
        hand.advance(seconds(4));
        assert_eq!((negative(0).await, negative_ok(0).await), (None, Ok(None)));
        assert_eq!((loads("negative"), loads("negative_ok")), (2, 4));
        hand.advance(seconds(1));
        assert_eq!((negative(0).await, negative_ok(0).await), (None, Ok(None)));
        assert_eq!((loads("negative"), loads("negative_ok")), (3, 5));
        assert_eq!((negative(1).await, negative_ok(2).await), (Some(2), Ok(Some(2))));
        // To all who read it as text there is nothing under the key.
        assert_eq!(cache.get::<u64>("negative:0").await.unwrap(), None);
        assert!(!cache.has("negative:0").await.unwrap());
        assert_eq!(negative::peek(0).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_cached_none_is_invalidated_like_a_value() {
    in_cache(async |_, _| {
        negative(0).await;
        negative::invalidate(0).await.unwrap();
        negative(0).await;
        assert_eq!(loads("negative"), 2);
        negative::put(0, &9).await.unwrap();
        assert_eq!(negative(0).await, Some(9));
        negative::invalidate_all().await.unwrap();
        assert_eq!(negative(0).await, None);
        assert_eq!(loads("negative"), 3);
    })
    .await;
}
