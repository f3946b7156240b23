#![deny(warnings)]

extern crate cache_runtime as renamed;

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        #[renamed::cached(key = "user:<id>", crate = renamed)]
        async fn get_user(id: u64) -> Option<u64> {
            Some(id)
        }

        #[renamed::invalidates(get_user(id), crate = renamed)]
        async fn update(id: u64) -> Option<u64> {
            let id = id.checked_add(0)?;
            Some(id)
        }

        #[renamed::write_through(get_user(id), crate = renamed)]
        async fn write(id: u64) -> u64 {
            id + 1
        }

        assert_eq!(update(1).await, Some(1));
        assert_eq!(write(1).await, 2);
        assert_eq!(get_user(1).await, Some(2));
    };
    cache_runtime::scope(cache, program).await;
}
