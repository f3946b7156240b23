//! Without `key` the path, the name and every argument are the key.

use cache_runtime::cached;

mod service {
    #[cache_runtime::cached]
    pub async fn sum(a: u64, b: u64) -> u64 {
        a + b
    }
}

#[cached(ttl = 5)]
async fn nothing() -> u8 {
    1
}

#[cached(skip(verbose))]
async fn skipped(a: u64, verbose: bool) -> u64 {
    a + u64::from(verbose)
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(service::sum(1, 2).await, 3);
        assert!(service::sum::key(1, 2).as_str().ends_with("::service::sum:1:2"));
        assert_eq!(nothing().await, 1);
        assert!(nothing::key().as_str().ends_with("::nothing"));
        assert_eq!(skipped(1, true).await, 2);
        assert!(skipped::key(1).as_str().ends_with("::skipped:1"));
    };
    cache_runtime::scope(cache, program).await;
}
