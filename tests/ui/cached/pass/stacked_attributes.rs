//! Other attributes above and below.

use cache_runtime::cached;

#[cfg_attr(all(), doc = "Some docs.")]
#[rustfmt::skip]
#[cached(key = "a:<id>")]
#[cfg_attr(all(), must_use)]
pub(crate) async fn get(#[allow(unused_variables)] id: u64) -> u64 { 1 }

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get(1).await, 1);
    };
    cache_runtime::scope(cache, program).await;
}
