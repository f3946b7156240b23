//! A function that calls itself, with and without a background refresh.

use cache_runtime::cached;

#[cached(key = "fib:<n>")]
async fn fib(n: u64) -> u64 {
    if n < 2 { n } else { Box::pin(fib(n - 1)).await + Box::pin(fib(n - 2)).await }
}

#[cached(key = "back:<n>:<text>", ttl = 60, stale = 60)]
async fn back(n: u64, text: &str) -> u64 {
    if n < 2 { n } else { Box::pin(back(n - 1, text)).await + 1 }
}

#[derive(Clone)]
struct Tree;

impl Tree {
    #[cached(key = "depth:<n>", ttl = 60, stale = 60)]
    async fn depth(&self, n: u64) -> Result<u64, String> {
        if n == 0 { Ok(0) } else { Ok(Box::pin(self.depth(n - 1)).await? + 1) }
    }

    #[cached(key = "arc:<n>", ttl = 60, stale = 60)]
    async fn arc(self: std::sync::Arc<Self>, n: u64) -> u64 {
        if n == 0 { 0 } else { Box::pin(self.arc(n - 1)).await + 1 }
    }
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(fib(10).await, 55);
        assert_eq!(back(5, "a").await, 5);
        assert_eq!(Tree.depth(3).await, Ok(3));
        assert_eq!(std::sync::Arc::new(Tree).arc(3).await, 3);
    };
    cache_runtime::scope(cache, program).await;
}
