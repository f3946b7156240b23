#![deny(warnings)]

use cache_runtime::{cached, invalidates, write_through};

#[cached(key = "user:<id>")]
async fn get_user(id: u64) -> Result<String, ()> {
    Ok(id.to_string())
}

#[cached(key = "names")]
async fn names() -> Result<Vec<String>, ()> {
    Ok(Vec::new())
}

#[invalidates(names())]
#[write_through(get_user(id))]
#[invalidates(tags = ["last:<result>"])]
#[allow(clippy::unused_async)]
#[must_use]
pub async fn rename(id: u64, #[allow(unused_mut)] mut name: String) -> Result<String, ()> {
    #![allow(unused_variables)]
    let unused = id;
    Ok(name)
}

#[invalidates(names)]
#[deprecated(note = "use `rename`")]
async fn old() {}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(rename(1, "x".into()).await, Ok("x".to_owned()));
        assert_eq!(get_user(1).await, Ok("x".to_owned()));
        #[allow(deprecated)]
        old().await;
    };
    cache_runtime::scope(cache, program).await;
}
