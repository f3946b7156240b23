//! All shapes, aliases named `Result` and `Option` among them.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use cache_runtime::cached;

type Result<T, E = String> = std::result::Result<T, E>;
type Users = HashMap<u64, String>;

#[cached]
async fn plain() -> HashMap<u64, Vec<String>> {
    HashMap::new()
}

#[cached]
async fn aliased() -> Users {
    Users::new()
}

#[cached]
async fn fallible() -> Result<u64> {
    Ok(1)
}

#[cached]
async fn of_io() -> io::Result<u64> {
    Err(io::Error::other("no"))
}

#[cached]
async fn full_path() -> std::result::Result<u64, io::Error> {
    Ok(1)
}

#[cached]
async fn optional() -> std::option::Option<String> {
    None
}

#[cached]
async fn both() -> Result<Option<u64>> {
    Ok(None)
}

#[cached]
async fn both_written() -> std::result::Result<Option<u64>, Box<dyn std::error::Error + Send + Sync>>
{
    Ok(Some(1))
}

#[cached]
async fn done() -> Result<(), String> {
    Ok(())
}

#[cached]
async fn shared() -> Arc<str> {
    "a".into()
}

#[cached]
async fn tuple() -> (u64, [u8; 3]) {
    (1, [1, 2, 3])
}

#[cached]
async fn borrowed_error() -> Result<u64, &'static str> {
    Err("no")
}

#[cached]
async fn inside() -> Vec<Option<Result<u64, String>>> {
    vec![Some(Ok(1))]
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert!(plain().await.is_empty() && aliased().await.is_empty());
        assert_eq!(fallible().await, Ok(1));
        let _: Option<u64> = fallible::peek().await;
        assert!(of_io().await.is_err());
        assert!(full_path().await.is_ok());
        assert_eq!(optional().await, None);
        assert_eq!(both().await, Ok(None));
        both::put(&1).await.unwrap();
        assert!(both_written().await.is_ok());
        assert_eq!(done().await, Ok(()));
        assert_eq!(&*shared().await, "a");
        assert_eq!(tuple().await.0, 1);
        assert_eq!(borrowed_error().await, Err("no"));
        assert_eq!(inside().await.len(), 1);
    };
    cache_runtime::scope(cache, program).await;
}
