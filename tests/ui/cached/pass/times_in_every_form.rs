//! A time is seconds, a text, an expression or, for `ttl`, a closure on the value.

use std::time::Duration;

use cache_runtime::cached;

const HOUR: Duration = Duration::from_secs(3600);

fn lifetime_of(id: u64) -> Duration {
    Duration::from_secs(60 + id)
}

#[cached(key = "a:<id>", ttl = 60)]
async fn seconds(id: u64) -> u64 {
    id
}

#[cached(key = "b:<id>", ttl = "1h30m")]
async fn text(id: u64) -> u64 {
    id
}

#[cached(key = "c:<id>", ttl = HOUR)]
async fn constant(id: u64) -> u64 {
    id
}

#[cached(key = "d:<id>", ttl = lifetime_of(id))]
async fn of_argument(id: u64) -> u64 {
    id
}

#[cached(key = "e:<id>", ttl = |value| Duration::from_secs(*value))]
async fn of_value(id: u64) -> Result<u64, String> {
    Ok(id + 1)
}

#[cached(key = "f:<id>", ttl = |value: &String| if value.is_empty() { HOUR } else { Duration::from_secs(1) })]
async fn of_typed_value(id: u64) -> Option<String> {
    Some(id.to_string())
}

#[cached(key = "g:<id>", stale = HOUR, stale_if_error = HOUR * 2, none_ttl = lifetime_of(id), timeout = HOUR / 60)]
async fn expressions(id: u64) -> Option<u64> {
    Some(id)
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(seconds(1).await + text(1).await + constant(1).await + of_argument(1).await, 4);
        assert_eq!(of_value(1).await, Ok(2));
        assert!(of_typed_value(1).await.is_some());
        assert_eq!(expressions(1).await, Some(1));
        of_argument::put(1, &5).await.unwrap();
        of_argument::refresh(1).await;
    };
    cache_runtime::scope(cache, program).await;
}
