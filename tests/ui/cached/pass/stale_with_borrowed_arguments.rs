//! `stale` clones what is borrowed.

use std::sync::Arc;

use cache_runtime::{KeyPart, PartWriter, cached};

#[derive(Clone, Debug)]
pub struct UserId(u64);

impl KeyPart for UserId {
    fn write_part(&self, out: &mut PartWriter<'_>) {
        self.0.write_part(out);
    }
}

#[derive(Clone)]
pub struct Repo {
    offset: u64,
}

#[cached(key = "user:<id>:<name>", ttl = 60, stale = "5m", skip(db))]
async fn get_user(id: &UserId, name: &str, db: &Arc<u64>) -> u64 {
    id.0 + name.len() as u64 + **db
}

impl Repo {
    #[cached(key = "repo:<id>", ttl = 60, stale = "5m")]
    async fn get(&self, id: &UserId) -> u64 {
        id.0 + self.offset
    }

    #[cached(key = "shared:<self.offset>:<id>", ttl = 60, stale = "5m")]
    async fn shared(self: Arc<Self>, id: u64) -> u64 {
        id + self.offset
    }

    #[cached(key = "lent:<id>", ttl = 60, stale = "5m")]
    async fn lent(self: &Arc<Self>, id: u64) -> u64 {
        id + self.offset
    }
}

#[tokio::test]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        assert_eq!(get_user(&UserId(1), "a", &Arc::new(2)).await, 4);
        let repo = Arc::new(Repo { offset: 1 });
        assert_eq!(repo.get(&UserId(1)).await, 2);
        assert_eq!(Arc::clone(&repo).shared(1).await, 2);
        assert_eq!(repo.lent(1).await, 2);
    };
    cache_runtime::scope(cache, program).await;
}
