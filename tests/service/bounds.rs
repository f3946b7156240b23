//! What the cache holds is bounded, and lives as long as it was told to.

use std::time::{Duration, Instant};

use cache_runtime::Cache;
use cache_tests::fixture::{in_cache_of, seconds};

#[tokio::test]
async fn the_bound_of_entries_holds_at_every_moment() {
    for bound in [1, 7, 100, 5_000] {
        in_cache_of(
            |cache| cache.max_entries(bound),
            async |cache, _| {
                let mut most = 0;
                for number in 0..bound * 5 {
                    cache.set(format!("k:{number}"), &number).await.unwrap();
                    if number % (bound / 50 + 1) == 0 {
                        most = most.max(cache.stats().await.unwrap().entries.unwrap());
                    }
                }
                assert!(most <= bound, "{most} of {bound}");
                assert!(most >= bound / 2, "{most} of {bound}: the room is used");
            },
        )
        .await;
    }
}

#[tokio::test]
async fn the_bound_of_bytes_holds_at_every_moment() {
    const BOUND: u64 = 1 << 20;
    in_cache_of(
        |cache| cache.max_bytes(BOUND),
        async |cache, _| {
            let mut most = 0;
            for number in 0..5_000_usize {
                cache.set(format!("k:{number}"), &"x".repeat(number % 3_000)).await.unwrap();
                most = most.max(cache.stats().await.unwrap().bytes.unwrap());
            }
            assert!(most <= BOUND, "{most}");
            assert!(most > BOUND / 2, "{most}");
            // The bytes counted are at least those of the texts.
            cache.clear().await.unwrap();
            assert_eq!(cache.stats().await.unwrap().bytes, Some(0));
            cache.set("k", &"x".repeat(100_000)).await.unwrap();
            assert!((100_000..110_000).contains(&cache.stats().await.unwrap().bytes.unwrap()));
        },
    )
    .await;
}

#[tokio::test]
async fn expired_entries_do_not_pile_up() {
    in_cache_of(
        |cache| cache.max_entries(1_000_000),
        async |cache, hand| {
            let mut most = 0;
            for second in 0..500 {
                for number in 0..100 {
                    cache
                        .set(format!("k:{second}:{number}"), &number)
                        .ttl(seconds(1))
                        .await
                        .unwrap();
                }
                hand.advance(seconds(1));
                most = most.max(cache.stats().await.unwrap().entries.unwrap());
            }
            // 100 live at a time, 50,000 were stored.
            assert!(most <= 500, "{most}");
        },
    )
    .await;
}

#[tokio::test]
async fn the_system_clock_ends_a_life_within_10_ms() {
    const TTL: Duration = Duration::from_millis(150);
    const ERROR: Duration = Duration::from_millis(10);
    let cache = Cache::builder().in_memory().build().await.unwrap();
    let before_set = Instant::now();
    cache.set("k", &1_u8).ttl(TTL).await.unwrap();
    let after_set = Instant::now();
    // However the scheduler treats this thread: who was served at a time that is measured before
    // the call had a value that lived at least until then, and the other way round.
    let mut lived_at_least = Duration::ZERO;
    let lived_at_most = loop {
        let before_get = Instant::now();
        let found = cache.get::<u8>("k").await.unwrap();
        if found.is_none() {
            break before_set.elapsed();
        }
        lived_at_least = before_get.saturating_duration_since(after_set);
    };
    assert!(lived_at_least <= TTL + ERROR, "still served after {lived_at_least:?}");
    assert!(lived_at_most + ERROR >= TTL, "gone after {lived_at_most:?}");
}
