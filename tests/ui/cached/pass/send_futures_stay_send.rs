//! A cached function can be spawned, whatever it borrows.

use std::sync::Arc;

use cache_runtime::cached;

struct Repo {
    name: String,
}

impl Repo {
    #[cached(key = "r:<self.name>:<id>")]
    async fn get(&self, id: &str) -> Result<String, String> {
        tokio::task::yield_now().await;
        Ok(format!("{}{id}", self.name))
    }
}

#[cached(key = "f:<id>", skip(repo))]
async fn outer(id: String, repo: Arc<Repo>) -> Result<String, String> {
    repo.get(&id).await
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let repo = Arc::new(Repo { name: "a".into() });
        let task = tokio::spawn(async move {
            let text = outer("b".into(), Arc::clone(&repo)).await;
            let again = repo.get("b").await;
            (text, again, repo.get_key("b"))
        });
        assert_eq!(task.await.unwrap().0, Ok("ab".into()));
    };
    cache_runtime::scope(cache, program).await;
}
