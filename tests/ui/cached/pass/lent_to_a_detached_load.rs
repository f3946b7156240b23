//! A body that lends from its caller may still run detached: what it borrows is made owned.

use cache_runtime::cached;

#[cached(key = "a:<text>:<owned>", skip(path, numbers, flag))]
async fn get(
    text: &str,
    path: &std::path::Path,
    numbers: &[u8],
    flag: &bool,
    owned: &String,
) -> usize {
    tokio::task::yield_now().await;
    text.len() + path.as_os_str().len() + numbers.len() + usize::from(*flag) + owned.len()
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let text = String::from("ab");
        let future = assert_send(get(&text, std::path::Path::new("c"), &[1], &true, &text));
        assert_eq!(future.await, 7);
    };
    cache_runtime::scope(cache, program).await;
}
