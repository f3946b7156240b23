//! Nothing in the expansion collides with what the user calls things.

use cache_runtime::cached;

#[cached(key = "a:<key>:<ttl>:<cache>:<self_>:<result>:<value>:<plan>:<hit>:<site>:<arg0>")]
#[allow(clippy::too_many_arguments)]
async fn awkward(
    key: u64,
    ttl: u64,
    cache: u64,
    self_: u64,
    result: u64,
    value: u64,
    plan: u64,
    hit: u64,
    site: u64,
    arg0: u64,
) -> u64 {
    key + ttl + cache + self_ + result + value + plan + hit + site + arg0
}

#[cached(key = "b:<tags>:<owned0>:<awkward>", tags = ["x:<tags>", "y:<owned0>:<result>"])]
async fn owned(tags: &str, owned0: &str, awkward: &str) -> String {
    format!("{tags}{owned0}{awkward}")
}

#[cached]
async fn key(key: u64, value: u64) -> u64 {
    key + value
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(awkward(1, 2, 3, 4, 5, 6, 7, 8, 9, 10).await, 55);
        assert_eq!(awkward::key(1, 2, 3, 4, 5, 6, 7, 8, 9, 10).as_str(), "a:1:2:3:4:5:6:7:8:9:10");
        awkward::put(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, &55).await.unwrap();
        assert_eq!(owned("a", "b", "c").await, "abc");
        owned::put("a", "b", "c", &String::new()).await.unwrap();
        assert_eq!(key(1, 2).await, 3);
        key::put(1, 2, &4).await.unwrap();
    };
    cache_runtime::scope(cache, program).await;
}
