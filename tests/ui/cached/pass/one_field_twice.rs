//! A parameter may be named twice, and in tags alone if it is skipped.

use cache_runtime::cached;

#[cached(key = "a:<id>:again:<id>", tags = ["id:<id>", "region:<region>"], skip(region))]
async fn get(id: u64, region: &str) -> u64 {
    id + region.len() as u64
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get(1, "ab").await, 3);
        assert_eq!(get::key(1).as_str(), "a:1:again:1");
        get::put(1, "ab", &3).await.unwrap();
    };
    cache_runtime::scope(cache, program).await;
}
