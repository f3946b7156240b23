//! `{x}` means the same as `<x>`.

use cache_runtime::cached;

#[cached(key = "user:{org}:<id>", tags = ["org:{org}"])]
async fn get_user(org: u64, id: u64) -> u64 {
    org + id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get_user(1, 2).await, 3);
        assert_eq!(get_user::key(1, 2).as_str(), "user:1:2");
    };
    cache_runtime::scope(cache, program).await;
}
