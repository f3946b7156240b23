//! Doubled brackets, colons and other text around placeholders.

use cache_runtime::cached;

#[cached(key = r#"a "quoted" <<x>> {{y}}: <id>"#, tags = ["tag \"q\" <id>"])]
async fn get(id: &str) -> String {
    id.to_owned()
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get("1").await, "1");
        assert_eq!(get::key("1").as_str(), "a \"quoted\" <x> {y}: 1");
    };
    cache_runtime::scope(cache, program).await;
}
