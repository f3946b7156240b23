//! Twelve arguments in one key.

use cache_runtime::cached;

#[cached]
#[allow(clippy::too_many_arguments)]
async fn many(
    a: u8,
    b: u16,
    c: u32,
    d: u64,
    e: u128,
    f: i8,
    g: i16,
    h: i32,
    i: i64,
    j: bool,
    k: char,
    l: &str,
) -> u64 {
    let _ = (a, b, c, d, e, f, g, h, i, j, k, l);
    1
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert!(
            many::key(1, 2, 3, 4, 5, 6, 7, 8, 9, true, 'k', "l")
                .as_str()
                .ends_with("many:1:2:3:4:5:6:7:8:9:true:k:l")
        );
        assert_eq!(many(1, 2, 3, 4, 5, 6, 7, 8, 9, true, 'k', "l").await, 1);
    };
    cache_runtime::scope(cache, program).await;
}
