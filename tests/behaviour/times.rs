//! How long values live: `ttl` in all its forms, the default, `jitter`, `policy`.

use std::time::Duration;

use cache_runtime::{Policy, cached, policy};
use cache_tests::fixture::{in_cache, in_cache_of, load, loads, seconds};

const JUST_UNDER: Duration = Duration::from_millis(1);

#[cached(key = "int:<id>", ttl = 1800)]
async fn by_seconds(id: u8) -> u64 {
    load("by_seconds") + u64::from(id)
}

#[cached(key = "text:<id>", ttl = "30m")]
async fn by_text(id: u8) -> u64 {
    load("by_text") + u64::from(id)
}

#[cached(key = "expr:<id>", ttl = Duration::from_secs(60) * 30)]
async fn by_expression(id: u8) -> u64 {
    load("by_expression") + u64::from(id)
}

#[cached(key = "arg:<id>", ttl = seconds(lifetime), skip(lifetime))]
async fn by_argument(id: u8, lifetime: u64) -> u64 {
    assert_eq!(lifetime, 1800);
    load("by_argument") + u64::from(id)
}

#[cached(key = "value:<id>", ttl = |value: &u64| seconds(*value))]
async fn by_value(id: u8) -> u64 {
    load("by_value");
    u64::from(id)
}

#[cached(key = "default:<id>")]
async fn by_default(id: u8) -> u64 {
    load("by_default") + u64::from(id)
}

#[tokio::test]
async fn a_value_lives_exactly_as_long_as_its_ttl_says() {
    in_cache(async |_, hand| {
        let call = async || {
            (
                by_seconds(0).await,
                by_text(0).await,
                by_expression(0).await,
                by_argument(0, 1800).await,
            )
        };
        assert_eq!(call().await, (1, 1, 1, 1));
        hand.advance(seconds(1800) - JUST_UNDER);
        assert_eq!(call().await, (1, 1, 1, 1));
        hand.advance(JUST_UNDER);
        assert_eq!(call().await, (2, 2, 2, 2));
        // A hit does not prolong a life.
        hand.advance(seconds(1799));
        assert_eq!(call().await, (2, 2, 2, 2));
        hand.advance(seconds(1));
        assert_eq!(call().await, (3, 3, 3, 3));
    })
    .await;
}

#[tokio::test]
async fn an_adaptive_ttl_asks_the_value() {
    in_cache(async |cache, hand| {
        for id in [5, 10] {
            by_value(id).await;
        }
        hand.advance(seconds(5));
        assert!(!cache.has("value:5").await.unwrap());
        assert!(cache.has("value:10").await.unwrap());
        hand.advance(seconds(5));
        assert!(!cache.has("value:10").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_zero_ttl_from_the_value_stores_nothing() {
    in_cache(async |cache, _| {
        by_value(0).await;
        by_value(0).await;
        assert_eq!(loads("by_value"), 2);
        assert_eq!(cache.stats().await.unwrap().entries, Some(0));
        // Nor does it when the value is put in.
        by_value::put(0, &0).await.unwrap();
        assert_eq!(by_value::peek(0).await, None);
        assert_eq!(cache.stats().await.unwrap().entries, Some(0));
    })
    .await;
}

#[tokio::test]
async fn a_ttl_left_out_is_the_caches_default() {
    in_cache_of(
        |cache| cache.default_ttl(seconds(7)),
        async |_, hand| {
            assert_eq!(by_default(0).await, 1);
            hand.advance(seconds(7) - JUST_UNDER);
            assert_eq!(by_default(0).await, 1);
            hand.advance(JUST_UNDER);
            assert_eq!(by_default(0).await, 2);
        },
    )
    .await;
    in_cache(async |_, hand| {
        assert_eq!(by_default(0).await, 1);
        hand.advance(seconds(3600) - JUST_UNDER);
        assert_eq!(by_default(0).await, 1);
        hand.advance(JUST_UNDER);
        assert_eq!(by_default(0).await, 2);
    })
    .await;
}

#[cached(key = "jitter:<id>", ttl = 1000, jitter = "20%")]
async fn jittered(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn jitter_shortens_within_its_share_and_never_prolongs() {
    const KEYS: u64 = 400;
    in_cache(async |_, hand| {
        for id in 0..KEYS {
            jittered(id).await;
        }
        let living = async || {
            let mut count = 0;
            for id in 0..KEYS {
                count += u64::from(jittered::peek(id).await.is_some());
            }
            count
        };
        hand.advance(seconds(800));
        // Shortened by at most a fifth; the very end of the range is hit by chance only.
        assert!(living().await >= KEYS - 1);
        hand.advance(seconds(100));
        // The middle of the range: about one half, 10 standard deviations either way.
        assert!((100..300).contains(&living().await), "{}", living().await);
        hand.advance(seconds(100));
        assert_eq!(living().await, 0);
    })
    .await;
}

const SHORT: Policy = Policy::new().ttl(seconds(10)).none_ttl(seconds(2));

#[cached(key = "policy:<id>", policy = SHORT)]
async fn by_policy(id: u8) -> Option<u64> {
    (load("by_policy") + u64::from(id)).checked_sub(1)
}

#[cached(key = "override:<id>", policy = SHORT, ttl = 20)]
async fn overridden(id: u8) -> Option<u64> {
    Some(load("overridden") + u64::from(id)).filter(|_| id != 9)
}

#[tokio::test]
async fn a_policy_is_used_by_name_and_overridden_beside_it() {
    in_cache(async |_, hand| {
        assert_eq!((by_policy(0).await, overridden(0).await), (Some(0), Some(1)));
        assert_eq!(overridden(9).await, None);
        hand.advance(seconds(2) - JUST_UNDER);
        assert_eq!(overridden(9).await, None);
        assert_eq!(loads("overridden"), 2);
        hand.advance(JUST_UNDER);
        assert_eq!(overridden(9).await, None);
        assert_eq!(loads("overridden"), 3);
        hand.advance(seconds(8));
        assert_eq!((by_policy(0).await, overridden(0).await), (Some(1), Some(1)));
        hand.advance(seconds(10));
        assert_eq!(overridden(0).await, Some(4));
    })
    .await;
}

#[cached(key = "session:<id>", policy = policy::SESSION)]
async fn session(id: u8) -> u64 {
    load("session") + u64::from(id)
}

#[cached(key = "stock:<id>", policy = policy::OPERATIONAL)]
async fn stock(id: u8) -> u64 {
    load("stock") + u64::from(id)
}

#[tokio::test]
async fn the_named_policies_live_as_long_as_their_names_say() {
    in_cache(async |_, hand| {
        assert_eq!((session(0).await, stock(0).await), (1, 1));
        hand.advance(seconds(60));
        assert_eq!((session(0).await, stock(0).await), (1, 2));
        hand.advance(seconds(7 * 86_400 - 60));
        assert_eq!(session(0).await, 2);
    })
    .await;
}
