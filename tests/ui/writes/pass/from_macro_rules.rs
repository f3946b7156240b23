#![deny(warnings)]

use cache_runtime::{cached, invalidates, write_through};

macro_rules! service {
    ($get:ident, $update:ident, $rename:ident, $id:ident: $type:ty, $target:expr) => {
        #[cached(key = "user:<id>")]
        async fn $get($id: $type) -> Result<String, ()> {
            Ok($id.to_string())
        }

        #[invalidates($target, $get($id), tags = ["user:<id>", "is:<result>"])]
        async fn $update($id: $type) -> Result<$type, ()> {
            Ok($id)
        }

        #[write_through($get(key))]
        async fn $rename(key: $type, name: &str) -> Result<String, ()> {
            Ok(name.to_owned())
        }
    };
}

service!(get_user, update_user, rename_user, id: u64, get_user(5));

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(update_user(1).await, Ok(1));
        assert_eq!(rename_user(1, "x").await, Ok("x".to_owned()));
        assert_eq!(get_user(1).await, Ok("x".to_owned()));
    };
    cache_runtime::scope(cache, program).await;
}
