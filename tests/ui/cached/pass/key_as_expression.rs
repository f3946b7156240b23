//! A key may be an expression of type `Key<T>`.

use cache_runtime::{Key, cached};

struct Keys;

impl Keys {
    fn user(id: u64) -> Key<String> {
        Key::new(format!("user:{id}"))
    }
}

#[cached(key = Keys::user(id), skip(loud), tags = ["users", "user:<id>"])]
async fn name(id: u64, loud: bool) -> Option<String> {
    Some(if loud { id.to_string().to_uppercase() } else { id.to_string() })
}

#[cached(key = Key::new(format!("by:{first}:{}", last)))]
async fn captured(first: String, last: &str) -> String {
    format!("{first} {last}")
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(name(1, false).await.as_deref(), Some("1"));
        assert_eq!(name::key(7).as_str(), "user:7");
        name::invalidate(7).await.unwrap();
        assert_eq!(captured("a".into(), "b").await, "a b");
        assert_eq!(captured::key("a".into(), "b").as_str(), "by:a:b");
    };
    cache_runtime::scope(cache, program).await;
}
