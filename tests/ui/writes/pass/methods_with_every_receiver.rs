#![deny(warnings)]

use std::sync::Arc;

use cache_runtime::{cached, invalidates, write_through};

#[derive(Clone, Default)]
struct Repo {
    tenant: u64,
    written: u64,
}

impl Repo {
    #[cached(key = "user:<self.tenant>:<id>")]
    async fn get_user(&self, id: u64) -> Result<String, ()> {
        Ok(format!("{}:{id}", self.tenant))
    }

    #[cached(key = "count:<of>")]
    async fn count(of: u64) -> u64 {
        of
    }

    #[invalidates(self.get_user(id), Self::count(id), tags = ["tenant:<self.tenant>"])]
    async fn by_reference(&self, id: u64) -> Result<u64, ()> {
        Ok(id)
    }

    #[invalidates(self.get_user(result), self.get_user(*result + 1), tags = ["tenant:<self.tenant>:<result>"])]
    async fn by_mutable_reference(&mut self, id: u64) -> Result<u64, ()> {
        self.written += id;
        Ok(self.written)
    }

    #[invalidates(self.get_user(id), self.get_user(result), Self::count(result))]
    async fn by_arc(self: Arc<Self>, id: u64) -> Result<u64, ()> {
        drop(self);
        Ok(id)
    }

    #[invalidates(self.get_user(result), tags = ["tenant:<self.tenant>:<result>"])]
    async fn by_value(mut self, id: u64) -> u64 {
        self.written = id;
        self.written
    }

    #[invalidates(Repo::count(id), Self::count, Self::get_user)]
    async fn without(id: u64) {
        let _ = id;
    }

    #[invalidates(self.get_user)]
    async fn whole(&self) {}

    #[write_through(self.get_user(id))]
    async fn rename(&self, id: u64, name: String) -> Result<String, ()> {
        if id == 0 { Err(()) } else { Ok(name) }
    }

    #[write_through(Self::count(of))]
    async fn recount(&mut self, of: u64) -> u64 {
        self.written = of;
        of
    }
}

struct Service {
    repo: Repo,
}

impl Service {
    #[invalidates(self.repo.get_user(id))]
    async fn through_a_field(&mut self, id: u64) -> Option<u64> {
        self.repo.written += 1;
        Some(id)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs() {
    let cache = cache_runtime::Cache::builder().in_memory().build().await.unwrap();
    let program = async {
        let mut repo = Repo::default();
        assert_eq!(repo.by_reference(1).await, Ok(1));
        assert_eq!(repo.by_mutable_reference(2).await, Ok(2));
        assert_eq!(Arc::new(repo.clone()).by_arc(3).await, Ok(3));
        assert_eq!(repo.clone().by_value(4).await, 4);
        Repo::without(5).await;
        repo.whole().await;
        assert_eq!(repo.rename(1, "x".to_owned()).await, Ok("x".to_owned()));
        assert_eq!(repo.get_user(1).await, Ok("x".to_owned()));
        assert_eq!(repo.rename(0, "x".to_owned()).await, Err(()));
        assert_eq!(repo.recount(6).await, 6);
        assert_eq!(Service { repo }.through_a_field(1).await, Some(1));
    };
    cache_runtime::scope(cache, program).await;
}
