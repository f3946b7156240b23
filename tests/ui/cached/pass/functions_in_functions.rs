//! Cached functions in blocks, modules and closures, also of one name.

use cache_runtime::cached;

async fn outer<T: Into<u64>>(value: T) -> u64 {
    #[cached]
    async fn inner(id: u64) -> u64 {
        id + 1
    }
    let _ = inner::key(1);
    inner(value.into()).await
}

async fn other() -> String {
    #[cached]
    async fn inner(id: u64) -> u64 {
        id + 2
    }
    let block = async {
        #[cached(key = "block:<id>")]
        async fn inner(id: u64) -> u64 {
            id + 3
        }
        inner(1).await
    };
    assert_eq!(block.await, 4);
    assert_eq!(inner(1).await, 3);
    inner::key(1).as_str().to_owned()
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(outer(1_u32).await, 2);
        let key = other().await;
        assert!(key.contains("::other::") && key.ends_with("::inner:1"));
    };
    cache_runtime::scope(cache, program).await;
}
