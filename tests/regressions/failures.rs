//! Failures of the loader and of the caller's expectations.

use cache_runtime::{Cache, cached};
use cache_tests::fixture::{in_cache, load, loads};

// Errors that are cached, here by way of the waiters of a failed load.
#[tokio::test]
async fn an_error_is_cached_for_nobody() {
    #[cached(key = "fails:<id>", ttl = 60)]
    async fn fails(id: u64) -> Result<u64, u64> {
        Err(load("fails") + id)
    }
    in_cache(async |cache, _| {
        for expected in 1..=5 {
            assert_eq!(fails(0).await, Err(expected));
        }
        assert_eq!(cache.stats().await.unwrap().entries, Some(0));
    })
    .await;
}

// `cached` panics where the store is not configured; hitbox silently bypasses the cache unless
// every call says `.cache(..)`.
#[tokio::test]
async fn a_plain_call_is_cached_and_one_without_a_store_runs() {
    #[cached(key = "plain:<id>", ttl = 60)]
    async fn plain(id: u64) -> u64 {
        load("plain") + id
    }
    in_cache(async |_, _| {
        assert_eq!((plain(0).await, plain(0).await), (1, 1));
        let off = Cache::builder().off().build().await.unwrap();
        cache_runtime::scope(off, async {
            assert_eq!((plain(0).await, plain(0).await), (2, 3));
            plain::put(0, &5).await.unwrap();
            plain::invalidate(0).await.unwrap();
            plain::invalidate_all().await.unwrap();
            assert_eq!((plain::peek(0).await, plain::refresh(0).await), (None, 4));
        })
        .await;
        assert_eq!((plain(0).await, loads("plain")), (1, 4));
    })
    .await;
}

// Keys that the store cannot hold are the cache's problem, never the caller's.
#[tokio::test]
async fn an_argument_of_any_length_works() {
    #[cached(key = "text:<text>", ttl = 60)]
    async fn measured(text: &str) -> usize {
        load("measured");
        text.len()
    }
    #[cached(key = "<text>", ttl = 60)]
    async fn bare(text: &str) -> usize {
        load("bare");
        text.len()
    }
    in_cache(async |_, _| {
        for length in [0, 1, 60_000, 70_000, 1_000_000] {
            let text = "x".repeat(length);
            assert_eq!((measured(&text).await, measured(&text).await), (length, length));
            assert_eq!((bare(&text).await, bare(&text).await), (length, length));
        }
        // The three that fit were cached.
        assert_eq!(loads("measured"), 3 + 4);
    })
    .await;
}
