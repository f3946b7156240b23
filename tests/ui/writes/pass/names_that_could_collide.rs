#![deny(warnings)]

use cache_runtime::{cached, invalidates, write_through};

const SITE: u64 = 5;

#[cached(key = "value:<key>")]
async fn get(key: u64) -> Option<u64> {
    Some(key)
}

trait Surprise {
    fn success(self) -> u64;
    fn found(&self) -> u64;
}

impl Surprise for u64 {
    fn success(self) -> u64 {
        self
    }
    fn found(&self) -> u64 {
        *self
    }
}

#[invalidates(get(effects), get(SITE), get(returned.success()), get(result.found()), tags = ["v:<value>:<result>:<never>"])]
async fn update(
    effects: u64,
    returned: u64,
    value: u64,
    never: u64,
    error: u64,
    kept_0: u64,
    r#type: u64,
) -> u64 {
    effects + returned + value + never + error + kept_0 + r#type + SITE.success()
}

#[write_through(get(write_0))]
async fn write(write_0: u64, value: u64, result: u64) -> u64 {
    write_0 + value + result
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(update(1, 1, 1, 1, 1, 1, 1).await, 12);
        assert_eq!(write(1, 2, 3).await, 6);
        assert_eq!(get(1).await, Some(6));
    };
    cache_runtime::scope(cache, program).await;
}
