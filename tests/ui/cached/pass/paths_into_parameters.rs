//! A placeholder may be a path into a parameter.

use cache_runtime::cached;

pub struct Request {
    user: User,
    r#type: u8,
}

pub struct User {
    id: u64,
}

#[cached(key = "r:<request.user.id>:<request.type>:<pair.0>:<pair.1.0>")]
async fn answer(request: &Request, pair: (u64, (String, u8))) -> u64 {
    request.user.id + pair.0 + u64::from(request.r#type) + u64::from(pair.1.1)
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let request = Request { user: User { id: 1 }, r#type: 2 };
        assert_eq!(answer(&request, (3, ("a".into(), 4))).await, 10);
        assert_eq!(answer::key(&request, (3, ("a".into(), 4))).as_str(), "r:1:2:3:a");
    };
    cache_runtime::scope(cache, program).await;
}
