//! Functions and parameters with raw names.

use cache_runtime::cached;

#[cached(key = "type:<type>:<match>", tags = ["m:<r#match>"])]
pub async fn r#type(r#type: u64, r#match: &str) -> String {
    format!("{type}{match}", r#type = r#type, r#match = r#match)
}

struct Repo;

impl Repo {
    #[cached(key = "async:<fn>", skip(r#mod))]
    async fn r#async(&self, r#fn: u64, r#mod: u8) -> u64 {
        r#fn + u64::from(r#mod)
    }
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(r#type(1, "a").await, "1a");
        assert_eq!(r#type::key(1, "a").as_str(), "type:1:a");
        assert_eq!(Repo.r#async(1, 2).await, 3);
        Repo.async_invalidate(1).await.unwrap();
    };
    cache_runtime::scope(cache, program).await;
}
