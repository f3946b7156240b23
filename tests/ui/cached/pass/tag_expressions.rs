//! Tags may be expressions of type `Tag`, beside templates.

use cache_runtime::{Tag, cached};

fn region(id: u64) -> Tag {
    Tag::new(format!("region:{}", id % 7))
}

#[cached(key = "user:<id>", tags = ["users", region(id), Tag::new("all")])]
async fn get_user(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get_user(1).await, 1);
        get_user::put(1, &2).await.unwrap();
    };
    cache_runtime::scope(cache, program).await;
}
