//! `?`, early returns, `impl Trait` inside, nested items, loops and labels.

use cache_runtime::cached;

#[cached(key = "a:<id>")]
async fn questions(id: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    const OFFSET: u64 = 1;
    fn helper(text: &str) -> impl Fn() -> Result<u64, std::num::ParseIntError> + '_ {
        move || text.parse::<u64>()
    }
    if id.is_empty() {
        return Ok(0);
    }
    let number = helper(id)()?;
    let mut sum = 0;
    'outer: loop {
        for each in 0.. {
            sum += each;
            if each > number {
                break 'outer;
            }
        }
    }
    Err::<(), _>("no").or(Ok::<(), &str>(()))?;
    Ok(sum + OFFSET)
}

#[cached(key = "b:<id>")]
async fn diverges(id: u64) -> Option<u64> {
    if id == 0 {
        return None;
    }
    todo_or(id)
}

fn todo_or(id: u64) -> Option<u64> {
    Some(id)
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert!(questions("1").await.is_ok());
        assert!(questions("x").await.is_err());
        assert_eq!(diverges(0).await, None);
    };
    cache_runtime::scope(cache, program).await;
}
