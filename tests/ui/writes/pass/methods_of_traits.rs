#![deny(warnings)]
#![allow(async_fn_in_trait)]

use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Result<String, ()> {
    Ok(id.to_string())
}

trait Store {
    async fn update(&mut self, id: u64) -> Result<u64, ()>;

    #[write_through(get_user(id))]
    async fn provided(&self, id: u64) -> Result<String, ()> {
        Ok(format!("provided {id}"))
    }
}

struct Memory(u64);

impl Store for Memory {
    #[invalidates(get_user(id), get_user(result), tags = ["memory:<self.0>"])]
    async fn update(&mut self, id: u64) -> Result<u64, ()> {
        self.0 = id;
        Ok(self.0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let mut store = Memory(0);
        assert_eq!(store.update(3).await, Ok(3));
        assert_eq!(store.provided(3).await, Ok("provided 3".to_owned()));
        assert_eq!(get_user(3).await, Ok("provided 3".to_owned()));
    };
    cache_runtime::scope(cache, program).await;
}
