//! `cache_if` as a closure, a typed closure and a path.

use cache_runtime::cached;

fn is_small(value: &u64) -> bool {
    *value < 10
}

#[cached(key = "a:<id>", cache_if = |value| *value < 10)]
async fn inferred(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", cache_if = |value: &Vec<u64>| !value.is_empty())]
async fn typed(id: u64) -> Result<Option<Vec<u64>>, String> {
    Ok(Some(vec![id]))
}

#[cached(key = "c:<id>", cache_if = is_small)]
async fn by_path(id: u64) -> Option<u64> {
    Some(id)
}

#[cached(key = "d:<id>", cache_if = move |value| *value < id)]
async fn with_argument(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(inferred(1).await, 1);
        assert!(typed(1).await.is_ok());
        assert_eq!(by_path(1).await, Some(1));
        assert_eq!(with_argument(1).await, 1);
    };
    cache_runtime::scope(cache, program).await;
}
