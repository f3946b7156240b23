//! The helpers of a free function.

use cache_runtime::cached;
use cache_tests::fixture::{in_cache, load, loads, seconds};

#[cached(key = "item:<id>", ttl = 60, tags = ["items"])]
async fn item(id: u64) -> Result<String, String> {
    let count = load("item");
    if id == 0 { Err(format!("error {count}")) } else { Ok(format!("{id} load {count}")) }
}

#[tokio::test]
async fn invalidate_removes_one_key() {
    in_cache(async |_, _| {
        item(1).await.unwrap();
        item(2).await.unwrap();
        item::invalidate(1).await.unwrap();
        assert_eq!(item::peek(1).await, None);
        assert_eq!(item(1).await.unwrap(), "1 load 3");
        assert_eq!(item(2).await.unwrap(), "2 load 2");
        // Of a key that is not there it is no error.
        item::invalidate(77).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn invalidate_all_removes_what_the_function_cached_and_nothing_else() {
    #[cached(key = "bystander:<id>", ttl = 60, tags = ["items"])]
    async fn bystander(id: u64) -> u64 {
        load("bystander");
        id
    }
    in_cache(async |_, _| {
        for id in 1..=50 {
            item(id).await.unwrap();
        }
        bystander(1).await;
        item::invalidate_all().await.unwrap();
        for id in 1..=50 {
            assert_eq!(item::peek(id).await, None);
        }
        bystander(1).await;
        assert_eq!(loads("bystander"), 1);
        item(1).await.unwrap();
        item(1).await.unwrap();
        assert_eq!(loads("item"), 51);
    })
    .await;
}

#[tokio::test]
async fn refresh_runs_the_body_now_stores_and_returns() {
    in_cache(async |_, hand| {
        assert_eq!(item(1).await.unwrap(), "1 load 1");
        hand.advance(seconds(50));
        assert_eq!(item::refresh(1).await.unwrap(), "1 load 2");
        // Its TTL began anew.
        hand.advance(seconds(59));
        assert_eq!(item(1).await.unwrap(), "1 load 2");
        // On a key that holds nothing it loads as well.
        assert_eq!(item::refresh(2).await.unwrap(), "2 load 3");
        assert_eq!(item(2).await.unwrap(), "2 load 3");
        assert_eq!(item::refresh(0).await, Err("error 4".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn a_failed_refresh_leaves_what_there_was() {
    #[cached(key = "shaky:<id>", ttl = 60)]
    async fn shaky(id: u64) -> Result<u64, u64> {
        let count = load("shaky");
        if count == 2 { Err(id) } else { Ok(count) }
    }
    in_cache(async |_, _| {
        assert_eq!(shaky(1).await, Ok(1));
        assert_eq!(shaky::refresh(1).await, Err(1));
        assert_eq!(shaky(1).await, Ok(1));
    })
    .await;
}

#[tokio::test]
async fn peek_looks_and_never_loads() {
    in_cache(async |cache, hand| {
        assert_eq!(item::peek(1).await, None);
        assert_eq!(loads("item"), 0);
        item(1).await.unwrap();
        assert_eq!(item::peek(1).await.as_deref(), Some("1 load 1"));
        let before = cache.stats().await.unwrap().total;
        item::peek(1).await;
        item::peek(2).await;
        let after = cache.stats().await.unwrap().total;
        assert_eq!((before.hits, before.misses), (after.hits, after.misses));
        hand.advance(seconds(60));
        assert_eq!(item::peek(1).await, None);
        assert_eq!(loads("item"), 1);
    })
    .await;
}

#[tokio::test]
async fn put_stores_as_if_the_function_had_returned_it() {
    in_cache(async |cache, hand| {
        item::put(1, &"put".to_owned()).await.unwrap();
        assert_eq!(item(1).await.unwrap(), "put");
        hand.advance(seconds(59));
        assert_eq!(item(1).await.unwrap(), "put");
        hand.advance(seconds(1));
        assert_eq!(item(1).await.unwrap(), "1 load 1");
        for undo in [0, 1, 2] {
            item::put(1, &format!("put {undo}")).await.unwrap();
            assert_eq!(item(1).await.unwrap(), format!("put {undo}"));
            match undo {
                0 => item::invalidate(1).await.unwrap(),
                1 => item::invalidate_all().await.unwrap(),
                _ => cache.invalidate_tag("items").await.unwrap(),
            }
            assert_eq!(item::peek(1).await, None, "{undo}");
        }
    })
    .await;
}

#[tokio::test]
async fn put_of_a_value_that_cannot_be_stored_says_so_and_leaves_nothing_old() {
    use cache_runtime::{Cache, ErrorKind};
    let cache = Cache::builder().in_memory().max_bytes(4_000).build().await.unwrap();
    cache_runtime::scope(cache, async {
        item::put(1, &"small".to_owned()).await.unwrap();
        let error = item::put(1, &"x".repeat(10_000)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(item::peek(1).await, None);
    })
    .await;
}

#[tokio::test]
async fn uncached_is_the_body_alone() {
    in_cache(async |cache, _| {
        assert_eq!(item::uncached(1).await.unwrap(), "1 load 1");
        assert_eq!(item::uncached(1).await.unwrap(), "1 load 2");
        assert_eq!(cache.stats().await.unwrap().entries, Some(0));
        assert_eq!(item(1).await.unwrap(), "1 load 3");
        assert_eq!(item::uncached(1).await.unwrap(), "1 load 4");
        assert_eq!(item(1).await.unwrap(), "1 load 3");
    })
    .await;
}

#[tokio::test]
async fn a_function_without_parameters_has_all_helpers() {
    #[cached(key = "settings", ttl = 60)]
    async fn settings() -> u64 {
        load("settings")
    }
    in_cache(async |cache, _| {
        assert_eq!((settings().await, settings().await), (1, 1));
        assert_eq!(settings::key().as_str(), "settings");
        assert_eq!(settings::refresh().await, 2);
        settings::put(&9).await.unwrap();
        assert_eq!(settings::peek().await, Some(9));
        assert_eq!(cache.get::<u64>("settings").await.unwrap(), Some(9));
        settings::invalidate().await.unwrap();
        assert_eq!((settings().await, settings::uncached().await), (3, 4));
        settings::invalidate_all().await.unwrap();
        assert_eq!(settings().await, 5);
    })
    .await;
}

mod service {
    use cache_runtime::cached;

    /// Doubles.
    #[cached(key = "double:<id>", ttl = 60)]
    pub(super) async fn double(id: u64) -> u64 {
        id * 2
    }
}

#[tokio::test]
async fn one_import_brings_function_and_helpers() {
    use service::double;
    in_cache(async |_, _| {
        assert_eq!(double(2).await, 4);
        assert_eq!(double::peek(2).await, Some(4));
    })
    .await;
}
