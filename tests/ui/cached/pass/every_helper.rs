//! The seven helpers, with the parameters that each needs.

use cache_runtime::{Key, Result, cached};

#[cached(key = "user:<id>", tags = ["region:<region>"], skip(region, db))]
async fn get_user(db: &str, region: u8, id: u64) -> Option<String> {
    Some(format!("{db}{region}{id}"))
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let _: Result<()> = get_user::invalidate(1).await;
        let _: Result<()> = get_user::invalidate_all().await;
        let _: Option<String> = get_user::refresh("db", 2, 1).await;
        let _: Option<String> = get_user::peek(2, 1).await;
        let _: Result<()> = get_user::put(2, 1, &String::new()).await;
        let _: Key<String> = get_user::key(1);
        let _: Option<String> = get_user::uncached("db", 2, 1).await;
    };
    cache_runtime::scope(cache, program).await;
}
