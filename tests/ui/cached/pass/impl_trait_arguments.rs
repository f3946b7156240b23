//! `impl Into<T>` and `impl AsRef<T>` in the key; any other in `skip`.

use cache_runtime::{KeyPart, cached};

#[cached(key = "user:<name>", tags = ["name:<name>"])]
async fn by_name(name: impl Into<String>) -> usize {
    let name: String = name.into();
    name.len()
}

#[cached(key = "user:<name>:<id>")]
async fn by_both(name: impl AsRef<str> + Send, id: impl Into<u64> + Send) -> usize {
    name.as_ref().len() + id.into() as usize
}

#[cached(key = "part:<part>", skip(name, call))]
async fn skipped(part: impl KeyPart, name: impl Into<String>, call: impl Fn(u8) -> u8) -> usize {
    let _ = part;
    name.into().len() + usize::from(call(1))
}

#[cached]
async fn whole(name: impl Into<String>) -> String {
    name.into()
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(by_name("abc").await, 3);
        assert_eq!(by_name(String::from("abc")).await, 3);
        assert_eq!(by_name::key("abc").as_str(), "user:abc");
        by_name::put("abc", &3).await.unwrap();
        assert_eq!(by_both("abc", 4_u32).await, 7);
        assert_eq!(by_both::key("abc", 4_u32).as_str(), "user:abc:4");
        assert_eq!(skipped(1_u8, "ab", |x| x).await, 3);
        assert_eq!(whole("x").await, "x");
    };
    cache_runtime::scope(cache, program).await;
}
