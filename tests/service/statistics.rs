//! Statistics: in total, per function, per prefix, and why reads missed.

use cache_runtime::{Key, Misses, cached};
use cache_tests::fixture::{counts_below, counts_of, in_cache, in_cache_of, load, seconds};

#[cached(key = "first:<id>", ttl = 60, tags = ["firsts"])]
async fn first(id: u64) -> Result<u64, String> {
    load("first");
    if id == 0 { Err("zero".to_owned()) } else { Ok(id) }
}

#[cached(key = "second:<id>", ttl = 60)]
async fn second(id: u64) -> u64 {
    load("second");
    id
}

#[tokio::test]
async fn functions_prefixes_and_the_total_agree() {
    in_cache(async |cache, _| {
        for id in [1, 1, 2, 0] {
            let _ = first(id).await;
        }
        second(1).await;
        cache.set("third:1", &1_u8).await.unwrap();
        cache.get::<u8>("third:1").await.unwrap();
        cache.get::<u8>("third:2").await.unwrap();
        cache.get_or_set("third:3", || async { Ok::<_, ()>(1_u8) }).await.unwrap();
        let one = counts_of(&cache, "first").await;
        assert_eq!(
            (one.hits, one.misses.total(), one.loads, one.load_failures, one.stores),
            (1, 3, 3, 1, 2)
        );
        assert_eq!(one.hit_ratio(), Some(0.25));
        assert_eq!(counts_below(&cache, "first").await, one);
        assert_eq!(counts_of(&cache, "second").await.loads, 1);
        let third = counts_below(&cache, "third").await;
        assert_eq!((third.hits, third.misses.absent, third.loads, third.stores), (1, 2, 1, 2));
        let stats = cache.stats().await.unwrap();
        assert_eq!((stats.total.hits, stats.total.misses.total()), (2, 6));
        assert_eq!((stats.total.loads, stats.total.stores, stats.entries), (5, 5, Some(5)));
        assert!(stats.bytes.unwrap() > 0);
    })
    .await;
}

#[tokio::test]
async fn each_cache_counts_for_itself() {
    in_cache(async |one, _| {
        first(1).await.unwrap();
        in_cache(async |two, _| {
            first(1).await.unwrap();
            first(1).await.unwrap();
            assert_eq!(counts_of(&two, "first").await.hits, 1);
        })
        .await;
        assert_eq!(counts_of(&one, "first").await.hits, 0);
    })
    .await;
}

#[tokio::test]
async fn load_time_is_summed_and_its_mean_told() {
    in_cache(async |cache, hand| {
        for wait in [2, 4] {
            let slow = || async {
                hand.advance(seconds(wait));
                Ok::<_, ()>(wait)
            };
            cache.get_or_set(format!("slow:{wait}"), slow).await.unwrap();
        }
        let counts = counts_below(&cache, "slow").await;
        assert_eq!((counts.load_time, counts.mean_load_time()), (seconds(6), Some(seconds(3))));
    })
    .await;
}

#[tokio::test]
async fn invalidations_are_counted_by_every_way() {
    in_cache(async |cache, _| {
        first::invalidate(1).await.unwrap();
        first::invalidate_all().await.unwrap();
        assert_eq!(counts_of(&cache, "first").await.invalidations, 2);
        cache.invalidate("k").await.unwrap();
        cache.delete("k").await.unwrap();
        cache.invalidate_tag("firsts").await.unwrap();
        cache.invalidate_tags(["firsts", "seconds"]).await.unwrap();
        cache.invalidate_pattern("first:*").await.unwrap();
        cache.clear().await.unwrap();
        assert_eq!(cache.stats().await.unwrap().total.invalidations, 9);
    })
    .await;
}

/// What the reads of `k` missed for, after the steps.
async fn misses_of(cache: &cache_runtime::Cache, key: &str) -> Misses {
    let before = counts_below(cache, key).await.misses;
    assert_eq!(cache.get::<u64>(key).await.unwrap(), None);
    let after = counts_below(cache, key).await.misses;
    assert_eq!(after.total(), before.total() + 1);
    let mut one = Misses::default();
    one.absent = after.absent - before.absent;
    one.expired = after.expired - before.expired;
    one.invalidated = after.invalidated - before.invalidated;
    one.evicted = after.evicted - before.evicted;
    one.too_large = after.too_large - before.too_large;
    one.undecodable = after.undecodable - before.undecodable;
    one
}

#[tokio::test]
async fn every_miss_has_its_reason() {
    in_cache_of(
        |cache| cache.max_bytes(100_000),
        async |cache, hand| {
            assert_eq!(misses_of(&cache, "absent").await.absent, 1);

            cache.set("expired", &1_u64).ttl(seconds(1)).await.unwrap();
            hand.advance(seconds(1));
            assert_eq!(misses_of(&cache, "expired").await.expired, 1);

            cache.set("invalidated", &1_u64).await.unwrap();
            cache.invalidate("invalidated").await.unwrap();
            assert_eq!(misses_of(&cache, "invalidated").await.invalidated, 1);
            cache.set("tagged", &1_u64).tags(["t"]).await.unwrap();
            cache.invalidate_tag("t").await.unwrap();
            assert_eq!(misses_of(&cache, "tagged").await.invalidated, 1);
            cache.set("matched", &1_u64).await.unwrap();
            cache.invalidate_pattern("match*").await.unwrap();
            assert_eq!(misses_of(&cache, "matched").await.invalidated, 1);

            cache.set("large", &"x".repeat(200_000)).await.unwrap_err();
            assert_eq!(misses_of(&cache, "large").await.too_large, 1);

            cache.set("undecodable", &"text".to_owned()).await.unwrap();
            assert_eq!(misses_of(&cache, "undecodable").await.undecodable, 1);

            cache.set("evicted", &1_u64).await.unwrap();
            let mut number = 0;
            while cache.has("evicted").await.unwrap() {
                number += 1;
                assert!(number < 10_000, "the bound evicts");
                cache.set(format!("other:{number}"), &number).await.unwrap();
            }
            assert_eq!(misses_of(&cache, "evicted").await.evicted, 1);
        },
    )
    .await;
}

#[tokio::test]
async fn functions_count_the_same_reasons() {
    #[cached(key = "why:<id>", ttl = 10)]
    async fn why(id: u64) -> u64 {
        id
    }
    in_cache(async |cache, hand| {
        why(1).await;
        hand.advance(seconds(10));
        why(1).await;
        why::invalidate(1).await.unwrap();
        why(1).await;
        why::invalidate_all().await.unwrap();
        why(1).await;
        cache.set("why:1", &"text".to_owned()).await.unwrap();
        assert_eq!(why(1).await, 1);
        let misses = counts_of(&cache, "why").await.misses;
        assert_eq!(
            (misses.absent, misses.expired, misses.invalidated, misses.undecodable),
            (1, 1, 2, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn a_function_whose_key_is_an_expression_counts_below_its_prefix() {
    #[cached(key = Key::<u64>::new(format!("said:{id}")), ttl = 10)]
    async fn said(id: u64) -> u64 {
        id
    }
    in_cache(async |cache, _| {
        said(1).await;
        said(1).await;
        let counts = counts_below(&cache, "said").await;
        assert_eq!((counts.hits, counts.misses.absent, counts.loads), (1, 1, 1));
        assert_eq!(counts_of(&cache, "said").await, counts);
    })
    .await;
}

#[tokio::test]
async fn joined_loads_are_counted_as_such() {
    in_cache(async |cache, _| {
        let tasks: Vec<_> =
            (0..10).map(|_| tokio::spawn(cache_runtime::scope(cache.clone(), second(5)))).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 5);
        }
        let counts = counts_of(&cache, "second").await;
        assert_eq!((counts.loads, counts.hits + counts.joined), (1, 9));
        assert_eq!(counts.hits + counts.misses.total(), 10);
    })
    .await;
}
