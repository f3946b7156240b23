//! Which cache is the current one.

use cache_runtime::{Cache, cache, cached, install, scope};
use cache_tests::fixture::{in_cache, load, loads, seconds, settle};

#[cached(key = "current:<id>", ttl = 60, stale = 60, early = 0.000001)]
async fn current(id: u64) -> u64 {
    load("current") + id
}

#[tokio::test]
async fn a_scope_is_the_current_cache_of_its_task_and_the_inner_one_wins() {
    in_cache(async |outer, _| {
        assert_eq!(current(0).await, 1);
        let inner = Cache::builder().in_memory().build().await.unwrap();
        scope(inner.clone(), async {
            assert_eq!(current(0).await, 2);
            assert_eq!(inner.get("current:0").await.unwrap(), Some(2_u64));
            assert_eq!(cache().get("current:0").await.unwrap(), Some(2_u64));
        })
        .await;
        assert_eq!(current(0).await, 1);
        assert_eq!(outer.get("current:0").await.unwrap(), Some(1_u64));
    })
    .await;
}

#[tokio::test]
async fn a_background_refresh_stays_in_the_scope_that_it_began_in() {
    in_cache(async |cache, hand| {
        current(0).await;
        hand.advance(seconds(60));
        assert_eq!(current(0).await, 1);
        settle().await;
        assert_eq!(loads("current"), 2);
        assert_eq!(cache.get("current:0").await.unwrap(), Some(2_u64));
    })
    .await;
}

#[tokio::test]
async fn helpers_act_on_the_cache_of_the_scope() {
    in_cache(async |outer, _| {
        outer.set("current:0", &50_u64).await.unwrap();
        in_cache(async |inner, _| {
            current::put(0, &60).await.unwrap();
            assert_eq!(current::peek(0).await, Some(60));
            current::invalidate(0).await.unwrap();
            assert!(!inner.has("current:0").await.unwrap());
            current::invalidate_all().await.unwrap();
        })
        .await;
        assert_eq!(outer.get("current:0").await.unwrap(), Some(50_u64));
    })
    .await;
}

/// The only test of this program that touches the global cache.
#[tokio::test]
async fn without_a_scope_the_installed_cache_is_the_current_one() {
    let (one, two) =
        (Cache::builder().build().await.unwrap(), Cache::builder().build().await.unwrap());
    install(one.clone());
    cache().set("global", &1_u8).await.unwrap();
    assert_eq!(one.get("global").await.unwrap(), Some(1_u8));
    let first = current(0).await;
    install(two.clone());
    assert_eq!(cache().get::<u8>("global").await.unwrap(), None);
    assert_ne!(current(0).await, first);
    assert!(one.has("current:0").await.unwrap() && two.has("current:0").await.unwrap());
}
