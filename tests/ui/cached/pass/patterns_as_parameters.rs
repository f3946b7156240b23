//! Destructured, `mut` and `_` parameters.

use cache_runtime::cached;

pub struct Pagination {
    page: u64,
    size: u64,
    #[allow(dead_code)]
    trace: String,
}

pub struct Id(u64);

#[cached(key = "list:<page>:<count>:<a>:<b>:<id>:<sum>")]
async fn list(
    Pagination { page, size: count, .. }: Pagination,
    (a, mut b): (u64, u64),
    Id(id): Id,
    _: String,
    mut sum: u64,
) -> u64
where
    u64: Copy,
{
    b += 1;
    sum += page + count + a + b + id;
    sum
}

#[cached(key = "borrowed:<x>:<y>", skip(z))]
async fn borrowed(&(x, y): &(u64, u64), (ref z, _): (String, u8)) -> u64 {
    x + y + z.len() as u64
}

#[cached(key = "whole:<whole>:<left>", tags = ["t:<left>"], skip(_right))]
async fn bound(whole @ (left, _right): (u64, u64)) -> u64 {
    whole.0 + left
}

#[cached]
async fn left_out((a, _): (u64, u64), [b, c]: [u64; 2], _: u8) -> u64 {
    a + b + c
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let page = Pagination { page: 1, size: 2, trace: String::new() };
        assert_eq!(list(page, (3, 4), Id(5), String::new(), 6).await, 22);
        let page = Pagination { page: 1, size: 2, trace: String::new() };
        assert_eq!(list::key(page, (3, 4), Id(5), 6).as_str(), "list:1:2:3:4:5:6");
        assert_eq!(borrowed(&(1, 2), ("abc".into(), 1)).await, 6);
        assert_eq!(borrowed::key(&(1, 2)).as_str(), "borrowed:1:2");
        assert_eq!(bound((1, 2)).await, 2);
        bound::put((1, 2), &3).await.unwrap();
        assert_eq!(left_out((1, 2), [3, 4], 5).await, 8);
        assert!(left_out::key((1, 2), [3, 4]).as_str().ends_with("left_out:1:3:4"));
    };
    cache_runtime::scope(cache, program).await;
}
