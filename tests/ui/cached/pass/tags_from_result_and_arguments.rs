//! A tag may join arguments and the returned value.

use cache_runtime::cached;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct User {
    team: Team,
    pair: (u64, String),
    r#type: String,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub struct Team {
    id: u64,
}

#[cached(
    key = "user:<org>:<name>",
    tags = ["team:<org>:<result.team.id>", "name:<name>:<result.pair.1>", "kind:<result.type>"]
)]
async fn get_user(org: u64, name: &str) -> Result<User, String> {
    Ok(User { team: Team { id: org }, pair: (1, name.to_owned()), r#type: "x".to_owned() })
}

#[cached(key = "count:<id>", tags = ["count:<result>"])]
async fn count(id: u64) -> u64 {
    id
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert!(get_user(1, "a").await.is_ok());
        assert_eq!(count(1).await, 1);
    };
    cache_runtime::scope(cache, program).await;
}
